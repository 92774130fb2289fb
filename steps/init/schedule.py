"""Schedules: which day an occurrence means."""

from __future__ import annotations

from collections.abc import Mapping

from . import clock
from .errors import InvalidEvent
from .event import ScheduledRun, Trigger
from .settings import Dataset


def resolve(scheduled: ScheduledRun, datasets: Mapping[str, Dataset]) -> Trigger:
    """Find the day that an occurrence of a schedule means.

    Raises:
        InvalidEvent: The dataset has no schedule, or there is no such day.
    """
    dataset = datasets[scheduled.dataset]
    if not dataset.scheduled:
        raise InvalidEvent(f"dataset {scheduled.dataset} has no schedule in the deployed configuration")
    return Trigger(dataset.name, clock.day(scheduled.time, dataset), scheduled.key)
