from __future__ import annotations

import pytest

from validator.contract import ExitCode
from validator.errors import DataError, Interrupted, StorageError, UsageError, ValidatorError


def test_a_message_says_what_happened_why_and_what_to_do() -> None:
    error = UsageError("cannot read x", why="no such file", remedy="check --data")
    assert str(error) == "cannot read x: no such file; check --data"


def test_a_message_without_cause_or_remedy_has_no_dangling_punctuation() -> None:
    assert str(UsageError("no data given")) == "no data given"


def test_bytes_that_cannot_be_read_have_a_remedy_whoever_refuses_them() -> None:
    assert str(DataError("cannot read x", why="y")) == "cannot read x: y; mend or remove it, then start again"
    assert str(DataError("cannot read x", why="y", remedy="z")) == "cannot read x: y; z"


def test_an_interruption_says_how_to_go_on_wherever_it_came() -> None:
    said = "interrupted: SIGTERM; start again with the same output to go on"
    assert str(Interrupted("interrupted", why="SIGTERM")) == said


def test_a_hostile_name_stays_on_one_line_and_cannot_steer_the_terminal() -> None:
    message = str(UsageError("cannot read a\nb\r\x1b[31m", why="x\ty"))
    assert message == r"cannot read a b \x1b[31m: x y"


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError, 64), (DataError, 65), (StorageError, 69), (ValidatorError, 70), (Interrupted, 75)],
)
def test_each_class_has_its_exit_code(error: type[ValidatorError], code: int) -> None:
    assert error("x").exit_code == ExitCode(code)
