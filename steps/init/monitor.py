"""Model Monitor's jobs: whose data they watched, and whether they found a violation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from . import clock
from .event import MonitorReport, Trigger
from .settings import Dataset

VIOLATIONS: Final = "CompletedWithViolations"


def judge(job: dict[str, Any], report: MonitorReport, datasets: Iterable[Dataset]) -> tuple[Trigger, bool]:
    """Find the dataset a monitoring job watched and whether the job found a violation.

    Args:
        job: Answer of DescribeProcessingJob, whose ExitMessage begins with ``CompletedWithViolations`` when
            the data violate the monitor's baseline.
        report: The event that named the job.
        datasets: The deployed datasets with the names of their monitoring schedules.

    Returns:
        What would be run, and whether to run it. The rule cannot tell schedules apart, so jobs of others come
        here too: they start nothing and fail nothing, and their dataset is "".

    Raises:
        InvalidEvent: There is no such day.
    """
    # SageMaker writes names in ARNs in lower case, however they were given.
    schedule = job.get("MonitoringScheduleArn", "").rpartition("/")[2].lower()
    for dataset in datasets:
        if schedule in map(str.lower, dataset.monitors):
            violated = job.get("ExitMessage", "").startswith(VIOLATIONS)
            return Trigger(dataset.name, clock.day(report.time, dataset), report.key), violated
    return Trigger("", report.time.date(), report.key), False
