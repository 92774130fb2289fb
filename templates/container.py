"""The validator's container: a cluster with Fargate Spot and on-demand, and a task that may do little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from troposphere import GetAtt, Ref
from troposphere.ecs import (
    CapacityProviderStrategy,
    Cluster,
    ClusterCapacityProviderAssociations,
    ContainerDefinition,
    Environment,
    KernelCapabilities,
    LinuxParameters,
    LogConfiguration,
    MountPoint,
    RuntimePlatform,
    TaskDefinition,
    Volume,
)
from troposphere.iam import Role
from troposphere.logs import LogGroup

from templates import access
from templates.access import ARTIFACT_BUCKET, PIPELINE_BUCKET
from templates.config import Config
from templates.prices import PRICES
from validator.contract import MANIFEST
from validator.contract import Environment as Words

CONTAINER: Final = "validator"
SPOT: Final = "FARGATE_SPOT"
ON_DEMAND: Final = "FARGATE"
USER: Final = "10001:10001"
"""Who the image's files and its /tmp belong to."""


@dataclass(frozen=True, slots=True)
class Validator:
    """What it takes to run the validator as a task."""

    cluster: Cluster
    capacity: ClusterCapacityProviderAssociations
    logs: LogGroup
    task_role: Role
    execution_role: Role
    task: TaskDefinition


def validator(config: Config) -> Validator:
    """Return the validator's cluster, task definition and roles."""
    cluster = Cluster("Cluster", ClusterName=config.named("cluster"))
    logs = LogGroup(
        "ValidatorLogs",
        LogGroupName=f"/sluice/{config.stage}/validator",
        RetentionInDays=config.retention.log_days,
    )
    task_role = _task_role()
    execution_role = _execution_role(config, logs)
    return Validator(
        cluster=cluster,
        capacity=_capacity(cluster),
        logs=logs,
        task_role=task_role,
        execution_role=execution_role,
        task=_task(config, logs, task_role, execution_role),
    )


def _capacity(cluster: Cluster) -> ClusterCapacityProviderAssociations:
    return ClusterCapacityProviderAssociations(
        "Capacity",
        Cluster=Ref(cluster),
        CapacityProviders=[ON_DEMAND, SPOT],
        DefaultCapacityProviderStrategy=[CapacityProviderStrategy(CapacityProvider=SPOT, Weight=1)],
    )


def _task(config: Config, logs: LogGroup, task_role: Role, execution_role: Role) -> TaskDefinition:
    smallest = config.validation.sizes[0]
    return TaskDefinition(
        "ValidatorTask",
        # State machine versions name a revision; a deregistered one cannot run.
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        Family=config.named(CONTAINER),
        RequiresCompatibilities=["FARGATE"],
        RuntimePlatform=RuntimePlatform(CpuArchitecture="X86_64", OperatingSystemFamily="LINUX"),
        NetworkMode="awsvpc",
        Cpu=str(smallest.cpu),
        Memory=str(smallest.memory),
        TaskRoleArn=GetAtt(task_role, "Arn"),
        ExecutionRoleArn=GetAtt(execution_role, "Arn"),
        # Fargate has no tmpfs: a volume without a host is the one place to write to.
        Volumes=[Volume(Name="tmp")],
        ContainerDefinitions=[_container(config, logs)],
    )


def _container(config: Config, logs: LogGroup) -> ContainerDefinition:
    return ContainerDefinition(
        Name=CONTAINER,
        Image=Ref("ValidatorImageURI"),
        Command=["validate"],
        Essential=True,
        Environment=[Environment(Name=name, Value=value) for name, value in settings(config).items()],
        User=USER,
        ReadonlyRootFilesystem=True,
        LinuxParameters=LinuxParameters(Capabilities=KernelCapabilities(Drop=["ALL"])),
        MountPoints=[MountPoint(SourceVolume="tmp", ContainerPath="/tmp", ReadOnly=False)],  # noqa: S108
        # The longest Fargate grants between SIGTERM and SIGKILL: finished shards are saved in it.
        StopTimeout=120,
        LogConfiguration=LogConfiguration(
            LogDriver="awslogs",
            Options=log_options(logs, CONTAINER),
        ),
    )


def log_options(logs: LogGroup, prefix: str) -> Mapping[str, object]:
    """Return where a container's output goes; a stream's name begins with the prefix."""
    return {
        "awslogs-group": Ref(logs),
        "awslogs-region": Ref("AWS::Region"),
        "awslogs-stream-prefix": prefix,
    }


def settings(config: Config) -> Mapping[str, str]:
    """Return the variables that are the same in every run."""
    return {
        Words.SCHEMA_POLICY: config.validation.schema_policy.value,
        Words.PRICE_VCPU_HOUR: str(PRICES.fargate_vcpu_hour),
        Words.PRICE_GB_HOUR: str(PRICES.fargate_gb_hour),
        Words.METRICS_STAGE: config.stage,
    }


_WRITTEN: Final = ("states/*", "validation/*")
"""Where the validator writes: states of finished shards, which expire, and what it found, which stays."""


def _task_role() -> Role:
    """Return the role of the validator's own code."""
    return access.role(
        "TaskRole",
        access.trust("ecs-tasks"),
        "What the validator's code may do: read data and schemas, write what it found",
        [
            access.read_objects(PIPELINE_BUCKET, "data/*", f"runs/*/{MANIFEST}", *_WRITTEN),
            access.write_objects(PIPELINE_BUCKET, *_WRITTEN),
            # What an earlier attempt of the same run left contradicts the next one.
            access.remove_objects(PIPELINE_BUCKET, "validation/*"),
            access.list_objects(PIPELINE_BUCKET, "data/*", "runs/*", *_WRITTEN),
            access.read_objects(ARTIFACT_BUCKET, "schemas/*"),
            access.list_objects(ARTIFACT_BUCKET, "schemas/*"),
        ],
    )


def _execution_role(config: Config, logs: LogGroup) -> Role:
    """Return the role of the ECS agent, which pulls the image and ships the logs."""
    return access.role(
        "ExecutionRole",
        access.trust("ecs-tasks"),
        "What ECS may do to start the validator: pull its image, write its log",
        [
            access.log_in_to_registries(),
            access.pull_images(access.local("ecr", f"repository/{config.named(CONTAINER)}")),
            access.write_logs(GetAtt(logs, "Arn")),
        ],
    )
