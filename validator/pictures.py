"""Pictures: a feature's distribution as a few bars, the baseline's as an outline on the same bins and axis.

Statistics hold no values, only histograms whose bins differ between two days. So both sides are turned into
cumulative distributions and cut anew along one set of edges; two samples of one distribution then look alike.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from tensorflow_metadata.proto.v0.statistics_pb2 import FeatureNameStatistics, Histogram

from validator import features, text

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH: Final = 190
HEIGHT: Final = 30
"""Of the drawing, in SVG user units."""

_BINS: Final = 10
"""As many as the equal-width histogram has buckets: more would show what is not known."""

_FINE_BINS: Final = 20
"""Where the equal-depth histogram is drawn instead, whose buckets are narrow where the values are."""

_WHOLE_NUMBERS: Final = 32
"""Up to so many whole numbers (hours, days of a month) each have a bar."""

_CATEGORIES: Final = 12
_RARE: Final = 0.005
"""When every value's share is smaller, bars would show nothing but noise."""

_FENCE: Final = 1.5
"""Values further than so many times the middle 80 % beyond it are outliers."""

_STRETCH: Final = 1.5
"""Outliers are cut off when they would make the axis longer than this many times the rest."""

_DECADES: Final = 100.0
"""From this ratio of its ends on an axis of positive numbers is logarithmic."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawing.

    Attributes:
        bars: SVG path of the distribution now; filled.
        outline: SVG path of the baseline's distribution; empty when there is none.
        low: What stands at the left end of the axis.
        high: What stands at its right end.
        alternative: The same in words.
    """

    bars: str
    outline: str
    low: str
    high: str
    alternative: str
    is_logarithmic: bool = False


def draw(now: FeatureNameStatistics, before: FeatureNameStatistics | None = None) -> Picture | None:
    """Draws a feature's distribution; None when its statistics hold none.

    Args:
        now: Statistics of the feature.
        before: Statistics of the same feature in the baseline; ignored when it is of another kind.
    """
    if before is not None and features.is_numeric(now) != features.is_numeric(before):
        before = None
    sides = [now] if before is None else [now, before]
    return _draw_numbers(sides) if features.is_numeric(now) else _draw_categories(sides)


def _draw_numbers(sides: Sequence[FeatureNameStatistics]) -> Picture | None:
    if all(side.type == FeatureNameStatistics.INT for side in sides):
        integers = [_integer_shares(side) for side in sides]
        if all(shares is not None for shares in integers):
            return _draw_integers([shares for shares in integers if shares is not None])
    depths = [d for side in sides if not (d := Distribution.of(side, Histogram.QUANTILES)).is_empty]
    widths = [d for side in sides if not (d := Distribution.of(side, Histogram.STANDARD)).is_empty]
    if not len(depths) == len(widths) == len(sides):
        return None if len(sides) == 1 else _draw_numbers(sides[:1])
    full, (low, high) = _full_range(widths), _fenced_range(depths)
    if full[1] - full[0] <= _STRETCH * (high - low):
        return _draw_between(widths, *full, _BINS)
    return _draw_between(depths, low, high, _FINE_BINS)


def _draw_between(sides: Sequence[Distribution], low: float, high: float, bins: int) -> Picture:
    edges = _edges(low, high, bins)
    lowest, highest = sides[0].values[0], sides[0].values[-1]
    return Picture(
        *_paths([side.shares(edges) for side in sides]),
        low=text.number(low) + (" and less" if lowest < low else ""),
        high=text.number(high) + (" and more" if highest > high else ""),
        alternative=f"{_alternative(len(sides))} from {text.number(low)} to {text.number(high)}",
        is_logarithmic=_spans_decades(low, high),
    )


def _draw_integers(sides: Sequence[Mapping[int, float]]) -> Picture | None:
    """One bar a whole number, when there are few of them."""
    values = [value for side in sides for value in side]
    if not values or max(values) - min(values) >= _WHOLE_NUMBERS:
        return None
    axis = range(min(values), max(values) + 1)
    shares = [[side.get(value, 0.0) for value in axis] for side in sides]
    return Picture(
        *_paths(shares),
        low=text.number(axis[0]),
        high=text.number(axis[-1]),
        alternative=f"{_alternative(len(sides))} from {axis[0]} to {axis[-1]}, one bar a whole number",
    )


def _draw_categories(sides: Sequence[FeatureNameStatistics]) -> Picture | None:
    known = [features.value_shares(side) for side in sides]
    values = joint_top_values(known)
    if not values or max(side.get(values[0], 0.0) for side in known) < _RARE:
        return None
    shares = [[side.get(value, 0.0) for value in values] for side in known]
    rest = 1.0 - sum(shares[0])
    last = text.shown(values[-1], 24) if len(values) > 1 else ""
    return Picture(
        *_paths(shares),
        low=text.shown(values[0], 24),
        high=f"others {text.percent(rest)}" if rest >= 0.0005 else last,
        alternative=f"{_alternative(len(sides))} by value: {_in_words(values, shares[0])}",
    )


def joint_top_values(sides: Sequence[Mapping[str, float]], limit: int = _CATEGORIES) -> list[str]:
    """Returns the values most frequent on either side, those most frequent on the first side first."""
    largest = {v: max(side.get(v, 0.0) for side in sides) for side in sides for v in side}
    top = sorted(largest, key=lambda v: (-largest[v], v))[:limit]
    return sorted(top, key=lambda v: (-sides[0].get(v, 0.0), -largest[v], v))


@dataclass(frozen=True, slots=True)
class Distribution:
    """A cumulative distribution, known at some values and linear between them.

    Attributes:
        values: Where it is known, ascending.
        below: Share of values less than each; a point mass lies between it and `up_to`.
        up_to: Share of values less than or equal to each.
    """

    values: Sequence[float]
    below: Sequence[float]
    up_to: Sequence[float]

    @classmethod
    def of(cls, feature: FeatureNameStatistics, kind: Histogram.HistogramType) -> Distribution:
        """Reads a feature's equal-width (STANDARD) or equal-depth (QUANTILES) histogram."""
        known: dict[float, list[float]] = {}
        for histogram in features.histograms(feature):
            for value, share in _cumulated(histogram) if histogram.type == kind else ():
                known.setdefault(value, []).append(share)
        values = sorted(known)
        below = list(accumulate((min(known[value]) for value in values), max))
        up_to = list(accumulate((max(known[value]) for value in values), max))
        return cls(values, below, up_to)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known."""
        return not self.values

    def less_than(self, value: float) -> float:
        """Returns the share of values less than this one."""
        at = bisect_left(self.values, value)
        if at == len(self.values):
            return 1.0
        if self.values[at] == value:
            return self.below[at]
        if at == 0:
            return 0.0
        span = self.values[at] - self.values[at - 1]
        weight = (value - self.values[at - 1]) / span
        return self.up_to[at - 1] + weight * (self.below[at] - self.up_to[at - 1])

    def quantile(self, share: float) -> float:
        """Returns the value that this share of the values lies below."""
        shares = [s for pair in zip(self.below, self.up_to, strict=True) for s in pair]
        return float(np.interp(share, shares, np.repeat(self.values, 2)))

    def shares(self, edges: Sequence[float]) -> list[float]:
        """Returns the share of values in each bin; the last one holds its upper edge too."""
        cumulated = [self.less_than(edge) for edge in edges[:-1]]
        cumulated.append(self.less_than(math.nextafter(edges[-1], math.inf)))
        return [max(high - low, 0.0) for low, high in pairwise(cumulated)]


def _cumulated(histogram: Histogram) -> Iterator[tuple[float, float]]:
    total = sum(bucket.sample_count for bucket in histogram.buckets)
    running = 0.0
    for bucket in histogram.buckets if total else ():
        for value, count in ((bucket.low_value, 0.0), (bucket.high_value, bucket.sample_count)):
            running += count
            if math.isfinite(value):
                yield value, min(running / total, 1.0)


def _edges(low: float, high: float, bins: int) -> Sequence[float]:
    if low == high:
        return [low - 0.5, high + 0.5]
    if _spans_decades(low, high):
        return [low, *np.geomspace(low, high, bins + 1)[1:-1].tolist(), high]
    # Halves first: the distance of two floats may be beyond the largest float.
    return [low, *(np.linspace(low / 2, high / 2, bins + 1)[1:-1] * 2).tolist(), high]


def _spans_decades(low: float, high: float) -> bool:
    return low > 0 and high / low >= _DECADES


def _full_range(sides: Sequence[Distribution]) -> tuple[float, float]:
    return min(side.values[0] for side in sides), max(side.values[-1] for side in sides)


def _fenced_range(sides: Sequence[Distribution]) -> tuple[float, float]:
    """The joint range of all sides without outliers."""
    fences = [_fences(side) for side in sides]
    return min(low for low, _ in fences), max(high for _, high in fences)


def _fences(side: Distribution) -> tuple[float, float]:
    low, high = side.quantile(0.1), side.quantile(0.9)
    reach = _FENCE * (high - low)
    if reach == 0:
        return side.values[0], side.values[-1]
    return max(side.values[0], low - reach), min(side.values[-1], high + reach)


def _integer_shares(feature: FeatureNameStatistics) -> Mapping[int, float] | None:
    """The shares of whole numbers by the equal-width histogram; None when its range is too wide for bars."""
    for histogram in features.histograms(feature):
        if histogram.type == Histogram.STANDARD and histogram.buckets:
            low, high = histogram.buckets[0].low_value, histogram.buckets[-1].high_value
            narrow = math.isfinite(low) and math.isfinite(high) and high - low < _WHOLE_NUMBERS
            return _spread(histogram) if narrow else None
    return None


def _spread(histogram: Histogram) -> Mapping[int, float]:
    """Gives each bucket's count to the whole numbers in it, evenly."""
    total = sum(bucket.sample_count for bucket in histogram.buckets) or 1.0
    shares: dict[int, float] = {}
    for number, bucket in enumerate(histogram.buckets):
        inside = _whole_numbers(bucket, is_first=number == 0)
        for value in inside if bucket.sample_count else ():
            shares[value] = shares.get(value, 0.0) + bucket.sample_count / total / len(inside)
    return shares


def _whole_numbers(bucket: Histogram.Bucket, *, is_first: bool) -> Sequence[int]:
    """The whole numbers in a bucket: TFDV's hold their upper edge, the first one its lower edge too."""
    low = math.ceil(bucket.low_value) if is_first else math.floor(bucket.low_value) + 1
    high = math.floor(bucket.high_value)
    return range(low, high + 1) or [round(bucket.high_value)]


def _paths(sides: Sequence[Sequence[float]]) -> tuple[str, str]:
    tallest = max(max(side) for side in sides) or 1.0
    heights = [[share / tallest * (HEIGHT - 2) for share in side] for side in sides]
    return _bars(heights[0]), _outline(heights[1]) if len(heights) > 1 else ""


def _bars(heights: Sequence[float]) -> str:
    step = WIDTH / len(heights)
    width = _short(step - min(1.0, step / 8))
    return "".join(
        f"M{_short(i * step)} {HEIGHT}v-{_short(height)}h{width}v{_short(height)}z"
        for i, height in enumerate(heights)
        if height > 0.05
    )


def _outline(heights: Sequence[float]) -> str:
    step = WIDTH / len(heights)
    steps = "".join(f"V{_short(HEIGHT - h)}H{_short((i + 1) * step)}" for i, h in enumerate(heights))
    return f"M0 {HEIGHT}{steps}V{HEIGHT}"


def _short(length: float) -> str:
    return f"{length:.1f}".removesuffix(".0")


def _alternative(sides: int) -> str:
    return "Distribution, the baseline outlined," if sides > 1 else "Distribution"


def _in_words(values: Sequence[str], shares: Sequence[float]) -> str:
    top = [f"{text.shown(v, 30)} {text.percent(s)}" for v, s in zip(values, shares, strict=False)]
    return text.listed(top, 4)
