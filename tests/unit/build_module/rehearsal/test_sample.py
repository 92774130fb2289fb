"""The sample: the same date gives the same bytes, and the label cannot be known."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from build.rehearsal.sample import DATASET, PAYMENTS, Variant, day
from tests.configuration import ROOT

DAY = date(2026, 11, 22)


def table(variant: Variant = Variant.ORDINARY, rows: int = 4_000) -> pa.Table:
    parts = [csv.read_csv(pa.BufferReader(part.content)) for part in day(DAY, rows, parts=2, variant=variant)]
    return pa.concat_tables(parts)


def share(trips: pa.Table, column: str, value: str) -> float:
    values: list[str] = trips[column].to_pylist()
    return values.count(value) / len(values)


@pytest.mark.parametrize("variant", list(Variant))
def test_same_day_same_bytes(variant: Variant) -> None:
    assert list(day(DAY, 100, variant=variant)) == list(day(DAY, 100, variant=variant))


def test_another_day_is_another_sample() -> None:
    assert next(day(DAY, 100)).content != next(day(date(2026, 11, 23), 100)).content


@pytest.mark.parametrize(("rows", "parts"), [(10, 3), (8, 8), (2, 4), (0, 1)])
def test_rows_are_spread_over_the_parts(rows: int, parts: int) -> None:
    made = list(day(DAY, rows, parts=parts))
    lines = [len(part.content.splitlines()) - 1 for part in made]

    assert [part.name for part in made] == [f"part-{number}.csv" for number in range(parts)]
    assert sum(lines) == rows
    assert max(lines) - min(lines) <= 1


def test_the_label_is_no_function_of_the_columns() -> None:
    """Trips alike in everything the label is drawn from differ in it."""
    trips = table().select(["payment_type", "trip_start_hour", "trip_miles", "big_tipper"]).to_pylist()
    seen: dict[tuple[object, ...], set[int]] = {}
    for trip in trips:
        seen.setdefault((trip["payment_type"], trip["trip_start_hour"], trip["trip_miles"]), set()).add(
            trip["big_tipper"]
        )

    assert any(len(labels) == 2 for labels in seen.values())


def test_the_label_depends_on_the_columns() -> None:
    trips = table()
    label, paid = trips["big_tipper"].to_numpy(), np.array(trips["payment_type"].to_pylist())

    assert 0.2 < label.mean() < 0.6
    assert label[paid == "Credit Card"].mean() > label[paid == "Cash"].mean() + 0.3


def test_an_ordinary_day_breaks_nothing() -> None:
    trips = table()

    assert set(trips["payment_type"].to_pylist()) <= set(PAYMENTS)
    assert min(fare for fare in trips["fare"].to_pylist() if fare is not None) >= 0
    assert trips["trip_miles"].null_count < 0.05 * trips.num_rows


def test_a_bad_day_breaks_the_schema_in_several_ways() -> None:
    trips = table(Variant.BAD)

    assert share(trips, "payment_type", "Barter") == 0.01
    assert min(fare for fare in trips["fare"].to_pylist() if fare is not None) < 0
    assert trips["trip_miles"].null_count > 0.3 * trips.num_rows
    assert "pickup_latitude" not in trips.column_names


def test_a_drifted_day_has_moved_and_breaks_nothing() -> None:
    before, after = table(), table(Variant.DRIFTED)

    assert after.schema == before.schema
    assert set(after["payment_type"].to_pylist()) <= set(PAYMENTS)
    assert share(after, "payment_type", "Mobile") > share(before, "payment_type", "Mobile") + 0.3
    assert np.nanmean(after["trip_miles"].to_numpy()) > 2 * np.nanmean(before["trip_miles"].to_numpy())


def test_its_label_and_what_is_dropped_are_columns_and_its_schema_knows_all() -> None:
    columns = set(table().column_names)
    schema = (ROOT / str(DATASET.schema)).read_text(encoding="utf-8")
    assert {DATASET.label, *DATASET.drop} <= columns
    assert set(re.findall(r'^  name: "(\w+)"', schema, re.MULTILINE)) == columns
