"""Plans: what CloudFormation says, and what a person sees of it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from rich.console import Console

from build.aws.cloudformation import (
    ChangeSet,
    CloudFormation,
    ResourceChange,
    Stack,
    Target,
    Template,
    says_no_changes,
)
from build.aws.faults import RefusedError
from build.errors import PlatformError, UserError
from build.patience import Patience
from build.plan import Action, Change, ParameterChange, Plan, make, show

PATIENCE = Patience(deadline=10, sleep=lambda _: None)
TARGET = Target("s", Template(body="{}"))


class Fake:
    """A CloudFormation that gives prepared answers and notes what is taken back."""

    def __init__(self, stack: Stack | None, *answers: ChangeSet, refusal: str = "", events: Any = ()) -> None:
        self._stack, self._answers, self._refusal, self._events = stack, list(answers), refusal, tuple(events)
        self.kinds: list[str] = []
        self.gone: list[str] = []

    def stack(self, name: str) -> Stack | None:
        return self._stack

    def create_change_set(self, target: Target, kind: str) -> ChangeSet:
        self.kinds.append(kind)
        if self._refusal:
            raise RefusedError(f"plan {target.stack}", "ValidationError", self._refusal)
        if self._stack is None:
            self._stack = Stack(target.stack, "arn", "REVIEW_IN_PROGRESS")
        return ChangeSet("set", "arn", "CREATE_PENDING")

    def change_set(self, arn: str) -> ChangeSet:
        return self._answers.pop(0)

    def delete_change_set(self, arn: str) -> None:
        self.gone.append(arn)

    def delete(self, stack: str) -> None:
        self.gone.append(stack)

    def validation_failures(self, **_: object) -> tuple[str, ...]:
        return self._events


def plan(fake: Fake) -> Plan:
    return make(cast(CloudFormation, fake), TARGET, PATIENCE)


def settled(status: str, reason: str = "", *changes: ResourceChange) -> ChangeSet:
    return ChangeSet("set", "arn", status, reason, changes)


def deployed(status: str = "CREATE_COMPLETE") -> Stack:
    return Stack("s", "arn", status)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (("Add", ""), Action.ADD),
        (("Modify", "False"), Action.MODIFY),
        (("Modify", "True"), Action.REPLACE),
        (("Modify", "Conditional"), Action.MAY_REPLACE),
        (("Remove", ""), Action.REMOVE),
        (("Import", ""), Action.IMPORT),
        (("Dynamic", ""), Action.MAY_REPLACE),
        (("Whatever", "comes later"), Action.MAY_REPLACE),
    ],
)
def test_each_word_of_cloudformation_has_its_action(said: tuple[str, str], meant: Action) -> None:
    change = ResourceChange(said[0], "Id", "AWS::X::Y", replacement=said[1])
    (found,) = plan(Fake(deployed(), settled("CREATE_COMPLETE", "", change))).changes
    assert found.action is meant


def test_a_pending_change_set_is_waited_for() -> None:
    fake = Fake(
        deployed(), settled("CREATE_PENDING"), settled("CREATE_IN_PROGRESS"), settled("CREATE_COMPLETE")
    )
    assert not plan(fake).empty
    assert fake.gone == []


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_living_stack_is_updated(status: str) -> None:
    fake = Fake(deployed(status), settled("CREATE_COMPLETE"))
    assert not plan(fake).creates
    assert fake.kinds == ["UPDATE"]


@pytest.mark.parametrize("stack", [None, deployed("REVIEW_IN_PROGRESS")])
def test_what_does_not_live_yet_is_created(stack: Stack | None) -> None:
    fake = Fake(stack, settled("CREATE_COMPLETE"))
    assert plan(fake).creates
    assert fake.kinds == ["CREATE"]


NO_CHANGES = [
    "The submitted information didn't contain changes. Submit different information to create a change set.",
    "The submitted information didn\u2019t contain changes.",
    "No updates are to be performed.",
]


@pytest.mark.parametrize("reason", NO_CHANGES)
def test_every_way_to_say_no_changes_is_an_empty_plan(reason: str) -> None:
    fake = Fake(deployed(), settled("FAILED", reason))
    assert plan(fake).empty
    assert fake.gone == ["set"]


@pytest.mark.parametrize("reason", NO_CHANGES)
def test_no_changes_can_be_said_at_once(reason: str) -> None:
    assert plan(Fake(deployed(), refusal=reason)).empty


def test_outputs_alone_are_a_plan_without_resources() -> None:
    made = plan(Fake(deployed(), settled("CREATE_COMPLETE")))
    assert not made.empty
    assert "outputs only" in shown(made)


def test_other_failures_are_no_empty_plan() -> None:
    assert not says_no_changes("Template error: changes contain no such thing")
    fake = Fake(deployed(), settled("FAILED", "Template error"))
    with pytest.raises(PlatformError, match="cannot plan s: Template error"):
        plan(fake)
    assert fake.gone == ["set"]


def test_a_failed_first_plan_takes_its_stack_along() -> None:
    fake = Fake(None, settled("FAILED", "Template error"))
    with pytest.raises(PlatformError):
        plan(fake)
    assert fake.gone == ["set", "arn"]


def test_early_validation_is_told_resource_by_resource() -> None:
    reason = "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]."
    fake = Fake(deployed(), settled("FAILED", reason), events=["Queue: no such property", "Topic: taken"])
    with pytest.raises(PlatformError, match=r"cannot plan s: Queue: no such property; Topic: taken"):
        plan(fake)


def test_a_change_set_that_never_settles_is_given_up_and_taken_back() -> None:
    fake = Fake(deployed(), *[settled("CREATE_PENDING")] * 1000)
    with pytest.raises(PlatformError, match="gave up on the plan of s"):
        plan(fake)
    assert fake.gone == ["set"]


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS"])
def test_another_operation_is_one_clear_line(status: str) -> None:
    with pytest.raises(PlatformError, match=rf"another operation is under way \({status}\)"):
        plan(Fake(deployed(status)))


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"])
def test_a_leftover_is_not_planned_on(status: str) -> None:
    with pytest.raises(UserError, match=rf"it is {status}, left by"):
        plan(Fake(deployed(status)))


@pytest.mark.parametrize(
    ("status", "command"),
    [("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"), ("DELETE_FAILED", "delete-stack")],
)
def test_a_stuck_operation_names_the_way_out(status: str, command: str) -> None:
    with pytest.raises(PlatformError, match=f"aws cloudformation {command} --stack-name s"):
        plan(Fake(deployed(status)))


def shown(made: Plan, colour: bool = False) -> str:
    console = Console(width=200, force_terminal=colour, color_system="standard" if colour else None)
    with console.capture() as capture:
        console.print(show(made))
    return capture.get()


def a_plan(*changes: Change, parameters: tuple[ParameterChange, ...] = (), creates: bool = False) -> Plan:
    return Plan("s", "arn", creates, "set", changes, parameters)


def test_replacements_are_red_and_modifications_are_not() -> None:
    red, yellow = "\x1b[1;31m", "\x1b[33m"
    text = shown(a_plan(Change(Action.REPLACE, "Old", "T"), Change(Action.MODIFY, "New", "T")), colour=True)
    old, new = (line for line in text.splitlines() if "T" in line)
    assert red in old
    assert yellow in new
    assert "31m" not in new


def test_a_plan_says_what_how_many_and_why() -> None:
    text = shown(
        a_plan(
            Change(Action.REPLACE, "Task", "AWS::ECS::Task", kept=True, properties=("Image", "Cpu")),
            Change(Action.REMOVE, "Topic", "AWS::SNS::Topic"),
            parameters=(ParameterChange("Image", "a", "b"), ParameterChange("New", None, "")),
        )
    )
    assert "1 to replace, 1 to remove" in text
    assert "Image, Cpu, the old one is kept" in text
    assert "'a' -> 'b'" in text


def test_an_empty_plan_says_so() -> None:
    assert shown(Plan("s", "arn", creates=False, change_set=None)) == "s: nothing to change\n"


def test_hostile_values_are_shown_as_they_are() -> None:
    hostile = "[bold]x[/bold] [/] \x1b[31m"
    text = shown(a_plan(parameters=(ParameterChange("Text", None, hostile),)))
    assert "[bold]x[/bold] [/]" in text
    assert "\x1b" not in text
