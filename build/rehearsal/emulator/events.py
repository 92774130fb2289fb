"""EventBridge: a rule or a schedule starts an execution as the role of its target, or leaves a dead letter.

MiniStack starts it as its root user, knows no dead-letter queue of a target and no call of an API as a
schedule's. Its one function that reaches a target is wrapped.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from build.rehearsal.emulator import needs
from build.rehearsal.emulator.integrations import StepError
from build.rehearsal.emulator.needs import Request
from build.rehearsal.emulator.permissions import Permissions

_log = logging.getLogger(__name__)


def install(permissions: Permissions) -> None:
    """Wraps MiniStack's function; once per process."""
    from ministack.core.arn import parse_arn  # noqa: PLC0415
    from ministack.services import eventbridge  # noqa: PLC0415

    invoke = eventbridge._invoke_target

    def invoke_target(target: dict[str, Any], event: Any, rule: Mapping[str, Any], view: Any = None) -> None:
        source = str(rule.get("Arn", ""))
        # Asked whether it starts or not: nobody sees otherwise that a letter would be lost.
        queue = queue_of(permissions, target, source)
        if may_start(permissions, target, source):
            invoke(as_machine(target, source, event), event, rule, view)
        elif queue:
            told = view or eventbridge._pattern_event_view(event)
            letter = target.get("Input") or json.dumps(told.event_with_detail())
            eventbridge._dispatch_to_sqs(parse_arn(queue), letter)

    eventbridge._invoke_target = invoke_target


def may_start(permissions: Permissions, target: Mapping[str, Any], source: str) -> bool:
    """Whether a target that is a state machine may be started by its role; others are let pass."""
    machine = _machine(target)
    if machine is None:
        return True
    try:
        permissions.require_trust(target["RoleArn"], _service(source))
        permissions.require(target["RoleArn"], [needs.of_start(machine)])
    except StepError as error:
        _log.warning("%s is not started: %s", machine, error)
        return False
    return True


def queue_of(permissions: Permissions, target: Mapping[str, Any], source: str) -> str | None:
    """The ARN of the dead-letter queue of a machine's target, when letters may be put there."""
    queue: str | None = (target.get("DeadLetterConfig") or {}).get("Arn")
    if queue is None or _machine(target) is None:
        return None
    if _service(source) == "events":
        return queue if permissions.may_deliver("events", source, queue) else None
    # A schedule keeps what it cannot deliver as its own role.
    return None if permissions.note(target["RoleArn"], [Request("sqs:SendMessage", queue)]) else queue


def as_machine(target: Mapping[str, Any], source: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """A schedule's call of StartExecution as the target that MiniStack knows; any other as it is."""
    if not _is_call(target):
        return dict(target)
    asked = json.loads(_filled(target["Input"], source, event))
    return {**target, "Arn": asked["StateMachineArn"], "Input": asked.get("Input", "{}")}


def _filled(text: str, schedule: str, event: Mapping[str, Any]) -> str:
    """A schedule's input with what Scheduler fills in between < and >."""
    scheduled = datetime.fromtimestamp(event["Time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    known = {
        "schedule-arn": schedule,
        "scheduled-time": scheduled,
        "execution-id": str(uuid.uuid4()),
        "attempt-number": "1",
    }
    for name, value in known.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _machine(target: Mapping[str, Any]) -> str | None:
    """The machine, version or alias that a target starts, itself or by a call of the API."""
    if _is_call(target):
        return str(json.loads(target["Input"])["StateMachineArn"])
    return str(target["Arn"]) if ":states:" in target["Arn"] else None


def _is_call(target: Mapping[str, Any]) -> bool:
    return str(target["Arn"]).endswith(":aws-sdk:sfn:startExecution")


def _service(source: str) -> str:
    """``events`` or ``scheduler``, given the ARN of a rule or a schedule."""
    return source.split(":")[2]
