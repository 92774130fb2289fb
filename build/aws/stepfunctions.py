"""Step Functions: start an execution, and look at what ran."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from build.aws.faults import asking

NEWEST: Final = 100
"""Events that are looked through for the state an execution is in; one attempt of a task has four."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of the state machine.

    Attributes:
        input: Only when described.
        output: Only when described: the output, or Error and Cause of a failure.
    """

    arn: str
    name: str
    status: str
    started: datetime
    stopped: datetime | None
    input: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)


class StepFunctions:
    """Tiny methods over one boto3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def start(self, state_machine: str, name: str, given: Mapping[str, Any]) -> str:
        """Start an execution of a state machine, or of an alias; returns its ARN."""
        with asking(f"start {state_machine}"):
            started = self._client.start_execution(
                stateMachineArn=state_machine, name=name, input=json.dumps(given)
            )
        return str(started["executionArn"])

    def describe(self, execution: str) -> Execution:
        """An execution with its input and output."""
        with asking(f"look at {execution}"):
            found = self._client.describe_execution(executionArn=execution)
        failure = {"Error": found.get("error", ""), "Cause": found.get("cause", "")}
        return _execution(
            found,
            given=json.loads(found.get("input") or "{}"),
            output=json.loads(found["output"]) if found.get("output") else failure,
        )

    def status(self, execution: str) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        return self.describe(execution).status

    def state(self, execution: str) -> str:
        """Name of the state a running execution is in, or was in last; "" before the first."""
        with asking(f"look at {execution}"):
            answer = self._client.get_execution_history(
                executionArn=execution, reverseOrder=True, includeExecutionData=False, maxResults=NEWEST
            )
        entered = (event.get("stateEnteredEventDetails") for event in answer["events"])
        return next((details["name"] for details in entered if details), "")

    def history(self, execution: str) -> tuple[Mapping[str, Any], ...]:
        """An execution's history events as the API gives them, oldest first."""
        with asking(f"read the history of {execution}"):
            pages = self._client.get_paginator("get_execution_history").paginate(executionArn=execution)
            return tuple(event for page in pages for event in page["events"])

    def executions(self, state_machine: str, limit: int) -> tuple[Execution, ...]:
        """The newest executions, newest first; by the machine's ARN, which counts those through its alias."""
        with asking(f"list the executions of {state_machine}"):
            answer = self._client.list_executions(stateMachineArn=state_machine, maxResults=limit)
        return tuple(_execution(found) for found in answer["executions"])


def _execution(
    found: Mapping[str, Any], given: Mapping[str, Any] | None = None, output: Mapping[str, Any] | None = None
) -> Execution:
    return Execution(
        arn=found["executionArn"],
        name=found["name"],
        status=found["status"],
        started=found["startDate"],
        stopped=found.get("stopDate"),
        input=given or {},
        output=output or {},
    )
