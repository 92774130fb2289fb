"""Every expectation was printed by TFDV 1.16.1 itself for the same values, unless a comment says not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tensorflow_metadata.proto.v0.statistics_pb2 import FeatureNameStatistics, Histogram

from validator import statistics
from validator.profile import Column, Kind, Profile

INF = float("inf")
INTEGERS = [1, 2, 2, 3, 7, 0, 0, 10, 4, 5, 6]
FLOATS = [1.5, 2.5, -1.0, 0.0, None, 3.0, 4.0, 5.0, 6.0, 7.0, 8.25]
INFINITE = [1.5, 2.5, -1.0, 0.0, None, 3.0, 4.0, INF, -INF, 7.0, 8.25]
TEXTS = ["a", "b", "ä", "a", "c", "", "b", None, "bb", "a", "zz"]
FLAGS = [1, 0, 1, None, 1, 1, 0, 0, 1, 1, 1]


def profile(values: Sequence[Any], kind: Kind, arrow: Any, *, depth: int = 0) -> Profile:
    made = Profile([Column("c", kind, depth)])
    made.add(pa.record_batch([pa.array(values, arrow)], names=["c"]))
    return made


def feature(values: Sequence[Any], kind: Kind = Kind.FLOAT, arrow: Any = None) -> FeatureNameStatistics:
    made = profile(
        values, kind, arrow or {Kind.INT: pa.int64(), Kind.FLOAT: pa.float64()}.get(kind, pa.string())
    )
    return statistics.of(made.finish()).datasets[0].features[0]


def buckets(histogram: Histogram) -> list[tuple[float, float, float]]:
    return [(b.low_value, b.high_value, b.sample_count) for b in histogram.buckets]


def test_a_dataset_has_its_rows_and_its_features_in_order() -> None:
    made = Profile([Column("b", Kind.INT), Column("a", Kind.BYTES)])
    made.add(pa.record_batch([pa.array([1, 2]), pa.array(["x", None])], names=["b", "a"]))
    (dataset,) = statistics.of(made.finish()).datasets
    assert dataset.num_examples == 2
    assert [f.path.step[0] for f in dataset.features] == ["b", "a"]
    assert [f.type for f in dataset.features] == [FeatureNameStatistics.INT, FeatureNameStatistics.STRING]


def test_integers() -> None:
    numbers = feature(INTEGERS, Kind.INT).num_stats
    assert numbers.mean == 3.6363636363636362
    assert numbers.std_dev == pytest.approx(2.9931050242098776)
    assert (numbers.num_zeros, numbers.min, numbers.median, numbers.max) == (2, 0, 3, 10)
    assert buckets(numbers.histograms[1]) == [
        (0, 0, 2), (0, 1, 1), (1, 2, 1), (2, 2, 1), (2, 3, 1),
        (3, 4, 1), (4, 5, 1), (5, 6, 1), (6, 7, 1), (7, 10, 1),
    ]  # fmt: skip
    # TFDV interpolates: 2.999999999999992, 1.9999999999999949, … 0.0036630, 0.99267.
    assert buckets(numbers.histograms[0]) == [
        (0, 1, 3), (1, 2, 2), (2, 3, 1), (3, 4, 1), (4, 5, 1),
        (5, 6, 1), (6, 7, 1), (7, 8, 0), (8, 9, 0), (9, 10, 1),
    ]  # fmt: skip
    assert [h.type for h in numbers.histograms] == [Histogram.STANDARD, Histogram.QUANTILES]


def test_counts_common_to_all_kinds() -> None:
    common = feature(FLOATS).num_stats.common_stats
    assert (common.num_non_missing, common.num_missing, common.tot_num_values) == (10, 1, 10)
    assert (common.min_num_values, common.max_num_values, common.avg_num_values) == (1, 1, 1)
    assert buckets(common.num_values_histogram) == [(1, 1, 1)] * 10
    assert common.num_values_histogram.type == Histogram.QUANTILES


def test_floats() -> None:
    numbers = feature(FLOATS).num_stats
    assert (numbers.mean, numbers.median, numbers.min, numbers.max) == (3.625, 4, -1, 8.25)
    assert numbers.std_dev == pytest.approx(2.8487936043174487)
    assert buckets(numbers.histograms[1]) == [
        (-1, 0, 2), (0, 1.5, 1), (1.5, 2.5, 1), (2.5, 3, 1), (3, 4, 1),
        (4, 5, 1), (5, 6, 1), (6, 7, 1), (7, 8.25, 0.5), (8.25, 8.25, 0.5),
    ]  # fmt: skip
    assert [round(b[1], 3) for b in buckets(numbers.histograms[0])][:3] == [-0.075, 0.85, 1.775]


def test_infinite_values_have_buckets_of_their_own() -> None:
    numbers = feature(INFINITE).num_stats
    assert (numbers.min, numbers.median, numbers.max, numbers.num_zeros) == (-INF, 3, INF, 1)
    standard, quantiles = map(buckets, numbers.histograms)
    assert (standard[0], standard[-1], len(standard)) == ((-INF, -INF, 1), (INF, INF, 1), 12)
    assert quantiles[0] == (-INF, -1, 2)
    assert quantiles[-2:] == [(8.25, INF, 0.5), (INF, INF, 0.5)]
    # TFDV's mean is NaN here; ours is that of the finite values.
    assert numbers.mean == pytest.approx(np.mean([x for x in INFINITE if x is not None and np.isfinite(x)]))


def test_nan_is_counted_in_both_histograms() -> None:
    numbers = feature([1.0, float("nan"), 3.0]).num_stats
    assert [h.num_nan for h in numbers.histograms] == [1, 1]
    assert (numbers.mean, numbers.common_stats.num_non_missing) == (2, 3)


def test_nothing_but_nan_has_empty_histograms() -> None:
    numbers = feature([float("nan")]).num_stats
    assert [(h.num_nan, len(h.buckets)) for h in numbers.histograms] == [(1, 0), (1, 0)]


def test_nothing_but_infinity() -> None:
    numbers = feature([INF, INF]).num_stats
    assert (numbers.min, numbers.max) == (INF, INF)
    assert buckets(numbers.histograms[0]) == [(INF, INF, 2)]


def test_two_values_share_their_buckets() -> None:
    numbers = feature(FLAGS, Kind.INT).num_stats
    expected = [(0, 0, 1.5)] * 2 + [(0, 1, 0.875)] + [(1, 1, 0.875)] * 7
    assert (numbers.mean, buckets(numbers.histograms[1])) == (0.7, expected)


def test_one_value_is_one_bucket() -> None:
    numbers = feature([5] * 11, Kind.INT).num_stats
    assert buckets(numbers.histograms[0]) == [(5, 5, 11)]
    assert [b.sample_count for b in numbers.histograms[1].buckets] == pytest.approx([1.1] * 10)
    assert numbers.std_dev == 0


def test_the_widest_range_of_floats_still_has_buckets() -> None:
    # TFDV gives no histogram here.
    standard = buckets(feature([-1.7e308, 0.0, 1.7e308]).num_stats.histograms[0])
    assert sum(count for _, _, count in standard) == 3
    assert (standard[0][0], standard[-1][1]) == (-1.7e308, 1.7e308)


def test_texts() -> None:
    strings = feature(TEXTS, Kind.BYTES).string_stats
    assert (strings.unique, strings.invalid_utf8_count) == (7, 0)
    assert strings.avg_length == pytest.approx(1.2)
    expected = [("a", 3), ("b", 2), ("ä", 1), ("zz", 1), ("c", 1), ("bb", 1), ("", 1)]
    assert [(v.value, v.frequency) for v in strings.top_values] == expected
    ranks = [(b.low_rank, b.high_rank, b.label, b.sample_count) for b in strings.rank_histogram.buckets]
    assert ranks == [(n, n, label, count) for n, (label, count) in enumerate(expected)]


def test_top_values_are_twenty() -> None:
    strings = feature([str(n) for n in range(30)], Kind.BYTES).string_stats
    assert (len(strings.top_values), len(strings.rank_histogram.buckets)) == (20, 30)


def test_a_column_without_a_value_keeps_its_kind() -> None:
    empty = feature([None] * 11, Kind.INT)
    assert empty.type == FeatureNameStatistics.INT
    assert str(empty.num_stats).split() == ["common_stats", "{", "num_missing:", "11", "}"]


def test_a_column_of_no_known_kind_is_text() -> None:
    made = Profile([Column("c", Kind.INT, is_guessed=True)])
    made.add(pa.record_batch([pa.nulls(11, pa.int64())], names=["c"]))
    (empty,) = statistics.of(made.finish()).datasets[0].features
    assert empty.type == FeatureNameStatistics.STRING
    assert str(empty.string_stats).split() == ["common_stats", "{", "num_missing:", "11", "}"]


def test_lists_have_a_histogram_of_lengths() -> None:
    made = profile([[1, 2, 3], [], None, [4]], Kind.INT, pa.list_(pa.int64()), depth=1)
    common = statistics.of(made.finish()).datasets[0].features[0].num_stats.common_stats
    assert (common.num_non_missing, common.num_missing) == (3, 1)
    assert (common.min_num_values, common.max_num_values, common.tot_num_values) == (0, 3, 4)
    assert common.avg_num_values == pytest.approx(4 / 3)
    assert sum(count for _, _, count in buckets(common.num_values_histogram)) == pytest.approx(3)


def test_what_is_null_in_a_list_is_a_value() -> None:
    made = profile([[1, None], None, [], [None]], Kind.INT, pa.list_(pa.int64()), depth=1)
    numbers = statistics.of(made.finish()).datasets[0].features[0].num_stats
    assert (numbers.common_stats.tot_num_values, numbers.common_stats.max_num_values) == (3, 2)
    assert (numbers.mean, numbers.min, numbers.max) == (1, 1, 1)
    assert [histogram.num_nan for histogram in numbers.histograms] == [2, 2]


def test_nested_lists_have_statistics_of_each_level() -> None:
    nested = pa.list_(pa.list_(pa.int64()))
    made = profile([[[1, 2], [], None], None, [], [[3]]], Kind.INT, nested, depth=2)
    (found,) = statistics.of(made.finish()).datasets[0].features
    common = found.num_stats.common_stats
    assert (common.num_non_missing, common.num_missing, common.tot_num_values) == (3, 1, 3)
    assert (common.min_num_values, common.max_num_values, common.avg_num_values) == (0, 2, 1)
    levels = [
        (level.num_non_missing, level.num_missing, level.max_num_values, level.tot_num_values)
        for level in common.presence_and_valency_stats
    ]
    assert levels == [(3, 1, 3, 4), (3, 1, 2, 3)]
    assert [custom.name for custom in found.custom_stats] == [
        "level_2_value_list_length_quantiles",
        "level_2_value_list_length_standard",
    ]
    # Two inner lists have at most one value and one has two; TFDV interpolates between them.
    standard = [count for _, _, count in buckets(found.custom_stats[1].histogram)]
    assert standard == [1, 0, 0, 0, 1, 0, 0, 0, 0, 1]


def test_levels_without_a_list_have_empty_histograms() -> None:
    made = profile([None, []], Kind.INT, pa.list_(pa.list_(pa.int64())), depth=2)
    (found,) = statistics.of(made.finish()).datasets[0].features
    assert not found.num_stats.common_stats.presence_and_valency_stats[1].ByteSize()
    assert [len(custom.histogram.buckets) for custom in found.custom_stats] == [0, 0]


def test_structs_come_before_their_fields_which_are_missing_from_them() -> None:
    struct = pa.struct([("a", pa.list_(pa.int64())), ("e", pa.struct([("f", pa.float64())]))])
    fields = (
        Column("a", Kind.INT, 1),
        Column("e", Kind.STRUCT, fields=(Column("f", Kind.FLOAT),)),
    )
    made = Profile([Column("s", Kind.STRUCT, 1, fields)])
    first = [{"a": [1, 2], "e": {"f": 1.0}}, None, {"a": None, "e": None}]
    rows = pa.array([first, None, [], [{"a": [], "e": {"f": None}}]], pa.list_(struct))
    made.add(pa.record_batch([rows], names=["s"]))
    dataset = statistics.of(made.finish()).datasets[0]
    assert [".".join(f.path.step) for f in dataset.features] == ["s", "s.a", "s.e", "s.e.f"]
    assert [f.WhichOneof("stats") for f in dataset.features] == [
        "struct_stats", "num_stats", "struct_stats", "num_stats",
    ]  # fmt: skip
    common = [getattr(f, f.WhichOneof("stats")).common_stats for f in dataset.features]
    assert [(c.num_non_missing, c.num_missing, c.tot_num_values) for c in common] == [
        (3, 1, 4), (2, 2, 2), (2, 2, 2), (1, 1, 1),
    ]  # fmt: skip


def test_images_have_statistics_of_bytes() -> None:
    made = profile([b"abc", b"", None, b"\xff"], Kind.BYTES, pa.binary())
    (image,) = statistics.of(made.finish(), images=[("c",)]).datasets[0].features
    assert image.type == FeatureNameStatistics.BYTES
    sizes = image.bytes_stats
    assert (sizes.min_num_bytes, sizes.max_num_bytes, sizes.max_num_bytes_int) == (0, 3, 3)
    assert sizes.avg_num_bytes == pytest.approx(4 / 3)


def test_figures_that_are_not_exact_say_by_how_much_they_may_be_off() -> None:
    many = np.arange(300_000)
    made = Profile([Column("n", Kind.INT), Column("t", Kind.BYTES), Column("few", Kind.INT)])
    columns = [pa.array(many), pa.array(many).cast(pa.string()), pa.array(many % 7)]
    made.add(pa.record_batch(columns, names=["n", "t", "few"]))
    numbers, texts, few = (
        {custom.name: custom.num for custom in found.custom_stats}
        for found in statistics.of(made.finish()).datasets[0].features
    )
    assert list(numbers) == ["rank_error"]
    assert list(texts) == ["frequency_error", "distinct_relative_error"]
    assert all(0 < bound < 0.05 for bound in (*numbers.values(), *texts.values()))
    assert not few


class TestStandIns:
    """Values that have one stand-in are one value of the statistics, however many different ones they are."""

    def top(self, values: Any) -> list[tuple[str, float]]:
        profile = Profile([Column("c", Kind.BYTES)])
        for part in np.array_split(np.arange(len(values)), 3):
            profile.add(pa.record_batch([values.take(pa.array(part))], names=["c"]))
        found = statistics.of(profile.finish()).datasets[0].features[0].string_stats
        return [(each.value, each.frequency) for each in found.top_values]

    def test_long_texts_once_each_are_counted_together(self) -> None:
        short = [f"s{number}" for number in range(1_200)] * 2
        long = [f"{number:08d}" + "x" * 1_100 for number in range(300)]
        assert self.top(pa.array(short + long))[0] == ("__LARGE_BYTES__", 300.0)

    def test_long_texts_beyond_the_limit_too(self) -> None:
        long = [f"{number:08d}" + "x" * 1_100 for number in range(3_000)]
        assert self.top(pa.array(long)) == [("__LARGE_BYTES__", 3_000.0)]

    def test_bytes_that_are_no_text_beside_one_that_is_long(self) -> None:
        values = pa.array([b"\xff%d" % number for number in range(5_000)] + [b"y" * 1_100], pa.binary())
        assert self.top(values)[:2] == [("__BYTES_VALUE__", 5_000.0), ("__LARGE_BYTES__", 1.0)]

    def test_what_is_long_and_no_text_is_long(self) -> None:
        assert self.top(pa.array([b"\xff" * 1_100] * 2)) == [("__LARGE_BYTES__", 2.0)]

    def test_a_text_may_read_like_a_stand_in(self) -> None:
        assert self.top(pa.array(["__LARGE_BYTES__", "y" * 1_100])) == [("__LARGE_BYTES__", 2.0)]
