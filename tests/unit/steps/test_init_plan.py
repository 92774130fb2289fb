"""The plan: the smallest task that is done in time, or children that share the day."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.init.manifest import Object
from steps.init.plan import Plan, make
from steps.init.settings import Pace, Size

LADDER = (Size("512", "1024"), Size("1024", "2048"), Size("2048", "8192"))
MIB = 1 << 20
PACE = Pace.parse(
    f'{{"bytes_per_second": {{"text": {MIB}, "stream": {MIB}, "columnar": {MIB}, "records": {MIB}}}, '
    '"target_seconds": 100, "most_children": 16}'
)
"""A MiB is a second of one vCPU."""


def data(name: str, mib: float) -> Object:
    return Object(name, int(mib * MIB), '"e"', "2026-11-22T10:00:00+00:00")


@pytest.mark.parametrize(
    ("mib", "expected"),
    [
        (0, Plan((LADDER[0], LADDER[1]), 1)),
        (50, Plan((LADDER[0], LADDER[1]), 1)),
        (51, Plan((LADDER[1], LADDER[2]), 1)),
        (101, Plan((LADDER[2], LADDER[2]), 1)),
        (200, Plan((LADDER[2], LADDER[2]), 1)),
        # Above the largest task, children of the smallest size: half a vCPU does 50 MiB in time.
        (201, Plan((LADDER[0], LADDER[1]), 5)),
        (500, Plan((LADDER[0], LADDER[1]), 10)),
        (1_000_000, Plan((LADDER[0], LADDER[1]), 16)),
    ],
)
def test_the_smallest_size_that_is_done_in_time_or_children(mib: float, expected: Plan) -> None:
    assert make([data("a.csv", mib)], LADDER, PACE) == expected


def test_a_packed_object_is_read_by_one_vcpu_however_long_that_takes() -> None:
    assert make([data("a.csv.gz", 1_000_000)], LADDER, PACE) == Plan((LADDER[1], LADDER[2]), 1)
    assert make([data("a.tfrecord", 1_000_000)], LADDER, PACE) == Plan((LADDER[1], LADDER[2]), 1)


def test_there_are_no_more_children_than_pieces() -> None:
    packed = [data(f"{number}.csv.gz", 1_000) for number in range(5)]

    assert make(packed, LADDER, PACE) == Plan((LADDER[0], LADDER[1]), 5)


@pytest.mark.parametrize("most_children", [1, 2, 4])
def test_children_that_have_no_more_vcpus_than_the_largest_task_are_none(most_children: int) -> None:
    plan = make([data("a.csv", 1_000_000)], LADDER, replace(PACE, most_children=most_children))

    assert plan == Plan((LADDER[2], LADDER[2]), 1)


def test_the_least_that_is_more_than_the_largest_task_is_shared() -> None:
    plan = make([data("a.csv", 1_000_000)], LADDER, replace(PACE, most_children=5))

    assert plan == Plan((LADDER[0], LADDER[1]), 5)


@pytest.mark.parametrize("most_children", [1, 16])
def test_below_a_vcpu_a_packed_object_is_read_by_the_largest_size(most_children: int) -> None:
    ladder = (Size("256", "512"), Size("512", "1024"))
    pace = replace(PACE, most_children=most_children)

    assert make([data("a.csv.gz", 1_000_000)], ladder, pace) == Plan((ladder[1], ladder[1]), 1)


def test_what_is_no_data_counts_for_nothing() -> None:
    assert make([data("readme.txt", 1_000_000)], LADDER, PACE) == Plan((LADDER[0], LADDER[1]), 1)
    assert make([], LADDER, PACE) == Plan((LADDER[0], LADDER[1]), 1)


def test_each_format_has_a_pace_of_its_own() -> None:
    slow = replace(PACE, bytes_per_second={**PACE.bytes_per_second, "columnar": MIB / 4})

    assert make([data("a.csv", 50)], LADDER, slow).sizes[0] == LADDER[0]
    assert make([data("a.parquet", 50)], LADDER, slow).sizes[0] == LADDER[2]


LADDERS = (
    LADDER,
    LADDER[:1],
    LADDER[2:],
    (Size("256", "512"), Size("512", "1024")),
    (Size("1024", "2048"), Size("4096", "8192"), Size("16384", "32768")),
)


@given(
    ladder=st.sampled_from(LADDERS),
    most_children=st.integers(1, 64),
    mibs=st.lists(st.tuples(st.sampled_from(["a.csv", "a.csv.gz"]), st.floats(0, 1e6)), max_size=20),
    more=st.tuples(st.sampled_from(["b.parquet", "b.tfrecord"]), st.floats(0, 1e6)),
)
def test_more_data_never_get_less_to_read_them(
    ladder: tuple[Size, ...], most_children: int, mibs: list[tuple[str, float]], more: tuple[str, float]
) -> None:
    pace = replace(PACE, most_children=most_children)
    some = [data(*each) for each in mibs]

    small, large = make(some, ladder, pace), make([*some, data(*more)], ladder, pace)

    assert _vcpus(small) <= _vcpus(large)
    assert small.children <= large.children


@given(mib=st.floats(1, 1e6), most_children=st.integers(1, 64))
def test_children_are_never_slower_than_the_largest_task(mib: float, most_children: int) -> None:
    for ladder in LADDERS:
        plan = make([data("a.csv", mib)], ladder, replace(PACE, most_children=most_children))

        assert plan.children == 1 or _vcpus(plan) > int(ladder[-1].cpu) / 1024


def _vcpus(plan: Plan) -> float:
    return plan.children * int(plan.sizes[0].cpu) / 1024
