"""Sums of numbers and of their squares without any rounding.

They are kept as integers, so they are the same in whatever order rows and shards come, and mean and variance
are the nearest floats to the true ones. A batch is summed by folds: values are split at fixed powers of two
into pieces whose sums a float holds exactly (Demmel and Nguyen, "Parallel Reproducible Summation", 2015);
squares by Dekker's product ("A floating-point technique for extending the available precision", 1971).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Tally = NDArray[np.int64]

_UNIT: Final = 1074
"""Every float is a multiple of 2**-1074."""
_FOLD: Final = 32
"""Bits of a piece: the sum of 2**21 of them is exact."""
_ROWS: Final = 1 << 15
"""Values summed at a time: what fits into a near cache costs a third."""
_WEIGHT: Final = 1 << 30
"""Up to this sum of counts, products of 32 bits with them fit into 64."""
_SPLITTER: Final = float(2**27 + 1)
_LARGE: Final = 2.0**480
"""Beyond, and below its inverse, squares and their errors leave the range of floats."""


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
        return _ratio(self.total, self.count << _UNIT) if self.count else 0.0

    @property
    def variance(self) -> float:
        """The nearest float to the population variance, TFDV's; 0 of no numbers."""
        if not self.count:
            return 0.0
        return _ratio(self.count * self.squares - self.total**2, self.count**2 << 2 * _UNIT)

    def merge(self, other: Sums) -> None:
        """Takes in other numbers."""
        self.count += other.count
        self.total += other.total
        self.squares += other.squares


def _ratio(numerator: int, denominator: int) -> float:
    try:
        return numerator / denominator
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf


def _of_part(values: Any, counts: Tally | None) -> Sums:
    count = len(values) if counts is None else int(counts.sum())
    if count >= _WEIGHT:
        return _one_by_one(values, counts)
    if values.dtype == np.int64:
        total, squares = _of_integers(values, counts)
        return Sums(count, total << _UNIT, squares << 2 * _UNIT)
    sizes = np.abs(values)
    largest, smallest = sizes.max(), sizes.min() or sizes[sizes > 0].min(initial=1.0)
    if largest > _LARGE or smallest < 1 / _LARGE:
        return _one_by_one(values, counts)
    products, errors = _squares(values)
    squares = _folded(products, counts) + _folded(errors, counts)
    return Sums(count, _folded(values, counts), squares << _UNIT)


def _one_by_one(values: Any, counts: Tally | None) -> Sums:
    """Sums what lies beyond the range of the fast ways."""
    sums = Sums()
    weights = [1] * len(values) if counts is None else counts.tolist()
    for value, weight in zip(values.tolist(), weights, strict=True):
        numerator, denominator = value.as_integer_ratio()
        units = (numerator << _UNIT) // denominator
        sums.merge(Sums(weight, units * weight, units * units * weight))
    return sums


def _of_integers(values: Tally, counts: Tally | None) -> tuple[int, int]:
    """Returns sum and sum of squares, by limbs of 16 bits, the highest with the sign."""
    limbs = [values & 0xFFFF, values >> 16 & 0xFFFF, values >> 32 & 0xFFFF, values >> 48]
    used = [(limb, 16 * place) for place, limb in enumerate(limbs) if limb.any()]
    total = sum(_dot(limb, counts) << shift for limb, shift in used)
    squares = sum(_dot(a * b, counts) << shift + other for a, shift in used for b, other in used)
    return total, squares


def _dot(values: Tally, counts: Tally | None) -> int:
    return int(values.sum() if counts is None else np.dot(values, counts))


def _folded(values: Floats, counts: Tally | None) -> int:
    """Returns the sum of floats in units of 2**-1074."""
    total = 0
    grid = math.frexp(float(np.abs(values).max()))[1] - _FOLD
    while values.any():
        # Adding and taking away a large number rounds to multiples of 2**grid.
        large = math.ldexp(1.5, grid + 52)
        pieces = (values + large) - large
        total += _units(pieces, grid, counts)
        values = values - pieces
        grid -= _FOLD
    return total


def _units(pieces: Floats, grid: int, counts: Tally | None) -> int:
    if counts is None:
        return _shifted(int(math.ldexp(float(pieces.sum()), -grid)), grid + _UNIT)
    return _shifted(int(np.dot(np.ldexp(pieces, -grid).astype(np.int64), counts)), grid + _UNIT)


def _shifted(value: int, bits: int) -> int:
    # What is shifted away is zero: no float has bits below the unit.
    return value << bits if bits >= 0 else value >> -bits


def _squares(values: Floats) -> tuple[Floats, Floats]:
    """Returns the squares as floats, and what each is off by."""
    products = values * values
    scaled = _SPLITTER * values
    high = scaled - (scaled - values)
    low = values - high
    return products, ((high * high - products) + 2.0 * high * low) + low * low
