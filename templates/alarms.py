"""The alarms: each says what it means and what to do, and why missing data count as they do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from troposphere import GetAtt, Ref
from troposphere.cloudwatch import Alarm, MetricDimension
from troposphere.sns import Topic
from troposphere.sqs import Queue

from templates.config import Config

NOT_BREACHING: Final = "notBreaching"
BREACHING: Final = "breaching"
IGNORE: Final = "ignore"

FIVE_MINUTES: Final = 300


def alarms(config: Config, topic: Topic, dead_letters: Queue) -> tuple[Alarm, ...]:
    """Return the alarms of a stage; all tell the topic."""
    return tuple(_alarms(config, topic, dead_letters))


def _alarms(config: Config, topic: Topic, dead_letters: Queue) -> Iterator[Alarm]:
    yield _alarm(
        config,
        topic,
        "dead-letters",
        "An event could not start the pipeline. Read the queue, mend the cause, start the day by hand.",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=_dimensions(QueueName=GetAtt(dead_letters, "QueueName")),
        Statistic="Maximum",
        Period=FIVE_MINUTES,
        # SQS falls silent about a queue nobody touches for six hours: the letters in it are still there.
        TreatMissingData=IGNORE,
    )


def _alarm(config: Config, topic: Topic, name: str, meaning: str, **metric: Any) -> Alarm:
    """Return an alarm that goes off at one or more, in one period; ``metric`` may say otherwise."""
    at_one = {
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1,
        "EvaluationPeriods": 1,
    }
    title = "".join(part.capitalize() for part in name.split("-"))
    return Alarm(
        f"{title}Alarm",
        AlarmName=config.named(name),
        AlarmDescription=meaning,
        AlarmActions=[Ref(topic)],
        **{**at_one, **metric},
    )


def _dimensions(**values: object) -> list[MetricDimension]:
    return [MetricDimension(Name=name, Value=value) for name, value in values.items()]
