"""Cost: an estimate of what the task costs until now, from its size, its start and the prices it was given.

Fargate bills vCPU-hours and GB-hours by the second from the start of the image pull, one minute at least
(https://aws.amazon.com/fargate/pricing/). The task is still running when it is asked, hence an estimate.
"""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

MINIMUM_SECONDS: Final = 60.0
"""Fargate bills one minute at least."""

_TIMEOUT_SECONDS: Final = 2.0
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
class Cost:
    """What a task costs, an estimate until it has ended.

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
        """Whether the task costs this at most: it runs on Spot, at on-demand prices."""
        return self.basis.endswith(_LESS_ON_SPOT)

    @classmethod
    def parse(cls, fields: dict[str, Any] | None) -> Cost | None:
        """Reads what `dataclasses.asdict` wrote."""
        return None if fields is None else cls(**fields)


def read_task(metadata_uri: str | None) -> Task | None:
    """Asks the ECS task metadata endpoint, version 4, for the task's size and start.

    Args:
        metadata_uri: Value of ECS_CONTAINER_METADATA_URI_V4; None or empty outside ECS.

    Returns:
        The task, or None when there is no endpoint, no answer or no size in it: an unknown cost is no error.
    """
    if not metadata_uri or not metadata_uri.startswith("http://"):
        return None
    try:
        with urllib.request.urlopen(f"{metadata_uri}/task", timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            return _task(json.load(answer))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def estimate(task: Task | None, now: datetime, prices: Prices | None, *, capacity: str = "") -> Cost | None:
    """Estimates what a task has cost until now.

    Args:
        task: The task; None outside ECS.
        now: The present, with a time zone.
        prices: On-demand prices; None when they are not known.
        capacity: FARGATE or FARGATE_SPOT, for the words of the basis.

    Returns:
        The estimate; None outside ECS.
    """
    if task is None:
        return None
    hours = max((now - task.started).total_seconds(), MINIMUM_SECONDS) / 3600
    vcpu_hours, gb_hours = task.vcpus * hours, task.memory_gb * hours
    return Cost(
        vcpu_hours=round(vcpu_hours, _DIGITS),
        gb_hours=round(gb_hours, _DIGITS),
        usd=None if prices is None else _usd(vcpu_hours, gb_hours, prices),
        basis=_basis(task, hours, prices, capacity),
    )


def _task(metadata: dict[str, Any]) -> Task:
    containers = metadata.get("Containers") or [{}]
    return Task(
        vcpus=float(metadata["Limits"]["CPU"]),
        memory_gb=float(metadata["Limits"]["Memory"]) / 1024,
        started=datetime.fromisoformat(metadata["PullStartedAt"]),
        image_digest=str(containers[0].get("ImageID") or ""),
    )


def _usd(vcpu_hours: float, gb_hours: float, prices: Prices) -> float:
    total = Decimal(vcpu_hours) * prices.vcpu_hour + Decimal(gb_hours) * prices.gb_hour
    return float(round(total, _DIGITS))


def _basis(task: Task, hours: float, prices: Prices | None, capacity: str) -> str:
    size = f"{task.vcpus:g} vCPU and {task.memory_gb:g} GB for {hours * 3600:.0f} s"
    at = f" at ${prices.vcpu_hour} a vCPU-hour and ${prices.gb_hour} a GB-hour" if prices else ""
    spot = f"; {_LESS_ON_SPOT}" if capacity == _SPOT and prices else ""
    return f"estimate, the task is still running: {size}{at}{spot}"
