"""How a dataset is cut into work: byte ranges of objects, and shards of about equal size.

A range owns what starts in it: the rows of a text, the row groups, stripes and record batches of the columnar
formats. Where its rows really began and ended is told by the reading; two neighbours must meet there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Final

from validator.store import Object

SHARDS: Final = 1_000
"""Above so many shards they become longer instead of more."""
_SMALLEST: Final = 1 << 10
"""Bytes a file counts for at least: opening it is work too."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What starts in these bytes of an object."""

    target: Object
    start: int
    stop: int
    is_exact: bool = False
    """Whether a row is known to start at `start`; otherwise the first one is looked for."""

    @classmethod
    def whole(cls, target: Object) -> Cut:
        """Returns the range of a whole object."""
        return cls(target, 0, target.size, is_exact=True)

    @property
    def is_whole(self) -> bool:
        """Whether it is all there is of the object."""
        return self.start == 0 and self.stop == self.target.size


@dataclass(slots=True)
class Extent:
    """Bytes whose rows were read, from the first row's first byte to the last one's end."""

    begin: int
    end: int
    lacks_line_end: bool = False
    """Whether the last row of a delimited text ends with the text: it may be cut off."""


@dataclass(frozen=True, slots=True)
class Shard:
    """What one state covers: one range of an object, or some whole small objects."""

    cuts: tuple[Cut, ...]

    @property
    def size(self) -> int:
        """Bytes as they are stored."""
        return sum(cut.stop - cut.start for cut in self.cuts)

    @property
    def is_guessed(self) -> bool:
        """Whether its first row was looked for from the middle of an object."""
        return not self.cuts[0].is_exact

    def starting_at(self, start: int) -> Shard:
        """Returns the shard with its first row where the shard before it ended."""
        return Shard((replace(self.cuts[0], start=start, is_exact=True), *self.cuts[1:]))

    def __str__(self) -> str:
        first = self.cuts[0]
        if len(self.cuts) > 1:
            return f"{first.target.uri} and {len(self.cuts) - 1} more"
        return first.target.uri if first.is_whole else f"{first.target.uri} bytes {first.start}-{first.stop}"


@dataclass(frozen=True, slots=True)
class Weight:
    """How objects of a format are cut."""

    shard_bytes: int
    """Bytes as stored that are about a second of work."""
    is_cuttable: bool = True
    is_certain: bool = False
    """Whether a cut from the middle finds its first row for certain: no line end is part of a value."""


def plan(objects: Sequence[Object], weigh: Callable[[Object], Weight]) -> tuple[Shard, ...]:
    """Cuts objects into shards; equal objects are always cut alike, whatever machine reads them.

    Args:
        objects: What is read.
        weigh: How an object is cut.
    """
    cuts = [cut for target in objects for cut in _cuts(target, weigh(target), _share(objects))]
    return tuple(_packed(cuts, _share(objects)) if len(cuts) > SHARDS else (Shard((cut,)) for cut in cuts))


def part(shards: Sequence[Shard], index: int, count: int) -> range:
    """Returns the places of the shards that one of several children works on: they are neighbours.

    Args:
        shards: All of a dataset.
        index: Which child, counted from 0.
        count: How many children there are; those beyond the number of shards have none.
    """
    children = owners(shards, count)
    return range(bisect_left(children, index), bisect_right(children, index))


def owners(shards: Sequence[Shard], count: int) -> Sequence[int]:
    """Returns which of so many children works on each shard.

    Each has an equal share of the bytes, and the shards whose middles lie in it.
    """
    ends = list(accumulate(max(1, shard.size) for shard in shards))
    starts = [0, *ends][:-1]
    return [(start + end) * count // (2 * ends[-1]) for start, end in zip(starts, ends, strict=True)]


def _share(objects: Sequence[Object]) -> int:
    """Returns the bytes of a shard, were there as many as there may be."""
    return sum(target.size for target in objects) // SHARDS


def _cuts(target: Object, weight: Weight, share: int) -> Iterator[Cut]:
    # A last piece of less than half a shard stays with the one before it.
    pieces = max(1, round(target.size / max(weight.shard_bytes, share))) if weight.is_cuttable else 1
    borders = [target.size * number // pieces for number in range(pieces + 1)]
    for start, stop in pairwise(borders):
        yield Cut(target, start, stop, is_exact=start == 0)


def _packed(cuts: Sequence[Cut], share: int) -> Iterator[Shard]:
    """Puts whole small objects together until they have the bytes of a shard."""
    enough = max(share, len(cuts) * _SMALLEST // SHARDS)
    pack: list[Cut] = []
    filled = 0
    for cut in cuts:
        size = max(cut.stop - cut.start, _SMALLEST)
        if pack and (not cut.is_whole or filled + size > enough):
            yield Shard(tuple(pack))
            pack, filled = [], 0
        pack.append(cut)
        filled += size
    if pack:
        yield Shard(tuple(pack))
