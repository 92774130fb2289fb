"""What starts the pipeline by itself.

An event names a dataset and a date, never a URI, role, image or size: the rules pass it on as it is, and Init
reads it strictly. What cannot be delivered is kept in a dead-letter queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from awacs import sqs, states
from awacs.aws import Allow, Condition, ForAnyValueStringEquals, Principal, Statement
from troposphere import GetAtt, Ref
from troposphere.events import DeadLetterConfig, RetryPolicy, Rule, Target
from troposphere.iam import Role
from troposphere.sqs import Queue, QueuePolicy

from templates import access
from templates.config import Config
from templates.workflow import ALIAS, Workflow

DRIFT: Final = {"source": ["sluice.drift"], "detail-type": ["ModelDriftDetected"]}

MONITOR: Final = {
    "source": ["aws.sagemaker"],
    "detail-type": ["SageMaker Processing Job State Change"],
    "detail": {
        "ProcessingJobName": [{"prefix": "model-monitoring-"}],
        "ProcessingJobStatus": ["Completed"],
    },
}
"""A finished job of Model Monitor; Init asks SageMaker whether it found a violation, and in whose data."""

ALARM: Final = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
"""An alarm, such as one on the drift that Model Monitor measures for a feature."""


@dataclass(frozen=True, slots=True)
class Triggers:
    """The rules, what they may do, and what is left of events they could not deliver."""

    role: Role
    rules: tuple[Rule, ...]
    dead_letters: Queue
    policy: QueuePolicy


def triggers(config: Config, workflow: Workflow) -> Triggers:
    """Return a rule for each kind of event the deployed datasets have."""
    role, dead_letters = _role(workflow), _dead_letters(config)
    target = _target(workflow, role, dead_letters)
    rules = [_rule(config, "drift", "A model's data has drifted", DRIFT, target)]
    if any(dataset.monitors for dataset in config.datasets):
        rules.append(_rule(config, "monitor", "A job of Model Monitor is done", MONITOR, target))
    if alarms := [alarm for dataset in config.datasets for alarm in dataset.alarms]:
        pattern = {**ALARM, "detail": {"alarmName": alarms, "state": {"value": ["ALARM"]}}}
        rules.append(_rule(config, "alarm", "An alarm of a dataset went off", pattern, target))
    return Triggers(
        role=role, rules=tuple(rules), dead_letters=dead_letters, policy=_deliver(dead_letters, rules)
    )


def _rule(config: Config, name: str, why: str, pattern: Mapping[str, Any], target: Target) -> Rule:
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
        RetryPolicy=RetryPolicy(MaximumEventAgeInSeconds=3600, MaximumRetryAttempts=8),
    )


def _role(workflow: Workflow) -> Role:
    start = access.allow(
        [states.StartExecution],
        # AWS authorises a start by alias against the state machine itself.
        Ref(workflow.machine),
        Condition=Condition(ForAnyValueStringEquals({"states:StateMachineQualifier": [ALIAS]})),
    )
    why = "What the rules may do: start the pipeline by its alias"
    return access.role("TriggerRole", access.trust("events"), why, [start])


def _dead_letters(config: Config) -> Queue:
    return Queue(
        "DeadLetters",
        QueueName=config.named("dead-letters"),
        MessageRetentionPeriod=14 * 24 * 3600,
        SqsManagedSseEnabled=True,
    )


def _deliver(dead_letters: Queue, rules: list[Rule]) -> QueuePolicy:
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
