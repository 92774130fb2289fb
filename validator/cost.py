"""Cost: an estimate of what the task costs until now, from its size, its start and the prices it was given.

A merge adds what its children's tasks were billed for. Fargate bills vCPU-hours and GB-hours by the second
from the start of the image pull, one minute at least (https://aws.amazon.com/fargate/pricing/). The task is
still running when it is asked, hence an estimate.
"""

from __future__ import annotations

import json
import math
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from http.client import HTTPException
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final

from validator.text import count

MINIMUM_SECONDS: Final = 60.0
"""Fargate bills one minute at least."""

CHILDREN: Final = "children"
"""The stage of a merge's timings in which its children's tasks ran, side by side: seconds of all of them."""

_TIMEOUT_SECONDS: Final = 2.0
"""The metadata endpoint is of the same machine: who has not answered by then will not."""
_MOST_BYTES: Final = 1 << 20
_LARGEST: Final = 1e6
"""More vCPUs or GB than any task has: what goes beyond would make a cost that no document can hold."""
_DIGITS: Final = 6
_SPOT: Final = "FARGATE_SPOT"
_LESS_ON_SPOT: Final = "at most, because these are on-demand prices and Spot usually costs 50 to 70 % less"


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for an hour.

    Attributes:
        vcpu_hour: Price of one vCPU.
        gb_hour: Price of one GB of memory.
    """

    vcpu_hour: Decimal
    gb_hour: Decimal


@dataclass(frozen=True, slots=True)
class Task:
    """The ECS task that this process runs in, as the metadata endpoint tells it.

    Attributes:
        vcpus: Size in vCPUs.
        memory_gb: Size in GB (1,024 MiB).
        started: When billing began: the start of the image pull.
        image_digest: `sha256:…` of the container's image; empty when it is not told.
    """

    vcpus: float
    memory_gb: float
    started: datetime
    image_digest: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What tasks are billed for.

    Attributes:
        tasks: How many.
        seconds: Billed, of all of them together.
        vcpu_hours: Billed vCPU-hours.
        gb_hours: Billed GB-hours.
        is_spot: Whether any of them ran on Spot.
    """

    tasks: int = 0
    seconds: float = 0.0
    vcpu_hours: float = 0.0
    gb_hours: float = 0.0
    is_spot: bool = False

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> Usage:
        """Reads what `dataclasses.asdict` wrote.

        Raises:
            ValueError: A number is below zero, or not finite.
            KeyError: A field is missing.
            TypeError: One is no number.
        """
        names = ("seconds", "vcpu_hours", "gb_hours")
        if not all(0 <= fields[name] < math.inf for name in ("tasks", *names)):
            raise ValueError("it is no amount")
        seconds, vcpu_hours, gb_hours = (float(fields[name]) for name in names)
        return cls(int(fields["tasks"]), seconds, vcpu_hours, gb_hours, bool(fields["is_spot"]))

    def __add__(self, other: Usage) -> Usage:
        """Returns what both are billed for."""
        return Usage(
            self.tasks + other.tasks,
            self.seconds + other.seconds,
            self.vcpu_hours + other.vcpu_hours,
            self.gb_hours + other.gb_hours,
            self.is_spot or other.is_spot,
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """What a task, with the children it merges, costs: an estimate until it has ended.

    Attributes:
        vcpu_hours: Billed vCPU-hours.
        gb_hours: Billed GB-hours.
        usd: US dollars at the prices given; None when no prices were given.
        basis: In words, how it was computed; says that it is an estimate.
    """

    vcpu_hours: float
    gb_hours: float
    usd: float | None
    basis: str

    @property
    def is_limit(self) -> bool:
        """Whether it costs this at most: a task runs on Spot, at on-demand prices."""
        return self.basis.endswith(_LESS_ON_SPOT)


def read_task(metadata_uri: str | None) -> Task | None:
    """Asks the ECS task metadata endpoint, version 4, for the task's size and start.

    Args:
        metadata_uri: Value of ECS_CONTAINER_METADATA_URI_V4; None or empty outside ECS.

    Returns:
        The task, or None when there is no endpoint, no answer or no size in it: an unknown cost is no error.
    """
    if not metadata_uri or not metadata_uri.startswith("http://"):
        return None
    told: SimpleQueue[Task | None] = SimpleQueue()
    # A socket's timeout is that of each read: bytes that drip would hold the run, and it is judged already.
    Thread(target=lambda: told.put(_ask(f"{metadata_uri}/task")), daemon=True).start()
    try:
        return told.get(timeout=_TIMEOUT_SECONDS)
    except Empty:
        return None


def usage(task: Task, now: datetime, capacity: str) -> Usage:
    """Returns what a task is billed for until now.

    Args:
        task: The task.
        now: The present, with a time zone.
        capacity: FARGATE or FARGATE_SPOT.
    """
    seconds = max((now - task.started).total_seconds(), MINIMUM_SECONDS)
    hours = seconds / 3600
    return Usage(1, seconds, task.vcpus * hours, task.memory_gb * hours, capacity == _SPOT)


def estimate(
    task: Task | None,
    now: datetime,
    prices: Prices | None,
    *,
    capacity: str = "",
    children: Usage | None = None,
) -> Cost | None:
    """Estimates what a task has cost until now.

    Args:
        task: The task; None outside ECS.
        now: The present, with a time zone.
        prices: On-demand prices; None when they are not known.
        capacity: FARGATE or FARGATE_SPOT, for the words of the basis.
        children: What the children's tasks were billed for; None unless the task merges.

    Returns:
        The estimate; None outside ECS.
    """
    if task is None:
        return None
    own = usage(task, now, capacity)
    whole = own + (children or Usage())
    at = f" at ${prices.vcpu_hour} a vCPU-hour and ${prices.gb_hour} a GB-hour" if prices else ""
    spot = f"; {_LESS_ON_SPOT}" if whole.is_spot and prices else ""
    return Cost(
        vcpu_hours=round(whole.vcpu_hours, _DIGITS),
        gb_hours=round(whole.gb_hours, _DIGITS),
        usd=None if prices is None else _usd(whole, prices),
        basis=f"estimate, {_what(task, own, children)}{at}{spot}",
    )


def _ask(uri: str) -> Task | None:
    try:
        with urllib.request.urlopen(uri, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            return _task(json.loads(answer.read(_MOST_BYTES)))
    except (OSError, HTTPException, RecursionError):
        return None
    except (ValueError, OverflowError, LookupError, TypeError, AttributeError):
        # An answer, and no task's.
        return None


def _task(metadata: dict[str, Any]) -> Task:
    containers = metadata.get("Containers") or [{}]
    task = Task(
        vcpus=float(metadata["Limits"]["CPU"]),
        memory_gb=float(metadata["Limits"]["Memory"]) / 1024,
        started=datetime.fromisoformat(metadata["PullStartedAt"]),
        image_digest=str(containers[0].get("ImageID") or ""),
    )
    if not (0 < task.vcpus < _LARGEST and 0 < task.memory_gb < _LARGEST and task.started.tzinfo):
        raise ValueError("no size, or a time without a zone")
    return task


def _usd(used: Usage, prices: Prices) -> float:
    total = Decimal(used.vcpu_hours) * prices.vcpu_hour + Decimal(used.gb_hours) * prices.gb_hour
    return float(round(total, _DIGITS))


def _what(task: Task, own: Usage, children: Usage | None) -> str:
    size = f"{task.vcpus:g} vCPU and {task.memory_gb:g} GB for {own.seconds:.0f} s"
    if children is None:
        return f"the task is still running: {size}"
    if not children.tasks:
        return f"of the merge alone, which is still running: {size}"
    tasks = count(children.tasks, "task")
    hours = f"{children.vcpu_hours:.3g} vCPU-hours and {children.gb_hours:.3g} GB-hours"
    return f"the merge is still running: {size}, and {tasks} of children, killed ones left out: {hours},"
