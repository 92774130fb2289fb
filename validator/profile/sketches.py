"""The door to Apache DataSketches: what stands in for exact counts beyond their limit.

All three merge, and serialize in the library's own stable, language-independent format.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

import datasketches
import numpy as np

from validator.profile.hashes import Hashes, theta
from validator.profile.sums import Floats, Tally

DEVIATIONS: Final = 3
"""Standard errors that make up the stated bound of a distinct count."""

_REPEATED: Final = 1 << 20
"""Numbers taken in for a table of counts: to leave others out changes a rank by a millionth."""
_RUN: Final = 256
"""Numbers sorted at a time: as many as a processor sorts without branches."""


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
        copied = np.array(values, np.float64)
        # Sorted pieces: the sketch sorts what it gets, and that takes half the time then.
        copied[: len(copied) // _RUN * _RUN].reshape(-1, _RUN).sort(axis=1)
        self._sketch.update(copied)

    def add_counted(self, values: Floats, counts: Tally) -> None:
        """Takes in numbers that occur many times each.

        Of more than `_REPEATED` only every 2**n-th in order is taken in, and doubled n times by a merge with
        itself: that takes the time of `_REPEATED` however many there are.
        """
        doublings = max(0, int(counts.sum() - 1).bit_length() - _REPEATED.bit_length() + 1)
        if not doublings:
            self.add(np.repeat(values, counts))
            return
        order = np.argsort(values)
        ends = np.cumsum(counts[order])
        taken = np.diff((ends + (1 << doublings - 1) - 1) >> doublings, prepend=0)
        every = Quantiles(self._sketch.k)
        every.add(np.repeat(values[order], taken))
        for _ in range(doublings):
            every.merge(Quantiles.from_bytes(every.to_bytes()))
        self.merge(every)

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
    """The most frequent texts (frequent items).

    Args:
        log2: Base-2 logarithm of its slots.
    """

    def __init__(self, log2: int) -> None:
        self._sketch: Any = datasketches.frequent_strings_sketch(log2)

    def add(self, texts: Sequence[str], counts: Iterable[int]) -> None:
        """Takes in texts, each as often as its count says."""
        _exhaust(map(self._sketch.update, texts, counts))

    def merge(self, other: Frequent) -> None:
        """Takes in another's texts."""
        self._sketch.merge(other._sketch)

    @property
    def is_empty(self) -> bool:
        """Whether it has seen no text yet."""
        return bool(self._sketch.is_empty())

    @property
    def count_error(self) -> float:
        """By how large a share of all texts it has seen a count may be too low."""
        return float(self._sketch.epsilon)

    def ranked(self) -> list[tuple[str, int]]:
        """Returns the frequent texts, each with the count it has at least."""
        kind = datasketches.frequent_items_error_type.NO_FALSE_NEGATIVES
        # The sketch's estimate is its upper bound: it says of an id that occurs once that it is frequent.
        return [(text, at_least) for text, _, at_least, _ in self._sketch.get_frequent_items(kind)]

    def to_bytes(self) -> bytes:
        """Returns the library's serialization."""
        return bytes(self._sketch.serialize())

    @classmethod
    def from_bytes(cls, content: bytes) -> Frequent:
        """Reads the library's serialization."""
        restored = cls.__new__(cls)
        restored._sketch = datasketches.frequent_strings_sketch.deserialize(content)
        return restored


class Distinct:
    """How many different hashes there are (theta sketch).

    Args:
        log2: Base-2 logarithm of the hashes it keeps.
    """

    def __init__(self, log2: int) -> None:
        self._log2 = log2
        self._sketch: Any = datasketches.update_theta_sketch(log2)
        self._merged: Any = datasketches.theta_union(log2)

    def add(self, hashes: Hashes) -> None:
        """Takes in hashes."""
        # The sketch throws away what is not below its theta: few of many are worth a call.
        kept = hashes[theta(hashes) < np.uint64(self._sketch.theta64)]
        _exhaust(map(self._sketch.update, kept.view(np.int64).tolist()))

    def merge(self, other: Distinct) -> None:
        """Takes in another's hashes."""
        self._merged.update(other._compact())

    @property
    def count(self) -> int:
        """How many there are, estimated."""
        return round(float(self._compact().get_estimate()))

    @property
    def error(self) -> float:
        """By how large a share the count may be too low or too high."""
        sketch = self._compact()
        return float(sketch.get_upper_bound(DEVIATIONS) / max(1.0, sketch.get_estimate()) - 1.0)

    def to_bytes(self) -> bytes:
        """Returns the library's serialization."""
        return bytes(self._compact().serialize())

    @classmethod
    def from_bytes(cls, log2: int, content: bytes) -> Distinct:
        """Reads the library's serialization."""
        restored = cls(log2)
        restored._merged.update(datasketches.compact_theta_sketch.deserialize(content))
        return restored

    def _compact(self) -> Any:
        self._merged.update(self._sketch)
        return self._merged.get_result()


def _exhaust(calls: Iterable[object]) -> None:
    """Makes every call; a deque without room does it at the speed of C."""
    deque(calls, maxlen=0)
