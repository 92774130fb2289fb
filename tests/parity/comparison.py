"""Statistics compared field by field; what may differ is listed in docs/parity.md under the same names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence, Set
from typing import Any, Final

from google.protobuf.message import Message
from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies, AnomalyInfo
from tensorflow_metadata.proto.v0.statistics_pb2 import (
    DatasetFeatureStatistics,
    DatasetFeatureStatisticsList,
    FeatureNameStatistics,
    Histogram,
)

RANK_ERROR: Final = 0.01
"""Of TFDV's quantile sketches, their default epsilon; what it interpolates from them is off by as much."""
EXACT_ROWS: Final = 1_000
"""Up to so many values TFDV's quantile sketches hold them all."""
RANKED: Final = 1_024
"""Slots of TFDV's Misra-Gries sketch: with more distinct values its frequencies are wrong."""
KMV: Final = 16_384
"""Slots of TFDV's K-minimum-values sketch: with more distinct values `unique` is an estimate."""
UNIQUE_ERROR: Final = 0.05
SQUARABLE: Final = 1e150
"""Greater numbers have no square: TFDV's standard deviation of them is 0 or infinite."""
OURS_ALONE: Final = {"rank_error", "frequency_error", "distinct_relative_error"}
"""Custom statistics that TFDV does not have."""


def differences(ours: DatasetFeatureStatisticsList, theirs: DatasetFeatureStatisticsList) -> Sequence[str]:
    """Says where two statistics differ, other than in what is accepted."""
    return list(_of_datasets(ours.datasets[0], theirs.datasets[0]))


def _of_datasets(ours: DatasetFeatureStatistics, theirs: DatasetFeatureStatistics) -> Iterator[str]:
    if ours.num_examples != theirs.num_examples:
        yield f"num_examples: {ours.num_examples} against {theirs.num_examples}"
    features, others = _by_path(ours), _by_path(theirs)
    if list(features) != list(others):
        yield f"features: {list(features)} against {list(others)}"
    for path in features.keys() & others.keys():
        for difference in _of_features(features[path], others[path]):
            yield f"{path}: {difference}"


def _by_path(dataset: DatasetFeatureStatistics) -> dict[str, FeatureNameStatistics]:
    return {".".join(feature.path.step): feature for feature in dataset.features}


def _of_features(ours: FeatureNameStatistics, theirs: FeatureNameStatistics) -> Iterator[str]:
    kind, their_kind = ours.WhichOneof("stats"), theirs.WhichOneof("stats")
    if (ours.type, kind) != (theirs.type, their_kind):
        yield f"type {ours.type} {kind} against {theirs.type} {their_kind}"
        return
    mine, other = getattr(ours, kind), getattr(theirs, kind)
    yield from _of_common(mine.common_stats, other.common_stats)
    match kind:
        case "num_stats":
            yield from _of_numbers(mine, other)
        case "string_stats":
            yield from _of_texts(mine, other)
        case _:
            yield from _of_messages(kind, mine, other, without={"common_stats"})
    yield from _of_custom(ours, theirs)


def _of_common(ours: Any, theirs: Any) -> Iterator[str]:
    # Where nothing but null is in lists of lists, TFDV counts values in all and none in any row.
    are_null = ours.presence_and_valency_stats and theirs.tot_num_values and not theirs.max_num_values
    in_a_row = {"min_num_values", "max_num_values", "num_values_histogram"}
    yield from _of_messages("common_stats", ours, theirs, without=in_a_row if are_null else set())


def _of_custom(ours: FeatureNameStatistics, theirs: FeatureNameStatistics) -> Iterator[str]:
    mine = {custom.name: custom for custom in ours.custom_stats if custom.name not in OURS_ALONE}
    others = {custom.name: custom for custom in theirs.custom_stats}
    if list(mine) != list(others):
        yield f"custom_stats {list(mine)} against {list(others)}"
    for name in mine.keys() & others.keys():
        if name.endswith("_standard"):
            # Interpolated from ten quantiles, and between the greatest integers where there is no list.
            values = sum(bucket.sample_count for bucket in mine[name].histogram.buckets)
            if values and not _is_close(_total(others[name].histogram), values):
                yield f"{name}: {values} against {_total(others[name].histogram)}"
        else:
            yield from _of_messages(name, mine[name], others[name])


def _of_texts(ours: Any, theirs: Any) -> Iterator[str]:
    ranked = {"unique", "top_values", "rank_histogram"}
    yield from _of_messages("string_stats", ours, theirs, without={"common_stats", *ranked})
    if ours.unique <= RANKED:
        yield from _of_messages("string_stats", ours, theirs, only=ranked)
    elif not math.isclose(ours.unique, theirs.unique, rel_tol=0 if ours.unique <= KMV else UNIQUE_ERROR):
        yield f"unique: {ours.unique} against {theirs.unique}"


def _of_numbers(ours: Any, theirs: Any) -> Iterator[str]:
    yield from _of_messages("num_stats", ours, theirs, only={"num_zeros", "min", "max"})
    if math.isfinite(theirs.min) and math.isfinite(theirs.max):
        yield from _of_moments(ours, theirs)
    values = ours.common_stats.tot_num_values
    if values <= EXACT_ROWS:
        yield from _of_messages("num_stats", ours, theirs, only={"median"})
    if len(ours.histograms) != len(theirs.histograms):
        yield f"{len(ours.histograms)} histograms against {len(theirs.histograms)}"
    for mine, other in zip(ours.histograms, theirs.histograms, strict=False):
        yield from _of_histograms(mine, other, values)


def _of_moments(ours: Any, theirs: Any) -> Iterator[str]:
    reach = max(abs(ours.min), abs(ours.max))
    if reach > SQUARABLE:
        return
    for name in ("mean", "std_dev"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        if not math.isclose(mine, other, rel_tol=1e-9, abs_tol=1e-7 * reach):
            yield f"{name}: {mine} against {other}"


def _of_histograms(ours: Histogram, theirs: Histogram, values: int) -> Iterator[str]:
    name = Histogram.HistogramType.Name(ours.type)
    if (ours.type, ours.num_nan) != (theirs.type, theirs.num_nan):
        yield f"{name}: type, NaN {ours.type, ours.num_nan} against {theirs.type, theirs.num_nan}"
    elif ours.type == Histogram.QUANTILES and values <= EXACT_ROWS:
        yield from _of_messages(name, ours, theirs)
    elif ours.type == Histogram.STANDARD and _has_finite(ours) and theirs.buckets:
        yield from _of_equal_widths(ours, theirs, values)


def _has_finite(histogram: Histogram) -> bool:
    # Of none but infinite numbers TFDV has one bucket, from +inf to -inf.
    return any(math.isfinite(bucket.low_value) for bucket in histogram.buckets)


def _of_equal_widths(ours: Histogram, theirs: Histogram, values: int) -> Iterator[str]:
    """Compares boundaries, and counts up to each of them: TFDV's are interpolated."""
    if len(ours.buckets) != len(theirs.buckets):
        yield f"STANDARD: {len(ours.buckets)} buckets against {len(theirs.buckets)}"
        return
    below = 0.0
    for mine, other in zip(ours.buckets, theirs.buckets, strict=True):
        if not (_is_close(mine.low_value, other.low_value) and _is_close(mine.high_value, other.high_value)):
            yield (
                f"STANDARD: bucket {mine.low_value} to {mine.high_value} "
                f"against {other.low_value} to {other.high_value}"
            )
        below += mine.sample_count - other.sample_count
        if abs(below) > RANK_ERROR * values + 1 + 1e-6 * values:
            yield f"STANDARD: {below:+} values up to {mine.high_value}"


def _of_messages(
    name: str,
    ours: Message,
    theirs: Message,
    only: set[str] | None = None,
    without: Set[str] = frozenset(),
) -> Iterator[str]:
    """Compares every field, numbers up to their rounding."""
    for field in ours.DESCRIPTOR.fields:
        if field.name in without or (only is not None and field.name not in only):
            continue
        mine, other = getattr(ours, field.name), getattr(theirs, field.name)
        if not _is_equal(mine, other):
            yield f"{name}.{field.name}: {_short(mine)} against {_short(other)}"


def _is_equal(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, Message):
        return not list(_of_messages("", ours, theirs))
    if isinstance(ours, float):
        return _is_close(ours, theirs)
    if hasattr(ours, "extend"):
        pairs = zip(ours, theirs, strict=False)
        return len(ours) == len(theirs) and all(_is_equal(*pair) for pair in pairs)
    return bool(ours == theirs)


def _is_close(ours: float, theirs: float) -> bool:
    if math.isnan(ours) or math.isnan(theirs):
        return math.isnan(ours) and math.isnan(theirs)
    return math.isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-12)


def _total(histogram: Histogram) -> float:
    return float(sum(bucket.sample_count for bucket in histogram.buckets))


def _short(value: Any) -> str:
    return " ".join(str(value).split())[:300]


def codes(anomalies: Anomalies) -> Set[str]:
    """Returns the types of all anomalies."""
    infos = [*anomalies.anomaly_info.values(), anomalies.dataset_anomaly_info]
    return {AnomalyInfo.Type.Name(reason.type) for info in infos for reason in info.reason}


def described(anomalies: Anomalies) -> Sequence[str]:
    """Returns anomalies as lines, sorted: what is compared, recorded and read by people."""
    lines = [line for path, info in anomalies.anomaly_info.items() for line in _lines(path, info)]
    lines += _lines("dataset", anomalies.dataset_anomaly_info)
    for info in anomalies.drift_skew_info:
        path = ".".join(info.path.step)
        for measurement in (*info.drift_measurements, *info.skew_measurements):
            lines.append(f"{path}: {_measurement(measurement)}")
    return sorted([*lines, *(["no data"] if anomalies.data_missing else [])])


def _lines(path: str, info: AnomalyInfo) -> Iterator[str]:
    severity = AnomalyInfo.Severity.Name(info.severity)
    for reason in info.reason:
        code = AnomalyInfo.Type.Name(reason.type)
        words = reason.description
        if code == "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH":
            # The value is compared by itself.
            words = reason.short_description
        yield " | ".join([f"{path}: {severity} {code}", reason.short_description, " ".join(words.split())])


def _measurement(measurement: Any) -> str:
    kind = type(measurement).Type.Name(measurement.type)
    return f"{kind} {measurement.value:.6g}, threshold {measurement.threshold:.6g}"
