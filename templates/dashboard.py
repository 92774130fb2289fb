"""The dashboard: alarms, executions, a row for each dataset, and what validators said last."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from troposphere import Sub
from troposphere.cloudwatch import Alarm, Dashboard

from templates.config import Config, Dataset
from validator.contract import METRICS_NAMESPACE, Dimension, Metric

WIDTH: Final = 24
"""Columns of a dashboard."""

DAY: Final = 24 * 3600
REGION: Final = "${AWS::Region}"

Widget = Mapping[str, Any]


def dashboard(config: Config, alarms: Sequence[Alarm]) -> Dashboard:
    """Return the dashboard of a stage; names of resources stand in it as CloudFormation fills them in."""
    rows = [
        [_alarms(alarms)],
        [_executions(), _trouble(config)],
        *([*_judged(config, dataset), _drift(config, dataset)] for dataset in config.datasets),
        [_words()],
    ]
    body = {"widgets": list(_placed(rows))}
    return Dashboard("Dashboard", DashboardName=config.named("pipeline"), DashboardBody=Sub(json.dumps(body)))


def _placed(rows: Sequence[Sequence[Widget]]) -> Iterator[Widget]:
    """Lay rows below one another, the widgets of a row side by side in equal widths."""
    y = 0
    for row in rows:
        width = WIDTH // len(row)
        height = max(widget["height"] for widget in row)
        for column, widget in enumerate(row):
            yield {**widget, "x": column * width, "y": y, "width": width, "height": height}
        y += height


def _alarms(alarms: Sequence[Alarm]) -> Widget:
    arns = [f"${{{alarm.title}.Arn}}" for alarm in alarms]
    return {"type": "alarm", "height": 3, "properties": {"title": "Alarms", "alarms": arns}}


def _executions() -> Widget:
    names = ("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsAborted")
    metrics = [["AWS/States", name, "StateMachineArn", "${StateMachine}"] for name in names]
    return _graph("Executions", metrics, stat="Sum", period=3600)


def _trouble(config: Config) -> Widget:
    metrics = [
        _of_run(Metric.INTERRUPTIONS, {Dimension.STAGE: config.stage}),
        [
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            "QueueName",
            "${DeadLetters.QueueName}",
            {"stat": "Maximum"},
        ],
    ]
    return _graph("Interruptions and dead letters", metrics, stat="Sum", period=3600)


def _judged(config: Config, dataset: Dataset) -> Iterator[Widget]:
    def of_run(*metrics: Metric, **options: Any) -> list[list[Any]]:
        whose = {Dimension.STAGE: config.stage, Dimension.DATASET: dataset.name}
        return [[*_of_run(metric, whose), *([options] if options else [])] for metric in metrics]

    yield _graph(f"{dataset.name}: rows", of_run(Metric.ROWS), stat="Sum")
    findings = of_run(Metric.ERRORS, Metric.WARNINGS, Metric.REJECTIONS)
    moved = of_run(Metric.LARGEST_DRIFT, stat="Maximum", yAxis="right")
    yield _graph(f"{dataset.name}: findings", [*findings, *moved], stat="Sum")
    took = [*of_run(Metric.SECONDS), *of_run(Metric.DOLLARS, yAxis="right")]
    yield _graph(f"{dataset.name}: seconds and dollars", took, stat="Sum")


def _drift(config: Config, dataset: Dataset) -> Widget:
    """Show the drift of every feature; which there are, CloudWatch finds."""
    schema = ",".join(sorted(Dimension))
    search = (
        f'{{{METRICS_NAMESPACE},{schema}}} MetricName="{Metric.DRIFT}" '
        f'{Dimension.STAGE}="{config.stage}" {Dimension.DATASET}="{dataset.name}"'
    )
    expression = f"SEARCH('{search}', 'Maximum', {DAY})"
    return _graph(f"{dataset.name}: drift by feature", [[{"expression": expression, "id": "drift"}]])


def _words() -> Widget:
    query = (
        "SOURCE '${ValidatorLogs}' | fields @timestamp, @message "
        "| filter @message not like /_aws/ | sort @timestamp desc | limit 50"
    )
    properties = {"title": "What validators said last", "region": REGION, "query": query, "view": "table"}
    return {"type": "log", "height": 6, "properties": properties}


def _of_run(metric: Metric, whose: Mapping[Dimension, str]) -> list[Any]:
    named = [text for dimension, value in whose.items() for text in (dimension.value, value)]
    return [METRICS_NAMESPACE, metric.value, *named]


def _graph(title: str, metrics: list[list[Any]], *, stat: str = "Maximum", period: int = DAY) -> Widget:
    properties = {
        "title": title,
        "region": REGION,
        "view": "timeSeries",
        "stat": stat,
        "period": period,
        "metrics": metrics,
    }
    return {"type": "metric", "height": 6, "properties": properties}
