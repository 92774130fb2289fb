"""What a rule's or a schedule's role is asked before it starts a machine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from build.rehearsal.emulator.events import may_start
from build.rehearsal.emulator.integrations import StepError
from build.rehearsal.emulator.needs import Request
from build.rehearsal.emulator.permissions import Permissions
from build.rehearsal.emulator.settings import Settings, Validator

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:sluice-dev-pipeline"
ALIAS = {"Arn": f"{MACHINE}:live", "RoleArn": "arn:aws:iam::000000000000:role/starter"}
CALL = {
    **ALIAS,
    "Arn": "arn:aws:scheduler:::aws-sdk:sfn:startExecution",
    "Input": json.dumps({"StateMachineArn": ALIAS["Arn"], "Input": "{}"}),
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
        self.asked += [request.action for request in requests]
        return []

    def may_deliver(self, service: str, source: str, queue: str) -> bool:
        self.asked.append((service, source, queue))
        return False


@pytest.mark.parametrize(
    ("target", "source", "asked"),
    [
        (ALIAS, RULE, ["events", "states:StartExecution"]),
        (
            {**ALIAS, **QUEUE},
            RULE,
            [("events", RULE, QUEUE["DeadLetterConfig"]["Arn"]), "events", "states:StartExecution"],
        ),
        (CALL, SCHEDULE, ["scheduler", "states:StartExecution"]),
        ({**CALL, **QUEUE}, SCHEDULE, ["sqs:SendMessage", "scheduler", "states:StartExecution"]),
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
