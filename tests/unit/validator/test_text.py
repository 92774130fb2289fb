"""Text for people: nothing hostile gets through, nothing reads as more precise than it is."""

from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validator import text


@given(st.text(st.characters()))
def test_nothing_unseen_is_left(value: str) -> None:
    categories = {unicodedata.category(character) for character in text.visible(value)}
    assert not categories & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_what_can_be_seen_is_kept(value: str) -> None:
    assert text.visible(value) == value


@given(st.text(), st.integers(0, 100))
def test_what_is_shown_fits(value: str, limit: int) -> None:
    assert len(text.shown(value, limit)) <= max(limit, 1)


def test_a_cut_is_marked_and_a_fit_is_not() -> None:
    assert text.shown("abcdef", 6) == "abcdef"
    assert text.shown("abcdefg", 6) == "abcde…"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (7, "7"),
        (-12.5, "-12.5"),
        (1.23456, "1.23"),
        (0.00123456, "0.00123"),
        (0.0000012, "1.2e-6"),
        (1234.56, "1,235"),
        (999_999, "999,999"),
        (12_345_678, "12,345,678"),
        (12_345_678.9, "1.23e7"),
        (10**15, "1e15"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (math.nan, "not a number"),
    ],
)
def test_numbers(value: float, said: str) -> None:
    assert text.number(value) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0%"), (0.0001, "<0.1%"), (0.143, "14.3%"), (0.5, "50%"), (0.9999, ">99.9%"), (1, "100%")],
)
def test_percentages(share: float, said: str) -> None:
    assert text.percent(share) == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
    ],
)
def test_lists(words: list[str], said: str) -> None:
    assert text.listed(words) == said


@pytest.mark.parametrize(
    ("number_of_bytes", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (161_000_000, "161 MB"),
        (10**15, "1,000 TB"),
    ],
)
def test_sizes(number_of_bytes: int, said: str) -> None:
    assert text.size(number_of_bytes) == said


@pytest.mark.parametrize(("value", "said"), [(0.04, "0 s"), (2.34, "2.3 s"), (125, "2 min 5 s")])
def test_durations(value: float, said: str) -> None:
    assert text.seconds(value) == said
