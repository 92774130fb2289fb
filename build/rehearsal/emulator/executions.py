"""What MiniStack's Step Functions does otherwise than AWS, put right by wrapping eight of its functions.

No registry reaches these places:

* an execution started by a version or an alias runs the version's frozen definition, and DescribeExecution
  names both;
* an integration learns the name of its state and whether its result is still wanted;
* what the machine does is held against its role; MiniStack does it as the root user;
* a payload above 256 KiB and a history of more than 25,000 events end an execution, and ``States.ALL`` does
  not catch that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from types import FunctionType
from typing import Any, Final

from build.rehearsal.emulator import needs
from build.rehearsal.emulator.integrations import Attempt, StepError, attempting, current
from build.rehearsal.emulator.needs import Request
from build.rehearsal.emulator.permissions import Permissions

PAYLOAD_LIMIT_BYTES: Final = 256 * 1024
"""What a state takes, gives its task, gets of it and hands on is no larger (Step Functions quotas)."""
EVENTS_LIMIT: Final = 25_000
"""Of an execution's history. MiniStack writes fewer events for a task than AWS: not started, submitted."""

_TERMINAL: Final = frozenset({"States.DataLimitExceeded", "States.Runtime"})
"""Errors that only their own name catches."""

_version: ContextVar[str | None] = ContextVar("version", default=None)
_role: ContextVar[str | None] = ContextVar("role", default=None)


def install(permissions: Permissions) -> None:
    """Wraps MiniStack's functions; once per process."""
    from ministack.services import stepfunctions  # noqa: PLC0415

    stepfunctions._add_event = bounded(stepfunctions._add_event, stepfunctions._ExecutionError)
    stepfunctions._error_matches = by_name(stepfunctions._error_matches)
    stepfunctions._start_execution = _starting(stepfunctions, stepfunctions._start_execution)
    stepfunctions._describe_execution = _describing(stepfunctions, stepfunctions._describe_execution)
    stepfunctions._run_execution = _as_role(
        stepfunctions, permissions, _running(stepfunctions, stepfunctions._run_execution)
    )
    stepfunctions._execute_task = _executing(stepfunctions._execute_task)
    stepfunctions._invoke_resource = _permitted(stepfunctions, permissions, stepfunctions._invoke_resource)
    stepfunctions._invoke_resource_with_timeout = _timing(
        stepfunctions, stepfunctions._invoke_resource_with_timeout
    )


def bounded(add: Any, failure: Any) -> Any:
    """MiniStack's writing of an event, which raises ``failure(error, cause)`` for one beyond a quota."""

    def add_event(execution: Any, kind: str, details: Mapping[str, Any] | None = None) -> Any:
        try:
            if not kind.startswith("Execution"):
                _hold_history(execution["events"])
                _hold_payloads(_payloads(details or {}))
        except StepError as error:
            raise failure(error.error, error.cause) from error
        return add(execution, kind, details)

    return add_event


def _hold_history(events: Sequence[Any]) -> None:
    # The last event says how it ended.
    if len(events) >= EVENTS_LIMIT - 1:
        raise StepError(
            "States.Runtime", f"The execution reached the maximum number of history events ({EVENTS_LIMIT})."
        )


def _payloads(details: Mapping[str, Any]) -> Iterable[str]:
    """An event's payloads, as JSON."""
    for detail in details.values():
        yield from (detail[name] for name in ("input", "output") if name in detail)


def _hold_payloads(texts: Iterable[str]) -> None:
    for text in texts:
        if len(text) > PAYLOAD_LIMIT_BYTES and _size(json.loads(text)) > PAYLOAD_LIMIT_BYTES:
            raise StepError(
                "States.DataLimitExceeded",
                "The state/task returned a result with a size exceeding the maximum number of bytes"
                " service limit.",
            )


def _size(payload: Any) -> int:
    """Bytes of a payload, in UTF-8."""
    return len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())


def by_name(matches: Any) -> Any:
    """MiniStack's match of an error with ErrorEquals, for which a wildcard catches nothing terminal."""

    def error_matches(named: Sequence[str], error: str) -> bool:
        return error in named if error in _TERMINAL else bool(matches(named, error))

    return error_matches


def _starting(stepfunctions: Any, start: Any) -> Any:
    def start_execution(data: dict[str, Any]) -> Any:
        asked = data.get("stateMachineArn", "")
        version = stepfunctions._execution_version_arn(asked)
        # The execution's thread runs in a copy of this context and so learns its version.
        token = _version.set(version)
        try:
            response = start(data)
        finally:
            _version.reset(token)
        if response[0] < 400 and version:
            _note_origin(stepfunctions, json.loads(response[2])["executionArn"], asked, version)
        return response

    return start_execution


def _note_origin(stepfunctions: Any, execution: str, asked: str, version: str) -> None:
    origin = {"stateMachineVersionArn": version}
    if asked != version:
        origin["stateMachineAliasArn"] = asked
    stepfunctions._executions[execution]["origin"] = origin


def _describing(stepfunctions: Any, describe: Any) -> Any:
    def describe_execution(data: dict[str, Any]) -> Any:
        status, headers, body = describe(data)
        execution = stepfunctions._executions.get(data.get("executionArn")) or {}
        described = {**json.loads(body), **(execution.get("origin") or {})}
        return status, headers, json.dumps(described).encode()

    return describe_execution


def _running(stepfunctions: Any, run: FunctionType) -> Any:
    def run_execution(execution_arn: str) -> Any:
        version = stepfunctions._state_machine_versions.get(_version.get())
        if version is None:
            return run(execution_arn)
        # The same code, seeing under the machine's name the version that it was started with.
        machine = version["stateMachineArn"]
        frozen = {machine: {**stepfunctions._state_machines[machine], "definition": version["definition"]}}
        return FunctionType(run.__code__, {**vars(stepfunctions), "_state_machines": frozen})(execution_arn)

    return run_execution


def _as_role(stepfunctions: Any, permissions: Permissions, run: Any) -> Any:
    def run_execution(execution_arn: str) -> Any:
        machine = stepfunctions._state_machines[stepfunctions._executions[execution_arn]["stateMachineArn"]]
        role = machine["roleArn"]
        permissions.describe_roles()
        try:
            permissions.require_trust(role, "states")
        except StepError as error:
            execution = stepfunctions._executions[execution_arn]
            return stepfunctions._fail_execution(execution, error.error, error.cause)
        permissions.note(role, needs.of_machine(machine, permissions.account))
        token = _role.set(role)
        try:
            return run(execution_arn)
        finally:
            _role.reset(token)

    return run_execution


def _permitted(stepfunctions: Any, permissions: Permissions, invoke: Any) -> Any:
    def invoke_resource(resource: str, arguments: Any) -> Any:
        if role := _role.get():
            try:
                _hold_payloads([json.dumps(arguments)])
                permissions.require(role, _needed(permissions, role, resource, arguments))
            except StepError as error:
                raise stepfunctions._ExecutionError(error.error, error.cause) from error
        return invoke(resource, arguments)

    return invoke_resource


def _needed(permissions: Permissions, role: str, resource: str, arguments: Any) -> list[Request]:
    try:
        return needs.of_state(resource, arguments, permissions.account)
    except LookupError as error:
        if permissions.refuse_unjudged(role, resource.rpartition(":::")[2]):
            raise StepError("States.Permissions", str(error)) from error
        return []


def _executing(execute: Any) -> Any:
    def execute_task(state: Any, raw_input: Any, execution: Any, context: Any) -> Any:
        def stopped() -> bool:
            return bool(execution) and execution["status"] != "RUNNING"

        with attempting(Attempt(context["State"]["Name"], stopped)):
            return execute(state, raw_input, execution, context)

    return execute_task


def _timing(stepfunctions: Any, invoke: Any) -> Any:
    def invoke_with_timeout(resource: str, arguments: Any, timeout: float) -> Any:
        outer = current(resource)
        attempt = Attempt(outer.step, outer.stopped)
        with attempting(attempt):
            try:
                return invoke(resource, arguments, timeout)
            except stepfunctions._ExecutionError as error:
                if error.error == "States.Timeout":
                    attempt.timed_out.set()
                raise

    return invoke_with_timeout
