"""Exact counts of distinct values, up to a stated limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from validator.profile.moments import Tally

Values = Any
"""A pyarrow array of int64, float64 or large_binary without nulls."""

BINCOUNT_RANGE: Final = 1 << 18
"""Integers within a range of this size are counted by index, fifty times faster than by hash."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much one column may hold before it is sketched."""

    values: int = 50_000
    """Distinct values."""
    content: int = 8 << 20
    """Bytes of distinct text."""

    @classmethod
    def for_width(cls, columns: int) -> Limit:
        """Shares a budget of 2,000,000 values and 256 MiB of text among columns; at least 1,000 each."""
        return cls(
            values=min(cls().values, max(1_000, 2_000_000 // max(1, columns))),
            content=min(cls().content, max(1 << 16, (256 << 20) // max(1, columns))),
        )


class Counts:
    """How often each value occurs; tables of batches are piled up and grouped now and then.

    Args:
        kind: Arrow type of the values.
        limit: What is still counted exactly.
    """

    def __init__(self, kind: Any, limit: Limit) -> None:
        self._kind = kind
        self._limit = limit
        self._tables: list[tuple[Values, Tally]] = []
        self._rows = 0
        self._bytes = 0

    def add(self, values: Values, counts: Tally) -> None:
        """Takes in a table of values, each once."""
        self._tables.append((values, counts))
        self._rows += len(values)
        self._bytes += values.nbytes
        if len(self._tables) > 1 and self._is_piled_up():
            self._group()

    def merge(self, other: Counts) -> None:
        """Takes in the values of another."""
        for values, counts in other._tables:
            self.add(values, counts)

    @property
    def is_full(self) -> bool:
        """Whether there are more values than are counted exactly."""
        if self._exceeds():
            self._group()
        return self._exceeds()

    def table(self) -> tuple[Values, Tally]:
        """Returns each value once, beside its count."""
        self._group()
        return self._tables[0]

    def _exceeds(self) -> bool:
        return self._rows > self._limit.values or self._content() > self._limit.content

    def _content(self) -> int:
        return self._bytes if pa.types.is_large_binary(self._kind) else 0

    def _is_piled_up(self) -> bool:
        return self._rows > 4 * self._limit.values or self._content() > 4 * self._limit.content

    def _group(self) -> None:
        if len(self._tables) == 1:
            return
        values = pa.concat_arrays([v for v, _ in self._tables] or [pa.array([], self._kind)])
        counts = np.concatenate([np.zeros(0, np.int64), *(c for _, c in self._tables)])
        grouped = grouped_table(values, counts)
        self._tables = [grouped]
        self._rows = len(grouped[0])
        self._bytes = grouped[0].nbytes


def grouped_table(values: Values, counts: Tally) -> tuple[Values, Tally]:
    """Returns each value once, with the sum of its counts."""
    encoded = values.dictionary_encode()
    # bincount adds in float64, which is exact up to 2**53 rows.
    sums = np.bincount(encoded.indices.to_numpy(), weights=counts, minlength=len(encoded.dictionary))
    return encoded.dictionary, sums.astype(np.int64)


def tally(values: Values) -> tuple[Values, Tally]:
    """Counts the values of one batch: by index where that is possible, by hash otherwise."""
    if pa.types.is_dictionary(values.type):
        return _tally_dictionary(values)
    if pa.types.is_int64(values.type) and len(values):
        lowest, table = int(values.to_numpy().min()), values.to_numpy()
        if int(table.max()) - lowest < BINCOUNT_RANGE:
            return _tally_range(table, lowest)
    counted = values.value_counts()
    return counted.field("values"), counted.field("counts").to_numpy()


def _tally_range(values: Tally, lowest: int) -> tuple[Values, Tally]:
    counts = np.bincount(values - lowest)
    present = np.flatnonzero(counts)
    return pa.array(present + lowest), counts[present]


def _tally_dictionary(values: Values) -> tuple[Values, Tally]:
    counts = np.bincount(values.indices.to_numpy(), minlength=len(values.dictionary))
    present = np.flatnonzero(counts)
    return values.dictionary.take(pa.array(present)), counts[present]
