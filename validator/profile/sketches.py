"""The door to Apache DataSketches: what stands in for exact counts beyond their limit.

All three merge, and serialize in the library's own stable, language-independent format.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

import datasketches
import numpy as np

from validator.profile.sums import Floats, Tally

DISTINCT_DEVIATIONS: Final = 3
"""Standard errors that make up the stated bound of a distinct count."""

_REPEAT_AT_ONCE: Final = 1 << 20


class Quantiles:
    """Ranks of finite numbers (KLL).

    Args:
        k: Size; the greater the finer.
    """

    def __init__(self, k: int) -> None:
        self._sketch: Any = datasketches.kll_doubles_sketch(k)

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

    @property
    def rank_error(self) -> float:
        """By how large a share of all numbers a rank may be off, with 99 % confidence."""
        return float(self._sketch.normalized_rank_error(False))

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
        restored = cls.__new__(cls)
        restored._sketch = datasketches.kll_doubles_sketch.deserialize(content)
        return restored


class Frequent:
    """The most frequent texts (frequent items), and how many there are (HyperLogLog).

    Args:
        frequent_log2: Base-2 logarithm of the slots for frequent texts.
        distinct_log2: Base-2 logarithm of HyperLogLog's registers.
    """

    def __init__(self, frequent_log2: int, distinct_log2: int) -> None:
        self._items: Any = datasketches.frequent_strings_sketch(frequent_log2)
        self._distinct: Any = datasketches.hll_sketch(distinct_log2, datasketches.tgt_hll_type.HLL_8)

    def add(self, texts: Sequence[str]) -> None:
        """Takes in texts."""
        _exhaust(map(self._items.update, texts))
        _exhaust(map(self._distinct.update, texts))

    def add_counted(self, texts: Sequence[str], counts: Iterable[int]) -> None:
        """Takes in texts, each as often as its count says."""
        _exhaust(map(self._items.update, texts, counts))
        _exhaust(map(self._distinct.update, texts))

    def merge(self, other: Frequent) -> None:
        """Takes in another's texts."""
        self._items.merge(other._items)
        union = datasketches.hll_union(max(self._distinct.lg_config_k, other._distinct.lg_config_k))
        union.update(self._distinct)
        union.update(other._distinct)
        self._distinct = union.get_result(datasketches.tgt_hll_type.HLL_8)

    @property
    def distinct(self) -> int:
        """How many different texts there are, estimated."""
        return round(float(self._distinct.get_estimate()))

    @property
    def distinct_error(self) -> float:
        """By how large a share the number of different texts may be too low or too high."""
        above = self._distinct.get_upper_bound(DISTINCT_DEVIATIONS) / max(1.0, self._distinct.get_estimate())
        return float(above - 1.0)

    @property
    def count_error(self) -> float:
        """By how large a share of all texts a count may be too low."""
        return float(self._items.epsilon)

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
        restored = cls.__new__(cls)
        restored._items = datasketches.frequent_strings_sketch.deserialize(items)
        restored._distinct = datasketches.hll_sketch.deserialize(distinct)
        return restored


def _exhaust(calls: Iterable[object]) -> None:
    """Makes every call; a deque without room does it at the speed of C."""
    deque(calls, maxlen=0)


def _repeated(values: Floats, ends: Tally, start: int, stop: int) -> Floats:
    """Returns places start to stop of the row in which every value stands as often as it occurs."""
    places = np.arange(start, min(stop, int(ends[-1])))
    return values[np.searchsorted(ends, places, side="right")]
