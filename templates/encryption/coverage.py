"""What can be encrypted by a key of one's own, and how each resource spells it.

A function's variables are not here but in `functions`: a published version must know of the key by its hash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from troposphere import AWSObject, Ref, ecr, glue, stepfunctions
from troposphere.ecs import Cluster, ClusterConfiguration, ManagedStorageConfiguration
from troposphere.logs import LogGroup
from troposphere.s3 import (
    Bucket,
    BucketEncryption,
    ServerSideEncryptionByDefault,
    ServerSideEncryptionRule,
)
from troposphere.sns import Topic
from troposphere.sqs import Queue

from templates.config import Config
from templates.encryption.key import key_arn

DATA_KEY_SECONDS: Final = 300
"""For so long SQS and Step Functions use a data key again before they ask for another."""

SECURITY: Final = "JobSecurity"


def encrypt(resource: AWSObject) -> None:
    """Give a resource the stack's key, when it is of a kind that takes one."""
    if spell := SPELLINGS.get(type(resource)):
        spell(resource)


def companions(config: Config, resources: Sequence[AWSObject]) -> Iterator[AWSObject]:
    """Yield what encrypted resources need beside them."""
    if any(isinstance(each, glue.Job) for each in resources):
        yield glue.SecurityConfiguration(
            SECURITY,
            Name=config.named("jobs"),
            EncryptionConfiguration=glue.EncryptionConfiguration(
                S3Encryptions=[glue.S3Encryption(S3EncryptionMode="SSE-KMS", KmsKeyArn=key_arn())],
                CloudWatchEncryption=glue.CloudWatchEncryption(
                    CloudWatchEncryptionMode="SSE-KMS", KmsKeyArn=key_arn()
                ),
                JobBookmarksEncryption=glue.JobBookmarksEncryption(
                    JobBookmarksEncryptionMode="CSE-KMS", KmsKeyArn=key_arn()
                ),
            ),
        )


def _bucket(bucket: Bucket) -> None:
    rule = ServerSideEncryptionRule(
        ServerSideEncryptionByDefault=ServerSideEncryptionByDefault(
            SSEAlgorithm="aws:kms", KMSMasterKeyID=key_arn()
        ),
        # One call of KMS for many objects, not one for each.
        BucketKeyEnabled=True,
    )
    bucket.BucketEncryption = BucketEncryption(ServerSideEncryptionConfiguration=[rule])


def _log_group(group: LogGroup) -> None:
    group.KmsKeyId = key_arn()


def _topic(topic: Topic) -> None:
    topic.KmsMasterKeyId = key_arn()


def _queue(queue: Queue) -> None:
    # One or the other.
    queue.properties.pop("SqsManagedSseEnabled", None)
    queue.KmsMasterKeyId = key_arn()
    queue.KmsDataKeyReusePeriodSeconds = DATA_KEY_SECONDS


def _repository(repository: ecr.Repository) -> None:
    repository.EncryptionConfiguration = ecr.EncryptionConfiguration(EncryptionType="KMS", KmsKey=key_arn())


def _cluster(cluster: Cluster) -> None:
    cluster.Configuration = ClusterConfiguration(
        ManagedStorageConfiguration=ManagedStorageConfiguration(FargateEphemeralStorageKmsKeyId=key_arn())
    )


def _machine(machine: stepfunctions.StateMachine) -> None:
    machine.EncryptionConfiguration = stepfunctions.EncryptionConfiguration(
        Type="CUSTOMER_MANAGED_KMS_KEY",
        KmsKeyId=key_arn(),
        KmsDataKeyReusePeriodSeconds=DATA_KEY_SECONDS,
    )


def _job(job: glue.Job) -> None:
    job.SecurityConfiguration = Ref(SECURITY)


SPELLINGS: Final[Mapping[type[AWSObject], Callable[[Any], None]]] = {
    Bucket: _bucket,
    LogGroup: _log_group,
    Topic: _topic,
    Queue: _queue,
    ecr.Repository: _repository,
    Cluster: _cluster,
    stepfunctions.StateMachine: _machine,
    glue.Job: _job,
}
