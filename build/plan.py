"""What a deployment would do to a stack, as data: CloudFormation's change set, resource by resource.

Nothing is executed here. A plan holds a change set that waits in CloudFormation: `build.deploy` executes it,
or `discard` takes it back, with the empty stack that a first change set leaves behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from build.aws.cloudformation import ChangeSet, CloudFormation, ResourceChange, Stack, Target, says_no_changes
from build.aws.faults import RefusedError
from build.errors import PlatformError, UserError
from build.patience import Patience

FAILED_CREATION: Final = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
"""What is left of a stack that never came to life: it can only be deleted."""

STUCK: Final = {
    "UPDATE_ROLLBACK_FAILED": ("an update could not be rolled back", "continue-update-rollback"),
    # It may still hold what somebody needs: whoever began the deletion decides.
    "DELETE_FAILED": ("its deletion got stuck", "delete-stack"),
}
"""Status of a stack that a person must free -> why, and the command that does."""

IN_REVIEW: Final = "REVIEW_IN_PROGRESS"
"""A stack that so far is only a change set."""


class Action(StrEnum):
    """What happens to a resource."""

    ADD = "add"
    MODIFY = "modify"
    MAY_REPLACE = "may replace"
    REPLACE = "replace"
    REMOVE = "remove"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that would change.

    Attributes:
        kept: The old resource stays in the account (a Retain policy).
        properties: Names of what differs.
    """

    action: Action
    logical_id: str
    type: str
    kept: bool = False
    properties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParameterChange:
    """One parameter whose value would change; None stands for none before."""

    name: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deployment would do to one stack.

    Attributes:
        stack: Name of the stack.
        stack_id: Its ARN; for a new stack that of the one in review.
        creates: The stack does not exist yet.
        change_set: ARN of the change set that waits, None when there is nothing to do.
    """

    stack: str
    stack_id: str
    creates: bool
    change_set: str | None
    changes: tuple[Change, ...] = ()
    parameters: tuple[ParameterChange, ...] = ()

    @property
    def empty(self) -> bool:
        """The stack is as the template says; outputs alone can change with no resource in the list."""
        return self.change_set is None


def make(cloudformation: CloudFormation, target: Target, patience: Patience) -> Plan:
    """Compare a template and its parameters with what is deployed.

    Raises:
        UserError: The stack is what a failed creation left.
        PlatformError: Another operation is under way, or CloudFormation refuses the template.
    """
    deployed = cloudformation.stack(target.stack)
    check_free(target.stack, deployed)
    creates = deployed is None or deployed.status == IN_REVIEW
    before = {} if creates or deployed is None else deployed.parameters
    try:
        asked = cloudformation.create_change_set(target, "CREATE" if creates else "UPDATE")
    except RefusedError as error:
        if deployed is None or not says_no_changes(error.reason):
            raise
        return Plan(target.stack, deployed.id, creates=False, change_set=None)
    differing = _compare(before, target.parameters)
    proposed = Plan(target.stack, asked.stack_id, creates, asked.id, parameters=differing)
    return _settle(cloudformation, proposed, asked.id, patience)


def check_free(stack: str, deployed: Stack | None) -> None:
    """Make sure that a stack can take a change set.

    Raises:
        UserError: It is what a failed creation left.
        PlatformError: Another operation is under way, or one is stuck.
    """
    status = deployed.status if deployed else ""
    if status in FAILED_CREATION:
        message = f"cannot plan {stack}: it is {status}, left by a creation that failed"
        raise UserError(f"{message}; make deploy deletes it and creates it anew")
    if status.endswith("_IN_PROGRESS") and status != IN_REVIEW:
        message = f"cannot plan {stack}: another operation is under way ({status})"
        raise PlatformError(f"{message}; wait for it (make status) and try again")
    if status in STUCK:
        why, command = STUCK[status]
        message = f"cannot plan {stack}: {why} ({status})"
        raise PlatformError(f"{message}; aws cloudformation {command} --stack-name {stack}")


def discard(cloudformation: CloudFormation, plan: Plan) -> None:
    """Take a plan back: its change set, and the stack that is nothing but that change set."""
    if plan.change_set is None:
        return
    cloudformation.delete_change_set(plan.change_set)
    stack = cloudformation.stack(plan.stack_id) if plan.creates else None
    if stack is not None and stack.status == IN_REVIEW:
        cloudformation.delete(stack.id)


def _settle(cloudformation: CloudFormation, proposed: Plan, change_set: str, patience: Patience) -> Plan:
    """Wait until CloudFormation has worked the change set out; whatever cannot be executed is taken back."""
    try:
        found = patience.until(lambda: _settled(cloudformation, change_set), f"the plan of {proposed.stack}")
        if not found.ready and not found.empty:
            raise PlatformError(f"cannot plan {proposed.stack}: {_refusal(cloudformation, found)}")
    except BaseException:
        discard(cloudformation, proposed)
        raise
    if found.empty:
        discard(cloudformation, proposed)
        return replace(proposed, change_set=None)
    return replace(proposed, changes=tuple(map(_change, found.changes)))


def _settled(cloudformation: CloudFormation, change_set: str) -> ChangeSet | None:
    found = cloudformation.change_set(change_set)
    return None if found.pending else found


def _refusal(cloudformation: CloudFormation, found: ChangeSet) -> str:
    sentences = cloudformation.validation_failures(change_set=found.id)
    return "; ".join(sentences) or found.reason or f"its change set is {found.status}"


def _change(found: ResourceChange) -> Change:
    return Change(
        _action(found), found.logical_id, found.type, found.policy.endswith("Retain"), found.properties
    )


def _action(found: ResourceChange) -> Action:
    if found.action == "Modify":
        return {"True": Action.REPLACE, "Conditional": Action.MAY_REPLACE}.get(
            found.replacement, Action.MODIFY
        )
    # "Dynamic" and whatever comes later: CloudFormation cannot tell yet, so expect the worst.
    known = {"Add": Action.ADD, "Remove": Action.REMOVE, "Import": Action.IMPORT}
    return known.get(found.action, Action.MAY_REPLACE)


def _compare(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[ParameterChange, ...]:
    changed = (name for name in sorted(after) if before.get(name) != after[name])
    return tuple(ParameterChange(name, before.get(name), after[name]) for name in changed)


_STYLES: Final = {
    Action.ADD: ("+", "green"),
    Action.MODIFY: ("~", "yellow"),
    Action.MAY_REPLACE: ("±", "red"),
    Action.REPLACE: ("±", "bold red"),
    Action.REMOVE: ("-", "red"),
    Action.IMPORT: ("=", "green"),
}


def show(plan: Plan) -> RenderableType:
    """The plan for a person: what is replaced or removed is red."""
    title = Text(plan.stack, style="bold")
    if plan.empty:
        return Text.assemble(title, ": nothing to change")
    title.append(": new stack" if plan.creates else f": {_counted(plan)}", style="not bold")
    tables = (_resources(plan.changes), _values(plan.parameters))
    return Group(title, *(table for table in tables if table.row_count))


def _counted(plan: Plan) -> str:
    counts = {action: sum(change.action is action for change in plan.changes) for action in Action}
    return ", ".join(f"{count} to {action}" for action, count in counts.items() if count) or "outputs only"


def _resources(changes: tuple[Change, ...]) -> Table:
    table = Table.grid(padding=(0, 2))
    for change in changes:
        sign, style = _STYLES[change.action]
        kept = "the old one is kept" if change.kept else ""
        because = Text(", ".join(filter(None, (*change.properties, kept))), style="dim")
        table.add_row(
            Text(f"  {sign} {change.action}", style), Text(change.logical_id), Text(change.type), because
        )
    return table


def _values(parameters: tuple[ParameterChange, ...]) -> Table:
    table = Table.grid(padding=(0, 2))
    for parameter in parameters:
        before = "" if parameter.before is None else f"{parameter.before!r} -> "
        table.add_row(Text(f"    {parameter.name}", "dim"), Text(f"{before}{parameter.after!r}"))
    return table
