"""Which day a trigger means that names none: clocks of the dataset's own time zone decide."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from steps.init import alarm, monitor
from steps.init.errors import InvalidEvent
from steps.init.event import AlarmReport, MonitorReport, ScheduledRun
from steps.init.schedule import resolve
from steps.init.settings import Dataset


def dataset(time_zone: str, days_back: int) -> Dataset:
    return Dataset(
        *("taxi", "y", ()),
        schema=False,
        monitors=("watch",),
        alarms=("drift",),
        scheduled=True,
        days_back=days_back,
        time_zone=time_zone,
    )


@pytest.mark.parametrize(
    ("time", "zone", "days_back", "run_date"),
    [
        ("2026-11-23T03:30:00", "UTC", 0, "2026-11-23"),
        ("2026-11-23T03:30:00", "UTC", 1, "2026-11-22"),
        # Half past midnight in Berlin, where it is a day later than in UTC.
        ("2026-11-22T23:30:00", "Europe/Berlin", 0, "2026-11-23"),
        ("2026-11-22T23:30:00", "Europe/Berlin", 1, "2026-11-22"),
        # The evening before in Los Angeles.
        ("2026-11-23T03:30:00", "America/Los_Angeles", 0, "2026-11-22"),
        # Midnight on both sides of a change of clocks: a day has 23 or 25 hours.
        ("2026-03-28T23:00:00", "Europe/Berlin", 1, "2026-03-28"),
        ("2026-03-29T22:00:00", "Europe/Berlin", 1, "2026-03-29"),
        ("2026-10-24T22:00:00", "Europe/Berlin", 1, "2026-10-24"),
        ("2026-10-25T23:00:00", "Europe/Berlin", 1, "2026-10-25"),
        ("2024-03-01T00:00:00", "UTC", 1, "2024-02-29"),
        ("2026-01-01T00:00:00", "Asia/Kathmandu", 1, "2025-12-31"),
    ],
)
def test_the_day_is_counted_back_from_the_local_date(
    time: str, zone: str, days_back: int, run_date: str
) -> None:
    scheduled = ScheduledRun("taxi", datetime.fromisoformat(time).replace(tzinfo=UTC))

    trigger = resolve(scheduled, {"taxi": dataset(zone, days_back)})

    assert (trigger.dataset, trigger.run_date) == ("taxi", date.fromisoformat(run_date))
    assert trigger.key == f"schedule-{time.replace(':', '-')}Z"
    # What else comes at a time means the same day: a monitor's job, an alarm.
    known = [dataset(zone, days_back)]
    alarmed = alarm.resolve(AlarmReport("drift", scheduled.time, "k"), known)
    watched, violated = monitor.judge(
        {"MonitoringScheduleArn": "arn:x/watch", "ExitMessage": monitor.VIOLATIONS},
        MonitorReport("job", scheduled.time),
        known,
    )
    assert (alarmed.run_date, watched.run_date, violated) == (trigger.run_date, trigger.run_date, True)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "Europe", ""])
def test_a_time_zone_nobody_knows_is_one_line(zone: str) -> None:
    with pytest.raises(InvalidEvent, match="is no time in") as caught:
        resolve(ScheduledRun("taxi", datetime(2026, 11, 23, tzinfo=UTC)), {"taxi": dataset(zone, 1)})
    assert len(str(caught.value).splitlines()) == 1


def test_no_day_lies_before_the_first() -> None:
    with pytest.raises(InvalidEvent, match="is no time in"):
        resolve(ScheduledRun("taxi", datetime(1, 1, 1, tzinfo=UTC)), {"taxi": dataset("UTC", 1)})


def test_a_dataset_without_a_schedule_is_not_started_by_the_clock() -> None:
    plain = Dataset("taxi", "y", (), schema=False, monitors=(), alarms=())
    with pytest.raises(InvalidEvent, match="taxi has no schedule"):
        resolve(ScheduledRun("taxi", datetime(2026, 11, 23, tzinfo=UTC)), {"taxi": plain})
