"""The execution's input, read strictly: a known dataset and a date, and nothing else is ever taken from it.

Six forms are known::

    {"dataset": "taxi", "run_date": "2026-11-22"}                                            by hand
    {"source": "sluice.drift", "detail-type": "ModelDriftDetected", "detail": {...}, ...}    detail as by hand
    {"source": "sluice.schedule", "detail-type": "ScheduledRun", "time": ..., "detail": {"dataset": "taxi"}}
    {"source": "aws.sagemaker", "detail-type": "SageMaker Processing Job State Change", ...}
    {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", ...}
    {"source": "aws.s3", "detail-type": "Object Created", ...}

All but the first two leave something open, which day or whose data: ``schedule``, ``monitor``, ``alarm`` and
``arrival`` find it out. The rule has looked at the stage that an event of drift names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from .errors import InvalidEvent, UnknownDataset

DRIFT: Final = ("sluice.drift", "ModelDriftDetected")
MONITOR: Final = ("aws.sagemaker", "SageMaker Processing Job State Change")
ALARM: Final = ("aws.cloudwatch", "CloudWatch Alarm State Change")
SCHEDULE: Final = ("sluice.schedule", "ScheduledRun")
ARRIVAL: Final = ("aws.s3", "Object Created")

BY_HAND: Final = frozenset({"dataset", "run_date"})
NAME: Final = re.compile(r"(?!\.+$)[A-Za-z0-9_.-]{1,128}")
"""Event ids and execution names become parts of object keys."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What is to run: a dataset, a day, and the key that makes the trigger one of its kind."""

    dataset: str
    run_date: date
    key: str


@dataclass(frozen=True, slots=True)
class MonitorReport:
    """A finished job of SageMaker Model Monitor, which may have found a violation or not.

    Its key is the job's name: SageMaker may send several events, each with an id of its own, for one change.
    """

    processing_job: str
    time: datetime

    @property
    def key(self) -> str:
        """What makes the trigger one of its kind."""
        return self.processing_job


@dataclass(frozen=True, slots=True)
class AlarmReport:
    """An alarm of CloudWatch that went off."""

    alarm: str
    time: datetime
    key: str


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """An occurrence of a dataset's schedule, by the time (UTC) it was planned for, not the time it came.

    Its key is that time: a schedule may be delivered more than once, each time under an id of its own.
    """

    dataset: str
    time: datetime

    @property
    def key(self) -> str:
        """What makes the trigger one of its kind."""
        return f"schedule-{self.time:%Y-%m-%dT%H-%M-%SZ}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """An object that was put into a bucket; its key may say that a day is complete.

    The trigger's key is the object's version: one PUT may be told of by several events.
    """

    bucket: str
    object_key: str
    key: str


Parsed = Trigger | MonitorReport | AlarmReport | ScheduledRun | Arrival


def parse(document: object, datasets: Collection[str], execution_name: str) -> Parsed:
    """Read the execution's input.

    Args:
        document: The input, as Step Functions passes it on.
        datasets: Names of the datasets in the deployed configuration.
        execution_name: Name of the execution; the key of a trigger by hand.

    Raises:
        InvalidEvent: The input has none of the known forms, or its date is not an ISO date.
        UnknownDataset: The dataset is not one of ``datasets``.
    """
    event = _object(document, "the input")
    if "detail-type" not in event:
        _refuse_others(event)
        return _trigger(event, datasets, name(execution_name, "the execution's name"))
    return _event(event, datasets)


def _event(event: Mapping[str, Any], datasets: Collection[str]) -> Parsed:
    kind = (event.get("source"), event["detail-type"])
    detail, key = _object(event.get("detail"), "the event's detail"), name(event.get("id"), "the event's id")
    if kind == DRIFT:
        return _trigger(detail, datasets, key)
    if kind == MONITOR:
        job = name(detail.get("ProcessingJobName"), "the processing job's name")
        return MonitorReport(job, _time(event.get("time")))
    if kind == ALARM:
        return AlarmReport(_alarm(detail), _time(event.get("time")), key)
    if kind == SCHEDULE:
        return ScheduledRun(_dataset(detail.get("dataset"), datasets), _time(event.get("time")))
    if kind == ARRIVAL:
        return _arrival(detail, key)
    raise InvalidEvent(
        f"unknown event {kind[1]!r:.80} of {kind[0]!r:.80}: Init reads {DRIFT[1]}, {SCHEDULE[1]}, "
        "Model Monitor's jobs, alarms and new objects"
    )


def name(value: object, what: str) -> str:
    """Return the value if it is fit to be part of an object's key."""
    if isinstance(value, str) and NAME.fullmatch(value):
        return value
    raise InvalidEvent(
        f"{what} is {value!r:.80}: expected up to 128 letters, digits, dots, hyphens or underscores"
    )


def _trigger(fields: Mapping[str, Any], datasets: Collection[str], key: str) -> Trigger:
    return Trigger(_dataset(fields.get("dataset"), datasets), day(fields.get("run_date")), key)


def _alarm(detail: Mapping[str, Any]) -> str:
    state = _object(detail.get("state"), "the alarm's state").get("value")
    if state != "ALARM":
        raise InvalidEvent(f"the alarm's state is {state!r:.80}: only ALARM starts a run")
    return str(detail.get("alarmName"))


def _arrival(detail: Mapping[str, Any], event_id: str) -> Arrival:
    bucket = _object(detail.get("bucket"), "the event's bucket").get("name")
    created = _object(detail.get("object"), "the event's object")
    # A bucket without versions has none; while they are suspended all objects have one, called null.
    version = created.get("version-id")
    key = event_id if version in (None, "null") else name(version, "the object's version")
    return Arrival(str(bucket), str(created.get("key")), key)


def _dataset(value: object, datasets: Collection[str]) -> str:
    if isinstance(value, str) and value in datasets:
        return value
    raise UnknownDataset(f"unknown dataset {value!r:.80}: this pipeline has {', '.join(sorted(datasets))}")


def day(value: object) -> date:
    """Return the date that a text spells in the one way it has here, such as ``2026-11-22``."""
    # fromisoformat alone would also take 20261122 and 2026-W47-7, which make other keys.
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise InvalidEvent(f"run_date is {value!r:.80}: expected a date such as 2026-11-22")


def _time(value: object) -> datetime:
    """Return a time of AWS, such as ``2026-11-22T03:30:00Z``, in UTC, as one without a zone is."""
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        pass
    raise InvalidEvent(f"the event's time is {value!r:.80}: expected an ISO time")


def _object(value: object, what: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise InvalidEvent(f"{what} is {type(value).__name__}, not an object: expected dataset and run_date")


def _refuse_others(event: Mapping[str, Any]) -> None:
    if others := sorted(str(key) for key in event.keys() - BY_HAND):
        raise InvalidEvent(
            f"unknown key {', '.join(others)[:80]!r} in the input: only dataset and run_date are read"
        )
