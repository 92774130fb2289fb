"""The pipeline's bucket: data, runs, accepted days, claims.

data/<dataset>/<run_date>/…         what comes in
runs/<run_date>/<run_id>/…          the manifest, by Init
validation/<run_date>/<run_id>/…    what the validator found; statistics of accepted days are baselines: kept
states/<run_date>/<run_id>/…        its states of finished shards, which hold values; they expire
prepared/<run_date>/<run_id>/…      the splits, by Prepare; a copy of the data, which expires
training/<run_date>/<run_id>/…      the model
accepted/<dataset>/<run_date>.json  only the state machine's role may write here
withdrawn/<dataset>/<run_id>        a person's word that a run was accepted by mistake
triggers/… locks/…                  claims of Init

The kind comes first, so that each prefix has one writer: IAM's ``*`` stands for slashes too, and a pattern
that begins with one matches whatever lies below the prefixes of others.
"""

from __future__ import annotations

from typing import Final

from awacs import s3 as actions
from awacs.aws import Action, ArnNotEquals, Condition, Deny, Principal, Statement
from troposphere import GetAtt, Ref
from troposphere.iam import Role
from troposphere.s3 import (
    AbortIncompleteMultipartUpload,
    Bucket,
    BucketEncryption,
    BucketPolicy,
    EventBridgeConfiguration,
    LifecycleConfiguration,
    LifecycleRule,
    NoncurrentVersionExpiration,
    NotificationConfiguration,
    OwnershipControls,
    OwnershipControlsRule,
    PublicAccessBlockConfiguration,
    ServerSideEncryptionByDefault,
    ServerSideEncryptionRule,
    VersioningConfiguration,
)

from templates.access import PIPELINE_BUCKET, bucket_arn, document, object_arn, only_tls
from templates.config import Retention

STATES_DAYS: Final = 7
"""A run goes on from its own states only, and hardly lasts so long; what is gone is profiled again."""


def pipeline_bucket(retention: Retention) -> Bucket:
    """Return the bucket of the pipeline; it tells EventBridge what comes in."""
    bucket = private_bucket(
        PIPELINE_BUCKET,
        [
            *tidy(retention),
            LifecycleRule(
                Id="forget-triggers",
                Status="Enabled",
                Prefix="triggers/",
                ExpirationInDays=retention.trigger_days,
            ),
            LifecycleRule(
                Id="forget-prepared",
                Status="Enabled",
                Prefix="prepared/",
                ExpirationInDays=retention.prepared_days,
            ),
            LifecycleRule(
                Id="forget-states",
                Status="Enabled",
                Prefix="states/",
                ExpirationInDays=STATES_DAYS,
                # They hold values of the data, and nobody wants them back.
                NoncurrentVersionExpiration=NoncurrentVersionExpiration(NoncurrentDays=1),
            ),
        ],
    )
    bucket.NotificationConfiguration = NotificationConfiguration(
        EventBridgeConfiguration=EventBridgeConfiguration(EventBridgeEnabled=True)
    )
    return bucket


def pipeline_bucket_policy(bucket: Bucket, writer: Role) -> BucketPolicy:
    """Return the policy of the pipeline's bucket: TLS only, and accepted days are written by one role."""
    return private_bucket_policy(bucket, _only_accepts(writer))


def _only_accepts(writer: Role) -> Statement:
    return Statement(
        Sid="OnlyTheStateMachineAccepts",
        Effect=Deny,
        Principal=Principal("*"),
        Action=[actions.PutObject, actions.DeleteObject, actions.DeleteObjectVersion],
        Resource=[object_arn(PIPELINE_BUCKET, "accepted/*")],
        Condition=Condition(ArnNotEquals({"aws:PrincipalArn": GetAtt(writer, "Arn")})),
    )


def private_bucket(title: str, rules: list[LifecycleRule]) -> Bucket:
    """Return a bucket: private, encrypted, versioned, owned by its account, kept when the stack goes."""
    return Bucket(
        title,
        # What was never made stays no burden: a failed first create leaves no bucket behind.
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
        BucketEncryption=_encryption(),
        LifecycleConfiguration=LifecycleConfiguration(Rules=rules),
        OwnershipControls=OwnershipControls(
            Rules=[OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]
        ),
        PublicAccessBlockConfiguration=PublicAccessBlockConfiguration(
            BlockPublicAcls=True,
            BlockPublicPolicy=True,
            IgnorePublicAcls=True,
            RestrictPublicBuckets=True,
        ),
        VersioningConfiguration=VersioningConfiguration(Status="Enabled"),
    )


def private_bucket_policy(bucket: Bucket, *more: Statement) -> BucketPolicy:
    """Return the policy of a private bucket: TLS only, and what ``more`` says; kept as long as the bucket."""
    title = bucket.title
    # A wildcard refuses also what is new to S3; AWS's own rule for buckets asks for it.
    whatever = [Action("s3", "*")]
    return BucketPolicy(
        f"{title}Policy",
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
        Bucket=Ref(bucket),
        PolicyDocument=document([only_tls(whatever, bucket_arn(title), object_arn(title, "*")), *more]),
    )


def tidy(retention: Retention) -> list[LifecycleRule]:
    """Return the rules every bucket has: what was replaced, deleted or never finished goes in the end."""
    return [
        LifecycleRule(
            Id="expire-replaced-versions",
            Status="Enabled",
            NoncurrentVersionExpiration=NoncurrentVersionExpiration(NoncurrentDays=retention.noncurrent_days),
            # What is left of a deleted object when its versions are gone.
            ExpiredObjectDeleteMarker=True,
        ),
        LifecycleRule(
            Id="give-up-unfinished-uploads",
            Status="Enabled",
            AbortIncompleteMultipartUpload=AbortIncompleteMultipartUpload(DaysAfterInitiation=7),
        ),
    ]


def _encryption() -> BucketEncryption:
    return BucketEncryption(
        ServerSideEncryptionConfiguration=[
            ServerSideEncryptionRule(
                ServerSideEncryptionByDefault=ServerSideEncryptionByDefault(SSEAlgorithm="AES256")
            )
        ]
    )
