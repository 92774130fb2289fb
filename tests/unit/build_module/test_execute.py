"""Execution: whom to blame, when it is over, and what is passed on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from build.aws.cloudformation import CloudFormation, Stack, StackEvent
from build.errors import StackFailedError
from build.execute import always, carry_out, first_failure
from build.patience import Patience
from build.plan import Plan

PATIENCE = Patience(deadline=10, sleep=lambda _: None)
PLAN = Plan("s", "arn", creates=False, change_set="set")


def event(logical_id: str, status: str, reason: str = "", kind: str = "AWS::X::Y") -> StackEvent:
    kind = "AWS::CloudFormation::Stack" if logical_id == "s" else kind
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    return StackEvent(f"{logical_id}-{status}-{reason}", moment, logical_id, kind, status, reason)


def test_the_first_real_failure_is_blamed_not_its_followers() -> None:
    events = [
        event("A", "CREATE_FAILED", "Resource creation cancelled"),
        event("B", "CREATE_FAILED", "no such bucket"),
        event("C", "CREATE_FAILED", "too late"),
        event("s", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [A, B, C]."),
    ]
    blamed = first_failure(events, "s")
    assert blamed is not None
    assert (blamed.logical_id, blamed.reason) == ("B", "no such bucket")


@pytest.mark.parametrize("reason", ["Resource update cancelled", "Resource deletion cancelled"])
def test_cancelled_is_cancelled_in_every_operation(reason: str) -> None:
    blamed = first_failure([event("A", "UPDATE_FAILED", reason), event("B", "UPDATE_FAILED", "x")], "s")
    assert blamed is not None
    assert blamed.logical_id == "B"


def test_a_resource_is_blamed_before_the_stack() -> None:
    blamed = first_failure([event("s", "CREATE_FAILED", "[A]"), event("A", "CREATE_FAILED", "x")], "s")
    assert blamed is not None
    assert blamed.logical_id == "A"


def test_cancelled_ones_are_better_than_nobody() -> None:
    blamed = first_failure([event("A", "CREATE_FAILED", "Resource creation cancelled")], "s")
    assert blamed is not None
    assert blamed.logical_id == "A"


def test_nobody_is_blamed_when_nothing_failed() -> None:
    assert first_failure([event("A", "CREATE_COMPLETE")], "s") is None


class Fake:
    """A CloudFormation whose stack lives through a script of (status, events so far)."""

    def __init__(
        self, script: Iterable[tuple[str, list[StackEvent]]], failures: tuple[str, ...] = ()
    ) -> None:
        self._script, self._failures = iter(script), tuple(failures)
        self._events: list[StackEvent] = []

    def stack(self, name: str) -> Stack:
        status, self._events = next(self._script)
        return Stack("s", "arn", status, outputs={"Status": status})

    def latest_event(self, stack_id: str) -> str | None:
        return "before"

    def events(self, stack_id: str, after: str | None = None) -> tuple[StackEvent, ...]:
        ids = [event.id for event in self._events]
        return tuple(self._events[ids.index(after) + 1 if after in ids else 0 :])

    def execute(self, arn: str) -> None:
        assert arn == PLAN.change_set

    def validation_failures(self, **_: object) -> tuple[str, ...]:
        return self._failures


class Log:
    def __init__(self) -> None:
        self.told: list[str] = []

    def planned(self, plan: Plan) -> None:
        """Not of interest here."""

    def uploaded(self, key: str, size: int) -> None:
        """Not of interest here."""

    def happened(self, event: StackEvent) -> None:
        self.told.append(event.status)


def run(fake: Fake, log: Log) -> object:
    return carry_out(cast(CloudFormation, fake), PLAN, log, always, PATIENCE)


BEGUN, DONE = event("s", "UPDATE_IN_PROGRESS"), event("s", "UPDATE_COMPLETE")


def test_the_status_of_before_is_no_end() -> None:
    script = [
        ("UPDATE_COMPLETE", []),
        ("UPDATE_COMPLETE", [BEGUN]),
        ("UPDATE_IN_PROGRESS", [BEGUN]),
        ("UPDATE_COMPLETE", [BEGUN]),
        ("UPDATE_COMPLETE", [BEGUN, DONE]),
    ]
    log = Log()
    assert run(Fake(script), log) == {"Status": "UPDATE_COMPLETE"}
    assert log.told == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]


def test_cleaning_up_is_waited_for() -> None:
    cleaning = event("s", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    script = [
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", [BEGUN, cleaning]),
        ("UPDATE_COMPLETE", [BEGUN, cleaning, DONE]),
    ]
    log = Log()
    run(Fake(script), log)
    assert log.told[-1] == "UPDATE_COMPLETE"


def test_validation_before_anything_runs_names_the_resource() -> None:
    back = event("s", "UPDATE_ROLLBACK_COMPLETE")
    failed = event("s", "UPDATE_FAILED", "1 validation error(s); call DescribeEvents")
    script = [("UPDATE_ROLLBACK_COMPLETE", [BEGUN, failed, back])] * 2
    with pytest.raises(StackFailedError, match=r"cannot deploy s: Bucket: the name is taken"):
        run(Fake(script, ("Bucket: the name is taken",)), Log())


@pytest.mark.parametrize(
    ("kind", "reason", "service"),
    [
        (
            "AWS::ECS::Cluster",
            "Unable to assume the service linked role. Please verify that the service linked role exists.",
            "ecs",
        ),
        (
            "AWS::Batch::ComputeEnvironment",
            "User is not authorized to perform: iam:CreateServiceLinkedRole: no service-linked role",
            "batch",
        ),
    ],
)
def test_an_account_without_the_roles_of_services_is_told_how_to_make_them(
    kind: str, reason: str, service: str
) -> None:
    back = event("s", "UPDATE_ROLLBACK_COMPLETE")
    failed = event("Cluster", "CREATE_FAILED", reason, kind)
    script = [("UPDATE_ROLLBACK_COMPLETE", [BEGUN, failed, back])] * 2
    with pytest.raises(StackFailedError) as told:
        run(Fake(script), Log())
    command = f"aws iam create-service-linked-role --aws-service-name {service}.amazonaws.com"
    assert f"; make it, once for the account: {command} (the stack" in str(told.value)
    assert command in (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
