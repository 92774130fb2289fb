"""History events read as states with times."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from build.rehearsal.history import Status, states

START = datetime(2026, 3, 3, 8, tzinfo=UTC)


def event(second: float, kind: str, **details: Any) -> dict[str, Any]:
    key = f"{kind[:1].lower()}{kind[1:]}EventDetails"
    if kind.endswith(("StateEntered", "StateExited")):
        key = "stateEnteredEventDetails" if kind.endswith("Entered") else "stateExitedEventDetails"
    return {"type": kind, "timestamp": START + timedelta(seconds=second), key: details}


def test_a_task_that_succeeds_at_the_second_attempt() -> None:
    (run,) = states(
        [
            event(0, "TaskStateEntered", name="Prepare"),
            event(0, "TaskScheduled"),
            event(2, "TaskFailed", error="Glue.Throttling", cause="slow down"),
            event(3, "TaskScheduled"),
            event(7, "TaskSucceeded", output='{"JobRunState": "SUCCEEDED"}'),
            event(7, "TaskStateExited", name="Prepare"),
        ]
    )
    assert (run.name, run.status, run.attempts, run.seconds) == ("Prepare", Status.SUCCEEDED, 2, 7.0)
    assert run.failures[0].error == "Glue.Throttling"
    assert run.results == [{"JobRunState": "SUCCEEDED"}]


def test_a_caught_failure_leaves_its_state_failed() -> None:
    task, notify = states(
        [
            event(0, "TaskStateEntered", name="Train"),
            event(0, "TaskScheduled"),
            event(5, "TaskFailed", error="States.TaskFailed", cause="{}"),
            event(5, "TaskStateExited", name="Train"),
            event(5, "TaskStateEntered", name="NotifyFailure"),
        ]
    )
    assert task.status is Status.FAILED
    assert notify.status is Status.RUNNING
    assert notify.elapsed(START + timedelta(seconds=9)) == 4.0


def test_visits_of_one_state_add_up_and_the_last_one_says_how_it_ended() -> None:
    cause = json.dumps({"Containers": [{"ExitCode": 75}], "StoppedReason": "Your Spot Task was interrupted."})
    validate, classify = states(
        [
            event(0, "TaskStateEntered", name="Validate"),
            event(0, "TaskScheduled"),
            event(4, "TaskFailed", error="States.TaskFailed", cause=cause),
            event(4, "TaskStateExited", name="Validate"),
            event(4, "ChoiceStateEntered", name="Classify"),
            event(4, "ChoiceStateExited", name="Classify"),
            event(6, "TaskStateEntered", name="Validate"),
            event(6, "TaskScheduled"),
            event(8, "TaskSucceeded", output="{}"),
            event(8, "TaskStateExited", name="Validate"),
        ]
    )
    assert (validate.status, validate.attempts, validate.seconds) == (Status.SUCCEEDED, 2, 6.0)
    assert [failure.exit_code for failure in validate.failures] == [75]
    assert (classify.kind, classify.attempts) == ("Choice", 1)


def test_a_fail_state_ends_failed() -> None:
    (run,) = states(
        [event(0, "FailStateEntered", name="Failed"), event(0, "ExecutionFailed", error="Failed")]
    )
    assert (run.status, run.attempts, run.entered) == (Status.FAILED, 1, None)


def test_a_cause_that_is_no_json_has_no_exit_code() -> None:
    (run,) = states(
        [
            event(0, "TaskStateEntered", name="Validate"),
            event(0, "TaskScheduled"),
            event(1, "TaskFailed", error="States.Timeout", cause="Task timed out after 10 seconds"),
        ]
    )
    assert run.failures[0].exit_code is None
    assert run.failures[0].detail == {}
