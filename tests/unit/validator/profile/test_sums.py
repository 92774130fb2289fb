"""Sums without any rounding, and what is made of them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validator.profile.sums import Sums

FLOATS = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30)


@given(FLOATS)
def test_sums_of_floats_have_no_rounding(values: list[float]) -> None:
    sums = Sums.of(np.array(values, np.float64))
    exact = [Fraction(value) for value in values]
    assert Fraction(sums.total, 2**1074) == sum(exact)
    assert Fraction(sums.squares, 2**2148) == sum(value * value for value in exact)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=30))
def test_sums_of_integers_have_no_rounding(values: list[int]) -> None:
    sums = Sums.of(np.array(values, np.int64))
    assert (sums.total >> 1074, sums.squares >> 2148) == (sum(values), sum(v * v for v in values))


@given(FLOATS, st.data())
def test_a_count_stands_for_so_many_values(values: list[float], data: st.DataObject) -> None:
    weights = st.integers(1, 2**40) | st.integers(1, 9)
    counts = data.draw(st.lists(weights, min_size=len(values), max_size=len(values)))
    sums = Sums.of(np.array(values, np.float64), np.array(counts, np.int64))
    pairs = zip(values, counts, strict=True)
    weighted = sum((Fraction(value) * count for value, count in pairs), Fraction())
    assert (sums.count, Fraction(sums.total, 2**1074)) == (sum(counts), weighted)


def test_the_mean_is_the_nearest_float() -> None:
    assert Sums.of(np.full(10, 0.1)).mean == 0.1
    assert Sums.of(np.array([1e308, 1e308])).mean == 1e308


@pytest.mark.parametrize(
    ("values", "deviation"),
    [
        ([1e200, -1e200], 1e200),
        ([1.7e308, -1.7e308], 1.7e308),
        ([1e155, 3e155], 1e155),
        ([1e-200, 3e-200], 1e-200),
        ([5e-324, 1.5e-323], 5e-324),
        ([1e-160, 1.5e-160], 2.5e-161),
        ([7.0, 7.0], 0.0),
        ([1.0, 2.0, 3.0, 4.0], math.sqrt(1.25)),
    ],
)
def test_the_deviation_is_the_nearest_float_where_its_square_is_none(
    values: list[float], deviation: float
) -> None:
    assert Sums.of(np.array(values)).deviation == pytest.approx(deviation, rel=1e-15, abs=0)


@given(FLOATS.filter(lambda values: len(values) > 1))
def test_the_deviation_lies_between_its_neighbours(values: list[float]) -> None:
    exact = [Fraction(value) for value in values]
    mean = sum(exact, Fraction()) / len(exact)
    variance = sum(((value - mean) ** 2 for value in exact), Fraction()) / len(exact)
    found = Sums.of(np.array(values)).deviation
    below, above = math.nextafter(found, 0), math.nextafter(found, math.inf)
    assert Fraction(below) ** 2 <= variance
    assert math.isinf(above) or variance <= Fraction(above) ** 2


def test_nothing_has_no_mean() -> None:
    assert (Sums().mean, Sums().deviation) == (0.0, 0.0)
