"""Which failed attempts of a job Batch tries again, by the rules of the template."""

from __future__ import annotations

import json
from typing import Any

import pytest

from build.rehearsal.emulator.batch_jobs import End, is_retried
from build.rehearsal.emulator.containers import INTERRUPTED, OUT_OF_MEMORY
from templates.stacks import render
from tests.configuration import configuration

ESSENTIAL = "Essential container in task exited"


def end(exit_code: int | None, reason: str, status_reason: str) -> End:
    return End(exit_code, reason, status_reason, started=0, stopped=0)


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    template = json.loads(render("pipeline", configuration()))
    return list(template["Resources"]["ProfileJob"]["Properties"]["RetryStrategy"]["EvaluateOnExit"])


@pytest.mark.parametrize(
    ("end", "again"),
    [
        (end(75, "", INTERRUPTED), True),
        (end(0, "", INTERRUPTED), True),
        (end(69, "", ESSENTIAL), True),
        (end(64, "", ESSENTIAL), False),
        (end(65, "", ESSENTIAL), False),
        (end(70, "", ESSENTIAL), False),
        (end(75, "", ESSENTIAL), False),
        (end(137, OUT_OF_MEMORY, ESSENTIAL), False),
        (end(None, "CannotPullContainerError: not found", "Task failed to start"), False),
    ],
)
def test_what_spot_takes_and_what_storage_fails_is_tried_again(
    rules: list[dict[str, Any]], end: End, again: bool
) -> None:
    assert is_retried(end, rules) is again


def test_what_no_rule_matches_is_tried_again() -> None:
    assert is_retried(end(70, "", ESSENTIAL), [])
    assert is_retried(end(70, "", ESSENTIAL), [{"Action": "EXIT", "OnExitCode": "64"}])


def test_all_conditions_of_a_rule_have_to_match() -> None:
    rule = {"Action": "EXIT", "OnExitCode": "70", "OnStatusReason": "Essential*"}
    assert not is_retried(end(70, "", ESSENTIAL), [rule])
    assert is_retried(end(69, "", ESSENTIAL), [rule])
    assert is_retried(end(70, "", INTERRUPTED), [rule])


@pytest.mark.parametrize(("pattern", "matches"), [("7*", True), ("70", True), ("7", False), ("*", True)])
def test_a_pattern_may_end_with_a_star(pattern: str, matches: bool) -> None:
    rule = {"Action": "EXIT", "OnExitCode": pattern}
    assert is_retried(end(70, "", ESSENTIAL), [rule]) is not matches
