"""CloudWatch's alarms: whose data they watch."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import UnknownDataset
from .event import AlarmReport, Trigger
from .settings import Dataset


def resolve(report: AlarmReport, datasets: Iterable[Dataset]) -> Trigger:
    """Find the dataset that an alarm watches.

    Raises:
        UnknownDataset: The alarm is named by no dataset of the configuration.
    """
    for dataset in datasets:
        if report.alarm in dataset.alarms:
            return Trigger(dataset.name, report.run_date, report.key)
    raise UnknownDataset(f"alarm {report.alarm!r:.80} is named by no dataset of the configuration")
