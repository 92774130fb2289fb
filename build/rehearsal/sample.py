"""A day of taxi trips, made up: the rehearsal's data.

Shaped like the City of Chicago's taxi trips. The label ``big_tipper`` is drawn with a probability that
depends on the other columns, so a model can learn it and none can know it. A day is a function of its date:
same date, same bytes; other dates differ by chance alone, far below any threshold of drift.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from templates.config import Dataset

DATASET: Final = Dataset(
    name="taxi",
    label="big_tipper",
    drop=("trip_id", "taxi_id"),
    schema="schema/taxi.pbtxt",
    marker="_SUCCESS",
)
"""How it is judged and trained on."""

ROWS: Final = 40_000
PARTS: Final = 8

PAYMENTS: Final = ("Cash", "Credit Card", "Mobile", "Prcard", "Unknown", "No Charge", "Dispute")
STATUSES: Final = ("complete", "cancelled", "no show")
STATUS_SHARES: Final = (0.96, 0.03, 0.01)
COMPANIES: Final = ("Flash Cab", *(f"Company {number:03d} Taxi Assoc" for number in range(1, 60)))
TAXIS: Final = 5_000
TRACTS: Final = 17_031_000_000 + 101 * np.arange(900)
AREAS: Final = 77
AIRPORT: Final = 76

RUSH: Final = 1 + 0.8 * np.sin((np.arange(24) - 9) / 24 * 2 * np.pi)
"""How many trips begin in each hour, relative to each other: fewest at 3, most at 15."""

GENEROSITY: Final = {"Cash": -1.6, "Credit Card": 1.0, "Mobile": 1.3, "Prcard": 0.2}
"""What a way to pay adds to the log odds of a big tip."""

Numbers = NDArray[Any]


class Variant(StrEnum):
    """What kind of day it was."""

    ORDINARY = "ordinary"
    BAD = "bad"
    """The data break the schema: unknown payments, negative fares, missing miles, a renamed column."""
    DRIFTED = "drifted"
    """The data fit the schema, but people pay by phone and ride further."""
    UNREADABLE = "unreadable"
    """The last row of the last file has more fields than its header."""


class Part(NamedTuple):
    """One CSV file of a day."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Habits:
    """What differs between ordinary days and drifted ones."""

    payment_shares: tuple[float, ...] = (0.55, 0.38, 0.03, 0.02, 0.01, 0.006, 0.004)
    miles: float = 3.0
    """Scale of the trips' length, miles."""


DRIFTED: Final = Habits(payment_shares=(0.22, 0.33, 0.41, 0.02, 0.01, 0.006, 0.004), miles=7.5)


def day(
    run_date: date, rows: int = ROWS, *, parts: int = PARTS, variant: Variant = Variant.ORDINARY
) -> Iterator[Part]:
    """Make a day's trips.

    Args:
        run_date: The day; seeds the chance.
        rows: Number of trips, spread evenly over the parts.
        parts: Number of files.
        variant: What kind of day it was.

    Yields:
        The files ``part-0.csv``, ``part-1.csv`` and so on, each with a header.
    """
    for part in range(parts):
        # A bad day is the ordinary day spoilt, so both draw from one seed.
        rng = np.random.default_rng((run_date.toordinal(), part))
        count = rows // parts + (part < rows % parts)
        trips = _trips(rng, count, run_date, DRIFTED if variant is Variant.DRIFTED else Habits())
        content = _csv(_spoilt(trips) if variant is Variant.BAD else trips)
        is_torn = variant is Variant.UNREADABLE and part == parts - 1
        yield Part(f"part-{part}.csv", content + b"," * trips.num_columns + b"\n" if is_torn else content)


def _trips(rng: np.random.Generator, rows: int, run_date: date, habits: Habits) -> pa.Table:
    hour = rng.choice(24, rows, p=RUSH / RUSH.sum())
    seconds = np.where(rng.random(rows) < 0.05, 0, np.round(rng.gamma(2.0, 400.0, rows) / 60) * 60)
    miles = np.minimum(np.round(rng.gamma(1.2, habits.miles, rows), 1), 100.0)
    fare = np.round(np.maximum(3.25 + 2.25 * miles + 0.004 * seconds + rng.normal(0, 0.3, rows), 0.0), 2)
    payment = rng.choice(len(PAYMENTS), rows, p=habits.payment_shares)
    pickup_area = np.minimum(rng.zipf(1.4, rows), AREAS)
    columns = {
        "trip_id": _identifiers(rng, rows),
        "taxi_id": pc.binary_join_element_wise(
            "taxi", pa.array(rng.integers(0, TAXIS, rows)).cast("string"), "-"
        ),
        "trip_start": _starts(rng, run_date, hour),
        "trip_start_hour": hour,
        "trip_seconds": _holed(rng, seconds.astype(np.int64), 0.01),
        "trip_miles": _holed(rng, miles, 0.002),
        "pickup_census_tract": _holed(rng, rng.choice(TRACTS, rows), 0.35),
        "dropoff_census_tract": _holed(rng, rng.choice(TRACTS, rows), 0.36),
        "pickup_community_area": _holed(rng, pickup_area, 0.1),
        "dropoff_community_area": _holed(rng, rng.integers(1, AREAS + 1, rows), 0.12),
        "fare": _holed(rng, fare, 0.001),
        "extras": np.where(rng.random(rows) < 0.7, 0.0, np.round(rng.exponential(2.0, rows) * 2) / 2),
        "payment_type": _words(payment, PAYMENTS),
        "company": _holed(rng, _words(np.minimum(rng.zipf(1.3, rows), len(COMPANIES)) - 1, COMPANIES), 0.3),
        "status": _words(rng.choice(len(STATUSES), rows, p=STATUS_SHARES), STATUSES),
        "pickup_latitude": _holed(rng, np.round(41.88 + rng.normal(0, 0.05, rows), 6), 0.1),
        "pickup_longitude": _holed(rng, np.round(-87.65 + rng.normal(0, 0.04, rows), 6), 0.1),
        "big_tipper": _big_tippers(rng, payment, miles, hour, pickup_area == AIRPORT),
    }
    return pa.table(columns)


def _big_tippers(
    rng: np.random.Generator, payment: Numbers, miles: Numbers, hour: Numbers, from_airport: Numbers
) -> Numbers:
    """Draw the label by a logistic model of the trip; the rest is chance."""
    generosity = np.array([GENEROSITY.get(word, -1.0) for word in PAYMENTS])[payment]
    evening = 0.5 * ((hour >= 18) | (hour < 2))
    log_odds = -1.1 + generosity + 0.45 * np.log1p(miles) + evening + 0.6 * from_airport
    return (rng.random(len(payment)) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)


def _spoilt(trips: pa.Table) -> pa.Table:
    """Break what the schema asks for, in every hundredth or third row."""
    row = np.arange(trips.num_rows)
    changes: Mapping[str, pa.Array] = {
        "payment_type": pc.if_else(pa.array(row % 100 == 0), "Barter", trips["payment_type"]),
        "fare": pc.if_else(pa.array(row % 100 == 1), pc.negate(trips["fare"]), trips["fare"]),
        "trip_miles": pc.if_else(pa.array(row % 3 == 0), None, trips["trip_miles"]),
    }
    for name, values in changes.items():
        trips = trips.set_column(trips.column_names.index(name), name, values)
    return trips.rename_columns({"pickup_latitude": "pickup_lat"})


def _identifiers(rng: np.random.Generator, rows: int) -> list[str]:
    digits = rng.bytes(16 * rows).hex()
    return [digits[start : start + 32] for start in range(0, len(digits), 32)]


def _starts(rng: np.random.Generator, run_date: date, hour: Numbers) -> pa.Array:
    """Return the start of each trip, to the quarter of an hour, as the city publishes it."""
    quarters = [f"{run_date}T{hour:02d}:{minute:02d}:00" for hour in range(24) for minute in (0, 15, 30, 45)]
    return _words(4 * hour + rng.integers(0, 4, len(hour)), quarters)


def _words(codes: Numbers, words: tuple[str, ...] | list[str]) -> pa.Array:
    return pa.array(words).take(pa.array(codes))


def _holed(rng: np.random.Generator, values: Numbers | pa.Array, share: float) -> pa.Array:
    """Return the values with this share of them missing."""
    holes = pa.array(rng.random(len(values)) < share)
    return pc.if_else(holes, None, pa.array(values))


def _csv(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink, csv.WriteOptions(quoting_style="needed"))
    return bytes(sink.getvalue())
