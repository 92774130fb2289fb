"""Exact counts of distinct values, up to a stated limit."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from validator.profile.limits import Limits
from validator.profile.sums import Tally

Values = Any
"""A pyarrow array of int64, float64 or binary without nulls."""

BINCOUNT_RANGE: Final = 1 << 16
"""Integers within a range of this size are counted by index, faster than by hash."""


class Counts:
    """How often each value occurs; tables of batches are piled up and grouped now and then.

    Args:
        kind: Arrow type of the values.
        limits: What is still counted exactly.
    """

    def __init__(self, kind: Any, limits: Limits) -> None:
        self._kind = kind
        self._limits = limits
        self._tables: list[tuple[Values, Tally]] = []
        self._rows = 0
        self._bytes = 0
        self._grouped_rows = 0
        self._grouped_bytes = 0

    def add(self, values: Values, counts: Tally) -> None:
        """Takes in a table of values, each once."""
        self._tables.append((values, counts))
        self._rows += len(values)
        self._bytes += _content(values)
        if self._rows > max(self._limits.values, 2 * self._grouped_rows) or self._bytes > max(
            self._limits.content, 2 * self._grouped_bytes
        ):
            self._group()

    def merge(self, other: Counts) -> None:
        """Takes in the values of another."""
        for values, counts in other._tables:
            self.add(values, counts)

    @property
    def is_full(self) -> bool:
        """Whether more values than are counted exactly were seen when they were last grouped."""
        return self._grouped_rows > self._limits.values or self._grouped_bytes > self._limits.content

    def table(self) -> tuple[Values, Tally]:
        """Returns each value once, beside its count."""
        self._group()
        return self._tables[0]

    def _group(self) -> None:
        if len(self._tables) != 1:
            self._tables = [self._together()]
            self._rows, self._bytes = len(self._tables[0][0]), _content(self._tables[0][0])
        self._grouped_rows, self._grouped_bytes = self._rows, self._bytes

    def _together(self) -> tuple[Values, Tally]:
        values = pa.concat_arrays([v for v, _ in self._tables] or [pa.array([], self._kind)])
        counts = np.concatenate([np.zeros(0, np.int64), *(c for _, c in self._tables)])
        return _grouped(values, counts)


def tally(values: Any) -> tuple[Values, Tally]:
    """Counts the values of one batch, nulls left out: by index where that is possible, by hash otherwise."""
    if pa.types.is_dictionary(values.type):
        return _by_code(values)
    if pa.types.is_int64(values.type) and not values.null_count and len(values):
        numbers = values.to_numpy()
        lowest = int(numbers.min())
        if int(numbers.max()) - lowest < BINCOUNT_RANGE:
            return _by_index(numbers, lowest)
    counted = values.value_counts()
    return _present(counted.field("values"), counted.field("counts").to_numpy())


def _content(values: Values) -> int:
    """Returns the bytes of texts with their offsets; numbers have a known size."""
    if not (len(values) and pa.types.is_binary(values.type)):
        return 0
    # Not nbytes: that counts a bitmap of missing values, which some of the ways to a table leave behind.
    ends = np.frombuffer(values.buffers()[1], np.int32)[values.offset :]
    return int(ends[len(values)] - ends[0]) + 4 * (len(values) + 1)


def _grouped(values: Values, counts: Tally) -> tuple[Values, Tally]:
    encoded = values.dictionary_encode()
    # bincount adds in float64, which is exact up to 2**53 rows.
    sums = np.bincount(encoded.indices.to_numpy(), weights=counts, minlength=len(encoded.dictionary))
    return encoded.dictionary, sums.astype(np.int64)


def _by_index(numbers: Tally, lowest: int) -> tuple[Values, Tally]:
    counts = np.bincount(numbers - lowest)
    present = np.flatnonzero(counts)
    return pa.array(present + lowest), counts[present]


def _by_code(values: Any) -> tuple[Values, Tally]:
    codes = values.indices.drop_null() if values.indices.null_count else values.indices
    counts = np.bincount(codes.to_numpy(), minlength=len(values.dictionary))
    used = np.flatnonzero(counts)
    # A dictionary may hold a null, and a value that only other batches have.
    dictionary = values.dictionary if len(used) == len(counts) else values.dictionary.take(pa.array(used))
    return _present(dictionary, counts[used])


def _present(values: Any, counts: Tally) -> tuple[Values, Tally]:
    if not values.null_count:
        return values, counts
    is_present = values.is_valid()
    return values.filter(is_present), counts[is_present.to_numpy(zero_copy_only=False)]
