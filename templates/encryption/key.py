"""The key of a stack: rotated, with an alias, and a policy for the services that use it by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from awacs import kms
from awacs.aws import (
    Action,
    Allow,
    ArnEquals,
    ArnLike,
    Condition,
    ConditionElement,
    ForAllValuesStringEquals,
    PolicyDocument,
    Principal,
    Statement,
    StringEquals,
)
from troposphere import AWSObject, GetAtt, Ref, Sub
from troposphere.ecs import Cluster
from troposphere.glue import Job
from troposphere.kms import Alias, Key
from troposphere.logs import LogGroup
from troposphere.sns import Topic
from troposphere.sqs import Queue
from troposphere.stepfunctions import StateMachine

from templates import access
from templates.config import Config

TITLE: Final = "Key"
ARTIFACT_KEY: Final = "ArtifactKeyArn"
"""The delivery stack's output, and the pipeline stack's parameter, that name the artifact bucket's key."""

DAYS_TO_DELETION: Final = 30

ADMINISTRATION: Final = (
    kms.CancelKeyDeletion,
    kms.CreateAlias,
    kms.CreateGrant,
    kms.DeleteAlias,
    kms.DisableKey,
    kms.DisableKeyRotation,
    kms.EnableKey,
    kms.EnableKeyRotation,
    kms.GetKeyPolicy,
    kms.GetKeyRotationStatus,
    kms.ListGrants,
    kms.ListKeyPolicies,
    kms.ListKeyRotations,
    kms.ListResourceTags,
    kms.PutKeyPolicy,
    kms.RetireGrant,
    kms.RevokeGrant,
    kms.RotateKeyOnDemand,
    kms.ScheduleKeyDeletion,
    kms.TagResource,
    kms.UntagResource,
    kms.UpdateAlias,
    kms.UpdateKeyDescription,
)
USE: Final = (
    kms.Decrypt,
    kms.DescribeKey,
    kms.Encrypt,
    kms.GenerateDataKey,
    kms.GenerateDataKeyWithoutPlaintext,
    kms.ReEncryptFrom,
    kms.ReEncryptTo,
)


def key_arn() -> GetAtt:
    """Return the ARN of the stack's own key."""
    return GetAtt(TITLE, "Arn")


def by_key(config: Config, *names: str) -> dict[str, GetAtt]:
    """Return arguments that name the stack's key, or none where there is no customer-managed key."""
    return {name: key_arn() for name in names} if config.customer_managed_key else {}


def resources(config: Config, stack: str, encrypted: Sequence[AWSObject]) -> tuple[Key, Alias]:
    """Return the key and its alias; ``encrypted`` is what the stack has."""
    key = Key(
        TITLE,
        # Whatever outlives the stack stays readable.
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
        Description=f"Encrypts what Sluice's {config.stage} {stack} stack keeps",
        EnableKeyRotation=True,
        PendingWindowInDays=DAYS_TO_DELETION,
        KeyPolicy=PolicyDocument(Version="2012-10-17", Statement=[_account(), *_services(config, encrypted)]),
    )
    return key, Alias("KeyAlias", AliasName=f"alias/{config.named(stack)}", TargetKeyId=Ref(key))


def _services(config: Config, encrypted: Sequence[AWSObject]) -> Iterator[Statement]:
    kinds = {type(each) for each in encrypted}
    groups = [each.LogGroupName for each in encrypted if isinstance(each, LogGroup)]
    queues = [each.QueueName for each in encrypted if isinstance(each, Queue)]
    if Job in kinds:
        groups.append("/aws-glue/*")
    if groups:
        yield _write_logs(groups)
    if StateMachine in kinds:
        yield _deliver_logs()
    if Topic in kinds:
        yield _raise_alarms()
    if queues:
        yield _keep_dead_letters(queues)
    if Cluster in kinds:
        yield from _run_tasks(config)


def _account() -> Statement:
    """Let the account's own policies decide: without this nobody could use the key, or change its policy."""
    root = Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")
    return _statement("AccountDecides", Principal("AWS", root), (*ADMINISTRATION, *USE))


def _write_logs(groups: Sequence[str]) -> Statement:
    """CloudWatch Logs keeps log groups, these and no others."""
    arns = [access.local("logs", f"log-group:{group}") for group in groups]
    return _statement(
        "LogGroups",
        Principal("Service", Sub("logs.${AWS::Region}.amazonaws.com")),
        USE,
        ArnLike({"kms:EncryptionContext:aws:logs:arn": arns}),
    )


def _deliver_logs() -> Statement:
    """The log of an encrypted state machine travels encrypted; the service that delivers it reads it."""
    return _statement(
        "LogDelivery",
        Principal("Service", "delivery.logs.amazonaws.com"),
        [kms.Decrypt],
        StringEquals({"kms:EncryptionContext:SourceArn": log_delivery()}),
    )


def log_delivery() -> Sub:
    """Return the encryption context of log delivery, star and all."""
    return Sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*")


def _raise_alarms() -> Statement:
    """Alarms publish to the topic as a service, by no role of ours."""
    return _statement(
        "Alarms",
        Principal("Service", "cloudwatch.amazonaws.com"),
        [kms.Decrypt, kms.GenerateDataKey],
        StringEquals({"aws:SourceAccount": Ref("AWS::AccountId")}),
    )


def _keep_dead_letters(queues: Sequence[str]) -> Statement:
    """Rules send what they could not deliver; their calls of KMS name no source, but SQS names the queue."""
    arns = [access.local("sqs", queue) for queue in queues]
    return _statement(
        "DeadLetters",
        Principal("Service", "events.amazonaws.com"),
        [kms.Decrypt, kms.GenerateDataKey],
        ArnEquals({"kms:EncryptionContext:aws:sqs:arn": arns}),
    )


def _run_tasks(config: Config) -> Iterator[Statement]:
    """Fargate encrypts the disk of each task, and lets the task's host read it by a grant."""
    fargate = Principal("Service", "fargate.amazonaws.com")
    cluster = StringEquals(
        {
            "kms:EncryptionContext:aws:ecs:clusterAccount": Ref("AWS::AccountId"),
            "kms:EncryptionContext:aws:ecs:clusterName": config.named("cluster"),
        }
    )
    only_reading = ForAllValuesStringEquals({"kms:GrantOperations": ["Decrypt"]})
    yield _statement("DisksOfTasks", fargate, [kms.GenerateDataKeyWithoutPlaintext], cluster)
    yield _statement("GrantsOfTasks", fargate, [kms.CreateGrant], cluster, only_reading)


def _statement(
    sid: str, who: Principal, actions: Sequence[Action], *conditions: ConditionElement
) -> Statement:
    condition = {"Condition": Condition(list(conditions))} if conditions else {}
    # In a key's policy the star is the key itself.
    return Statement(Sid=sid, Effect=Allow, Principal=who, Action=list(actions), Resource=["*"], **condition)
