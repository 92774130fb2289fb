"""The plan: which task size validates this day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from .manifest import Object
from .settings import Size, Sizing

MIB: Final = 1024 * 1024


def memory(objects: Iterable[Object], sizing: Sizing) -> float:
    """Return the MiB that validating the objects needs: base + sum of bytes x factor of the format."""
    return sizing.base + sum(each.size * sizing.factors[each.format] for each in objects if each.format) / MIB


def sizes(objects: Iterable[Object], ladder: Sequence[Size], sizing: Sizing) -> tuple[Size, Size]:
    """Choose a task size from the ladder.

    Returns:
        The smallest size with enough memory, and the next larger one for a task that runs out of memory
        nevertheless. Beyond the ladder's end it is the largest one.
    """
    need = memory(objects, sizing)
    last = len(ladder) - 1
    first = next((step for step, size in enumerate(ladder) if int(size.memory) >= need), last)
    return ladder[first], ladder[min(first + 1, last)]
