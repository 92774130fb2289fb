"""Drift: how far each feature's distribution moved away from the baseline's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tensorflow_metadata.proto.v0.anomalies_pb2 import DriftSkewInfo

from validator import core, features, portions, schema

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies
    from tensorflow_metadata.proto.v0.schema_pb2 import Schema
    from tensorflow_metadata.proto.v0.statistics_pb2 import (
        DatasetFeatureStatistics,
        DatasetFeatureStatisticsList,
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
