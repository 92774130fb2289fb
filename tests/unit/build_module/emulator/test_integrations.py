"""What the service integrations share."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from build.rehearsal.emulator.integrations import (
    Attempt,
    StepError,
    answer,
    attempting,
    current,
    pascal,
    waits,
)


def test_names_times_and_nulls_are_shown_as_step_functions_does() -> None:
    task = {
        "taskArn": "a",
        "startedAt": "1970-01-01T00:00:01.500+00:00",
        "exitCode": None,
        "containers": [{"name": "v"}],
    }
    assert pascal(task) == {"TaskArn": "a", "StartedAt": 1500, "Containers": [{"Name": "v"}]}


def test_a_zero_is_no_null() -> None:
    assert pascal({"exitCode": 0, "reason": ""}) == {"ExitCode": 0, "Reason": ""}


def test_a_time_that_is_none_stays_as_it_is() -> None:
    assert pascal({"lookAt": "here", "stopTime": datetime(1970, 1, 1, tzinfo=UTC)}) == {
        "LookAt": "here",
        "StopTime": 0,
    }


def test_a_structured_cause_is_json() -> None:
    assert json.loads(StepError("E", {"a": 1}).cause) == {"a": 1}
    assert StepError("E", "text").cause == "text"


def test_a_refusal_becomes_the_given_error() -> None:
    with pytest.raises(StepError, match=r"ECS\.AmazonECSException: no cluster"):
        answer((400, {}, b'{"message": "no cluster"}'), "ECS.AmazonECSException")
    assert answer((200, {}, b'{"a": 1}'), "unused") == {"a": 1}


def test_an_attempt_is_known_while_it_lasts() -> None:
    with attempting(Attempt("Validate")):
        assert current("other").step == "Validate"
    assert current("other").step == "other"


def test_an_attempt_is_over_when_stopped_or_late() -> None:
    assert not Attempt("Validate").over()
    assert Attempt("Validate", lambda: True).over()
    late = Attempt("Validate")
    late.timed_out.set()
    assert late.over()


@pytest.mark.parametrize(
    ("resource", "waiting"),
    [("arn:aws:states:::ecs:runTask.sync", True), ("arn:aws:states:::ecs:runTask", False)],
)
def test_sync_waits(resource: str, waiting: bool) -> None:
    assert waits(resource) is waiting
