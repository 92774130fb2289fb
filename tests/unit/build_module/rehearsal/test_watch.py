"""Following an execution: to its end, within a bound, and readable without a terminal."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from build.errors import PlatformError
from build.rehearsal import watch
from build.rehearsal.history import Failure, StateRun, Status

START = datetime(2026, 3, 3, tzinfo=UTC)


def entered(name: str, second: int, kind: str = "Task") -> dict[str, Any]:
    moment = START + timedelta(seconds=second)
    return {"type": f"{kind}StateEntered", "timestamp": moment, "stateEnteredEventDetails": {"name": name}}


def exited(name: str, second: int, kind: str = "Task") -> dict[str, Any]:
    moment = START + timedelta(seconds=second)
    return {"type": f"{kind}StateExited", "timestamp": moment, "stateExitedEventDetails": {"name": name}}


class Executions:
    """An execution that has one event more at each look, and then has ended."""

    def __init__(self, events: list[dict[str, Any]], *, hangs: bool = False) -> None:
        self.events, self.looks, self.hangs = events, 0, hangs

    def status(self, execution_arn: str) -> str:
        self.looks += 1
        return "SUCCEEDED" if self.looks >= len(self.events) and not self.hangs else "RUNNING"

    def history(self, execution_arn: str) -> list[dict[str, Any]]:
        return self.events[: self.looks]


@pytest.fixture
def pauses() -> list[float]:
    return []


EVENTS = [entered("Init", 0), exited("Init", 2), entered("Gate", 2, "Choice"), exited("Gate", 2, "Choice")]


def test_it_follows_to_the_end_and_tells_each_change_once(pauses: list[float]) -> None:
    out = io.StringIO()
    runs = watch.follow(Executions(EVENTS), "arn", Console(file=out), sleep=pauses.append)
    assert [run.name for run in runs] == ["Init", "Gate"]
    assert out.getvalue().splitlines() == ["… Init", "✓ Init  2.0 s"]
    assert pauses == [watch.POLL_SECONDS] * 3


def test_on_a_terminal_it_draws_a_table(pauses: list[float]) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    watch.follow(Executions(EVENTS), "arn", console, sleep=pauses.append)
    assert "Attempts" in out.getvalue()


def test_an_execution_that_hangs_is_given_up(pauses: list[float]) -> None:
    with pytest.raises(PlatformError, match="it hangs"):
        watch.follow(Executions(EVENTS, hangs=True), "arn", Console(file=io.StringIO()), sleep=pauses.append)
    assert sum(pauses) == watch.DEADLINE_SECONDS


def test_a_hostile_cause_is_cut_and_never_markup() -> None:
    run = StateRun("Train", "Task", Status.FAILED, attempts=1)
    run.failures.append(Failure("States.TaskFailed", "[bold]\n" + "x" * 5000 + "[/bold]"))
    assert len(watch.reason(run)) == watch.REASON_LIMIT
    out = io.StringIO()
    Console(file=out, width=200).print(watch.table([run], START))
    assert "[bold] xxx" in out.getvalue()


def test_the_reason_of_a_stopped_task_is_its_own_word() -> None:
    cause = '{"StoppedReason": "Your Spot Task was interrupted.", "Containers": [{"ExitCode": 75}]}'
    run = StateRun("Validate", "Task", Status.FAILED, failures=[Failure("States.TaskFailed", cause)])
    assert watch.reason(run) == "exit 75: Your Spot Task was interrupted."


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (
            {
                "StatusReason": "Array Child Job failed",
                "ArrayProperties": {"Size": 8, "StatusSummary": {"FAILED": 3}},
            },
            "3 of 8 children failed",
        ),
        (
            {"StatusReason": "Essential container in task exited", "Container": {"ExitCode": 65}},
            "exit 65: Essential",
        ),
        ({"StatusReason": "Terminated by user", "Container": {}}, "Terminated by user"),
    ],
)
def test_the_reason_of_a_job_of_batch_is_no_json(job: dict[str, Any], said: str) -> None:
    cause = json.dumps({"JobId": "x" * 400, **job})
    run = StateRun("ProfileShards", "Task", Status.FAILED, failures=[Failure("States.TaskFailed", cause)])
    assert watch.reason(run).startswith(said)
