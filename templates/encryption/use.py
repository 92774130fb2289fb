"""What a role needs of a key follows from what it may do: worked out, not written down a second time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from awacs import kms, logs
from awacs.aws import Action, Condition, Statement, StringEquals
from troposphere import AWSObject, Ref, Sub, encode_to_dict
from troposphere.awslambda import Function
from troposphere.glue import Job
from troposphere.iam import Role
from troposphere.stepfunctions import StateMachine

from templates import access
from templates.access import ARTIFACT_BUCKET
from templates.encryption.key import ARTIFACT_KEY, key_arn, log_delivery

READ: Final = (kms.Decrypt,)
WRITE: Final = (kms.Decrypt, kms.GenerateDataKey)
"""Writing takes reading: an upload in parts is put together, a data key is used again."""

NEEDED: Final[Mapping[str, tuple[str, Sequence[Action]]]] = {
    "s3:GetObject": ("s3", READ),
    "s3:PutObject": ("s3", WRITE),
    "sns:Publish": ("sns", WRITE),
    "sqs:ReceiveMessage": ("sqs", READ),
    "sqs:SendMessage": ("sqs", WRITE),
    "states:DescribeExecution": ("states", READ),
}
"""Action -> the service that uses the key on the caller's behalf, and what it does with it."""


def allow(resources: Sequence[AWSObject]) -> None:
    """Give each role what it needs of the keys, and nothing else of them."""
    roles = {each.title: each for each in resources if isinstance(each, Role)}
    for role in roles.values():
        access.extend(role, _on_behalf(role))
    for resource in resources:
        if find := ACTING.get(type(resource)):
            property_name, statements = find
            if found := list(statements(resource)):
                access.extend(roles[_title(resource.properties[property_name])], found)


def _on_behalf(role: Role) -> Iterator[Statement]:
    """Yield a statement for each service and key that a role's statements lead to."""
    needed: dict[tuple[str, str], Sequence[Action]] = {}
    for statement in access.statements(role):
        told = encode_to_dict(statement)
        for action in set(told["Action"]) & NEEDED.keys():
            service, operations = NEEDED[action]
            for use in {(service, _key(resource)) for resource in told["Resource"]}:
                # Writing takes all that reading takes.
                needed[use] = max(needed.get(use, ()), operations, key=len)
    for service, key in sorted(needed):
        arn = Ref(ARTIFACT_KEY) if key else key_arn()
        yield access.allow(needed[service, key], arn, Condition=_by_way_of(service))


def _key(resource: Any) -> str:
    """Return the parameter that names the key of a resource, or "" for the stack's own."""
    named = resource.get("Fn::Sub", "") if isinstance(resource, dict) else ""
    return ARTIFACT_KEY if re.search(rf"\$\{{{ARTIFACT_BUCKET}\}}", str(named)) else ""


def _by_way_of(service: str) -> Condition:
    return Condition(StringEquals({"kms:ViaService": Sub(f"{service}.${{AWS::Region}}.amazonaws.com")}))


def _title(reference: Any) -> str:
    return str(encode_to_dict(reference)["Fn::GetAtt"][0])


def _execute(machine: StateMachine) -> Iterator[Statement]:
    """Definition, history and log of the machine are encrypted in its role's name."""
    arn = access.local("states", f"stateMachine:{machine.StateMachineName}")
    yield access.allow(
        WRITE,
        key_arn(),
        Condition=Condition(StringEquals({"kms:EncryptionContext:aws:states:stateMachineArn": arn})),
    )
    yield access.allow(
        [kms.GenerateDataKey],
        key_arn(),
        Condition=Condition(StringEquals({"kms:EncryptionContext:SourceArn": log_delivery()})),
    )


def _run_job(_: Job) -> Iterator[Statement]:
    """Glue makes its log groups in the job's name, and gives them the key."""
    yield access.allow([logs.AssociateKmsKey], access.local("logs", "log-group:/aws-glue/*"))


def _read_variables(function: Function) -> Iterator[Statement]:
    if "Environment" in function.properties:
        yield access.allow(READ, key_arn(), Condition=_by_way_of("lambda"))


Acting = tuple[str, Callable[[Any], Iterable[Statement]]]

ACTING: Final[Mapping[type[AWSObject], Acting]] = {
    StateMachine: ("RoleArn", _execute),
    Job: ("Role", _run_job),
    Function: ("Role", _read_variables),
}
"""Kind of resource -> the property that names its role, and what that role needs for the resource's sake."""
