"""What is proved of guesses, by whom, and what is read for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from validator.crew import Crew, Halt
from validator.cuts import Cut, Shard
from validator.errors import DataError, Interrupted
from validator.interruption import Interruption
from validator.store import Object
from validator.walk import Walk

TEXT = Object("a.csv", 400)
SHARDS = tuple(Shard((Cut(TEXT, start, start + 100, is_exact=start == 0),)) for start in range(0, 400, 100))
TRUE_BEGINS = (0, 110, 210, 310)
"""Each row reaches ten bytes over a border, and an eleventh byte looks like the begin of another."""


@dataclass(frozen=True)
class Known:
    begin: int
    end: int


@dataclass
class Text:
    """Stands for a dataset whose rows are known.

    Args:
        guesses: Where a shard's guess begins, by its place; None for one that cannot be read so.
        is_sure: Whether its format is certain of first rows.
    """

    guesses: Mapping[int, int | None] = field(default_factory=dict)
    is_sure: bool = False
    read: list[str] = field(default_factory=list)

    def is_certain(self, shard: Shard) -> bool:
        return not shard.is_guessed or self.is_sure

    def first_row(self, cut: Cut, halt: Halt) -> int:
        self.read.append(f"before {cut.start}")
        return TRUE_BEGINS[cut.start // 100]

    def find(self, shard: Shard, halt: Halt) -> tuple[Known, bool]:
        halt.check()
        place = shard.cuts[0].start // 100
        begin = self.guesses.get(place, TRUE_BEGINS[place])
        if begin is None:
            raise DataError("cannot read a.csv")
        # A row that began wrong ends wrong.
        return Known(begin, 100 * place + 110 + begin - TRUE_BEGINS[place]), False

    def find_again(self, shard: Shard, start: int, halt: Halt) -> Known:
        place = shard.cuts[0].start // 100
        self.read.append(f"{place} from {start}")
        if start != TRUE_BEGINS[place]:
            raise DataError(f"no row begins at {start}")
        return Known(start, 100 * place + 110)


def walked(text: Text, shards: Sequence[Shard], *, is_proven: bool = False) -> list[int]:
    """Returns where the shards were found to begin."""
    begins: list[int] = []
    walk = Walk(cast("Any", text), Crew(Interruption(), 2), text.find, text.find_again)
    walk.over(shards, lambda _, known, __: begins.append(known.begin), is_proven=is_proven)
    return begins


def test_right_guesses_meet_and_nothing_is_read_for_it() -> None:
    text = Text()
    assert walked(text, SHARDS) == [*TRUE_BEGINS]
    assert walked(text, SHARDS[1:]) == [*TRUE_BEGINS[1:]]
    assert text.read == []


@pytest.mark.parametrize("guess", [221, None])
def test_one_that_guessed_wrong_is_read_from_where_its_neighbour_ended(guess: int | None) -> None:
    text = Text({2: guess})
    assert walked(text, SHARDS) == [*TRUE_BEGINS]
    assert text.read == ["2 from 210"]


def test_the_first_guess_of_a_part_is_taken_as_it_is() -> None:
    text = Text({1: 121, 2: 221, 3: 321})
    assert walked(text, SHARDS[1:]) == [121, 221, 321]
    assert text.read == []


def test_a_neighbour_that_only_guessed_proves_nothing() -> None:
    text = Text({1: 121})
    assert walked(text, SHARDS[1:]) == [121, 210, 310]
    assert text.read == ["before 200"]
    text = Text({1: 121, 3: 321})
    assert walked(text, SHARDS[1:]) == [121, 210, 310]
    assert text.read == ["before 200", "3 from 310"]


def test_a_part_that_cannot_be_read_as_it_guessed_is_proved_from_the_beginning() -> None:
    text = Text({1: None, 2: None})
    assert walked(text, SHARDS[1:]) == [110, 210, 310]
    assert text.read == ["before 100", "1 from 110", "2 from 210"]


def test_all_of_a_part_can_be_proved() -> None:
    text = Text({1: 121, 2: 221, 3: 321})
    assert walked(text, SHARDS[1:], is_proven=True) == [110, 210, 310]
    assert text.read == ["before 100", "1 from 110", "2 from 210", "3 from 310"]
    text = Text()
    assert walked(text, SHARDS, is_proven=True) == [*TRUE_BEGINS]
    assert walked(text, (), is_proven=True) == []
    assert text.read == []


def test_an_error_that_no_guess_explains_is_one() -> None:
    with pytest.raises(DataError):
        walked(Text({0: None}), SHARDS)
    sure = Text({1: None}, is_sure=True)
    with pytest.raises(DataError):
        walked(sure, SHARDS[1:])
    assert sure.read == []


def test_an_interruption_is_not_read_again() -> None:
    text, interruption = Text(), Interruption()
    interruption._note(15, None)
    walk = Walk(cast("Any", text), Crew(interruption), text.find, text.find_again)
    with pytest.raises(Interrupted):
        walk.over(SHARDS[1:], lambda *_: None)
    assert text.read == []
