"""What is given at deploy time: what it means, what it may be, and how people are asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from troposphere import Parameter, Template

from templates import access
from templates.config import Config, ModelApproval, NetworkMode
from templates.container import CONTAINER
from templates.encryption import ARTIFACT_KEY
from templates.jobs import IMAGE_NAME, IMAGE_TAG
from templates.network import existing
from templates.prices import PRICES

KEY_HASH: Final = "[0-9a-f]{16}"
REGISTRY: Final = r"\d{12}\.dkr\.ecr\.[\w-]+\.amazonaws\.com(\.cn)?/"
DIGEST: Final = "sha256:[0-9a-f]{64}"
CONNECTION: Final = r"|arn:[\w-]+:codeconnections:[\w-]+:\d{12}:connection/[\w-]+"


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters that belong together, in the order people are asked for them."""

    label: str
    parameters: tuple[Parameter, ...]


def pipeline_groups(config: Config) -> tuple[Group, ...]:
    """Return the parameters of the pipeline stack."""
    return (_what_is_released(config), _training(config), _notifications(), *_network(config), _security())


def delivery_groups() -> tuple[Group, ...]:
    """Return the parameters of the delivery stack."""
    return _source(), _releases(), _security()


def _what_is_released(config: Config) -> Group:
    """Return what a deployment fills in: the image and the packages."""
    return Group(
        "Release",
        (
            Parameter(
                "ValidatorImageURI",
                Type="String",
                Description="Image in the delivery stack's repository, where tasks may pull from, by digest",
                AllowedPattern=f"{REGISTRY}{config.named(CONTAINER)}@{DIGEST}",
                ConstraintDescription=f"an image of {config.named(CONTAINER)}: URI@sha256:DIGEST",
            ),
            Parameter(
                "ArtifactBucketName",
                Type="String",
                Description="Bucket of packages and schemas, an output of the delivery stack",
                AllowedPattern="[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
                ConstraintDescription="the name of a bucket",
            ),
            _key("InitPackageKey", "the function Init", rf"packages/init-{KEY_HASH}\.zip"),
            _key(
                "EvaluatePackageKey",
                "the function Evaluate",
                rf"packages/evaluate-{KEY_HASH}\.zip",
            ),
            _key("PrepareScriptKey", "the Glue script Prepare", rf"packages/prepare-{KEY_HASH}\.py"),
            _key("TrainPackageKey", "the training code", rf"packages/train-{KEY_HASH}\.tar\.gz"),
            _key("SchemasPrefix", "the reviewed schemas (a prefix)", rf"schemas/{KEY_HASH}"),
            *_artifact_key(config),
        ),
    )


def _artifact_key(config: Config) -> Iterator[Parameter]:
    """Yield what the packages are encrypted by, where that is a key of one's own."""
    if config.customer_managed_key:
        yield Parameter(
            ARTIFACT_KEY,
            Type="String",
            Description="Key that encrypts the artifact bucket, an output of the delivery stack",
            AllowedPattern=r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+",
            ConstraintDescription="the ARN of a KMS key",
        )


def _training(config: Config) -> Group:
    """Return what a stage's models are trained with."""
    return Group(
        "Training",
        (
            Parameter(
                "TrainingInstanceType",
                Type="String",
                Description="Instance type of the training job, used as managed Spot",
                Default=config.training.instance_type,
                AllowedValues=list(PRICES.training_hour),
            ),
            Parameter(
                "TrainingImageURI",
                Type="String",
                Description=f"Training image in this account's sluice-<stage>-training, or of AWS's "
                f"{IMAGE_NAME}, which installs the code without a network; empty means AWS's {IMAGE_TAG}",
                Default="",
                AllowedPattern=rf"|{REGISTRY}({config.named('training')}|{IMAGE_NAME})(:[\w.-]+|@{DIGEST})",
                ConstraintDescription=f"an image of {config.named('training')} or {IMAGE_NAME}, or nothing",
            ),
            Parameter(
                "ModelApprovalStatus",
                Type="String",
                Description="Status of a registered model; only an approved one becomes champion",
                Default=config.promotion.approval.value,
                AllowedValues=[approval.value for approval in ModelApproval],
            ),
        ),
    )


def _notifications() -> Group:
    """Return who is told."""
    return Group(
        "Notifications",
        (
            Parameter(
                "NotificationEmail",
                Type="String",
                Description="Who is told of warnings, rejections, failures, models; empty means nobody",
                Default="",
                AllowedPattern=r"|[^@\s]+@[^@\s]+\.[^@\s]+",
                ConstraintDescription="an e-mail address, or nothing",
            ),
        ),
    )


def _network(config: Config) -> Iterator[Group]:
    """Yield where the validator's tasks run, when the network is not the stack's own."""
    if config.network is NetworkMode.EXISTING:
        yield Group("Network", existing.parameters())


def _security() -> Group:
    """Return what bounds the stack's roles."""
    return Group(
        "Security",
        (
            Parameter(
                access.BOUNDARY,
                Type="String",
                Description="Managed policy that no role of this stack may go beyond; empty means none",
                Default="",
                AllowedPattern=r"|arn:[\w-]+:iam::(\d{12}|aws):policy/[\w+=,.@/-]+",
                ConstraintDescription="the ARN of a managed policy, or nothing",
            ),
        ),
    )


def _source() -> Group:
    """Return where changes come from."""
    return Group(
        "Source",
        (
            Parameter(
                "SourceURL",
                Type="String",
                Description="Repository, such as https://github.com/OWNER/NAME; empty means no builds",
                Default="",
                AllowedPattern=r"|https://github\.com/[\w.-]+/[\w.-]+",
            ),
            Parameter(
                "ConnectionArn",
                Type="String",
                Description="CodeConnections connection that may read it; empty means no builds",
                Default="",
                AllowedPattern=CONNECTION,
                ConstraintDescription="the ARN of a connection, or nothing",
            ),
            Parameter(
                "CheckConnectionArn",
                Type="String",
                Description="Another connection for the check build alone; empty means ConnectionArn",
                Default="",
                AllowedPattern=CONNECTION,
                ConstraintDescription="the ARN of a connection, or nothing",
            ),
            Parameter(
                "Branch",
                Type="String",
                Description="The protected branch that is released",
                Default="main",
                # Nothing that means something in a pattern but the dot, which delivery escapes.
                AllowedPattern=r"[\w./-]+",
                ConstraintDescription="the name of a branch: letters, digits, and any of _ . / -",
            ),
        ),
    )


def _releases() -> Group:
    """Return how a release deploys."""
    return Group(
        "Release",
        (
            Parameter(
                "DeploymentRoleArn",
                Type="String",
                Description="Role CloudFormation takes to make the pipeline; empty means no releases",
                Default="",
                AllowedPattern=r"|arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+",
            ),
        ),
    )


def add(template: Template, groups: Sequence[Group]) -> None:
    """Add the parameters, and the order in which consoles show them."""
    for group in groups:
        for parameter in group.parameters:
            template.add_parameter(parameter)
            template.add_parameter_to_group(parameter, group.label)


def _key(title: str, what: str, pattern: str) -> Parameter:
    return Parameter(
        title,
        Type="String",
        Description=f"Key of {what} in the artifact bucket; it carries the content's hash",
        AllowedPattern=pattern,
        ConstraintDescription="a key that carries 16 hexadecimal digits of its content's hash",
    )
