"""Statistics of small datasets, built from values as TFDV would build them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import (
    CommonStatistics,
    DatasetFeatureStatisticsList,
    FeatureNameStatistics,
    Histogram,
    NumericStatistics,
)

Column = Sequence[object]
Build = Callable[..., DatasetFeatureStatisticsList]
"""`statistics(fare=[1.0, None], pay=["Cash", "Card"])`: None is missing, the type is that of the values."""


@pytest.fixture(scope="session")
def statistics() -> Build:
    """Builds the statistics of one dataset from its columns."""
    return build


@pytest.fixture(scope="session")
def schema() -> Callable[[str], Schema]:
    """Reads a schema from text."""
    return lambda text: text_format.Parse(text, Schema())


def build(columns: dict[str, Column] | None = None, **more: Column) -> DatasetFeatureStatisticsList:
    columns = {**(columns or {}), **more}
    result = DatasetFeatureStatisticsList()
    dataset = result.datasets.add(num_examples=max((len(column) for column in columns.values()), default=0))
    for name, column in columns.items():
        feature = dataset.features.add()
        feature.path.step.append(name)
        _fill(feature, [value for value in column if value is not None], len(column))
    return result


def _fill(feature: FeatureNameStatistics, present: list[object], rows: int) -> None:
    if all(isinstance(value, str) for value in present) and present:
        feature.type = FeatureNameStatistics.STRING
        _fill_strings(feature, [str(value) for value in present], rows)
    else:
        integers = all(isinstance(value, int) for value in present) and present
        feature.type = FeatureNameStatistics.INT if integers else FeatureNameStatistics.FLOAT
        _fill_numbers(feature, [float(value) for value in present], rows)  # type: ignore[arg-type]


def _common(counts: CommonStatistics, present: int, rows: int) -> None:
    counts.num_non_missing, counts.num_missing, counts.tot_num_values = present, rows - present, present
    counts.min_num_values = counts.max_num_values = 1 if present else 0
    counts.avg_num_values = 1.0


def _fill_strings(feature: FeatureNameStatistics, values: list[str], rows: int) -> None:
    statistics = feature.string_stats
    _common(statistics.common_stats, len(values), rows)
    ranked = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    statistics.unique = len(ranked)
    statistics.avg_length = sum(map(len, values)) / len(values)
    for rank, (value, times) in enumerate(ranked[:1000]):
        statistics.rank_histogram.buckets.add(low_rank=rank, high_rank=rank, label=value, sample_count=times)
    for value, times in ranked[:20]:
        statistics.top_values.add(value=value, frequency=times)


def _fill_numbers(feature: FeatureNameStatistics, values: list[float], rows: int) -> None:
    statistics = feature.num_stats
    _common(statistics.common_stats, len(values), rows)
    with np.errstate(over="ignore", invalid="ignore"):
        _describe(statistics, values)


def _describe(statistics: NumericStatistics, values: list[float]) -> None:
    numbers = np.array([value for value in values if not np.isnan(value)], dtype=float)
    if not numbers.size:
        return
    statistics.min, statistics.median, statistics.max = numbers.min(), np.median(numbers), numbers.max()
    statistics.num_zeros = int((numbers == 0).sum())
    finite = numbers[np.isfinite(numbers)]
    statistics.mean, statistics.std_dev = finite.mean(), finite.std()
    edges = np.linspace(finite.min(), finite.max(), 11)
    # A value on an edge belongs to the bucket below it, as TFDV has it.
    counts = np.diff(np.searchsorted(np.sort(finite), edges, side="right"), prepend=0)[1:]
    counts[0] += (finite == finite.min()).sum()
    standard = statistics.histograms.add(type=Histogram.STANDARD, num_nan=len(values) - numbers.size)
    for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
        standard.buckets.add(low_value=low, high_value=high, sample_count=count)
    quantiles = np.quantile(finite, np.linspace(0, 1, 11))
    depth = statistics.histograms.add(type=Histogram.QUANTILES)
    for low, high in pairwise(quantiles):
        depth.buckets.add(low_value=low, high_value=high, sample_count=finite.size / 10)
