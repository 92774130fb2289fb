"""CloudWatch's alarms: whose data they watch."""

from __future__ import annotations

from collections.abc import Iterable

from . import clock
from .errors import UnknownDataset
from .event import AlarmReport, Trigger
from .settings import Dataset


def resolve(report: AlarmReport, datasets: Iterable[Dataset]) -> Trigger:
    """Find the dataset that an alarm watches.

    Raises:
        UnknownDataset: The alarm is named by no dataset of the configuration.
        InvalidEvent: There is no such day.
    """
    for dataset in datasets:
        if report.alarm in dataset.alarms:
            return Trigger(dataset.name, clock.day(report.time, dataset), report.key)
    raise UnknownDataset(f"alarm {report.alarm!r:.80} is named by no dataset of the configuration")
