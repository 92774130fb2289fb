"""Plays a state machine with scripted services: run by the emulator's Python, whose JSONata engine decides.

Reads a definition from the first line of stdin, then runs, {"input": ..., "answers": {state: [answer]}}:
where an answer is {"result": ...} or {"error": ..., "cause": ...}; the last one of a state is given again and
again; "arn" is the execution's, where that matters. Writes a line for each run: its path, the arguments of
its calls, its waits, and how it ended.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ministack.services import stepfunctions as engine

NAME = "11111111-2222-3333-4444-555555555555"
ARN = f"arn:aws:states:us-east-1:000000000000:execution:sluice-dev-pipeline:{NAME}"


def play(definition: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:sluice-dev-pipeline"
    arn = run.get("arn") or ARN
    execution: dict[str, Any] = {
        "executionArn": arn,
        "stateMachineArn": machine,
        "name": NAME,
        "status": "RUNNING",
        "startDate": "2026-11-23T06:00:00.000Z",
        "input": json.dumps(run["input"]),
        "output": None,
        "events": [],
    }
    engine._state_machines[machine] = {"name": "sluice-dev-pipeline", "definition": json.dumps(definition)}
    engine._executions[arn] = execution
    calls: list[dict[str, Any]] = []
    waits: list[float] = []
    answers = {state: list(given) for state, given in run["answers"].items()}

    def answer(_resource: str, arguments: Any, _timeout: int = 0) -> Any:
        state = path(execution)[-1]
        calls.append({"state": state, "arguments": arguments})
        given = answers.get(state) or [{"result": {}}]
        told = given.pop(0) if len(given) > 1 else given[0]
        if "error" in told:
            raise engine._ExecutionError(told["error"], told.get("cause", ""))
        return told["result"]

    engine._invoke_resource = answer
    engine._invoke_resource_with_timeout = answer
    engine._scaled_sleep = waits.append
    engine._emit_execution_status_event = lambda _execution: None
    engine._run_execution(arn)
    return {
        "path": path(execution),
        "calls": calls,
        "waits": waits,
        "status": execution["status"],
        "output": json.loads(execution["output"]) if execution["output"] else None,
        "error": execution.get("error"),
        "cause": execution.get("cause"),
    }


def path(execution: dict[str, Any]) -> list[str]:
    entered = (event.get("stateEnteredEventDetails") for event in execution["events"])
    return [details["name"] for details in entered if details]


if __name__ == "__main__":
    engine.time.sleep = lambda _seconds: None
    machine = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        print(json.dumps(play(machine, json.loads(line))), flush=True)
