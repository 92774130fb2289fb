"""How changes come in: a registry for images, a bucket for packages, two CodeBuild projects.

``check`` runs the tests, for pull requests and for the protected branch, and may touch nothing; ``release``
tests nothing and hands the branch's template to CloudFormation, which works under a role that the account's
administrators own. Neither project exists until it is told where the source is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from awacs import cloudformation, codeconnections, ecr, s3
from awacs.aws import Bool, Condition, Deny, Null, Principal, Statement
from troposphere import And, AWSHelperFn, Equals, GetAtt, If, Join, Not, Ref, Split, Sub
from troposphere import Condition as ConditionRef
from troposphere.codebuild import (
    Artifacts,
    CloudWatchLogs,
    Environment,
    LogsConfig,
    Project,
    ProjectTriggers,
    PullRequestBuildPolicy,
    Source,
    SourceAuth,
    WebhookFilter,
)
from troposphere.ecr import ImageScanningConfiguration, LifecyclePolicy, Repository
from troposphere.iam import Role
from troposphere.logs import LogGroup
from troposphere.s3 import Bucket, BucketPolicy

from templates import access
from templates.config import Config
from templates.container import CONTAINER
from templates.storage import private_bucket, private_bucket_policy, tidy

HAS_SOURCE: Final = "HasSource"
HAS_RELEASE: Final = "HasRelease"
HAS_CHECK_CONNECTION: Final = "HasCheckConnection"

CONDITIONS: Final[Mapping[str, Any]] = {
    HAS_SOURCE: And(Not(Equals(Ref("SourceURL"), "")), Not(Equals(Ref("ConnectionArn"), ""))),
    HAS_RELEASE: And(ConditionRef(HAS_SOURCE), Not(Equals(Ref("DeploymentRoleArn"), ""))),
    HAS_CHECK_CONNECTION: Not(Equals(Ref("CheckConnectionArn"), "")),
}

IMAGE: Final = "aws/codebuild/standard:7.0"

BUILD_TAG: Final = "build-"
"""What every image's tag begins with."""

RELEASE_TAG: Final = "release-"
"""What the other tag begins with of an image that is deployed, or was."""

KEPT: Final = ("packages/*", "schemas/*", "templates/*")
"""Keys of the artifact bucket that carry their content's hash, and that steps run by: written once."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where releases are kept."""

    repository: Repository
    bucket: Bucket
    bucket_policy: BucketPolicy


@dataclass(frozen=True, slots=True)
class Build:
    """A CodeBuild project with its role and log."""

    logs: LogGroup
    role: Role
    project: Project


def stores(config: Config) -> Stores:
    """Return the image registry and the artifact bucket."""
    bucket = private_bucket("ArtifactBucket", tidy(config.retention))
    return Stores(
        repository=_repository(config),
        bucket=bucket,
        bucket_policy=private_bucket_policy(bucket, _written_once(bucket.title)),
    )


def check(config: Config) -> Build:
    """Return the project that runs the tests: it reads the source and writes its log."""
    return _build(
        config,
        name="check",
        condition=HAS_SOURCE,
        connection=If(HAS_CHECK_CONNECTION, Ref("CheckConnectionArn"), Ref("ConnectionArn")),
        statements=(),
        environment=_environment(TARGET="test"),
        triggers=ProjectTriggers(
            Webhook=True,
            FilterGroups=[[_filter("EVENT", PULL_REQUEST_EVENTS)], _pushed()],
            # A build's code can use the connection's token: who may push a branch may not yet run code here.
            PullRequestBuildPolicy=PullRequestBuildPolicy(
                RequiresCommentApproval="ALL_PULL_REQUESTS", ApproverRoles=["GITHUB_MAINTAIN", "GITHUB_ADMIN"]
            ),
        ),
    )


def release(config: Config, stores: Stores) -> Build:
    """Return the project for the protected branch: it pushes the image and the packages, and deploys."""
    environment = _environment(
        TARGET="release", STAGE=config.stage, DEPLOYMENT_ROLE_ARN=Ref("DeploymentRoleArn")
    )
    # Building an image takes a Docker daemon.
    environment.PrivilegedMode = True
    return _build(
        config,
        name="release",
        condition=HAS_RELEASE,
        connection=Ref("ConnectionArn"),
        statements=[*_publish(stores), *_deploy(config)],
        environment=environment,
        triggers=ProjectTriggers(Webhook=True, FilterGroups=[_pushed()]),
    )


PULL_REQUEST_EVENTS: Final = "PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED, PULL_REQUEST_REOPENED"


def _repository(config: Config) -> Repository:
    return Repository(
        "ValidatorRepository",
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
        RepositoryName=config.named(CONTAINER),
        ImageTagMutability="IMMUTABLE",
        ImageScanningConfiguration=ImageScanningConfiguration(ScanOnPush=True),
        LifecyclePolicy=LifecyclePolicy(LifecyclePolicyText=json.dumps({"rules": list(_expiry())})),
    )


def _expiry() -> Iterator[Mapping[str, Any]]:
    """Yield the repository's rules: what one selects by its tag is out of reach of those after it."""
    yield _expire(
        1,
        "What was deployed stays: all but the latest 1000",
        tagStatus="tagged",
        tagPrefixList=[RELEASE_TAG],
        countType="imageCountMoreThan",
        countNumber=1000,
    )
    yield _expire(
        2,
        "What was built and never deployed: all but the latest 50",
        tagStatus="tagged",
        tagPrefixList=[BUILD_TAG],
        countType="imageCountMoreThan",
        countNumber=50,
    )
    yield _expire(
        3,
        "What lost its tag",
        tagStatus="untagged",
        countType="sinceImagePushed",
        countUnit="days",
        countNumber=14,
    )


def _expire(priority: int, what: str, **selection: object) -> Mapping[str, Any]:
    return {
        "rulePriority": priority,
        "description": what,
        "selection": selection,
        "action": {"type": "expire"},
    }


def _written_once(bucket: str) -> Statement:
    """Refuse whoever would write over what runs by its key, the release build too."""
    return Statement(
        Sid="WrittenOnce",
        Effect=Deny,
        Principal=Principal("*"),
        Action=[s3.PutObject],
        Resource=[access.object_arn(bucket, key) for key in KEPT],
        Condition=Condition(
            [
                Null({"s3:if-none-match": "true"}),
                # The parts of an upload know no such header: what ends the upload has to bear it.
                Bool({"s3:ObjectCreationOperation": "true"}),
            ]
        ),
    )


def _build(
    config: Config,
    *,
    name: str,
    condition: str,
    connection: AWSHelperFn,
    statements: Iterable[Statement],
    environment: Environment,
    triggers: ProjectTriggers,
) -> Build:
    title, project = name.capitalize(), config.named(name)
    logs = LogGroup(
        f"{title}Logs",
        Condition=condition,
        LogGroupName=f"/aws/codebuild/{project}",
        RetentionInDays=config.retention.log_days,
    )
    role = access.role(
        f"{title}BuildRole",
        access.trust("codebuild"),
        f"What the build {name} may do",
        [access.write_logs(GetAtt(logs, "Arn")), _read_source(connection), *statements],
    )
    role.Condition = condition
    return Build(
        logs=logs,
        role=role,
        project=Project(
            f"{title}Project",
            Condition=condition,
            Name=project,
            ServiceRole=GetAtt(role, "Arn"),
            Source=_source(connection),
            SourceVersion=Ref("Branch"),
            Artifacts=Artifacts(Type="NO_ARTIFACTS"),
            Environment=environment,
            LogsConfig=LogsConfig(CloudWatchLogs=CloudWatchLogs(Status="ENABLED", GroupName=Ref(logs))),
            Triggers=triggers,
            TimeoutInMinutes=60,
            QueuedTimeoutInMinutes=120,
        ),
    )


def _environment(**variables: object) -> Environment:
    return Environment(
        Type="LINUX_CONTAINER",
        ComputeType="BUILD_GENERAL1_MEDIUM",
        Image=IMAGE,
        EnvironmentVariables=[{"Name": name, "Value": value} for name, value in variables.items()],
    )


def _source(connection: AWSHelperFn) -> Source:
    return Source(
        Type="GITHUB",
        Location=Ref("SourceURL"),
        # troposphere still knows OAUTH alone.
        Auth=SourceAuth(Type="CODECONNECTIONS", Resource=connection).no_validation(),
        BuildSpec="buildspec.yml",
        ReportBuildStatus=True,
        GitCloneDepth=1,
    )


def _filter(kind: str, pattern: Any) -> WebhookFilter:
    return WebhookFilter(Type=kind, Pattern=pattern)


def _pushed() -> list[WebhookFilter]:
    """Return the filter for pushes to the protected branch, whose name is read as a pattern."""
    branch = Join("\\.", Split(".", Ref("Branch")))
    return [_filter("EVENT", "PUSH"), _filter("HEAD_REF", Sub("^refs/heads/${Name}$", Name=branch))]


def _read_source(connection: AWSHelperFn) -> Statement:
    return access.allow([codeconnections.GetConnection, codeconnections.GetConnectionToken], connection)


def _publish(stores: Stores) -> Iterable[Statement]:
    bucket = stores.bucket.title
    yield access.log_in_to_registries()
    # What AWS lists for pushing, and DescribeImages: nothing is pulled from there.
    yield access.allow(
        [
            ecr.BatchCheckLayerAvailability,
            ecr.BatchGetImage,
            ecr.CompleteLayerUpload,
            ecr.DescribeImages,
            ecr.InitiateLayerUpload,
            ecr.PutImage,
            ecr.UploadLayerPart,
        ],
        GetAtt(stores.repository, "Arn"),
    )
    yield access.read_objects(bucket, *KEPT)
    yield access.write_objects(bucket, *KEPT)


def _deploy(config: Config) -> Iterable[Statement]:
    delivery, pipeline = (
        access.local("cloudformation", f"stack/{config.named(stack)}/*") for stack in ("delivery", "pipeline")
    )
    # Of the delivery stack only the outputs: a person deploys it, a release may not widen its own role.
    yield access.allow([cloudformation.DescribeStacks], delivery, pipeline)
    yield access.allow(
        [
            cloudformation.CreateChangeSet,
            cloudformation.DeleteChangeSet,
            cloudformation.DeleteStack,
            cloudformation.DescribeChangeSet,
            cloudformation.DescribeEvents,
            cloudformation.DescribeStackEvents,
            cloudformation.ExecuteChangeSet,
            cloudformation.GetTemplate,
        ],
        pipeline,
    )
    yield access.pass_role_arn(Ref("DeploymentRoleArn"), "cloudformation")
