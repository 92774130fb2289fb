"""Runs one subject as a process and measures it from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from bench import tree

_EVERY_SECONDS: Final = 0.025


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process and all it starts may take; beyond it they are killed."""

    bytes: int | None = None
    seconds: float = 1_800


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run took."""

    exit_code: int
    """Negative: the signal that ended it."""
    wall: float
    """Seconds."""
    cpu: float
    """User and system seconds of the process and of what it waited for (wait4)."""
    peak: int
    """Bytes of memory."""
    memory: str
    """How the peak was found: "ru_maxrss" of a lone process, or "sampled PSS" of several together."""
    beyond: str
    """The limit it was killed at, or ""."""
    part: Mapping[str, float]
    """What the process said of the part that counts, "cpu" and "wall" among it."""
    complaint: str
    """Why its figures do not count: the last line it printed when it failed; "" when they do."""

    @property
    def is_done(self) -> bool:
        """Whether it did its work within its limits."""
        return self.exit_code == 0 and not self.beyond and not self.complaint

    def to_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        return asdict(self)


@dataclass(slots=True)
class _Watch:
    """Looks at a process tree until it ends, and ends it beyond a limit."""

    pid: int
    limits: Limits
    peak: int = 0
    processes: int = 1
    beyond: str = ""
    _ended: Event = field(default_factory=Event)

    def look(self) -> None:
        end = time.monotonic() + self.limits.seconds
        while not self._ended.wait(_EVERY_SECONDS):
            pids = tree.members(self.pid)
            self.processes = max(self.processes, len(pids))
            self.peak = max(self.peak, tree.memory(pids))
            if self.is_above(self.peak):
                self._kill(f"{self.peak / 1e6:,.0f} MB")
            elif time.monotonic() > end:
                self._kill(f"{self.limits.seconds:,.0f} s")

    def is_above(self, size: int) -> bool:
        return self.limits.bytes is not None and size > self.limits.bytes

    def end(self) -> None:
        self._ended.set()

    def _kill(self, beyond: str) -> None:
        self.beyond = self.beyond or beyond
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def run(argv: Sequence[str], *, cwd: Path, limits: Limits, log: Path) -> Measured:
    """Runs a program to its end.

    The one who calls must be small: Linux gives a new process its parent's peak of memory to begin with.

    Args:
        argv: Program and arguments.
        cwd: Where it runs.
        limits: Of the whole tree; the memory is looked at every 25 ms.
        log: File that its stdout and stderr are written to.
    """
    start = time.monotonic()
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 - a list, and no shell
            argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
        )
        watch = _Watch(process.pid, limits)
        watcher = Thread(target=watch.look)
        watcher.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            watch.end()
            watcher.join()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    is_alone = watch.processes == 1
    peak = usage.ru_maxrss << 10 if is_alone else watch.peak
    printed = log.read_text(errors="replace").strip().splitlines()
    return Measured(
        exit_code=process.returncode,
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        peak=peak,
        memory="ru_maxrss" if is_alone else "sampled PSS",
        beyond=watch.beyond or (f"{peak / 1e6:,.0f} MB" if watch.is_above(peak) else ""),
        part=_part(printed),
        complaint=f"exit {process.returncode}: {''.join(printed[-1:])}" if process.returncode else "",
    )


def _part(printed: Sequence[str]) -> Mapping[str, float]:
    """Returns the last line that is a JSON object with the part's seconds, if there is one."""
    for line in reversed(printed):
        with suppress(ValueError):
            said = json.loads(line)
            if isinstance(said, dict) and "cpu" in said:
                return said
    return {}
