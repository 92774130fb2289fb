"""Carries a plan out: approval, change set, events until the end, and no leftovers of a failed creation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from build.aws.cloudformation import CloudFormation, Stack, StackEvent
from build.errors import PlatformError, StackFailedError
from build.patience import Patience
from build.plan import FAILED_CREATION, Plan, discard

_DONE: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})

_NO_SERVICE_ROLE: Final = re.compile("service.linked role", re.IGNORECASE)
"""What ECS and Batch complain of in an account that has never used them, and that nobody lets make roles."""


class Events(Protocol):
    """Whoever watches a deployment."""

    def planned(self, plan: Plan) -> None:
        """A stack's plan is made; comes before anybody is asked."""

    def uploaded(self, key: str, size: int) -> None:
        """A package of so many bytes was not there yet and now is."""

    def happened(self, event: StackEvent) -> None:
        """CloudFormation reports, in order."""


Approve = Callable[[Plan], bool]
"""Whether a plan that is not empty may be executed."""


class DeclinedError(PlatformError):
    """The person saw the plan and said no."""


def always(_: Plan) -> bool:
    """Approve everything."""
    return True


def carry_out(
    cloudformation: CloudFormation, made: Plan, out: Events, approve: Approve, patience: Patience
) -> Mapping[str, str]:
    """Show a plan, have it approved, execute it and follow it to its end; returns the stack's outputs.

    Raises:
        DeclinedError: It was not approved; the change set is taken back.
        StackFailedError: It ended badly; of a failed creation nothing is left.
    """
    out.planned(made)
    if made.change_set is None:
        return _outputs(cloudformation.stack(made.stack_id))
    watch = _execute(cloudformation, made, made.change_set, out, approve)
    ended = patience.until(watch.look, f"the deployment of {made.stack}")
    if ended.status in _DONE:
        return ended.outputs
    failure = _failure(cloudformation, ended, watch.seen)
    clear_failed_creation(cloudformation, made.stack_id, patience)
    raise failure


def clear_failed_creation(cloudformation: CloudFormation, stack: str, patience: Patience) -> None:
    """Delete a stack of which a failed creation left only the name.

    Raises:
        StackFailedError: It cannot be deleted.
    """
    found = cloudformation.stack(stack)
    if found is None or found.status not in FAILED_CREATION:
        return
    cloudformation.delete(found.id)
    gone = patience.until(lambda: _at_rest(cloudformation, found.id), f"the deletion of {stack}")
    if gone.status != "DELETE_COMPLETE":
        raise _failure(cloudformation, gone, cloudformation.events(gone.id))


def first_failure(events: Iterable[StackEvent], stack: str) -> StackEvent | None:
    """The event to blame: the first failed resource that was not merely cancelled because of another.

    Args:
        events: Of one operation, oldest first.
        stack: The stack's own name, whose failure only repeats that of a resource.
    """
    failed = [event for event in events if event.status.endswith("_FAILED")]
    causes = [event for event in failed if "cancelled" not in event.reason.lower()]
    resources = [event for event in causes if event.logical_id != stack]
    return next(iter(resources or causes or failed), None)


def _execute(
    cloudformation: CloudFormation, made: Plan, change_set: str, out: Events, approve: Approve
) -> _Watch:
    try:
        if not approve(made):
            raise DeclinedError(f"{made.stack} is left as it was")
        watch = _Watch(cloudformation, made, out)
        cloudformation.execute(change_set)
    except BaseException:
        discard(cloudformation, made)
        raise
    return watch


class _Watch:
    """Passes on a stack's new events until its operation has ended."""

    def __init__(self, cloudformation: CloudFormation, made: Plan, out: Events) -> None:
        self._cloudformation, self._plan, self._out = cloudformation, made, out
        self._before = cloudformation.latest_event(made.stack_id)
        self.seen: list[StackEvent] = []

    def look(self) -> Stack | None:
        """Pass on what is new; returns the stack once it is at rest and its own event has said so.

        Right after the start AWS can still show the status of before, so the status alone proves nothing.
        """
        rest = _at_rest(self._cloudformation, self._plan.stack_id)
        last = self.seen[-1].id if self.seen else self._before
        for event in self._cloudformation.events(self._plan.stack_id, after=last):
            self.seen.append(event)
            self._out.happened(event)
        own = (event.status for event in reversed(self.seen) if event.logical_id == self._plan.stack)
        return rest if rest and rest.status == next(own, None) else None


def _at_rest(cloudformation: CloudFormation, stack_id: str) -> Stack | None:
    stack = cloudformation.stack(stack_id)
    if stack is None:
        raise PlatformError(f"{stack_id} is gone: somebody else deleted it")
    return None if stack.status.endswith("_IN_PROGRESS") else stack


def _failure(cloudformation: CloudFormation, stack: Stack, events: Iterable[StackEvent]) -> StackFailedError:
    blamed = first_failure(events, stack.name)
    if blamed is None or blamed.logical_id == stack.name:
        sentences = "; ".join(cloudformation.validation_failures(stack=stack.id))
        reason = sentences or (blamed.reason if blamed else "")
        return StackFailedError(stack=stack.name, status=stack.status, resource="", reason=reason)
    return StackFailedError(
        stack=stack.name, status=stack.status, resource=blamed.logical_id, reason=_explained(blamed)
    )


def _explained(blamed: StackEvent) -> str:
    """What CloudFormation says of a failure, and what to do where that is known and it does not say it."""
    if not _NO_SERVICE_ROLE.search(blamed.reason):
        return blamed.reason
    service = blamed.type.split("::")[1].lower()
    command = f"aws iam create-service-linked-role --aws-service-name {service}.amazonaws.com"
    return f"{blamed.reason.rstrip('.')}; make it, once for the account: {command}"


def _outputs(stack: Stack | None) -> Mapping[str, str]:
    return stack.outputs if stack else {}
