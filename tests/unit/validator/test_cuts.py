"""Every shard is one child's, whoever asks; children differ by no more than the shards do."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validator import cuts
from validator.contract import MOST_CHILDREN
from validator.cuts import Cut, Shard
from validator.store import Object


def shards(*sizes: int) -> list[Shard]:
    return [Shard((Cut.whole(Object(f"{number}.csv", size)),)) for number, size in enumerate(sizes)]


@given(st.lists(st.integers(0, 1 << 40), max_size=50), st.integers(1, MOST_CHILDREN))
def test_each_shard_is_in_one_part_and_parts_are_neighbours(sizes: list[int], count: int) -> None:
    made = shards(*sizes)
    owners = cuts.owners(made, count)
    parts = {index: cuts.part(made, index, count) for index in {0, count - 1, *owners}}
    assert sorted(chain(*parts.values())) == list(range(len(made)))
    assert all(owners[place] == index for index, part in parts.items() for place in part)
    assert list(owners) == sorted(owners)
    assert set(owners) <= set(range(count))


@pytest.mark.parametrize("count", [1, 2, 3, 8, 24])
def test_equal_shards_are_shared_out_equally(count: int) -> None:
    sizes = [len(cuts.part(shards(*[7] * 24), index, count)) for index in range(count)]
    assert (min(sizes), max(sizes)) == (24 // count, 24 // count)


def test_more_children_than_shards_leave_some_without() -> None:
    parts = [len(cuts.part(shards(5, 5, 5), index, 7)) for index in range(7)]
    assert (sum(parts), max(parts)) == (3, 1)


def test_parts_are_equal_by_bytes_not_by_number() -> None:
    made = shards(*[1] * 10, 1_000, 1_000)
    assert [len(cuts.part(made, index, 2)) for index in range(2)] == [11, 1]


def test_no_shards_are_nobodys() -> None:
    assert (list(cuts.part([], 0, 3)), list(cuts.owners([], 3))) == ([], [])
