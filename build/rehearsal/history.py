"""An execution's history events, as GetExecutionHistory gives them, read as states with times."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Event = Mapping[str, Any]

FAILURES = frozenset(
    {"TaskFailed", "TaskTimedOut", "TaskSubmitFailed", "TaskStartFailed", "LambdaFunctionFailed"}
)


class Status(StrEnum):
    """How a state ended, in Step Functions' words."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt of a task, as the service reported it."""

    error: str
    cause: str

    @property
    def detail(self) -> Mapping[str, Any]:
        """The cause as the JSON object it usually is (an ECS task, a job run), else empty."""
        try:
            return json_object(self.cause)
        except ValueError:
            return {}

    @property
    def exit_code(self) -> int | None:
        """Exit code of the task's first container or of the job's, None when it never ran."""
        containers = self.detail.get("Containers") or [self.detail.get("Container") or {}]
        code = containers[0].get("ExitCode")
        return None if code is None else int(code)


@dataclass(slots=True)
class StateRun:
    """One state of an execution, all its visits and attempts together."""

    name: str
    kind: str
    status: Status = Status.RUNNING
    attempts: int = 0
    seconds: float = 0.0
    entered: datetime | None = None
    failures: list[Failure] = field(default_factory=list)
    results: list[Mapping[str, Any]] = field(default_factory=list)

    def elapsed(self, now: datetime) -> float:
        """Seconds in the state so far, the running visit included."""
        return self.seconds + ((now - self.entered).total_seconds() if self.entered else 0.0)


def states(events: Iterable[Event]) -> tuple[StateRun, ...]:
    """The states an execution entered, in the order of their first visit."""
    runs: dict[str, StateRun] = {}
    current: StateRun | None = None
    for event in events:
        kind = event["type"]
        if kind.endswith("StateEntered"):
            current = _enter(runs, event)
        elif current is not None:
            _follow(current, kind, event)
    return tuple(runs.values())


def _enter(runs: dict[str, StateRun], event: Event) -> StateRun:
    name = event["stateEnteredEventDetails"]["name"]
    run = runs.setdefault(name, StateRun(name, event["type"].removesuffix("StateEntered")))
    run.status, run.entered = Status.RUNNING, event["timestamp"]
    if run.kind != "Task":
        run.attempts += 1
    return run


def _follow(run: StateRun, kind: str, event: Event) -> None:
    if kind == "TaskScheduled":
        # Within a Map these are its iterations' tasks.
        run.attempts += run.kind == "Task"
        run.status = Status.RUNNING
    elif kind == "TaskSucceeded":
        run.results.append(json_object(event.get("taskSucceededEventDetails", {}).get("output")))
    elif kind in FAILURES:
        run.failures.append(_failure(event))
        run.status = Status.FAILED
    elif kind.endswith("StateExited"):
        _leave(run, event["timestamp"], Status.SUCCEEDED)
    elif kind in {"ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"}:
        _leave(run, event["timestamp"], Status.FAILED)


def _leave(run: StateRun, moment: datetime, status: Status) -> None:
    if run.entered is not None:
        run.seconds += (moment - run.entered).total_seconds()
    run.entered = None
    run.status = Status.FAILED if run.status is Status.FAILED else status


def _failure(event: Event) -> Failure:
    details: Mapping[str, str] = next((event[key] for key in event if key.endswith("EventDetails")), {})
    return Failure(details.get("error", ""), details.get("cause", ""))


def json_object(text: str | bytes | None) -> Mapping[str, Any]:
    """The JSON object a text holds; empty when there is no text, or another value.

    Raises:
        ValueError: It is no JSON.
    """
    parsed = json.loads(text) if text else {}
    return parsed if isinstance(parsed, dict) else {}
