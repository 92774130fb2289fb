"""What starts the pipeline by itself.

An event names a stage, a dataset and a date, never a URI, role, image or size: the rules pass it on as it is,
and Init reads it strictly. What cannot be delivered is kept in a dead-letter queue.

    drift      ModelDriftDetected of anybody in this account who may put events on its bus
    monitor    a finished job of Model Monitor; Init asks whether it found a violation
    alarm      an alarm that a dataset names goes off
    arrival    a day's marker was put down in the pipeline's bucket
    schedule   by the clock; Init knows which day that means
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from awacs import sqs, states
from awacs.aws import Allow, Condition, ForAnyValueStringEquals, Principal, Statement
from troposphere import GetAtt, Ref, Sub, encode_to_dict, scheduler
from troposphere.events import DeadLetterConfig, RetryPolicy, Rule, Target
from troposphere.iam import Role
from troposphere.sqs import Queue, QueuePolicy

from templates import access
from templates.access import PIPELINE_BUCKET
from templates.config import Config, ConfigError, Dataset, Schedule
from templates.workflow import ALIAS, Workflow

DRIFT: Final = ("sluice.drift", "ModelDriftDetected")
MONITOR: Final = ("aws.sagemaker", "SageMaker Processing Job State Change")
ALARM: Final = ("aws.cloudwatch", "CloudWatch Alarm State Change")
ARRIVAL: Final = ("aws.s3", "Object Created")
SCHEDULE: Final = ("sluice.schedule", "ScheduledRun")
"""Source and detail-type of each kind; Init knows the same."""

PATTERN_LIMIT: Final = 2048 - 64
"""Characters of a rule's pattern: EventBridge's quota, less what a bucket's name adds to its reference."""

ATTEMPTS: Final = 8
AGE_SECONDS: Final = 3600
"""How often and how long the delivery of an event is tried."""

Pattern = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Timetable:
    """The schedules, and what they may do."""

    role: Role
    schedules: tuple[scheduler.Schedule, ...]


@dataclass(frozen=True, slots=True)
class Triggers:
    """The rules and schedules, what they may do, and what is left of events they could not deliver."""

    role: Role
    rules: tuple[Rule, ...]
    timetable: Timetable | None
    dead_letters: Queue
    policy: QueuePolicy


def triggers(config: Config, workflow: Workflow) -> Triggers:
    """Return a rule for each kind of event the deployed datasets have, and a schedule for each that has one.

    Raises:
        ConfigError: The names of datasets or alarms do not fit into a rule's pattern.
    """
    role, dead_letters = _role(workflow), _dead_letters(config)
    target = _target(workflow, role, dead_letters)
    rules = tuple(_rules(config, target))
    return Triggers(
        role=role,
        rules=rules,
        timetable=_timetable(config, workflow, dead_letters),
        dead_letters=dead_letters,
        policy=_deliver(dead_letters, rules),
    )


def _rules(config: Config, target: Target) -> Iterator[Rule]:
    datasets = config.datasets
    # Two stages may share an account, and with it the bus.
    drift = {"stage": [config.stage], "dataset": [dataset.name for dataset in datasets]}
    yield _rule(config, "drift", "A model's data has drifted", _pattern(DRIFT, drift), target)
    if any(dataset.monitors for dataset in datasets):
        job = {
            "ProcessingJobName": [{"prefix": "model-monitoring-"}],
            "ProcessingJobStatus": ["Completed"],
        }
        yield _rule(config, "monitor", "A job of Model Monitor is done", _pattern(MONITOR, job), target)
    if alarms := [alarm for dataset in datasets for alarm in dataset.alarms]:
        alarm = {"alarmName": alarms, "state": {"value": ["ALARM"]}}
        yield _rule(config, "alarm", "An alarm of a dataset went off", _pattern(ALARM, alarm), target)
    if markers := [_marker(dataset) for dataset in datasets if dataset.marker]:
        arrival = {"bucket": {"name": [Ref(PIPELINE_BUCKET)]}, "object": {"key": markers}}
        yield _rule(config, "arrival", "A day's data are complete", _pattern(ARRIVAL, arrival), target)


def _marker(dataset: Dataset) -> Pattern:
    """Match a dataset's markers; a wildcard stands for slashes too, so Init tells a day from its parts."""
    return {"wildcard": f"data/{dataset.name}/*/{dataset.marker}"}


def _pattern(kind: tuple[str, str], detail: Pattern) -> Pattern:
    """Match events of a kind that come from this account: a bus may be opened to others."""
    source, detail_type = kind
    return {
        "account": [Ref("AWS::AccountId")],
        "source": [source],
        "detail-type": [detail_type],
        "detail": detail,
    }


def _rule(config: Config, name: str, why: str, pattern: Pattern, target: Target) -> Rule:
    size = len(json.dumps(encode_to_dict(dict(pattern))))
    if size > PATTERN_LIMIT:
        raise ConfigError(
            f"{config.source}: datasets take too much room: with their names the pattern of the rule {name} "
            f"has {size:,} characters, of {PATTERN_LIMIT:,}; name fewer datasets or alarms, or shorter ones"
        )
    return Rule(
        f"{name.capitalize()}Rule",
        Name=config.named(name),
        Description=why,
        EventPattern=dict(pattern),
        Targets=[target],
    )


def _target(workflow: Workflow, role: Role, dead_letters: Queue) -> Target:
    return Target(
        Id="pipeline",
        Arn=Ref(workflow.alias),
        RoleArn=GetAtt(role, "Arn"),
        DeadLetterConfig=DeadLetterConfig(Arn=GetAtt(dead_letters, "Arn")),
        RetryPolicy=RetryPolicy(MaximumEventAgeInSeconds=AGE_SECONDS, MaximumRetryAttempts=ATTEMPTS),
    )


def _role(workflow: Workflow) -> Role:
    why = "What the rules may do: start the pipeline by its alias"
    return access.role("TriggerRole", access.trust("events"), why, [_start(workflow)])


def _start(workflow: Workflow) -> Statement:
    return access.allow(
        [states.StartExecution],
        # AWS authorises a start by alias against the state machine itself.
        Ref(workflow.machine),
        Condition=Condition(ForAnyValueStringEquals({"states:StateMachineQualifier": [ALIAS]})),
    )


def _timetable(config: Config, workflow: Workflow, dead_letters: Queue) -> Timetable | None:
    timed = [(dataset, dataset.schedule) for dataset in config.datasets if dataset.schedule]
    if not timed:
        return None
    role = access.role(
        "ScheduleRole",
        access.trust("scheduler"),
        "What the schedules may do: start the pipeline by its alias, keep what they could not deliver",
        # A rule's dead letters are sent by EventBridge itself, a schedule's under its role.
        [_start(workflow), access.allow([sqs.SendMessage], GetAtt(dead_letters, "Arn"))],
    )
    schedules = tuple(
        _schedule(config, dataset, when, _call(dataset.name, role, workflow, dead_letters))
        for dataset, when in timed
    )
    return Timetable(role=role, schedules=schedules)


def _schedule(
    config: Config, dataset: Dataset, when: Schedule, target: scheduler.Target
) -> scheduler.Schedule:
    return scheduler.Schedule(
        f"{dataset.title}Schedule",
        Name=config.named(dataset.name),
        Description=f"Starts a day of {dataset.name} by the clock",
        ScheduleExpression=when.cron,
        ScheduleExpressionTimezone=dataset.time_zone,
        FlexibleTimeWindow=_window(when.window_minutes),
        State="ENABLED",
        Target=target,
    )


def _call(dataset: str, role: Role, workflow: Workflow, dead_letters: Queue) -> scheduler.Target:
    """Call StartExecution itself: of Scheduler's templated target nobody says that it takes an alias."""
    return scheduler.Target(
        Arn=Sub("arn:${AWS::Partition}:scheduler:::aws-sdk:sfn:startExecution"),
        RoleArn=GetAtt(role, "Arn"),
        Input=Sub(_start_execution(dataset), Alias=Ref(workflow.alias)),
        DeadLetterConfig=scheduler.DeadLetterConfig(Arn=GetAtt(dead_letters, "Arn")),
        RetryPolicy=scheduler.RetryPolicy(
            MaximumEventAgeInSeconds=AGE_SECONDS, MaximumRetryAttempts=ATTEMPTS
        ),
    )


def _window(minutes: int) -> scheduler.FlexibleTimeWindow:
    if not minutes:
        return scheduler.FlexibleTimeWindow(Mode="OFF")
    return scheduler.FlexibleTimeWindow(Mode="FLEXIBLE", MaximumWindowInMinutes=minutes)


def _start_execution(dataset: str) -> str:
    """Return the call's arguments; Scheduler fills in what stands between < and >."""
    source, detail_type = SCHEDULE
    event = {
        "id": "<aws.scheduler.execution-id>",
        "source": source,
        "detail-type": detail_type,
        "time": "<aws.scheduler.scheduled-time>",
        "detail": {"dataset": dataset},
    }
    return json.dumps({"StateMachineArn": "${Alias}", "Input": json.dumps(event)})


def _dead_letters(config: Config) -> Queue:
    return Queue(
        "DeadLetters",
        QueueName=config.named("dead-letters"),
        MessageRetentionPeriod=14 * 24 * 3600,
        SqsManagedSseEnabled=True,
    )


def _deliver(dead_letters: Queue, rules: tuple[Rule, ...]) -> QueuePolicy:
    queue = GetAtt(dead_letters, "Arn")
    deliver = Statement(
        Sid="RulesDeliver",
        Effect=Allow,
        Principal=Principal("Service", "events.amazonaws.com"),
        Action=[sqs.SendMessage],
        Resource=[queue],
        Condition=access.from_sources(*(GetAtt(rule, "Arn") for rule in rules)),
    )
    only_tls = access.only_tls([sqs.ReceiveMessage, sqs.SendMessage], queue)
    return QueuePolicy(
        "DeadLettersPolicy",
        Queues=[Ref(dead_letters)],
        PolicyDocument=access.document([deliver, only_tls]),
    )
