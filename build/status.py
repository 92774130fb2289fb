"""How a stage stands: its stacks, their outputs, and what ran lately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from build.aws import Aws
from build.aws.cloudformation import Stack
from build.aws.stepfunctions import Execution

LATEST: Final = 10
"""How many executions are shown."""


@dataclass(frozen=True, slots=True)
class Status:
    """A stage as it stands; a stack is None when it is not deployed."""

    stacks: Mapping[str, Stack | None]
    executions: tuple[Execution, ...]


def collect(aws: Aws, names: tuple[str, ...]) -> Status:
    """Look at the stacks of those names and at the executions of the state machine one of them outputs."""
    stacks = {name: aws.cloudformation.stack(name) for name in names}
    machines = (stack.outputs.get("StateMachineArn") for stack in stacks.values() if stack)
    machine = next(filter(None, machines), None)
    return Status(stacks, aws.stepfunctions.executions(machine, LATEST) if machine else ())


def show(status: Status) -> RenderableType:
    """The status for a person."""
    stacks = [_stack(name, stack) for name, stack in status.stacks.items()]
    return Group(*stacks, _executions(status.executions))


def outputs(values: Mapping[str, str]) -> Table:
    """A stack's outputs, one a line."""
    table = Table.grid(padding=(0, 2))
    for name, value in sorted(values.items()):
        table.add_row(Text(f"  {name}", "dim"), Text(value, overflow="fold"))
    return table


def _stack(name: str, stack: Stack | None) -> RenderableType:
    if stack is None:
        return Text.assemble((name, "bold"), ": not deployed")
    return Group(Text.assemble((name, "bold"), ": ", _word(stack.status)), outputs(stack.outputs))


def _executions(executions: tuple[Execution, ...]) -> RenderableType:
    if not executions:
        return Text("no executions yet")
    table = Table("execution", "status", "started", "seconds", box=None, pad_edge=False)
    for execution in executions:
        started = execution.started.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(Text(execution.name), _word(execution.status), started, _seconds(execution))
    return table


def _seconds(execution: Execution) -> str:
    return f"{(execution.stopped - execution.started).total_seconds():.0f}" if execution.stopped else ""


def _word(status: str) -> Text:
    """A status in its colour: red for what failed, yellow for what goes on, green for what is done."""
    if "ROLLBACK" in status or status.endswith(("FAILED", "TIMED_OUT", "ABORTED")):
        return Text(status, "red")
    return Text(status, "yellow" if status.endswith(("IN_PROGRESS", "RUNNING")) else "green")
