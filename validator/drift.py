"""Drift: how far each feature's distribution moved away from the baseline's."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tensorflow_metadata.proto.v0.anomalies_pb2 import DriftSkewInfo
from tensorflow_metadata.proto.v0.statistics_pb2 import Histogram

from validator import core, features, portions, schema

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies
    from tensorflow_metadata.proto.v0.schema_pb2 import Schema
    from tensorflow_metadata.proto.v0.statistics_pb2 import (
        DatasetFeatureStatistics,
        DatasetFeatureStatisticsList,
        NumericStatistics,
        StringStatistics,
    )


class Comparator(StrEnum):
    """TFDV's measures of the distance between two distributions."""

    L_INFTY = "L_INFTY"
    """The largest change of any value's share, 0 to 1; categories only."""
    JENSEN_SHANNON_DIVERGENCE = "JENSEN_SHANNON_DIVERGENCE"
    """Jensen-Shannon divergence in base 2, 0 (the same) to 1 (nothing in common)."""
    NORMALIZED_ABSOLUTE_DIFFERENCE = "NORMALIZED_ABSOLUTE_DIFFERENCE"
    """Sum of the absolute changes of the values' counts, relative to the baseline's; categories only."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One feature's distance from the baseline.

    Attributes:
        feature: Name of the feature.
        comparator: What was measured.
        value: The distance.
        threshold: Above it the feature has drifted.
        baseline: Where the baseline's statistics lie.
    """

    feature: str
    comparator: Comparator
    value: float
    threshold: float
    baseline: str

    @property
    def is_high(self) -> bool:
        """Whether the distance is above its threshold."""
        return self.value > self.threshold

    @property
    def excess(self) -> float:
        """The distance as a multiple of its threshold."""
        return self.value / self.threshold if self.threshold else math.inf


def measure(
    statistics: DatasetFeatureStatisticsList,
    baseline: DatasetFeatureStatisticsList,
    declared: Schema,
    *,
    environment: str = "",
    baseline_uri: str = "",
) -> tuple[Drift, ...]:
    """Measures every feature that both sides have, with the schema's comparator or else the default one.

    Args:
        statistics: Statistics of the dataset under judgement.
        baseline: Statistics of an earlier accepted dataset.
        declared: The schema; a feature with its own drift comparator keeps it.
        environment: Which of the schema's environments the data is for.
        baseline_uri: Where the baseline lies, to name it in the result.

    Returns:
        One Drift for each feature and comparator, sorted by feature. A feature that is text on one side and a
        number on the other has no distance: that is an anomaly.

    Raises:
        UsageError: The schema has environments, but not this one.
    """
    current, previous = features.overall(statistics), features.overall(baseline)
    known = schema.environment_of(declared, environment)
    numeric = _numeric_on_both_sides(current, previous)
    measured = (
        drift
        for portion in portions.cut(schema.with_default_comparators(declared), current, previous)
        for drift in _measurements(
            core.validate(portion.current, portion.schema, environment=known, previous=portion.previous),
            baseline_uri,
        )
        if _is_meaningful(drift, numeric)
    )
    return tuple(sorted(measured, key=lambda drift: (drift.feature, drift.comparator)))


def damage(statistics: DatasetFeatureStatistics) -> Iterator[str]:
    """Yields what nobody's profile writes and no distance can be measured from: the core would find no drift.

    A column without a value has no counts; one of NaN alone has histograms without a bucket.
    """
    for feature in statistics.features:
        for problem in (*_damaged_numbers(feature.num_stats), *_damaged_texts(feature.string_stats)):
            yield f"{problem} of feature {features.name(feature)!r}"


def _damaged_numbers(numbers: NumericStatistics) -> Iterator[str]:
    for histogram in (*numbers.histograms, *numbers.weighted_numeric_stats.histograms):
        name = Histogram.HistogramType.Name(histogram.type)
        yield from _damaged_counts(histogram.buckets, name)
        for bucket in histogram.buckets:
            low, high = bucket.low_value, bucket.high_value
            # Borders of equal width are rounded, those below the least normal number to much more. Of nothing
            # but infinities TFDV writes infinity to -infinity.
            is_rounded = math.isclose(low, high, abs_tol=sys.float_info.min)
            if not (low <= high or is_rounded or low == math.inf == -high):
                yield f"a bucket reaches from {low} to {high} in the {name} histogram"
    found = {histogram.type: histogram for histogram in numbers.histograms}
    for kind in (Histogram.STANDARD, Histogram.QUANTILES):
        histogram = found.get(kind, Histogram())
        if numbers.common_stats.tot_num_values > histogram.num_nan:
            yield from _damaged_total(histogram.buckets, Histogram.HistogramType.Name(kind))


def _damaged_texts(texts: StringStatistics) -> Iterator[str]:
    for ranks in (texts.rank_histogram, texts.weighted_string_stats.rank_histogram):
        yield from _damaged_counts(ranks.buckets, "rank")
    if texts.rank_histogram.buckets or texts.top_values:
        yield from _damaged_total(texts.rank_histogram.buckets, "rank")


def _damaged_counts(buckets: Iterable[Any], name: str) -> Iterator[str]:
    for bucket in buckets:
        if not 0 <= bucket.sample_count < math.inf:
            yield f"a bucket counts {bucket.sample_count} in the {name} histogram"


def _damaged_total(buckets: Iterable[Any], name: str) -> Iterator[str]:
    total = sum(bucket.sample_count for bucket in buckets)
    if not 0 < total < math.inf:
        yield f"all counts together are {total} in the {name} histogram"


def _measurements(anomalies: Anomalies, baseline_uri: str) -> Iterator[Drift]:
    for info in anomalies.drift_skew_info:
        feature = features.dotted(info.path)
        for measurement in info.drift_measurements:
            comparator = Comparator(DriftSkewInfo.Measurement.Type.Name(measurement.type))
            yield Drift(feature, comparator, measurement.value, measurement.threshold, baseline_uri)


def _numeric_on_both_sides(
    current: DatasetFeatureStatistics, previous: DatasetFeatureStatistics
) -> Mapping[str, bool]:
    """Says of each feature that both sides have as the same kind whether that kind is numeric."""
    before = {name: features.is_numeric(feature) for name, feature in features.by_name(previous).items()}
    now = {name: features.is_numeric(feature) for name, feature in features.by_name(current).items()}
    return {name: kind for name, kind in now.items() if before.get(name) is kind}


def _is_meaningful(drift: Drift, numeric: Mapping[str, bool]) -> bool:
    """TFDV answers 0 or 1 where it cannot measure: text against numbers, L-infinity of numbers."""
    if drift.feature not in numeric or not math.isfinite(drift.value):
        return False
    return not numeric[drift.feature] or drift.comparator is Comparator.JENSEN_SHANNON_DIVERGENCE
