"""EventBridge: a rule or a schedule starts an execution as the role of its target, or not at all.

MiniStack starts it as its root user and knows no dead-letter queue of a target. Its one function that reaches
a target is wrapped.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from build.rehearsal.emulator import needs
from build.rehearsal.emulator.integrations import StepError
from build.rehearsal.emulator.needs import Request
from build.rehearsal.emulator.permissions import Permissions

_log = logging.getLogger(__name__)


def install(permissions: Permissions) -> None:
    """Wraps MiniStack's function; once per process."""
    from ministack.services import eventbridge  # noqa: PLC0415

    invoke = eventbridge._invoke_target

    def invoke_target(target: dict[str, Any], event: Any, rule: Mapping[str, Any], view: Any = None) -> None:
        if may_start(permissions, target, str(rule.get("Arn", ""))):
            invoke(target, event, rule, view)

    eventbridge._invoke_target = invoke_target


def may_start(permissions: Permissions, target: Mapping[str, Any], source: str) -> bool:
    """Whether a target that is a state machine may be started by its role; others are let pass.

    What could not be delivered must reach the target's dead-letter queue, so that is asked too.
    """
    machine = _machine(target)
    if machine is None:
        return True
    service = source.split(":")[2]
    _keep(permissions, target, service, source)
    try:
        permissions.require_trust(target["RoleArn"], service)
        permissions.require(target["RoleArn"], [needs.of_start(machine)])
    except StepError as error:
        _log.warning("%s is not started: %s", machine, error)
        return False
    return True


def _machine(target: Mapping[str, Any]) -> str | None:
    """The machine, version or alias that a target starts, itself or by a call of the API."""
    if target["Arn"].endswith(":aws-sdk:sfn:startExecution"):
        return str(json.loads(target["Input"])["StateMachineArn"])
    return str(target["Arn"]) if ":states:" in target["Arn"] else None


def _keep(permissions: Permissions, target: Mapping[str, Any], service: str, source: str) -> None:
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if queue and service == "events":
        permissions.may_deliver(service, source, queue)
    elif queue:
        # A schedule keeps what it cannot deliver as its own role.
        permissions.note(target["RoleArn"], [Request("sqs:SendMessage", queue)])
