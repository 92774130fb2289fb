"""In how many rows a column has values, and how many at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from validator.profile.summary import Presence

Lengths = NDArray[np.int64]


class PresenceState:
    """Counts rows without values, and rows by their number of values.

    Args:
        depth: How many lists are around a value.
    """

    def __init__(self, depth: int) -> None:
        self._rows = 0
        self._missing = 0
        self._lengths: defaultdict[int, int] = defaultdict(int)
        self._levels = [PresenceState(1) for _ in range(depth)] if depth > 1 else []

    def add(self, array: Any) -> None:
        """Takes in the rows of a batch whose rows hold one value each."""
        self._rows += len(array)
        self._missing += array.null_count
        self._lengths[1] += len(array) - array.null_count

    def add_lists(self, lists: Any) -> Any:
        """Takes in a batch whose rows hold lists, and returns the innermost values, nulls among them."""
        self._rows += len(lists)
        self._missing += lists.null_count
        present = lists.drop_null()
        self._note(_innermost(present, len(self._levels) or 1))
        for level in self._levels:
            lists = level.add_lists(lists)
        return lists if self._levels else present.flatten()

    def merge(self, other: PresenceState) -> None:
        """Takes in other rows of the same column."""
        self._rows += other._rows
        self._missing += other._missing
        for length, rows in other._lengths.items():
            self._lengths[length] += rows
        for level, theirs in zip(self._levels, other._levels, strict=True):
            level.merge(theirs)

    def finish(self) -> Presence:
        """Says what is known."""
        lengths = {length: rows for length, rows in sorted(self._lengths.items()) if rows}
        return Presence(self._rows, self._missing, lengths, tuple(level.finish() for level in self._levels))

    def to_scalars(self) -> Mapping[str, Any]:
        """Returns what JSON can say."""
        return {
            "rows": self._rows,
            "missing": self._missing,
            "lengths": sorted(self._lengths.items()),
            "levels": [level.to_scalars() for level in self._levels],
        }

    def restore(self, scalars: Mapping[str, Any]) -> None:
        """Takes over what `to_scalars` returned."""
        self._rows, self._missing = scalars["rows"], scalars["missing"]
        self._lengths = defaultdict(int, scalars["lengths"])
        for level, stored in zip(self._levels, scalars["levels"], strict=True):
            level.restore(stored)

    def _note(self, lengths: Lengths) -> None:
        sizes, rows = np.unique(lengths, return_counts=True)
        for size, number in zip(sizes.tolist(), rows.tolist(), strict=True):
            self._lengths[size] += number


def _innermost(lists: Any, depth: int) -> Lengths:
    """Returns how many innermost values each list holds; a null list holds none."""
    lengths: Lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    if depth == 1:
        return lengths
    below: Lengths = np.concatenate([[0], np.cumsum(_innermost(lists.flatten(), depth - 1))])
    ends = np.cumsum(lengths)
    innermost: Lengths = below[ends] - below[ends - lengths]
    return innermost
