"""What a person sees of a stage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

from rich.console import Console

from build.aws import Aws
from build.aws.cloudformation import Stack
from build.aws.stepfunctions import Execution
from build.status import Status, collect, show

MOMENT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def shown(status: Status) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(show(status))
    return capture.get()


def test_stacks_outputs_and_executions_are_shown() -> None:
    stack = Stack("p", "arn", "UPDATE_COMPLETE", outputs={"Machine": "arn:x"})
    runs = (
        Execution("a", "run-2", "RUNNING", MOMENT, None),
        Execution("a", "run-1", "FAILED", MOMENT, MOMENT + timedelta(seconds=61)),
    )
    text = shown(Status({"d": None, "p": stack}, runs))
    assert "d: not deployed" in text
    assert "p: UPDATE_COMPLETE" in text
    assert "Machine  arn:x" in text
    assert text.index("run-2") < text.index("run-1")
    assert "61" in text


def test_no_executions_is_said() -> None:
    assert "no executions yet" in shown(Status({}, ()))


def test_hostile_names_are_shown_as_they_are() -> None:
    text = shown(Status({"[red]x[/red]": None}, (Execution("a", "[/]", "RUNNING", MOMENT, None),)))
    assert "[red]x[/red]: not deployed" in text
    assert "[/]" in text


class Fake:
    def __init__(self, stacks: dict[str, Stack]) -> None:
        self.cloudformation = self.stepfunctions = self
        self._stacks = stacks
        self.asked: list[tuple[str, int]] = []

    def stack(self, name: str) -> Stack | None:
        return self._stacks.get(name)

    def executions(self, machine: str, limit: int) -> tuple[Execution, ...]:
        self.asked.append((machine, limit))
        return (Execution("a", "run", "RUNNING", MOMENT, None),)


def test_executions_are_those_of_the_stacks_machine() -> None:
    fake = Fake({"p": Stack("p", "arn", "CREATE_COMPLETE", outputs={"StateMachineArn": "machine"})})
    assert len(collect(cast(Aws, fake), ("d", "p")).executions) == 1
    assert fake.asked == [("machine", 10)]


def test_without_a_machine_nobody_is_asked() -> None:
    fake = Fake({"p": Stack("p", "arn", "CREATE_FAILED")})
    assert collect(cast(Aws, fake), ("p", "none")).executions == ()
    assert fake.asked == []
