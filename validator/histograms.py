"""Histograms laid out as TensorFlow Data Validation's (its quantiles_util.py), counted, not interpolated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from tensorflow_metadata.proto.v0.statistics_pb2 import Histogram

from validator.profile.distribution import Counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from validator.profile import NumericSummary, Presence
    from validator.profile.sums import Floats, Tally

BUCKETS: Final = 10
"""Of every histogram."""


class Ordered:
    """All numbers of a column but NaN in order, the infinite ones at both ends."""

    def __init__(self, column: NumericSummary) -> None:
        self._column = column
        self.count = column.negative_infinities + column.finite + column.positive_infinities

    def values_at(self, positions: Tally) -> Floats:
        """Returns the numbers at these positions, 0 being the least."""
        finite = positions - self._column.negative_infinities
        inside = np.clip(finite, 0, max(0, self._column.finite - 1))
        values = self._column.distribution.values_at(inside) if self._column.finite else np.zeros(len(inside))
        values = np.where(finite < 0, -np.inf, values)
        return np.where(finite >= self._column.finite, np.inf, values)

    def counts_up_to(self, values: Floats) -> Floats:
        """Returns how many numbers are at most each value; the values ascend."""
        finite = np.where(np.isposinf(values), self._column.maximum, values)
        finite = np.where(np.isneginf(finite), self._column.minimum, finite)
        counts = (
            self._column.distribution.counts_up_to(finite) if self._column.finite else np.zeros(len(values))
        )
        counts = np.where(np.isneginf(values), 0, counts) + self._column.negative_infinities
        return np.where(np.isposinf(values), self.count, counts)

    def quantiles(self) -> Histogram:
        """Returns buckets of equal depth."""
        boundaries = self.values_at(_positions(self.count))
        return _quantiles(boundaries, self.counts_up_to(boundaries))

    def standard(self) -> Histogram:
        """Returns buckets of equal width, and one for the infinite numbers of each sign."""
        column, histogram = self._column, Histogram(type=Histogram.STANDARD)
        if column.negative_infinities:
            _add(histogram, -np.inf, -np.inf, column.negative_infinities)
        if column.finite:
            _add_equal_widths(histogram, column.distribution.counts_up_to, column.minimum, column.maximum)
        if column.positive_infinities:
            _add(histogram, np.inf, np.inf, column.positive_infinities)
        return histogram


def lengths(presence: Presence) -> Histogram:
    """Returns the numbers of values of the rows that are not missing, in buckets of equal depth."""
    if not presence.present:
        return Histogram(type=Histogram.QUANTILES)
    distribution = _distribution(presence)
    boundaries = distribution.values_at(_positions(presence.present))
    return _quantiles(boundaries, distribution.counts_up_to(boundaries))


def equal_widths_of_lengths(presence: Presence) -> Histogram:
    """Returns the same in buckets of equal width."""
    histogram = Histogram(type=Histogram.STANDARD)
    if presence.present:
        low, high = min(presence.lengths), max(presence.lengths)
        _add_equal_widths(histogram, _distribution(presence).counts_up_to, low, high)
    return histogram


def _distribution(presence: Presence) -> Counted:
    values = np.array(list(presence.lengths), np.float64)
    return Counted.of(values, np.array(list(presence.lengths.values()), np.int64))


def _add_equal_widths(
    histogram: Histogram, counts_up_to: Callable[[Floats], Floats], low: float, high: float
) -> None:
    """Adds buckets of equal width; a value on a boundary belongs to the lower one, as TFDV has it."""
    boundaries = np.array([low, high], np.float64) if low == high else _spread(low, high)
    counts = counts_up_to(boundaries)
    counts[0] = 0
    for left, right, count in zip(boundaries, boundaries[1:], np.diff(counts), strict=False):
        _add(histogram, left, right, count)


def _add(histogram: Histogram, low: float, high: float, count: float) -> None:
    histogram.buckets.add(low_value=low, high_value=high, sample_count=count)


def _spread(low: float, high: float) -> Floats:
    # Halves first: the distance of two floats may be beyond the largest float.
    boundaries = np.linspace(low / 2, high / 2, BUCKETS + 1) * 2
    boundaries[0], boundaries[-1] = low, high
    return boundaries


def _positions(count: int) -> Tally:
    """Returns the positions of the eleven boundaries between ten buckets of equal depth."""
    return np.minimum(np.arange(BUCKETS + 1, dtype=np.int64) * count // BUCKETS, count - 1)


def _quantiles(boundaries: Floats, ends: Floats) -> Histogram:
    """Returns buckets of equal depth; equal buckets share their counts evenly, as TFDV has it.

    Args:
        boundaries: Ascending, they may repeat.
        ends: How many values are at most each boundary.
    """
    counts = np.diff(ends)
    uppers = boundaries[1:]
    for upper in np.unique(uppers):
        same = uppers == upper
        counts[same] = counts[same].sum() / same.sum()
    first = (boundaries[:-1] == boundaries[0]) & (uppers == uppers[0])
    counts[first] += ends[0] / first.sum()
    histogram = Histogram(type=Histogram.QUANTILES)
    for low, high, count in zip(boundaries, uppers, counts, strict=False):
        _add(histogram, low, high, count)
    return histogram
