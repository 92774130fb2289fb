"""The clock: which day a trigger means that names none, but comes at a time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from .errors import InvalidEvent
from .settings import Dataset


def day(time: datetime, dataset: Dataset) -> date:
    """Return the day of the data that are there at a time: the dataset's ``days_back`` before the local date.

    It is counted back from the date that clocks in the dataset's time zone show: half past midnight in Berlin
    is still of the day before in UTC.

    Raises:
        InvalidEvent: There is no such day, or nobody here knows the time zone.
    """
    try:
        return time.astimezone(ZoneInfo(dataset.time_zone)).date() - timedelta(days=dataset.days_back)
    except (KeyError, OSError, OverflowError, ValueError) as error:
        raise InvalidEvent(f"{time.isoformat()} is no time in {dataset.time_zone!r}: {error}") from None
