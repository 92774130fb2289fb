"""Statistics as TensorFlow Data Validation writes them, from a finished profile.

Fields, buckets and ties are TFDV's (its basic_stats_generator.py and top_k_uniques_stats_util.py); where its
figures are sketched and ours are known, ours are exact. `docs/parity.md` lists each difference with its
reason, `make parity` proves that there is no other. What is approximate says so in the custom_stats.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

import numpy as np
from tensorflow_metadata.proto.v0.statistics_pb2 import (
    BytesStatistics,
    CommonStatistics,
    CustomStatistic,
    DatasetFeatureStatistics,
    DatasetFeatureStatisticsList,
    FeatureNameStatistics,
    Histogram,
    NumericStatistics,
    PresenceAndValencyStatistics,
    StringStatistics,
)

from validator import histograms
from validator.features import DISTINCT_RELATIVE_ERROR, FREQUENCY_ERROR, RANK_ERROR
from validator.profile import (
    ColumnSummary,
    Kind,
    NumericSummary,
    Path,
    Presence,
    StructSummary,
    Summary,
    TextSummary,
)

TOP_VALUES: Final = 20
"""Of every string feature."""

_TYPES: Final = {
    Kind.INT: FeatureNameStatistics.INT,
    Kind.FLOAT: FeatureNameStatistics.FLOAT,
    Kind.BYTES: FeatureNameStatistics.STRING,
    Kind.STRUCT: FeatureNameStatistics.STRUCT,
}


def of(summary: Summary, *, images: Collection[Path] = ()) -> DatasetFeatureStatisticsList:
    """Returns the statistics of one dataset: its columns in their order, structs before their fields.

    Args:
        summary: What is known of the dataset.
        images: Columns whose bytes are no text: TFDV has another kind of statistics for what a schema gives
            an image_domain.
    """
    dataset = DatasetFeatureStatistics(num_examples=summary.rows)
    for path, column in _walk(summary.columns):
        dataset.features.append(_feature(path, column, is_image=path in images))
    return DatasetFeatureStatisticsList(datasets=[dataset])


def _walk(columns: Iterable[ColumnSummary], above: Path = ()) -> Iterator[tuple[Path, ColumnSummary]]:
    """Yields columns and the fields below them, parents first."""
    for column in columns:
        path = (*above, column.column.name)
        yield path, column
        if isinstance(column, StructSummary):
            yield from _walk(column.fields, path)


def _feature(path: Path, column: ColumnSummary, *, is_image: bool) -> FeatureNameStatistics:
    feature = FeatureNameStatistics(type=_TYPES[column.column.kind])
    feature.path.step.extend(path)
    if isinstance(column, StructSummary):
        feature.struct_stats.common_stats.CopyFrom(_common(column.presence))
    elif isinstance(column, NumericSummary):
        feature.num_stats.CopyFrom(_numeric(column))
    elif is_image:
        feature.type = FeatureNameStatistics.BYTES
        feature.bytes_stats.CopyFrom(_bytes(column))
    else:
        feature.string_stats.CopyFrom(_string(column))
    feature.custom_stats.extend([*_lists(column.presence), *_bounds(column)])
    return feature


def _common(presence: Presence) -> CommonStatistics:
    common = CommonStatistics(num_non_missing=presence.present, num_missing=presence.missing)
    if presence.present:
        common.min_num_values = min(presence.lengths)
        common.max_num_values = max(presence.lengths)
        common.tot_num_values = presence.values
        common.avg_num_values = presence.values / presence.present
        common.num_values_histogram.CopyFrom(histograms.lengths(presence))
    common.presence_and_valency_stats.extend(_level(level) for level in presence.levels)
    return common


def _level(presence: Presence) -> PresenceAndValencyStatistics:
    """Returns what is known of one of several lists around each other."""
    level = PresenceAndValencyStatistics(num_non_missing=presence.present, num_missing=presence.missing)
    if presence.present:
        level.min_num_values = min(presence.lengths)
        level.max_num_values = max(presence.lengths)
        level.tot_num_values = presence.values
    return level


def _lists(presence: Presence) -> Iterator[CustomStatistic]:
    """Yields histograms of the lengths of inner lists, named as TFDV names them."""
    for number, level in enumerate(presence.levels[1:], start=2):
        name = f"level_{number}_value_list_length"
        yield CustomStatistic(name=f"{name}_quantiles", histogram=histograms.lengths(level))
        yield CustomStatistic(name=f"{name}_standard", histogram=histograms.equal_widths_of_lengths(level))


def _bounds(column: ColumnSummary) -> Iterator[CustomStatistic]:
    """Yields by how much the figures may be off, where they are not exact."""
    bounds: dict[str, float | None] = {}
    if isinstance(column, NumericSummary):
        bounds = {RANK_ERROR: column.rank_error}
    elif isinstance(column, TextSummary):
        bounds = {FREQUENCY_ERROR: column.count_error, DISTINCT_RELATIVE_ERROR: column.distinct_error}
    for name, bound in bounds.items():
        if bound is not None:
            yield CustomStatistic(name=name, num=bound)


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


def _bytes(column: TextSummary) -> BytesStatistics:
    found = BytesStatistics(common_stats=_common(column.presence))
    if values := column.presence.values:
        found.avg_num_bytes = column.content / values
        found.min_num_bytes = column.shortest
        found.max_num_bytes = found.max_num_bytes_int = column.longest
    return found


def _numeric(column: NumericSummary) -> NumericStatistics:
    numbers = NumericStatistics(common_stats=_common(column.presence))
    ordered = histograms.Ordered(column)
    if ordered.count:
        numbers.mean = column.mean
        numbers.std_dev = column.deviation
        numbers.num_zeros = column.zeros
        numbers.min, numbers.median, numbers.max = ordered.values_at(
            np.array([0, ordered.count // 2, ordered.count - 1])
        )
        numbers.histograms.extend([ordered.standard(), ordered.quantiles()])
    elif column.presence.values:
        numbers.histograms.add(type=Histogram.STANDARD)
        numbers.histograms.add(type=Histogram.QUANTILES)
    for histogram in numbers.histograms:
        # TFDV takes what is null in a list for NaN.
        histogram.num_nan = column.presence.values - ordered.count
    return numbers
