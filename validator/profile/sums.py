"""Sums of numbers and of their squares without any rounding.

They are kept as integers, so they are the same in whatever order rows and shards come, and mean and variance
are the nearest floats to the true ones. The values of a batch are split into limbs: small integers, each with
a power of two, whose sums and products 64 bits hold exactly; floats at fixed powers of two (Demmel, Nguyen,
"Parallel Reproducible Summation", 2015). The square of a sum of limbs is the sum of all products.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Tally = NDArray[np.int64]

_UNIT: Final = 1074
"""Every float is a multiple of 2**-1074."""
_ROOT_BITS: Final = 128
"""Bits of a root before it is rounded to a float's 53."""
_LIMB: Final = 18
"""Bits of a float's limb: the sum of 2**17 products of two is below 2**53, exact in a float."""
_SPREAD: Final = 19
"""Floats within this power of two of the largest have no bit below their fourth limb: 4 * 18 - 53."""
_ROWS: Final = 1 << 13
"""Values summed at a time: what fits into a near cache, and what an allocator keeps, costs a third."""
_WEIGHT: Final = 1 << 26
"""Up to this sum of counts, products of two limbs with them fit into 64 bits."""

Limbs = Sequence[tuple[Any, int]]
"""Integers, as int64 or float64, beside the power of two each stands for, in units of 2**-1074."""


@dataclass(slots=True)
class Sums:
    """How many numbers there are, their sum and the sum of their squares, all exact."""

    count: int = 0
    total: int = 0
    """In units of 2**-1074."""
    squares: int = 0
    """In units of 2**-2148."""

    @classmethod
    def of(cls, values: Any, counts: Tally | None = None) -> Sums:
        """Returns the sums of int64 or finite float64 values, each taken as often as its count says."""
        sums = cls()
        for start in range(0, len(values), _ROWS):
            part = slice(start, start + _ROWS)
            sums.merge(_of_part(values[part], None if counts is None else counts[part]))
        return sums

    @property
    def mean(self) -> float:
        """The nearest float to the mean; 0 of no numbers."""
        return self.total / (self.count << _UNIT) if self.count else 0.0

    @property
    def deviation(self) -> float:
        """The nearest float to the population's standard deviation, TFDV's; 0 of no numbers."""
        # The root of integers: a variance may be beyond the range of floats when its root is not.
        spread = self.count * self.squares - self.total**2
        scale = max(0, _ROOT_BITS - spread.bit_length() // 2)
        return math.isqrt(spread << 2 * scale) / (self.count << _UNIT + scale) if spread else 0.0

    def merge(self, other: Sums) -> None:
        """Takes in other numbers."""
        self.count += other.count
        self.total += other.total
        self.squares += other.squares


def _of_part(values: Any, counts: Tally | None) -> Sums:
    count = len(values) if counts is None else int(counts.sum())
    if count >= _WEIGHT:
        return _one_by_one(values, counts)
    if values.dtype == np.int64:
        return _of_limbs(count, _of_integers(values), counts)
    sizes = np.abs(values)
    largest = float(sizes.max())
    if sizes.min() < (bound := math.ldexp(largest, -_SPREAD)):
        is_small = (sizes < bound) & (sizes > 0)
        if is_small.any():
            return _apart(values, counts, is_small)
    return _of_limbs(count, _of_floats(values, largest), counts)


def _one_by_one(values: Any, counts: Tally | None) -> Sums:
    """Sums what occurs too often for the fast way."""
    sums = Sums()
    weights = [1] * len(values) if counts is None else counts.tolist()
    for value, weight in zip(values.tolist(), weights, strict=True):
        numerator, denominator = value.as_integer_ratio()
        units = (numerator << _UNIT) // denominator
        sums.merge(Sums(weight, units * weight, units * units * weight))
    return sums


def _apart(values: Floats, counts: Tally | None, is_small: NDArray[np.bool_]) -> Sums:
    """Sums the small values by themselves; each time they get smaller by `_SPREAD` bits at least."""
    sums = Sums()
    for part in (is_small, ~is_small):
        sums.merge(_of_part(values[part], None if counts is None else counts[part]))
    return sums


def _of_integers(values: Tally) -> Limbs:
    """Splits integers into limbs of 16 bits, the highest with the sign."""
    limbs = [values & 0xFFFF, values >> 16 & 0xFFFF, values >> 32 & 0xFFFF, values >> 48]
    return [(limb, 16 * place + _UNIT) for place, limb in enumerate(limbs) if limb.any()]


def _of_floats(values: Floats, largest: float) -> Limbs:
    """Splits floats that differ by `_SPREAD` bits at most."""
    limbs: list[tuple[Floats, int]] = []
    power = math.frexp(largest)[1] - _LIMB
    # In two steps: one factor alone may be beyond the range of floats.
    rest = values * math.ldexp(1.0, -power // 2) * math.ldexp(1.0, -power - -power // 2)
    while rest.any():
        limb = np.rint(rest)
        limbs.append((limb, power + _UNIT))
        rest = (rest - limb) * (1 << _LIMB)
        power -= _LIMB
    return limbs


def _of_limbs(count: int, limbs: Limbs, counts: Tally | None) -> Sums:
    sums = Sums(count)
    for place, (limb, power) in enumerate(limbs):
        sums.total += _shifted(_total(limb, counts), power)
        sums.squares += _shifted(_products(limb, limb, counts), 2 * power)
        for other, lower in limbs[:place]:
            sums.squares += _shifted(2 * _products(limb, other, counts), power + lower)
    return sums


def _total(limb: Any, counts: Tally | None) -> int:
    return int(limb.sum() if counts is None else np.dot(limb.astype(np.int64), counts))


def _products(limb: Any, other: Any, counts: Tally | None) -> int:
    return int(np.dot(limb, other)) if counts is None else _total(limb * other, counts)


def _shifted(value: int, bits: int) -> int:
    # What is shifted away is zero: no float has bits below the unit.
    return value << bits if bits >= 0 else value >> -bits
