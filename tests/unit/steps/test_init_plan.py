"""The plan: the smallest size that fits, and a larger one in reserve."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.init.manifest import Object
from steps.init.plan import MIB, memory, sizes
from steps.init.settings import Size, Sizing

LADDER = (Size("512", "1024"), Size("1024", "2048"), Size("2048", "8192"))
SIZING = Sizing.parse('{"base": 512, "csv": 0.5, "csv.gz": 4, "parquet": 2}')


def data(name: str, mib: float) -> Object:
    return Object(name, int(mib * MIB), '"e"', None, "2026-11-22T10:00:00+00:00")


def test_memory_is_the_base_and_each_format_by_its_factor() -> None:
    assert (
        memory([data("a.csv", 100), data("b.csv.gz", 10), data("c.parquet", 50)], SIZING)
        == 512 + 50 + 40 + 100
    )


@pytest.mark.parametrize(
    ("mib", "memories"),
    [
        (0, ("1024", "2048")),
        (1024, ("1024", "2048")),
        (1024.01, ("2048", "8192")),
        (10_000, ("8192", "8192")),
        (1_000_000, ("8192", "8192")),
    ],
)
def test_the_smallest_size_that_fits_and_the_next(mib: float, memories: tuple[str, str]) -> None:
    first, second = sizes([data("a.csv", mib)], LADDER, SIZING)

    assert (first.memory, second.memory) == memories


def test_a_day_without_data_takes_the_smallest_size() -> None:
    assert sizes([], LADDER, SIZING)[0] == LADDER[0]


@given(st.lists(st.floats(0, 1e6)), st.floats(0, 1e6))
def test_more_data_never_take_a_smaller_size(mibs: list[float], more: float) -> None:
    some = [data("a.csv", mib) for mib in mibs]

    small, large = sizes(some, LADDER, SIZING), sizes([*some, data("b.parquet", more)], LADDER, SIZING)

    assert LADDER.index(small[0]) <= LADDER.index(large[0])
    assert LADDER.index(small[0]) <= LADDER.index(small[1])
