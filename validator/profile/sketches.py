"""The door to Apache DataSketches: what stands in for exact counts beyond their limit.

All three merge, and serialize in the library's own stable, language-independent format.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import datasketches
import numpy as np

from validator.profile.moments import Floats, Tally

QUANTILES_K: Final = 2048
"""KLL: a rank is off by at most 0.14 % of the rows, with 99 % confidence."""
FREQUENT_LOG2: Final = 14
"""Misra-Gries over 2**14 slots: a count is low by at most 3.5 / 2**14 = 0.021 % of the rows."""
DISTINCT_LOG2: Final = 14
"""HyperLogLog over 2**14 registers: relative standard error 0.65 %."""

_REPEAT_AT_ONCE: Final = 1 << 20


class Quantiles:
    """Ranks of finite numbers (KLL)."""

    def __init__(self, sketch: Any = None) -> None:
        self._sketch = sketch or datasketches.kll_doubles_sketch(QUANTILES_K)

    def add(self, values: Floats) -> None:
        """Takes in numbers."""
        # A copy: the library takes no read-only arrays, and Arrow gives out no others.
        self._sketch.update(np.array(values, np.float64))

    def add_counted(self, values: Floats, counts: Tally) -> None:
        """Takes in numbers that occur many times each, a bounded piece at a time."""
        for start in range(0, int(counts.sum()), _REPEAT_AT_ONCE):
            self.add(_repeated(values, np.cumsum(counts), start, start + _REPEAT_AT_ONCE))

    def merge(self, other: Quantiles) -> None:
        """Takes in another's numbers."""
        self._sketch.merge(other._sketch)

    def values_at(self, shares: Floats) -> Floats:
        """Returns the numbers below which these shares (0 to 1) of all lie."""
        return np.asarray(self._sketch.get_quantiles(shares), np.float64)

    def shares_up_to(self, values: Floats) -> Floats:
        """Returns what share of all is at most each value; the values ascend and differ."""
        return np.asarray(self._sketch.get_cdf(values, True)[:-1], np.float64)

    def to_bytes(self) -> bytes:
        """Returns the library's serialization."""
        return bytes(self._sketch.serialize())

    @classmethod
    def from_bytes(cls, content: bytes) -> Quantiles:
        """Reads the library's serialization."""
        return cls(datasketches.kll_doubles_sketch.deserialize(content))


class Frequent:
    """The most frequent texts (frequent items), and how many there are (HyperLogLog)."""

    def __init__(self, items: Any = None, distinct: Any = None) -> None:
        self._items = items or datasketches.frequent_strings_sketch(FREQUENT_LOG2)
        self._distinct = distinct or datasketches.hll_sketch(DISTINCT_LOG2, datasketches.tgt_hll_type.HLL_8)

    def add(self, texts: Sequence[str], counts: Iterable[int]) -> None:
        """Takes in texts, each as often as its count says."""
        update, note = self._items.update, self._distinct.update
        for text, count in zip(texts, counts, strict=True):
            update(text, count)
            note(text)

    def merge(self, other: Frequent) -> None:
        """Takes in another's texts."""
        self._items.merge(other._items)
        union = datasketches.hll_union(DISTINCT_LOG2)
        union.update(self._distinct)
        union.update(other._distinct)
        self._distinct = union.get_result(datasketches.tgt_hll_type.HLL_8)

    @property
    def distinct(self) -> int:
        """How many different texts there are, estimated."""
        estimate: float = self._distinct.get_estimate()
        return round(estimate)

    def ranked(self) -> list[tuple[str, int]]:
        """Returns the frequent texts, each with the count it has at least."""
        kind = datasketches.frequent_items_error_type.NO_FALSE_NEGATIVES
        # The sketch's estimate is its upper bound: it says of an id that occurs once that it is frequent.
        return [(text, at_least) for text, _, at_least, _ in self._items.get_frequent_items(kind)]

    def to_bytes(self) -> tuple[bytes, bytes]:
        """Returns the library's serializations of both sketches."""
        return bytes(self._items.serialize()), bytes(self._distinct.serialize_compact())

    @classmethod
    def from_bytes(cls, items: bytes, distinct: bytes) -> Frequent:
        """Reads the library's serializations."""
        return cls(
            datasketches.frequent_strings_sketch.deserialize(items),
            datasketches.hll_sketch.deserialize(distinct),
        )


def _repeated(values: Floats, ends: Tally, start: int, stop: int) -> Floats:
    """Returns places start to stop of the row in which every value stands as often as it occurs."""
    places = np.arange(start, min(stop, int(ends[-1])))
    return values[np.searchsorted(ends, places, side="right")]
