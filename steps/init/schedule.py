"""Schedules: which day an occurrence means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from .errors import InvalidEvent
from .event import ScheduledRun, Trigger
from .settings import Dataset


def resolve(scheduled: ScheduledRun, datasets: Mapping[str, Dataset]) -> Trigger:
    """Find the day that an occurrence of a schedule means.

    It is counted back from the date that clocks in the schedule's own time zone showed at the scheduled time:
    a run at half past midnight in Berlin is still of the day before in UTC.

    Raises:
        InvalidEvent: The dataset has no schedule, or nobody here knows its time zone.
    """
    schedule = datasets[scheduled.dataset].schedule
    if schedule is None:
        raise InvalidEvent(f"dataset {scheduled.dataset} has no schedule in the deployed configuration")
    try:
        local = scheduled.time.astimezone(ZoneInfo(schedule.time_zone))
        run_date = local.date() - timedelta(days=schedule.days_back)
    except (KeyError, OSError, OverflowError, ValueError) as error:
        raise InvalidEvent(
            f"{scheduled.time.isoformat()} is no time in {schedule.time_zone!r}: {error}"
        ) from None
    return Trigger(scheduled.dataset, run_date, scheduled.key)
