"""CloudFormation, as much of it as a deployment needs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

from build.aws.faults import RefusedError, asking

CAPABILITIES: Final = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM")

_NO_CHANGES: Final = ("didn't contain changes", "did not contain changes", "no updates are to be performed")
"""CloudFormation has no status for an empty change set, only sentences; these are the ones it says."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template where CloudFormation finds it: inline (at most 51,200 bytes) or by S3 URL (at most 1 MB)."""

    body: str | None = None
    url: str | None = None

    def argument(self) -> dict[str, str]:
        """The API's argument for it."""
        return {"TemplateURL": self.url} if self.url else {"TemplateBody": self.body or ""}


@dataclass(frozen=True, slots=True)
class Target:
    """What a stack is to be.

    Attributes:
        role: ARN of the role CloudFormation works under; None: the caller's own.
    """

    stack: str
    template: Template
    parameters: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as it stands."""

    name: str
    id: str
    status: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One line of a stack's history."""

    id: str
    at: datetime
    logical_id: str
    type: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What a change set says of one resource, in CloudFormation's words."""

    action: str
    logical_id: str
    type: str
    physical_id: str = ""
    replacement: str = ""
    policy: str = ""
    properties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set as it stands; `changes` is complete once `status` is CREATE_COMPLETE."""

    id: str
    stack_id: str
    status: str
    reason: str = ""
    changes: tuple[ResourceChange, ...] = ()

    @property
    def pending(self) -> bool:
        """CloudFormation is still computing it."""
        return self.status.endswith(("_PENDING", "_IN_PROGRESS"))

    @property
    def ready(self) -> bool:
        """It can be executed."""
        return self.status == "CREATE_COMPLETE"

    @property
    def empty(self) -> bool:
        """It failed for having nothing to change."""
        return self.status == "FAILED" and says_no_changes(self.reason)


def says_no_changes(reason: str) -> bool:
    """Whether a sentence of CloudFormation means that there is nothing to change."""
    return any(sentence in reason.lower().replace("\u2019", "'") for sentence in _NO_CHANGES)


class CloudFormation:
    """Tiny methods over one boto3 client; each says what it could not do."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def stack(self, name: str) -> Stack | None:
        """The stack of that name or id, None when there is none (a deleted one is found by id only)."""
        try:
            with asking(f"look at stack {name}"):
                found = self._client.describe_stacks(StackName=name)["Stacks"]
        except RefusedError as error:
            if error.code == "ValidationError" and "does not exist" in error.reason:
                return None
            raise
        return _stack(found[0]) if found else None

    def create_change_set(self, target: Target, kind: str) -> ChangeSet:
        """Ask for a change set of kind CREATE or UPDATE; it is pending.

        A creation that fails later deletes its stack by itself, also when we are gone by then.
        """
        values = sorted(target.parameters.items())
        with asking(f"plan {target.stack}"):
            answer = self._client.create_change_set(
                StackName=target.stack,
                ChangeSetName=f"sluice-{uuid.uuid4().hex}",
                ChangeSetType=kind,
                Capabilities=list(CAPABILITIES),
                Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in values],
                **target.template.argument(),
                **({"OnStackFailure": "DELETE"} if kind == "CREATE" else {}),
                **({"RoleARN": target.role} if target.role else {}),
            )
        return ChangeSet(answer["Id"], answer["StackId"], "CREATE_PENDING")

    def defaults(self, stack: str) -> Mapping[str, str]:
        """Defaults of the parameters in a deployed stack's template, which we wrote and is JSON."""
        with asking(f"read the template of {stack}"):
            body = self._client.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
        declared = (json.loads(body) if isinstance(body, str) else body).get("Parameters", {})
        return {name: str(one["Default"]) for name, one in declared.items() if "Default" in one}

    def change_set(self, arn: str) -> ChangeSet:
        """A change set with all pages of its changes."""
        with asking(f"look at change set {arn}"):
            pages = list(self._client.get_paginator("describe_change_set").paginate(ChangeSetName=arn))
        changes = tuple(_change(change) for page in pages for change in page.get("Changes", []))
        head = pages[0]
        return ChangeSet(arn, head["StackId"], head["Status"], head.get("StatusReason", ""), changes)

    def delete_change_set(self, arn: str) -> None:
        """Forget a change set that will not be executed."""
        with asking(f"delete change set {arn}"):
            self._client.delete_change_set(ChangeSetName=arn)

    def execute(self, arn: str) -> None:
        """Execute a change set; one that fails keeps nothing of what it made, whatever its deletion policy.

        A bucket would take its name, and a function's version stand in the way of the next try: Lambda
        publishes nothing where nothing has changed since.
        """
        with asking(f"execute change set {arn}"):
            self._client.execute_change_set(ChangeSetName=arn, RetainExceptOnCreate=True)

    def delete(self, stack: str) -> None:
        """Begin to delete a stack."""
        with asking(f"delete stack {stack}"):
            self._client.delete_stack(StackName=stack)

    def events(self, stack_id: str, after: str | None = None) -> tuple[StackEvent, ...]:
        """The stack's events later than the one with id `after`, oldest first."""
        with asking(f"read the events of {stack_id}"):
            newer = tuple(takewhile(lambda event: event.id != after, self._newest_first(stack_id)))
        return newer[::-1]

    def latest_event(self, stack_id: str) -> str | None:
        """Id of the stack's newest event."""
        with asking(f"read the events of {stack_id}"):
            return next((event.id for event in self._newest_first(stack_id)), None)

    def _newest_first(self, stack_id: str) -> Iterator[StackEvent]:
        for page in self._client.get_paginator("describe_stack_events").paginate(StackName=stack_id):
            yield from map(_event, page["StackEvents"])

    def validation_failures(
        self, *, change_set: str | None = None, stack: str | None = None
    ) -> tuple[str, ...]:
        """What CloudFormation's own validation says before it touches anything, one sentence a resource.

        Only DescribeEvents tells; a role that may not call it gets no sentence instead of another error.
        """
        subject = {"ChangeSetName": change_set} if change_set else {"StackName": stack}
        try:
            with asking("read validation events"):
                answer = self._client.describe_events(**subject, Filters={"FailedEvents": True})
        except RefusedError:
            return ()
        failures = (event for event in answer["OperationEvents"] if event.get("ValidationStatusReason"))
        return tuple(f"{event['LogicalResourceId']}: {event['ValidationStatusReason']}" for event in failures)


def _stack(found: dict[str, Any]) -> Stack:
    return Stack(
        name=found["StackName"],
        id=found["StackId"],
        status=found["StackStatus"],
        parameters={p["ParameterKey"]: p.get("ParameterValue", "") for p in found.get("Parameters", [])},
        outputs={o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])},
    )


def _event(found: dict[str, Any]) -> StackEvent:
    return StackEvent(
        id=found["EventId"],
        at=found["Timestamp"],
        logical_id=found.get("LogicalResourceId", ""),
        type=found.get("ResourceType", ""),
        status=found.get("ResourceStatus", ""),
        reason=found.get("ResourceStatusReason", ""),
    )


def _change(found: dict[str, Any]) -> ResourceChange:
    change = found["ResourceChange"]
    targets = (detail.get("Target", {}) for detail in change.get("Details", []))
    names = dict.fromkeys(target.get("Name") or target.get("Attribute", "") for target in targets)
    return ResourceChange(
        action=change["Action"],
        logical_id=change["LogicalResourceId"],
        type=change["ResourceType"],
        physical_id=change.get("PhysicalResourceId", ""),
        replacement=change.get("Replacement", ""),
        policy=change.get("PolicyAction", ""),
        properties=tuple(filter(None, names)),
    )
