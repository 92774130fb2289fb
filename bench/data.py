"""Writes the data of the benchmarks: deterministic, in blocks, so that size costs no memory.

The 18 columns have the distributions of trips of a city's taxis: an identifier unique to each row, an
identifier of thousands, skewed categories, money, seconds, coordinates, missing values in most of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

BLOCK_ROWS: Final = 250_000
GROUP_ROWS: Final = 125_000
PARQUET_FILES: Final = 4
WIDE_COLUMNS: Final = 5_000
WIDE_BLOCK_ROWS: Final = 2_000

_COMPANIES: Final = [f"Company {number:03d} Taxi Assoc" for number in range(120)] + ["Flash Cab"]
_PAYMENTS: Final = ["Cash", "Credit Card", "Mobile", "Prcard", "Unknown", "No Charge", "Dispute", "Pcard"]
_PAYMENT_SHARES: Final = [0.55, 0.38, 0.03, 0.02, 0.01, 0.005, 0.003, 0.002]
_STATES: Final = ["complete", "cancelled", "no_show"]
_STATE_SHARES: Final = [0.96, 0.03, 0.01]
_TRACTS: Final = np.arange(900) * 101 + 17_031_000_000
_SEED: Final = 1_000
_HEX: Final = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), dtype="S2")


def trips(rows: int) -> Iterator[Any]:
    """Yields tables of trips; whole blocks are the same whatever the number."""
    for number, start in enumerate(range(0, rows, BLOCK_ROWS)):
        yield _trips(number, min(BLOCK_ROWS, rows - start))


def wide(rows: int) -> Iterator[Any]:
    """Yields tables of 5,000 columns: numbers, categories, identifiers and mostly missing ones in turn."""
    for number, start in enumerate(range(0, rows, WIDE_BLOCK_ROWS)):
        yield _wide(number, min(WIDE_BLOCK_ROWS, rows - start))


def write_csv(tables: Iterator[Any], path: Path) -> None:
    """Writes one file, every text in quotation marks."""
    first = next(tables)
    options = csv.WriteOptions(quoting_style="needed")
    with csv.CSVWriter(path, first.schema, write_options=options) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def write_parquet(tables: Iterator[Any], folder: Path, rows: int) -> None:
    """Writes a folder of files with row groups of 125,000 rows, packed by zstd."""
    folder.mkdir()
    blocks = -(-rows // BLOCK_ROWS)
    writers: dict[int, Any] = {}
    for number, table in enumerate(tables):
        file = number * PARQUET_FILES // blocks
        if file not in writers:
            path = folder / f"part-{file}.parquet"
            writers[file] = parquet.ParquetWriter(path, table.schema, compression="zstd")
        writers[file].write_table(table, row_group_size=GROUP_ROWS)
    for writer in writers.values():
        writer.close()


def _trips(block: int, rows: int) -> Any:
    random = np.random.default_rng(_SEED + block)

    def missing(values: Any, share: float) -> Any:
        return pa.array(values, mask=random.random(rows) < share)

    first = 1_356_998_400 + block * BLOCK_ROWS * 17
    start = (first + np.arange(rows) * 17 + random.integers(0, 900, rows)) // 900 * 900
    seconds = np.round(random.gamma(2.0, 400, rows) / 60) * 60
    seconds = np.where(random.random(rows) < 0.05, 0, seconds).astype(np.int64)
    miles = np.where(random.random(rows) < 0.2, 0.0, np.round(random.gamma(1.2, 3.0, rows), 1))
    fare = np.round(3.25 + miles * 2.25 + seconds * 0.004 + random.normal(0, 0.3, rows), 2)
    tips = np.where(random.random(rows) < 0.6, 0.0, np.round(fare * random.beta(2, 8, rows), 2))
    extras = np.where(random.random(rows) < 0.7, 0.0, np.round(random.exponential(2.0, rows) * 2) / 2)
    company = pa.array(
        np.minimum(random.zipf(1.3, rows) - 1, 120).astype(np.int32), mask=random.random(rows) < 0.3
    )
    return pa.table(
        {
            "trip_id": _identifiers(random, rows),
            "taxi_id": _numbered("taxi-", random.integers(0, 5000, rows)),
            "trip_start_timestamp": start,
            "trip_seconds": missing(seconds, 0.01),
            "trip_miles": missing(miles, 0.001),
            "pickup_census_tract": missing(_TRACTS[random.integers(0, 900, rows)], 0.35),
            "dropoff_census_tract": missing(_TRACTS[np.minimum(random.zipf(1.5, rows), 899)], 0.36),
            "pickup_community_area": missing(random.integers(1, 78, rows), 0.1),
            "fare": missing(fare, 0.001),
            "tips": tips,
            "extras": extras,
            "payment_type": _words(_PAYMENTS, random.choice(8, rows, p=_PAYMENT_SHARES)),
            "company": _words(_COMPANIES, company),
            "status": _words(_STATES, random.choice(3, rows, p=_STATE_SHARES)),
            "pickup_latitude": missing(np.round(41.88 + random.normal(0, 0.05, rows), 9), 0.1),
            "pickup_longitude": missing(np.round(-87.65 + random.normal(0, 0.04, rows), 9), 0.1),
            "trip_start_hour": (start // 3600) % 24,
            "label": (tips > fare * 0.2).astype(np.int64),
        }
    )


def _wide(block: int, rows: int) -> Any:
    random = np.random.default_rng(_SEED + block)
    makers: list[Callable[[], Any]] = [
        lambda: np.round(random.normal(0, 100, rows), 3),
        lambda: random.integers(0, 50, rows),
        lambda: _words(_COMPANIES, np.minimum(random.zipf(1.3, rows) - 1, 120)),
        lambda: _numbered("u", random.integers(0, 10_000_000, rows)),
        lambda: pa.array(random.integers(0, 1_000_000, rows), mask=random.random(rows) < 0.9),
    ]
    return pa.table({f"column_{n:04d}": makers[n % len(makers)]() for n in range(WIDE_COLUMNS)})


def _identifiers(random: Any, rows: int) -> Any:
    """Returns 32 hexadecimal digits for each row, no two alike."""
    numbers = random.integers(0, 2**63, (rows, 2), dtype=np.int64).astype(">i8")
    digits = _HEX[numbers.view(np.uint8).reshape(rows, 16)]
    return pa.array(digits.view("S32").ravel().astype("U32"))


def _numbered(prefix: str, numbers: Any) -> Any:
    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")


def _words(words: list[str], codes: Any) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(codes).cast(pa.int32()), pa.array(words)).cast(pa.string())


def main() -> None:
    """Writes one set of data: a process of its own, whose memory is then given back."""
    parser = argparse.ArgumentParser(prog="python -m bench.data", description=__doc__)
    parser.add_argument("kind", choices=["trips-csv", "trips-parquet", "wide-csv"])
    parser.add_argument("rows", type=int)
    parser.add_argument("path", type=Path)
    asked = parser.parse_args()
    if asked.kind == "trips-parquet":
        write_parquet(trips(asked.rows), asked.path, asked.rows)
    else:
        write_csv((trips if asked.kind == "trips-csv" else wide)(asked.rows), asked.path)


if __name__ == "__main__":
    main()
