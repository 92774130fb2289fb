"""Metrics: a run in numbers, as lines of CloudWatch's embedded metric format.

CloudWatch Logs takes metrics out of such lines by itself, one JSON object a line
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html):
no agent, no call, no permission. Names of features come from the data: they are made ASCII and cut.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from validator.contract import METRICS_NAMESPACE, Dimension, Metric, Severity, Verdict

if TYPE_CHECKING:
    from validator.drift import Drift
    from validator.verdict import VerdictReport

FEATURES: Final = 100
"""Drift of so many features is told, of those that moved most: each is a metric that costs by the month."""

LARGEST: Final = 1_000.0
"""The largest multiple of a threshold that is told; of a threshold of 0 any drift is infinitely many."""

_VALUE_LIMIT: Final = 2.0**360
"""CloudWatch takes no value beyond."""

_NAME_LIMIT: Final = 200
"""Characters of a dimension's value; CloudWatch takes 1,024."""

_UNITS: Final[Mapping[Metric, str]] = {
    Metric.ROWS: "Count",
    Metric.BYTES: "Bytes",
    Metric.ERRORS: "Count",
    Metric.WARNINGS: "Count",
    Metric.NOTES: "Count",
    Metric.REJECTIONS: "Count",
    Metric.SECONDS: "Seconds",
    Metric.DOLLARS: "None",
    Metric.LARGEST_DRIFT: "None",
    Metric.DRIFT: "None",
    Metric.INTERRUPTIONS: "Count",
}


def of_verdict(report: VerdictReport, stage: str, at: datetime) -> Iterator[str]:
    """Yields the lines of a judged run: one for the run, one for each feature whose drift is told.

    Args:
        report: The verdict.
        stage: Name of the deployment's stage.
        at: The present, with a time zone.
    """
    whose = {Dimension.STAGE: stage, Dimension.DATASET: report.dataset}
    told = {"run_id": report.run_id, "run_date": report.run_date.isoformat(), "verdict": report.verdict}
    yield _line(_values(report), whose, at, **told)
    for drift in sorted(_finite(report), key=lambda each: -each.excess)[:FEATURES]:
        feature = {**whose, Dimension.FEATURE: drift.feature}
        yield _line({Metric.DRIFT: drift.value}, feature, at, run_id=report.run_id)


def of_interruption(run_id: str, stage: str, at: datetime) -> str:
    """Returns the line of a task that was told to end, whoever did."""
    return _line({Metric.INTERRUPTIONS: 1}, {Dimension.STAGE: stage}, at, run_id=run_id)


def _values(report: VerdictReport) -> dict[Metric, float]:
    values: dict[Metric, float] = {
        Metric.ROWS: report.rows,
        Metric.BYTES: report.bytes,
        Metric.ERRORS: report.counts[Severity.ERROR],
        Metric.WARNINGS: report.counts[Severity.WARNING],
        Metric.NOTES: report.counts[Severity.INFO],
        Metric.REJECTIONS: int(report.verdict is Verdict.FAIL),
        Metric.SECONDS: round(sum(report.timings.values()), 3),
    }
    if report.cost is not None and report.cost.usd is not None:
        values[Metric.DOLLARS] = report.cost.usd
    if excesses := [drift.excess for drift in _finite(report)]:
        values[Metric.LARGEST_DRIFT] = max(-LARGEST, min(max(excesses), LARGEST))
    return values


def _finite(report: VerdictReport) -> Iterator[Drift]:
    """Yields the drift that CloudWatch takes for a number: it refuses a line with any other."""
    return (drift for drift in report.drift if abs(drift.value) < _VALUE_LIMIT)


def _line(
    values: Mapping[Metric, float], dimensions: Mapping[Dimension, str], at: datetime, **properties: str
) -> str:
    directive = {
        "Namespace": METRICS_NAMESPACE,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": metric, "Unit": _UNITS[metric]} for metric in values],
    }
    content: dict[str, Any] = {
        "_aws": {"Timestamp": int(at.timestamp() * 1000), "CloudWatchMetrics": [directive]},
        **properties,
        **{dimension.value: _value(value) for dimension, value in dimensions.items()},
        **{metric.value: value for metric, value in values.items()},
    }
    return json.dumps(content, ensure_ascii=True, allow_nan=False)


def _value(text: str) -> str:
    """Returns a dimension's value: ASCII, not blank, cut to a length that still tells two apart."""
    escaped = text.encode("unicode_escape").decode("ascii")
    if len(escaped) > _NAME_LIMIT:
        digest = hashlib.sha256(escaped.encode()).hexdigest()[:12]
        escaped = f"{escaped[: _NAME_LIMIT - len(digest) - 1]}~{digest}"
    return escaped if escaped.strip() and not escaped.startswith(":") else f"'{escaped}'"
