"""The state machine: its graph in one screen, the role its states add up to, its version and alias."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from awacs import logs as actions
from awacs.aws import Statement
from troposphere import GetAtt, Ref
from troposphere.iam import Role
from troposphere.logs import LogGroup
from troposphere.stepfunctions import (
    CloudWatchLogsLogGroup,
    DeploymentPreference,
    LogDestination,
    LoggingConfiguration,
    StateMachine,
    StateMachineAlias,
    StateMachineVersion,
    TracingConfiguration,
)

from templates import access, classify, notices, states
from templates.alerts import Alerts
from templates.asl import Name, State, jsonata, succeed
from templates.batch import Batch
from templates.config import Config
from templates.container import Validator
from templates.functions import Step
from templates.jobs import Preparation
from templates.network import Network
from templates.notices import Notices

ALIAS: Final = "live"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the states call."""

    network: Network
    validator: Validator
    batch: Batch | None
    """None where no day is shared among children."""
    init: Step
    evaluate: Step
    preparation: Preparation
    training_role: Role
    alerts: Alerts


@dataclass(frozen=True, slots=True)
class Workflow:
    """The state machine and what belongs to it."""

    role: Role
    logs: LogGroup
    machine: StateMachine
    version: StateMachineVersion
    alias: StateMachineAlias


def graph(config: Config, parts: Parts) -> tuple[State, ...]:
    """Return the pipeline's states in the order people read them; the first one starts."""
    n, tell = Name, Notices(parts.alerts.topic, config.stage)
    registered = states.outcome(n.REGISTERED, package=jsonata("$model_package_arn"))
    return (
        states.init(config, parts.init, then=n.PLANNED),
        states.planned(
            then=n.VALIDATE,
            children=n.PROFILE_SHARDS if parts.batch else None,
            duplicate=n.DUPLICATE,
            no_violation=n.NO_VIOLATION,
            incomplete=n.INCOMPLETE,
            failed=n.NOTIFY_FAILURE,
        ),
        *_shared(config, parts.batch),
        states.validate(
            config,
            parts.validator,
            parts.network,
            shared=parts.batch is not None,
            then=n.READ_GATE,
            failed=n.CLASSIFY,
        ),
        classify.classify(
            again=n.VALIDATE,
            when_there_is_capacity=n.WAIT_FOR_CAPACITY,
            when_storage_is_back=n.WAIT_FOR_STORAGE,
            missing=n.READ_MISSING if parts.batch else None,
            failed=n.READ_ERROR,
        ),
        classify.wait_for_capacity(then=n.VALIDATE),
        classify.wait_for_storage(then=n.VALIDATE),
        states.read_error(then=n.NOTIFY_FAILURE),
        states.read_gate(then=n.GATE),
        states.gate(
            passed=n.ACCEPT,
            warned=n.NOTIFY_WARNING,
            rejected=n.NOTIFY_REJECTED,
            failed=n.NOTIFY_FAILURE,
        ),
        tell.warning(then=n.ACCEPT),
        tell.rejected(then=n.DATA_REJECTED),
        states.accept(then=n.LATEST),
        states.latest(then=n.PREPARE, older=n.NOT_PROMOTED),
        states.prepare(config, parts.preparation, then=n.TRAIN),
        states.train(config, parts.training_role, then=n.TRAINED),
        states.trained(then=n.EVALUATE, failed=n.NOTIFY_FAILURE),
        states.evaluate(config, parts.evaluate, then=n.BETTER),
        states.better(then=n.REGISTER, not_better=n.NOT_PROMOTED, failed=n.NOTIFY_FAILURE),
        states.register(config, then=n.NOTIFY_REGISTERED),
        tell.registered(then=n.REGISTERED, output=registered),
        tell.failure(then=n.FAILED),
        succeed(n.REGISTERED),
        succeed(n.NOT_PROMOTED),
        succeed(n.NO_VIOLATION),
        succeed(n.DUPLICATE),
        succeed(n.INCOMPLETE),
        notices.data_rejected(),
        notices.failed(),
    )


def _shared(config: Config, batch: Batch | None) -> Iterator[State]:
    """Yield the states in which children share a day."""
    if batch:
        yield states.profile_shards(config, batch, then=Name.VALIDATE, failed=Name.SHARDS_TRIED)
        yield states.shards_tried(then=Name.VALIDATE, failed=Name.NOTIFY_FAILURE)
        yield states.read_missing(then=Name.PROFILE_MISSING)
        yield states.profile_missing(config, batch, then=Name.VALIDATE)


def definition(steps: tuple[State, ...]) -> dict[str, Any]:
    """Return the machine's definition; intrinsic functions stand in it for what is known at deploy time."""
    return {
        "Comment": "Nothing is trained on data that does not pass.",
        "QueryLanguage": "JSONata",
        "StartAt": steps[0].name,
        "States": {step.name: step.definition for step in steps},
    }


def workflow(config: Config, parts: Parts) -> Workflow:
    """Return the state machine with role, log, version and alias."""
    steps = graph(config, parts)
    role = access.role(
        "StateMachineRole",
        access.trust("states"),
        "What the state machine may do: the sum of what its states need",
        [*(statement for step in steps for statement in step.statements), _deliver_logs(), access.trace()],
    )
    logs = LogGroup(
        "StateMachineLogs",
        # This prefix keeps the account's resource policy for log delivery short.
        LogGroupName=f"/aws/vendedlogs/states/{config.named('pipeline')}",
        RetentionInDays=config.retention.log_days,
    )
    machine = _machine(config, steps, role, logs, parts.validator)
    version = StateMachineVersion(
        "StateMachineVersion",
        # Running executions and rollbacks of the alias need the versions before.
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        StateMachineArn=Ref(machine),
        StateMachineRevisionId=GetAtt(machine, "StateMachineRevisionId"),
    )
    return Workflow(role=role, logs=logs, machine=machine, version=version, alias=_alias(version))


def _machine(
    config: Config, steps: tuple[State, ...], role: Role, logs: LogGroup, validator: Validator
) -> StateMachine:
    return StateMachine(
        "StateMachine",
        DependsOn=[validator.capacity],
        StateMachineName=config.named("pipeline"),
        StateMachineType="STANDARD",
        RoleArn=GetAtt(role, "Arn"),
        Definition=definition(steps),
        LoggingConfiguration=LoggingConfiguration(
            Level="ALL",
            # Findings may quote values; the execution's own history has them, under its own permission.
            IncludeExecutionData=False,
            Destinations=[
                LogDestination(CloudWatchLogsLogGroup=CloudWatchLogsLogGroup(LogGroupArn=GetAtt(logs, "Arn")))
            ],
        ),
        TracingConfiguration=TracingConfiguration(Enabled=True),
    )


def _alias(version: StateMachineVersion) -> StateMachineAlias:
    return StateMachineAlias(
        "StateMachineAlias",
        Name=ALIAS,
        Description="What triggers start",
        DeploymentPreference=DeploymentPreference(StateMachineVersionArn=Ref(version), Type="ALL_AT_ONCE"),
    )


def _deliver_logs() -> Statement:
    return access.everywhere(
        "LogDeliveryHasNoResource",
        [
            actions.CreateLogDelivery,
            actions.GetLogDelivery,
            actions.UpdateLogDelivery,
            actions.DeleteLogDelivery,
            actions.ListLogDeliveries,
            actions.PutResourcePolicy,
            actions.DescribeResourcePolicies,
            actions.DescribeLogGroups,
        ],
    )
