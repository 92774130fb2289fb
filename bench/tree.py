"""A process and what it started, as /proc shows them; standard library only, for every environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def members(pid: int) -> list[int]:
    """Returns a process and everything that runs below it, itself first."""
    found = [pid]
    for member in found:
        found.extend(_children(member))
    return found


def memory(pids: list[int]) -> int:
    """Returns bytes of memory: resident for one process; for several their proportional shares, added up."""
    if len(pids) == 1:
        return _resident(pids[0])
    return sum(_proportional(pid) for pid in pids)


def cpu_seconds(pid: int) -> float:
    """Returns user and system time of a process and what it waited for, to a hundredth of a second."""
    with suppress(OSError):
        # The name in parentheses may hold anything: what follows it is counted from behind.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / _TICKS
    return 0.0


def _children(pid: int) -> Iterator[int]:
    # A process may end between any two of these lines.
    with suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            with suppress(OSError):
                yield from map(int, (task / "children").read_text().split())


def _resident(pid: int) -> int:
    with suppress(OSError, IndexError):
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE
    return 0


def _proportional(pid: int) -> int:
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "Pss":
                return int(value.split()[0]) << 10
    return 0
