"""Permissions by name, and who may take a role.

No statement has a wildcard in an action. Where AWS knows no narrower resource than ``*``, the statement is
made by `everywhere` and its Sid says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from awacs import cloudwatch, ecr, logs, s3, sts, xray
from awacs.aws import (
    Action,
    Allow,
    ArnEquals,
    Bool,
    Condition,
    Deny,
    PolicyDocument,
    Principal,
    Statement,
    StringEquals,
    StringLike,
)
from awacs.aws import Policy as AwacsPolicy
from awacs.helpers.trust import (
    get_lambda_assumerole_policy,
    make_service_domain_name,
    make_simple_assume_policy,
)
from awacs.iam import PassRole
from troposphere import Equals, GetAtt, If, Not, NoValue, Ref, Sub, encode_to_dict
from troposphere.iam import Policy, Role

PIPELINE_BUCKET: Final = "PipelineBucket"
"""Logical id of the pipeline's bucket: data, runs, accepted days, claims."""

ARTIFACT_BUCKET: Final = "ArtifactBucketName"
"""Name of the parameter that names the artifact bucket: packages and schemas."""

BOUNDARY: Final = "PermissionsBoundaryArn"
"""Name of the parameter that names the permissions boundary of every role."""

HAS_BOUNDARY: Final = "HasPermissionsBoundary"
BOUNDARY_GIVEN: Final = Not(Equals(Ref(BOUNDARY), ""))


def local(service: str, resource: str) -> Sub:
    """Return the ARN of a resource in this stack's own region and account."""
    return Sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")


def bucket_arn(bucket: str) -> Sub:
    """Return the ARN of a bucket, given the logical id or parameter that stands for its name."""
    return Sub(f"arn:${{AWS::Partition}}:s3:::${{{bucket}}}")


def object_arn(bucket: str, key: str) -> Sub:
    """Return the ARN of the objects whose keys match."""
    return Sub(f"arn:${{AWS::Partition}}:s3:::${{{bucket}}}/{key}")


def allow(actions: Sequence[Action], *resources: object, **more: object) -> Statement:
    """Return a statement that allows actions on resources; ``more`` is a Condition or a Sid."""
    return Statement(Effect=Allow, Action=list(actions), Resource=list(resources), **more)


def everywhere(because: str, actions: Sequence[Action], **more: object) -> Statement:
    """Return a statement on ``*``; its Sid says why there is nothing narrower."""
    return allow(actions, "*", Sid=because, **more)


def read_objects(bucket: str, *keys: str) -> Statement:
    """Allow reading objects as they are: what a manifest names is held to its ETag, not to a version."""
    return allow([s3.GetObject], *(object_arn(bucket, key) for key in keys))


def write_objects(bucket: str, *keys: str) -> Statement:
    """Allow writing objects, and giving up an upload half-way."""
    return allow([s3.PutObject, s3.AbortMultipartUpload], *(object_arn(bucket, key) for key in keys))


def remove_objects(bucket: str, *keys: str) -> Statement:
    """Allow taking objects away; where they are versioned, the versions stay."""
    return allow([s3.DeleteObject], *(object_arn(bucket, key) for key in keys))


def list_objects(bucket: str, *keys: str) -> Statement:
    """Allow listing keys; without it a missing object is "forbidden", not "no such key"."""
    return allow(
        [s3.ListBucket], bucket_arn(bucket), Condition=Condition(StringLike({"s3:prefix": list(keys)}))
    )


def pass_role(role: Role, service: str) -> Statement:
    """Allow handing a role of this stack to one service."""
    return pass_role_arn(GetAtt(role, "Arn"), service)


def pass_role_arn(arn: object, service: str) -> Statement:
    """Allow handing a role to one service, given its ARN."""
    return allow(
        [PassRole],
        arn,
        Condition=Condition(StringEquals({"iam:PassedToService": f"{service}.amazonaws.com"})),
    )


def write_logs(group: object) -> Statement:
    """Allow writing to one log group, given its ARN that ends in ``:*``."""
    return allow([logs.CreateLogStream, logs.PutLogEvents], group)


def put_metrics(namespace: str) -> Statement:
    """Allow metrics of one namespace."""
    return everywhere(
        "MetricsHaveNoResource",
        [cloudwatch.PutMetricData],
        Condition=Condition(StringEquals({"cloudwatch:namespace": namespace})),
    )


def trace() -> Statement:
    """Allow sending traces to X-Ray."""
    return everywhere(
        "TracesHaveNoResource",
        [
            xray.PutTraceSegments,
            xray.PutTelemetryRecords,
            xray.GetSamplingRules,
            xray.GetSamplingTargets,
        ],
    )


def log_in_to_registries() -> Statement:
    """Allow asking ECR for a login; what may be pulled is another statement."""
    return everywhere("LoginHasNoResource", [ecr.GetAuthorizationToken])


def pull_images(*repositories: object) -> Statement:
    """Allow pulling images of repositories."""
    return allow(
        [ecr.BatchCheckLayerAvailability, ecr.BatchGetImage, ecr.GetDownloadUrlForLayer], *repositories
    )


def trust(service: str) -> PolicyDocument:
    """Let a service take a role, for this account's own resources only (the confused deputy)."""
    return PolicyDocument(
        Version="2012-10-17",
        Statement=[
            Statement(
                Effect=Allow,
                Principal=Principal("Service", f"{service}.amazonaws.com"),
                Action=[sts.AssumeRole],
                Condition=Condition(StringEquals({"aws:SourceAccount": Ref("AWS::AccountId")})),
            )
        ],
    )


def trust_functions() -> AwacsPolicy:
    """Let Lambda functions take a role; Lambda names no source account."""
    return get_lambda_assumerole_policy()


def trust_jobs() -> AwacsPolicy:
    """Let Glue jobs take a role; that Glue always names the source account is nowhere promised."""
    return make_simple_assume_policy(make_service_domain_name("glue"))


def role(title: str, takes: AwacsPolicy, why: str, statements: Iterable[Statement]) -> Role:
    """Return a role with one inline policy, within the boundary where one is given.

    A statement given twice stands there once.
    """
    return Role(
        title,
        Description=why,
        AssumeRolePolicyDocument=takes,
        PermissionsBoundary=If(HAS_BOUNDARY, Ref(BOUNDARY), NoValue),
        Policies=[Policy(PolicyName=title, PolicyDocument=document(statements))],
    )


def statements(role: Role) -> list[Statement]:
    """Return what a role made by `role` allows."""
    (policy,) = role.Policies
    return list(policy.PolicyDocument.Statement)


def extend(role: Role, more: Iterable[Statement]) -> None:
    """Let a role do more."""
    held = [*statements(role), *more]
    role.Policies = [Policy(PolicyName=role.title, PolicyDocument=document(held))]


def document(statements: Iterable[Statement]) -> PolicyDocument:
    """Return a policy of statements, each once, in the order given."""
    distinct = {json.dumps(encode_to_dict(each), sort_keys=True): each for each in statements}
    return PolicyDocument(Version="2012-10-17", Statement=list(distinct.values()))


def only_tls(actions: Sequence[Action], *resources: object) -> Statement:
    """Refuse whoever does not use TLS."""
    return Statement(
        Sid="OnlyTls",
        Effect=Deny,
        Principal=Principal("*"),
        Action=list(actions),
        Resource=list(resources),
        Condition=Condition(Bool({"aws:SecureTransport": "false"})),
    )


def from_sources(*arns: object) -> Condition:
    """Return the condition that a service acts for one of these resources."""
    return Condition(ArnEquals({"aws:SourceArn": list(arns)}))
