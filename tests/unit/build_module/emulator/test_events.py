"""What a rule's or a schedule's role is asked before it starts a machine, and what a schedule calls."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from build.rehearsal.emulator.events import as_machine, may_start, queue_of
from build.rehearsal.emulator.integrations import StepError
from build.rehearsal.emulator.needs import Request
from build.rehearsal.emulator.permissions import Permissions
from build.rehearsal.emulator.settings import Settings, Validator

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:sluice-dev-pipeline"
ALIAS = {"Arn": f"{MACHINE}:live", "RoleArn": "arn:aws:iam::000000000000:role/starter"}
EVENT = json.dumps({"id": "<aws.scheduler.execution-id>", "time": "<aws.scheduler.scheduled-time>"})
CALL = {
    **ALIAS,
    "Arn": "arn:aws:scheduler:::aws-sdk:sfn:startExecution",
    "Input": json.dumps({"StateMachineArn": ALIAS["Arn"], "Input": EVENT}),
}
QUEUE = {"DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:000000000000:dead"}}
RULE = "arn:aws:events:us-east-1:000000000000:rule/drift"
SCHEDULE = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/taxi"


class Asked(Permissions):
    """Writes down what it is asked, and refuses to trust when told so."""

    def __init__(self, folder: Path, *, trusted: bool = True) -> None:
        super().__init__(Settings(folder, Validator((), folder), folder))
        self.asked: list[Any] = []
        self.trusted = trusted

    def require_trust(self, role: str, service: str) -> None:
        self.asked.append(service)
        if not self.trusted:
            raise StepError("States.Permissions", "no")

    def note(self, role: str, requests: Iterable[Request]) -> list[Request]:
        asked = list(requests)
        self.asked += [request.action for request in asked]
        return [] if self.trusted else asked

    def may_deliver(self, service: str, source: str, queue: str) -> bool:
        self.asked.append((service, source, queue))
        return self.trusted


@pytest.mark.parametrize(
    ("target", "source", "asked"),
    [
        (ALIAS, RULE, ["events", "states:StartExecution"]),
        (CALL, SCHEDULE, ["scheduler", "states:StartExecution"]),
        ({"Arn": "arn:aws:sqs:us-east-1:000000000000:q"}, RULE, []),
    ],
)
def test_what_is_asked(tmp_path: Path, target: dict[str, Any], source: str, asked: list[Any]) -> None:
    permissions = Asked(tmp_path)
    assert may_start(permissions, target, source)
    assert permissions.asked == asked


def test_a_role_that_does_not_trust_starts_nothing(tmp_path: Path) -> None:
    permissions = Asked(tmp_path, trusted=False)
    assert not may_start(permissions, ALIAS, RULE)
    assert permissions.asked == ["events"]


ARN = QUEUE["DeadLetterConfig"]["Arn"]


@pytest.mark.parametrize(
    ("target", "source", "asked"),
    [(ALIAS, RULE, ("events", RULE, ARN)), (CALL, SCHEDULE, "sqs:SendMessage")],
)
@pytest.mark.parametrize("may", [True, False])
def test_a_dead_letter_is_kept_where_it_may_be_put(
    tmp_path: Path, target: dict[str, Any], source: str, asked: Any, may: bool
) -> None:
    permissions = Asked(tmp_path, trusted=may)
    assert queue_of(permissions, {**target, **QUEUE}, source) == (ARN if may else None)
    assert permissions.asked == [asked]


@pytest.mark.parametrize("target", [ALIAS, {"Arn": "arn:aws:sqs:us-east-1:000000000000:q", **QUEUE}])
def test_without_queue_or_machine_nothing_is_asked(tmp_path: Path, target: dict[str, Any]) -> None:
    permissions = Asked(tmp_path)
    assert queue_of(permissions, target, RULE) is None
    assert permissions.asked == []


def test_a_schedules_call_starts_the_machine_with_what_scheduler_fills_in() -> None:
    target = as_machine(CALL, SCHEDULE, {"Time": 1_795_400_000.5})
    assert target["Arn"] == ALIAS["Arn"]
    filled = json.loads(target["Input"])
    assert filled["time"] == "2026-11-23T02:13:20Z"
    assert len(filled["id"]) == 36
    assert as_machine(ALIAS, RULE, {}) == ALIAS
