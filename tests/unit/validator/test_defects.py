from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validator import defects
from validator.profile import Column, Kind, Profile
from validator.survey import Mixture


def found(values: Sequence[Any], kind: Kind = Kind.BYTES, type_: Any = None) -> list[tuple[str, str]]:
    profile = Profile([Column("c", kind)])
    profile.add(pa.record_batch([pa.array(values, type_)], names=["c"]))
    return [(defect.code, defect.detail) for defect in defects.of_values(profile.finish())]


def test_clean_columns_have_no_defect() -> None:
    assert found(["a", None, "b"]) == []
    assert found([1.5, None], Kind.FLOAT) == []


def test_each_kind_of_defect_is_counted() -> None:
    assert found([b"\xff", b"\xff", b"a\0", b"b"]) == [
        ("INVALID_UTF8", "2 values not UTF-8 text"),
        ("NUL_BYTES", "1 value with a NUL byte"),
    ]
    assert found([float("nan"), float("inf"), 1.0], Kind.FLOAT) == [
        ("NON_FINITE_VALUES", "1 NaN, 1 infinite")
    ]


@pytest.mark.parametrize("name", ["-3", "20.11", ".5", "-1.5e-7", "+0.1"])
def test_a_first_line_of_values_is_told(name: str) -> None:
    (found,) = defects.of_first_line(["fare", name])
    assert (found.code, found.feature) == ("HEADER_OF_VALUES", "")
    assert found.detail == f"there is “{name}”; if that is a row, name the columns with --columns"


@pytest.mark.parametrize("name", ["2026", "0", "2026-01-01", "v1.5", "-", ".", "a-1", "1.2.3"])
def test_names_that_may_be_names_are_not(name: str) -> None:
    assert list(defects.of_first_line(["fare", name])) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "2024-02-30",
        "2023-02-29",
        "1900-02-29",
        "2024-13-01",
        "2024-00-10",
        "2024-04-31",
        "2024-01-00",
        "2024-01-01T24:00",
        "2024-01-01 10:60:00",
        "2024-01-01T10:00:99Z",
    ],
)
def test_a_day_on_no_calendar_is_counted(wrong: str) -> None:
    assert found(["2024-01-01", "2024-02-29", wrong, wrong]) == [
        ("INVALID_DATES", f"2 values on no calendar, as “{wrong}”")
    ]


@pytest.mark.parametrize(
    "values",
    [
        ["2024-02-30", "a", "b", "c"],
        ["2024-02-29", "2000-02-29", "0000-01-01"],
        ["2024-01-01T23:59:60Z", "2024-01-01 00:00:00.123+02:00", "2024-01-01T10:00"],
        ["12024-02-30", "2024-02-30x"],
    ],
)
def test_other_texts_are_no_wrong_dates(values: list[str]) -> None:
    assert found(values) == []


@given(st.lists(st.dates() | st.datetimes(), min_size=1))
def test_days_there_are_are_never_counted(days: list[date | datetime]) -> None:
    assert found([day.isoformat() for day in days]) == []


def test_defects_of_fields_name_the_struct() -> None:
    column = Column("s", Kind.STRUCT, fields=(Column("f", Kind.FLOAT),))
    profile = Profile([column])
    profile.add(pa.record_batch([pa.array([{"f": float("nan")}])], names=["s"]))
    assert [defect.feature for defect in defects.of_values(profile.finish())] == ["s.f"]


def test_a_mixture_says_how_many_and_where() -> None:
    (defect,) = defects.of_mixtures([Mixture("n", 999, 1, "N/A", "a.csv", 500)])
    assert defect.detail == "1 text among 999 numbers, the first is “N/A” in row 500 of a.csv"


@pytest.mark.parametrize(
    ("uris", "detail"),
    [
        (["a.csv"], "the last row of a.csv has none, it may be cut off"),
        (["a.csv", "b.csv", "c.csv"], "the last row of a.csv and 2 more has none, it may be cut off"),
    ],
)
def test_rows_without_a_line_end_are_one_defect(uris: list[str], detail: str) -> None:
    assert [defect.detail for defect in defects.of_ends(uris)] == [detail]


def test_no_such_row_is_no_defect() -> None:
    assert list(defects.of_ends([])) == []
