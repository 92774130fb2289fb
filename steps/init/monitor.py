"""Model Monitor's jobs: whose data they watched, and whether they found a violation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from .errors import UnknownDataset
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

    Raises:
        UnknownDataset: The job belongs to no schedule of a deployed dataset.
    """
    schedule = job.get("MonitoringScheduleArn", "").rpartition("/")[2]
    for dataset in datasets:
        if schedule and schedule in dataset.monitors:
            violated = job.get("ExitMessage", "").startswith(VIOLATIONS)
            return Trigger(dataset.name, report.run_date, report.key), violated
    raise UnknownDataset(
        f"processing job {report.processing_job} belongs to monitoring schedule {schedule!r}: "
        "no dataset of the configuration names it"
    )
