"""The alarms: each says what it means and what to do, and why missing data count as they do.

failed              an execution ended badly
interrupted-often   tasks are told to end more often than retries are meant for
dead-letters        an event could not start the pipeline
<dataset>-rejected  a day did not pass
<dataset>-quiet     no day was judged for a while
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from troposphere import GetAtt, Ref
from troposphere.cloudwatch import Alarm, MetricDataQuery, MetricDimension, MetricStat
from troposphere.cloudwatch import Metric as CloudWatchMetric
from troposphere.sns import Topic
from troposphere.sqs import Queue
from troposphere.stepfunctions import StateMachine

from templates.config import Config, Dataset
from validator.contract import METRICS_NAMESPACE, Dimension, Metric

NOT_BREACHING: Final = "notBreaching"
BREACHING: Final = "breaching"
IGNORE: Final = "ignore"

FIVE_MINUTES: Final = 300
DAY: Final = 24 * 3600

INTERRUPTIONS: Final = 3
"""A dataset's in a day: two are answered by another Spot task, the third sends the run to on-demand.

Children's are not among them: AWS Batch tries those again on Spot.
"""


@dataclass(frozen=True, slots=True)
class Watched:
    """What alarms look at, and where they tell of it."""

    topic: Topic
    machine: StateMachine
    dead_letters: Queue


def alarms(config: Config, watched: Watched) -> tuple[Alarm, ...]:
    """Return the alarms of a stage; all tell the topic."""
    return tuple(_alarms(config, watched))


def _alarms(config: Config, watched: Watched) -> Iterator[Alarm]:
    topic = watched.topic
    yield _alarm(
        config,
        topic,
        "failed",
        "An execution ended as Failed or DataRejected. Its own notice says why and where to read on.",
        Namespace="AWS/States",
        MetricName="ExecutionsFailed",
        Dimensions=_dimensions(StateMachineArn=Ref(watched.machine)),
        Statistic="Sum",
        Period=FIVE_MINUTES,
        # Told of only when one fails.
        TreatMissingData=NOT_BREACHING,
    )
    yield _alarm(
        config,
        topic,
        "interrupted-often",
        "Tasks that validate or merge were told to end (SIGTERM) often: by Spot, then runs end on on-demand "
        "and other sizes may help; or by somebody who stopped them, then their executions failed.",
        **_of_run(Metric.INTERRUPTIONS, Stage=config.stage),
        Statistic="Sum",
        Period=DAY,
        Threshold=INTERRUPTIONS * len(config.datasets),
        # A day without an interruption is what it should be.
        TreatMissingData=NOT_BREACHING,
    )
    yield _alarm(
        config,
        topic,
        "dead-letters",
        "An event could not start the pipeline. Read the queue, mend the cause, start the day by hand.",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=_dimensions(QueueName=GetAtt(watched.dead_letters, "QueueName")),
        Statistic="Maximum",
        Period=FIVE_MINUTES,
        # SQS falls silent about a queue nobody touches for six hours: the letters in it are still there.
        TreatMissingData=IGNORE,
    )
    for dataset in config.datasets:
        yield _rejected(config, topic, dataset)
        if dataset.quiet_days:
            yield _quiet(config, topic, dataset, dataset.quiet_days)


def _rejected(config: Config, topic: Topic, dataset: Dataset) -> Alarm:
    return _alarm(
        config,
        topic,
        f"{dataset.name}-rejected",
        f"A day of {dataset.name} did not pass, and nothing is trained on it. The notice names the findings.",
        title=f"{dataset.title}Rejected",
        # The notice has told of it, and more.
        AlarmActions=[],
        **_of_run(Metric.REJECTIONS, Stage=config.stage, Dataset=dataset.name),
        Statistic="Sum",
        Period=FIVE_MINUTES,
        # Nobody judges all the time.
        TreatMissingData=NOT_BREACHING,
    )


def _quiet(config: Config, topic: Topic, dataset: Dataset, days: int) -> Alarm:
    return _alarm(
        config,
        topic,
        f"{dataset.name}-quiet",
        f"No day of {dataset.name} was judged for {days} days. Do its data come in? Is its trigger alive?",
        title=f"{dataset.title}Quiet",
        Metrics=[
            MetricDataQuery(
                Id="judged",
                MetricStat=MetricStat(
                    Metric=CloudWatchMetric(**_of_run(Metric.ROWS, Stage=config.stage, Dataset=dataset.name)),
                    Stat="SampleCount",
                    Period=DAY,
                ),
                ReturnData=False,
            ),
            # Left to itself CloudWatch looks further back for days with a value before one is missing:
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
            MetricDataQuery(Id="days", Expression="FILL(judged, 0)", Label="Judged", ReturnData=True),
        ],
        EvaluationPeriods=days,
        ComparisonOperator="LessThanThreshold",
        # Silence is what it listens for, also of a dataset that never came.
        TreatMissingData=BREACHING,
    )


def _alarm(config: Config, topic: Topic, name: str, meaning: str, *, title: str = "", **metric: Any) -> Alarm:
    """Return an alarm that goes off at one or more, in one period; ``metric`` may say otherwise."""
    at_one = {
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1,
        "EvaluationPeriods": 1,
        "AlarmActions": [Ref(topic)],
    }
    return Alarm(
        f"{title or ''.join(part.capitalize() for part in name.split('-'))}Alarm",
        AlarmName=config.named(name),
        AlarmDescription=meaning,
        **{**at_one, **metric},
    )


def _of_run(metric: Metric, **whose: str) -> dict[str, Any]:
    """Return what names one of the validator's own metrics."""
    named = {Dimension(name): value for name, value in whose.items()}
    return {
        "Namespace": METRICS_NAMESPACE,
        "MetricName": metric.value,
        "Dimensions": [MetricDimension(Name=name.value, Value=value) for name, value in named.items()],
    }


def _dimensions(**values: object) -> list[MetricDimension]:
    return [MetricDimension(Name=name, Value=value) for name, value in values.items()]
