"""What statistics protos say about features, in plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from tensorflow_metadata.proto.v0.statistics_pb2 import FeatureNameStatistics, Histogram

from validator.errors import DataError

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.path_pb2 import Path
    from tensorflow_metadata.proto.v0.statistics_pb2 import (
        CommonStatistics,
        DatasetFeatureStatistics,
        DatasetFeatureStatisticsList,
    )

DEFAULT_SLICE: Final = "All Examples"
"""The name TFDV gives the slice that holds every example."""

RANK_ERROR: Final = "rank_error"
"""By how large a share of the values the rank of a median, quantile or bucket may be off."""
FREQUENCY_ERROR: Final = "frequency_error"
"""By how large a share of the values a count of a text may be too low."""
DISTINCT_RELATIVE_ERROR: Final = "distinct_relative_error"
"""By how large a share the number of distinct texts may be off."""

_COMMON_STATISTICS: Final = ("num_stats", "string_stats", "bytes_stats", "struct_stats")


def overall(statistics: DatasetFeatureStatisticsList) -> DatasetFeatureStatistics:
    """Returns the statistics of the whole dataset: the only ones there are, or those of the default slice.

    Raises:
        DataError: There are none, or several and no default slice among them.
    """
    if len(statistics.datasets) == 1:
        return statistics.datasets[0]
    for dataset in statistics.datasets:
        if dataset.name == DEFAULT_SLICE:
            return dataset
    raise DataError(
        "cannot use the statistics",
        why=f"none of their {len(statistics.datasets)} datasets is {DEFAULT_SLICE!r}",
        remedy="compute them anew",
    )


def name(feature: FeatureNameStatistics) -> str:
    """Returns a feature's name; the steps of a nested one are joined by dots."""
    return feature.name or dotted(feature.path)


def dotted(path: Path) -> str:
    """Returns a path's steps joined by dots."""
    return ".".join(path.step)


def by_name(statistics: DatasetFeatureStatistics) -> Mapping[str, FeatureNameStatistics]:
    """Returns the features by name, in their order."""
    return {name(feature): feature for feature in statistics.features}


def common(feature: FeatureNameStatistics) -> CommonStatistics | None:
    """Returns the counts that every kind of feature has; None for a composite feature."""
    kind = feature.WhichOneof("stats")
    return getattr(feature, kind).common_stats if kind in _COMMON_STATISTICS else None


def is_numeric(feature: FeatureNameStatistics) -> bool:
    """Says whether the statistics are those of numbers, not of categories."""
    return bool(feature.HasField("num_stats"))


def type_name(feature: FeatureNameStatistics) -> str:
    """Returns TFDV's word for the feature's type: INT, FLOAT, STRING, BYTES or STRUCT."""
    return str(FeatureNameStatistics.Type.Name(feature.type))


def present(feature: FeatureNameStatistics) -> int:
    """Returns in how many examples the feature has a value."""
    counts = common(feature)
    return counts.num_non_missing if counts else 0


def values(feature: FeatureNameStatistics) -> int:
    """Returns how many values the feature has: of a list, those in it."""
    counts = common(feature)
    return (counts.tot_num_values or counts.num_non_missing) if counts else 0


def missing_fraction(feature: FeatureNameStatistics) -> float:
    """Returns the share of examples without a value, 0.0 to 1.0; 1.0 when there are no examples."""
    counts = common(feature)
    if counts is None or counts.num_non_missing + counts.num_missing == 0:
        return 1.0
    return float(counts.num_missing / (counts.num_non_missing + counts.num_missing))


def value_counts(feature: FeatureNameStatistics) -> Mapping[str, float]:
    """Returns how often each of the most frequent string values occurs, most frequent first."""
    statistics = feature.string_stats
    ranked = {bucket.label: bucket.sample_count for bucket in statistics.rank_histogram.buckets}
    return ranked or {value.value: value.frequency for value in statistics.top_values}


def value_shares(feature: FeatureNameStatistics) -> Mapping[str, float]:
    """Returns the share of the feature's values that each of the most frequent string values has."""
    total = values(feature)
    return {value: count / total for value, count in value_counts(feature).items()} if total else {}


def about(feature: FeatureNameStatistics, bound: str) -> str:
    """Returns "about " where a figure is an estimate: where the statistics state a bound of it."""
    return "about " if any(each.name == bound and each.num > 0 for each in feature.custom_stats) else ""


def histograms(feature: FeatureNameStatistics) -> Iterator[Histogram]:
    """Yields a numeric feature's histograms of values: equal width (STANDARD) and equal depth (QUANTILES)."""
    yield from feature.num_stats.histograms
