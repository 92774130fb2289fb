"""The plan: one task of a fitting size, or how many children of an array job share the day."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from .manifest import Object
from .settings import Pace, Size

UNITS: Final = 1024
"""CPU units of a vCPU."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a day is profiled."""

    sizes: tuple[Size, Size]
    """The size a task begins with, and the one it gets after it ran out of memory."""
    children: int
    """Children of the array job; 1 means that one task does everything."""


def make(objects: Iterable[Object], ladder: Sequence[Size], pace: Pace) -> Plan:
    """Plan the smallest task that is done in time; where none is, what is soonest done.

    That are children of the smallest size, if together they have more vCPUs than the largest task.

    Args:
        objects: The day's data.
        ladder: Task sizes, smallest first.
        pace: How much of which kind is a second of work, and how long the day's may take.
    """
    data = [each for each in objects if each.kind]
    work = sum(_seconds(each, pace) for each in data)
    pieces = sum(_pieces(each, pace) for each in data)
    vcpus = [int(size.cpu) / UNITS for size in ladder]
    # More vCPUs than pieces have nothing to do.
    enough = (step for step, vcpu in enumerate(vcpus) if vcpu * pace.target_seconds >= work or vcpu >= pieces)
    step = next(enough, None)
    if step is not None:
        return Plan(_with_reserve(ladder, step), 1)
    wanted = math.ceil(work / (vcpus[0] * pace.target_seconds))
    children = min(wanted, pieces, pace.most_children)
    if children * vcpus[0] > vcpus[-1]:
        return Plan(_with_reserve(ladder, 0), children)
    return Plan(_with_reserve(ladder, len(ladder) - 1), 1)


def _seconds(data: Object, pace: Pace) -> float:
    return data.size / pace.bytes_per_second[data.kind or ""]


def _pieces(data: Object, pace: Pace) -> int:
    """Return in how many pieces an object can be read: of a packed one the end is found by reading on."""
    return max(1, round(_seconds(data, pace))) if data.is_cuttable else 1


def _with_reserve(ladder: Sequence[Size], step: int) -> tuple[Size, Size]:
    return ladder[step], ladder[min(step + 1, len(ladder) - 1)]
