"""Statistics as TensorFlow Data Validation writes them, from a finished profile.

Fields, buckets and ties are TFDV's (its basic_stats_generator.py, quantiles_util.py and
top_k_uniques_stats_util.py); where its figures are sketched and ours are known, ours are exact. Two
differences are on purpose: mean and standard deviation are those of finite values (TFDV's are NaN as soon as
one is not), and histograms are counted, not interpolated from quantiles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from tensorflow_metadata.proto.v0.statistics_pb2 import (
    CommonStatistics,
    DatasetFeatureStatistics,
    DatasetFeatureStatisticsList,
    FeatureNameStatistics,
    Histogram,
    NumericStatistics,
    StringStatistics,
)

from validator import text
from validator.profile import Kind, NumericSummary, Presence, Summary, TextSummary
from validator.profile.distribution import Counted
from validator.profile.moments import Floats, Tally
from validator.survey import Mixture

BUCKETS: Final = 10
"""Of every histogram."""
TOP_VALUES: Final = 20
"""Of every string feature."""

_TYPES: Final = {
    Kind.INT: FeatureNameStatistics.INT,
    Kind.FLOAT: FeatureNameStatistics.FLOAT,
    Kind.BYTES: FeatureNameStatistics.STRING,
}


@dataclass(frozen=True, slots=True)
class Defect:
    """Something wrong with values that could be read all the same."""

    code: str
    """INVALID_UTF8, MIXED_TYPES, NON_FINITE_VALUES or NUL_BYTES."""
    feature: str
    detail: str


def of(summary: Summary) -> DatasetFeatureStatisticsList:
    """Returns the statistics of one dataset, its features in the order of their columns."""
    dataset = DatasetFeatureStatistics(num_examples=summary.rows)
    dataset.features.extend(_feature(column) for column in summary.columns)
    return DatasetFeatureStatisticsList(datasets=[dataset])


def defects(summary: Summary) -> tuple[Defect, ...]:
    """Returns what is wrong with values, in the order of columns."""
    return tuple(defect for column in summary.columns for defect in _defects(column))


def mixtures(found: Sequence[Mixture]) -> tuple[Defect, ...]:
    """Returns the columns of numbers that have texts among them."""
    return tuple(
        Defect(
            "MIXED_TYPES",
            mixture.column,
            f"{text.count(mixture.texts, 'text')} among {text.count(mixture.numbers, 'number')}, "
            f"the first is {text.quoted(mixture.first)} in row {mixture.row:,} of {mixture.uri}",
        )
        for mixture in found
    )


def _defects(column: NumericSummary | TextSummary) -> Sequence[Defect]:
    name = column.column.name
    if isinstance(column, NumericSummary):
        infinities = column.negative_infinities + column.positive_infinities
        found = {
            "NON_FINITE_VALUES": (column.nan + infinities, f"{column.nan:,} NaN, {infinities:,} infinite")
        }
    else:
        found = {
            "INVALID_UTF8": (
                column.invalid_utf8,
                f"{text.count(column.invalid_utf8, 'value')} not UTF-8 text",
            ),
            "NUL_BYTES": (column.with_nul, f"{text.count(column.with_nul, 'value')} with a NUL byte"),
        }
    return [Defect(code, name, detail) for code, (number, detail) in found.items() if number]


def _feature(column: NumericSummary | TextSummary) -> FeatureNameStatistics:
    feature = FeatureNameStatistics(type=_TYPES[column.column.kind])
    feature.path.step.append(column.column.name)
    if isinstance(column, NumericSummary):
        feature.num_stats.CopyFrom(_numeric(column))
    else:
        feature.string_stats.CopyFrom(_string(column))
    return feature


def _common(presence: Presence) -> CommonStatistics:
    common = CommonStatistics(num_non_missing=presence.present, num_missing=presence.missing)
    if presence.present:
        common.min_num_values = min(presence.lengths)
        common.max_num_values = max(presence.lengths)
        common.tot_num_values = presence.values
        common.avg_num_values = presence.values / presence.present
        common.num_values_histogram.CopyFrom(_lengths(presence))
    return common


def _lengths(presence: Presence) -> Histogram:
    lengths = np.array(list(presence.lengths), np.float64)
    rows = np.array(list(presence.lengths.values()), np.int64)
    distribution = Counted.of(lengths, rows)
    boundaries = distribution.values_at(_positions(presence.present))
    return _quantiles(boundaries, distribution.counts_up_to(boundaries))


def _string(column: TextSummary) -> StringStatistics:
    strings = StringStatistics(
        common_stats=_common(column.presence), unique=column.distinct, invalid_utf8_count=column.invalid_utf8
    )
    if values := column.presence.values:
        strings.avg_length = column.content / values
    for value, count in column.ranked[:TOP_VALUES]:
        strings.top_values.add(value=value, frequency=count)
    for rank, (value, count) in enumerate(column.ranked):
        strings.rank_histogram.buckets.add(low_rank=rank, high_rank=rank, label=value, sample_count=count)
    return strings


def _numeric(column: NumericSummary) -> NumericStatistics:
    numbers = NumericStatistics(common_stats=_common(column.presence))
    ordered = _Ordered(column)
    if ordered.count:
        numbers.mean = column.mean
        numbers.std_dev = math.sqrt(column.variance)
        numbers.num_zeros = column.zeros
        numbers.min, numbers.median, numbers.max = ordered.values_at(
            np.array([0, ordered.count // 2, ordered.count - 1])
        )
        numbers.histograms.extend([ordered.standard(), ordered.quantiles()])
    elif column.nan:
        numbers.histograms.add(type=Histogram.STANDARD)
        numbers.histograms.add(type=Histogram.QUANTILES)
    for histogram in numbers.histograms:
        histogram.num_nan = column.nan
    return numbers


class _Ordered:
    """All numbers but NaN in order, the infinite ones at both ends."""

    def __init__(self, column: NumericSummary) -> None:
        self._column = column
        self.count = column.negative_infinities + column.finite + column.positive_infinities

    def values_at(self, positions: Tally) -> Floats:
        finite = positions - self._column.negative_infinities
        inside = np.clip(finite, 0, max(0, self._column.finite - 1))
        values = self._column.distribution.values_at(inside) if self._column.finite else np.zeros(len(inside))
        values = np.where(finite < 0, -np.inf, values)
        return np.where(finite >= self._column.finite, np.inf, values)

    def counts_up_to(self, values: Floats) -> Floats:
        finite = np.where(np.isposinf(values), self._column.maximum, values)
        finite = np.where(np.isneginf(finite), self._column.minimum, finite)
        counts = (
            self._column.distribution.counts_up_to(finite) if self._column.finite else np.zeros(len(values))
        )
        counts = np.where(np.isneginf(values), 0, counts) + self._column.negative_infinities
        return np.where(np.isposinf(values), self.count, counts)

    def quantiles(self) -> Histogram:
        boundaries = self.values_at(_positions(self.count))
        return _quantiles(boundaries, self.counts_up_to(boundaries))

    def standard(self) -> Histogram:
        """Returns buckets of equal width; a value on a boundary belongs to the lower one, as TFDV has it."""
        column, histogram = self._column, Histogram(type=Histogram.STANDARD)
        if column.negative_infinities:
            histogram.buckets.add(
                low_value=-np.inf, high_value=-np.inf, sample_count=column.negative_infinities
            )
        if column.finite:
            self._add_equal_widths(histogram)
        if column.positive_infinities:
            histogram.buckets.add(
                low_value=np.inf, high_value=np.inf, sample_count=column.positive_infinities
            )
        return histogram

    def _add_equal_widths(self, histogram: Histogram) -> None:
        low, high = self._column.minimum, self._column.maximum
        boundaries = np.array([low, high]) if low == high else _spread(low, high)
        counts = self._column.distribution.counts_up_to(boundaries)
        counts[0] = 0
        for left, right, count in zip(boundaries, boundaries[1:], np.diff(counts), strict=False):
            histogram.buckets.add(low_value=left, high_value=right, sample_count=count)


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
        histogram.buckets.add(low_value=low, high_value=high, sample_count=count)
    return histogram
