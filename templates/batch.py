"""AWS Batch: a great day is profiled by the children of an array job on Fargate Spot.

A child that Spot takes away is tried again by Batch. What is missing when the array job has ended is named by
the validator's merge, and profiled by single jobs on demand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from troposphere import GetAtt, Ref
from troposphere.batch import (
    ComputeEnvironment,
    ComputeEnvironmentOrder,
    ComputeResources,
    ContainerProperties,
    Environment,
    EvaluateOnExit,
    JobDefinition,
    JobQueue,
    JobStateTimeLimitAction,
    LogConfiguration,
    MountPoints,
    NetworkConfiguration,
    ResourceRequirement,
    ResourceRetentionPolicy,
    RetryStrategy,
    RuntimePlatform,
    Timeout,
    Volumes,
)

from templates import container
from templates.config import Config
from templates.container import CONTAINER, ON_DEMAND, SPOT, Validator
from templates.fargate import UNITS, TaskSize
from templates.network import Placement
from validator.contract import ExitCode

ATTEMPTS: Final = 3
"""How often a child is tried when Spot takes it away, or storage fails it."""

CAPACITY_SECONDS: Final = 1800
"""So long a child waits at the head of the queue for Spot capacity; then it is left to the jobs on demand."""

MISFIT_SECONDS: Final = 600
"""So long a job waits that its environment can never run: the shortest limit Batch takes."""

WAITS: Final[Mapping[str, int]] = {
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY": CAPACITY_SECONDS,
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE": MISFIT_SECONDS,
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT": MISFIT_SECONDS,
}
"""Why a job stays RUNNABLE -> seconds until it is cancelled; otherwise its state's timeout ends it."""

QUEUES: Final[Mapping[str, str]] = {"Spot": SPOT, "OnDemand": ON_DEMAND}
"""Title of a queue and its environment -> what its jobs run on."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What it takes to profile a day by many jobs side by side."""

    spot: ComputeEnvironment
    on_demand: ComputeEnvironment
    spot_queue: JobQueue
    on_demand_queue: JobQueue
    job: JobDefinition


def batch(config: Config, validator: Validator, where: Placement) -> Batch:
    """Return the queues, Spot and on demand, and the job that profiles one child's part."""
    environments = {title: _environment(config, title, where) for title in QUEUES}
    spot, on_demand = environments.values()
    spot_queue, on_demand_queue = (_queue(config, *each) for each in environments.items())
    return Batch(
        spot=spot,
        on_demand=on_demand,
        spot_queue=spot_queue,
        on_demand_queue=on_demand_queue,
        job=_job(config, validator, where),
    )


def name(config: Config) -> str:
    """Return the name of the job definition."""
    return config.named("profile")


def queue_name(config: Config, title: str) -> str:
    """Return the name of a queue."""
    return config.named(f"profile-{title.lower()}")


def longest(config: Config) -> int:
    """Return the seconds a job may take: its wait for capacity and each of its attempts."""
    return CAPACITY_SECONDS + ATTEMPTS * config.validation.timeout_minutes * 60


def requirements(vcpu: object, memory: object) -> list[dict[str, object]]:
    """Return a job's size as SubmitJob spells it."""
    return [{"Type": "VCPU", "Value": vcpu}, {"Type": "MEMORY", "Value": memory}]


def vcpus(size: TaskSize) -> str:
    """Return a size's vCPUs as Batch spells them: ``1``, ``0.25``."""
    return f"{size.cpu / UNITS:g}"


def _environment(config: Config, title: str, where: Placement) -> ComputeEnvironment:
    kind = QUEUES[title]
    return ComputeEnvironment(
        f"{title}Environment",
        Type="MANAGED",
        State="ENABLED",
        # Without a ServiceRole Batch takes its service-linked one.
        ComputeResources=ComputeResources(
            Type=kind,
            MaxvCpus=_room(config, kind),
            Subnets=where.subnets,
            SecurityGroupIds=where.security_groups,
        ),
        # Changed in place, so that its queue never names one that is gone.
        ReplaceComputeEnvironment=False,
    )


def _room(config: Config, kind: str) -> int:
    """Return the vCPUs of a day's jobs side by side: a job above them would stay RUNNABLE for ever."""
    smallest, *larger = config.validation.sizes
    # What is profiled on demand gets the next size's memory, and with it that size's vCPUs.
    size = larger[0] if kind == ON_DEMAND and larger else smallest
    return ceil(config.validation.most_children * size.cpu / UNITS)


def _queue(config: Config, title: str, environment: ComputeEnvironment) -> JobQueue:
    return JobQueue(
        f"{title}Queue",
        JobQueueName=queue_name(config, title),
        Priority=1,
        State="ENABLED",
        ComputeEnvironmentOrder=[ComputeEnvironmentOrder(ComputeEnvironment=Ref(environment), Order=1)],
        JobStateTimeLimitActions=[
            JobStateTimeLimitAction(State="RUNNABLE", Reason=reason, MaxTimeSeconds=seconds, Action="CANCEL")
            for reason, seconds in WAITS.items()
        ],
    )


def _job(config: Config, validator: Validator, where: Placement) -> JobDefinition:
    return JobDefinition(
        "ProfileJob",
        JobDefinitionName=name(config),
        Type="container",
        PlatformCapabilities=["FARGATE"],
        # State machine versions name a revision; a deregistered one cannot run.
        ResourceRetentionPolicy=ResourceRetentionPolicy(SkipDeregisterOnUpdate=True),
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        RetryStrategy=RetryStrategy(
            Attempts=ATTEMPTS,
            EvaluateOnExit=[
                EvaluateOnExit(Action="RETRY", OnStatusReason="Your Spot Task was interrupted*"),
                EvaluateOnExit(Action="RETRY", OnExitCode=str(ExitCode.STORAGE.value)),
                # What nothing matches is tried again.
                EvaluateOnExit(Action="EXIT", OnReason="*"),
            ],
        ),
        Timeout=Timeout(AttemptDurationSeconds=config.validation.timeout_minutes * 60),
        # EcsProperties would have a stopTimeout, but Step Functions adds a container override, which
        # Batch refuses beside them: 30 s after SIGTERM have to do.
        ContainerProperties=_container(config, validator, where),
    )


def _container(config: Config, validator: Validator, where: Placement) -> ContainerProperties:
    smallest = config.validation.sizes[0]
    settings = container.settings(config)
    return ContainerProperties(
        Image=Ref("ValidatorImageURI"),
        Command=["profile"],
        JobRoleArn=GetAtt(validator.task_role, "Arn"),
        ExecutionRoleArn=GetAtt(validator.execution_role, "Arn"),
        RuntimePlatform=RuntimePlatform(CpuArchitecture="X86_64", OperatingSystemFamily="LINUX"),
        NetworkConfiguration=NetworkConfiguration(AssignPublicIp=where.public_address),
        ResourceRequirements=[
            ResourceRequirement(**each) for each in requirements(vcpus(smallest), str(smallest.memory))
        ],
        Environment=[Environment(Name=key, Value=value) for key, value in settings.items()],
        User=container.USER,
        ReadonlyRootFilesystem=True,
        Volumes=[Volumes(Name="tmp")],
        MountPoints=[MountPoints(SourceVolume="tmp", ContainerPath="/tmp", ReadOnly=False)],  # noqa: S108
        LogConfiguration=LogConfiguration(
            LogDriver="awslogs",
            Options=container.log_options(validator.logs, f"{CONTAINER}-child"),
        ),
    )
