"""Pictures: the same distribution looks the same, another one does not, and one outlier flattens nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0.statistics_pb2 import (
    DatasetFeatureStatisticsList,
    FeatureNameStatistics,
    Histogram,
)

from validator import pictures
from validator.pictures import HEIGHT, WIDTH, Distribution, Picture

Build = Callable[..., DatasetFeatureStatisticsList]
FARES = np.random.default_rng(5).normal(50, 10, 5000)


@pytest.fixture
def column(statistics: Build) -> Callable[[Sequence[object]], FeatureNameStatistics]:
    return lambda values: statistics(x=values).datasets[0].features[0]


Column = Callable[[Sequence[object]], FeatureNameStatistics]


def heights(path: str) -> list[float]:
    """The heights of the bars, or the levels of the outline's steps."""
    if "z" in path:
        return [float(h) for h in re.findall(r"v-([\d.]+)h", path)]
    return [HEIGHT - float(y) for y in re.findall(r"V([\d.]+)H", path)]


def drawn(picture: Picture | None) -> Picture:
    assert picture is not None
    return picture


def test_a_whole_number_has_a_bar_each(column: Column) -> None:
    picture = drawn(pictures.draw(column([1, 1, 1, 1, 3, 3])))
    assert heights(picture.bars) == [28, 14]
    assert (picture.low, picture.high) == ("1", "3")


@pytest.mark.parametrize(
    "values",
    [list(range(24)) * 10, FARES.tolist(), ["Cash", "Card", "Cash"], [0.0] * 10 + [5.0], [7], [2.5, 2.5]],
    ids=["hours", "fares", "text", "zeros", "one", "constant"],
)
def test_one_day_against_itself_is_outlined_by_itself(column: Column, values: list[object]) -> None:
    picture = drawn(pictures.draw(column(values), column(values)))
    filled = [h for h in heights(picture.outline) if h > 0.05]
    assert heights(picture.bars) == pytest.approx(filled, abs=0.11)
    assert heights(picture.bars)


def test_two_samples_of_one_distribution_look_alike(column: Column) -> None:
    other = np.random.default_rng(6).normal(50, 10, 5000)
    picture = drawn(pictures.draw(column(FARES.tolist()), column(other.tolist())))
    outline = heights(picture.outline)
    assert len(outline) == 10
    assert [h for h in outline if h > 0.05] == pytest.approx(heights(picture.bars), abs=2)


def test_another_distribution_looks_another(column: Column) -> None:
    picture = drawn(pictures.draw(column((FARES + 40).tolist()), column(FARES.tolist())))
    outline = heights(picture.outline)
    assert outline.index(max(outline)) < len(outline) / 2
    first_bar = float(picture.bars[1:].split(" ")[0])
    assert first_bar > WIDTH / 4


def test_one_outlier_does_not_flatten_the_picture(column: Column) -> None:
    picture = drawn(pictures.draw(column([*FARES.tolist(), 1e9])))
    assert sum(height > 3 for height in heights(picture.bars)) >= 6
    assert picture.high.endswith(" and more")


def test_a_scale_change_is_drawn_on_a_logarithmic_axis(column: Column) -> None:
    miles = np.exp(np.random.default_rng(7).normal(1, 0.5, 3000))
    scaled = drawn(pictures.draw(column((miles * 100).tolist()), column(miles.tolist())))
    assert scaled.is_logarithmic
    assert not drawn(pictures.draw(column(miles.tolist()))).is_logarithmic


def test_categories_of_both_sides_share_an_axis(column: Column) -> None:
    picture = drawn(pictures.draw(column(["a", "a", "new"]), column(["a", "gone", "gone"])))
    assert len(heights(picture.outline)) == 3
    assert heights(picture.outline) == pytest.approx([14, 0, 28], abs=0.1)


def test_the_values_left_out_are_told(column: Column) -> None:
    many = [f"v{i:02}" for i in range(40)]
    assert drawn(pictures.draw(column(many))).high == "others 70%"
    assert drawn(pictures.draw(column(["a", "b"]))).high == "b"


def test_identifiers_have_no_picture(column: Column) -> None:
    assert pictures.draw(column([f"id-{i}" for i in range(1000)])) is None


@pytest.mark.parametrize("values", [[None, None], [float("nan")], []])
def test_no_values_have_no_picture(column: Column, values: list[object]) -> None:
    assert pictures.draw(column(values)) is None


def test_a_baseline_without_values_is_left_out(column: Column) -> None:
    assert drawn(pictures.draw(column([1.0, 2.0]), column([None]))).outline == ""


def test_a_baseline_of_another_kind_is_left_out(column: Column) -> None:
    assert drawn(pictures.draw(column([1, 2]), column(["a"]))).outline == ""
    assert drawn(pictures.draw(column(["a"]), column([1, 2]))).outline == ""


def test_infinite_values_are_left_out(column: Column) -> None:
    feature = column([1.0, 2.0, 3.0])
    feature.num_stats.histograms[0].buckets.add(
        low_value=float("inf"), high_value=float("inf"), sample_count=1
    )
    assert drawn(pictures.draw(feature)).high == "3"


def test_the_words_say_what_the_picture_shows(column: Column) -> None:
    alone = drawn(pictures.draw(column(["Cash", "Cash", "Card"])))
    both = drawn(pictures.draw(column([1, 2]), column([1, 2])))
    assert alone.alternative == "Distribution by value: Cash 66.7% and Card 33.3%"
    assert both.alternative.startswith("Distribution, the baseline outlined, from 1 to 2")


VALUES = st.lists(st.floats(-1e150, 1e150), min_size=1, max_size=30)


@settings(deadline=None)
@given(VALUES, VALUES | st.none())
@example([5e-324, 1.0, 2.5], None)
@example([5e-324], [1.0])
@example([5e-324, 1e-323], None)
def test_any_numbers_can_be_drawn(statistics: Build, now: list[float], before: list[float] | None) -> None:
    sides = [statistics(x=side).datasets[0].features[0] for side in (now, before) if side is not None]
    picture = pictures.draw(*sides)
    if picture is not None:
        assert "nan" not in picture.bars + picture.outline
        assert "inf" not in picture.bars + picture.outline


@settings(deadline=None)
@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=50))
def test_shares_add_up(statistics: Build, values: list[float]) -> None:
    feature = statistics(x=values).datasets[0].features[0]
    for kind in (Histogram.STANDARD, Histogram.QUANTILES):
        known = Distribution.of(feature, kind)
        edges = [known.values[0], sum(values) / len(values), known.values[-1]]
        assert sum(known.shares(sorted(edges))) == pytest.approx(1)
