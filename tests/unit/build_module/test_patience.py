"""Waiting: bounded, and without a clock."""

from __future__ import annotations

import pytest

from build.errors import PlatformError
from build.patience import Patience


def test_it_asks_until_there_is_an_answer() -> None:
    answers, slept = iter([None, None, "here"]), list[float]()
    patience = Patience(first=1, longest=60, sleep=slept.append)
    assert patience.until(lambda: next(answers), "it") == "here"
    assert slept == [1, 2]


def test_an_answer_that_is_false_is_an_answer() -> None:
    slept: list[float] = []
    assert Patience(sleep=slept.append).until(lambda: 0, "it") == 0
    assert slept == []


def test_pauses_grow_to_a_bound() -> None:
    assert list(Patience(deadline=20, first=1, longest=5).pauses()) == [1, 2, 4, 5, 5, 5]


def test_it_gives_up_with_a_line() -> None:
    slept: list[float] = []
    with pytest.raises(PlatformError, match="gave up on the stack after 10 s"):
        Patience(deadline=10, sleep=slept.append).until(lambda: None, "the stack")
    assert sum(slept) >= 10
