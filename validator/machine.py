"""The door to what this process may use: the limits of its control group, or of the machine.

Fargate's own limits reach a container as the size of its machine; a container engine's as a control group.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

BUDGET_SHARE: Final = 0.6
"""Of the memory there is: the rest is the kernel's, and room for what cannot be counted."""
BUDGET_LIMIT: Final = 512 << 20
"""Bytes a run takes by default even where there is more."""

_CONTROL_GROUPS: Final = Path("/sys/fs/cgroup")


def cpus(groups: Path = _CONTROL_GROUPS) -> int:
    """Returns how many processors this process may use at a time, a part of one counted whole."""
    return max(1, math.ceil(min([len(os.sched_getaffinity(0)), *_quotas(groups)])))


def memory(groups: Path = _CONTROL_GROUPS) -> int:
    """Returns the bytes of memory this process may use."""
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_limits(groups)])


def memory_budget(groups: Path = _CONTROL_GROUPS) -> int:
    """Returns the bytes a run takes unless it is told otherwise."""
    return min(int(memory(groups) * BUDGET_SHARE), BUDGET_LIMIT)


def resident() -> int:
    """Returns the bytes of memory this process holds by now."""
    return int(_words(Path("/proc/self/statm"))[1]) * os.sysconf("SC_PAGE_SIZE")


def _quotas(groups: Path) -> Iterator[float]:
    """Yields processors by the limits of the control group; version 2, then version 1."""
    for quota, period in _pairs(groups):
        with suppress(ValueError, ZeroDivisionError):
            if int(quota) > 0:
                yield int(quota) / int(period)


def _pairs(groups: Path) -> Iterator[tuple[str, str]]:
    words = _words(groups / "cpu.max")
    if len(words) == 2:
        yield words[0], words[1]
    quota, period = (_words(groups / "cpu" / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    if quota and period:
        yield quota[0], period[0]


def _limits(groups: Path) -> Iterable[int]:
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        # "max" is no number, and no limit.
        with suppress(ValueError, IndexError):
            yield int(_words(groups / name)[0])


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
