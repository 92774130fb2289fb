"""The real process under a watchdog: what it said, what it cost, what it left behind."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from tests.functional.bad_input.inputs import Mischief, Run

ROOT: Final = Path(__file__).parents[3]
VALIDATE: Final = (sys.executable, "-m", "validator", "validate")

_KIB: Final = 1024
_TICK: Final = 0.03
_HASTY_TICK: Final = 0.0005
"""Seconds between two looks while something is to be struck at the right moment."""


class End(Enum):
    """How a process came to its end."""

    EXITED = "exited"
    TIME = "took too long"
    MEMORY = "took too much memory"


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond them the watchdog ends a process."""

    wall_seconds: float = 60
    peak_mb: float = 4_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run."""

    end: End
    exit_code: int
    """Negative: the number of the signal that ended it."""
    stdout: str
    stderr: str
    cpu_seconds: float
    peak_mb: float
    files: Mapping[str, bytes]
    """Below the output, by their names in it."""
    folder: str = ""
    """Where it ran: what a message says of that is no word of its own."""
    strays: tuple[str, ...] = ()
    """Files that it left elsewhere."""
    has_struck: bool = True
    """Whether the mischief that was meant to happen did happen."""


def run(made: Run, folder: Path, limits: Limits | None = None) -> Outcome:
    """Runs the validator on an input.

    Args:
        made: The input; it lies in `folder / "in"`.
        folder: A folder of this run alone.
        limits: Beyond which it is ended.
    """
    output = made.output or folder / "out"
    data = ["--data", os.fspath(made.data)] if made.data is not None else []
    command = [*VALIDATE, *data, "--output", os.fspath(output), *made.options]
    return watched(command, folder, Path(output), limits or Limits(), made)


def watched(
    command: Sequence[str], folder: Path, output: Path, limits: Limits, made: Run | None = None
) -> Outcome:
    """Runs a command under the watchdog.

    Args:
        command: Program and arguments.
        folder: Holds the input in `in/`; the process gets `tmp/` for its temporary files.
        output: Where its results are looked for.
        limits: Beyond which it is ended.
        made: The input, for what is to happen while it is read.
    """
    made = made or Run(None)
    temporary = folder / "tmp"
    temporary.mkdir()
    before = set(_names(folder / "in"))
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            [*_without_privileges(), *_on_full_disk(made.file_bytes), *command],
            cwd=ROOT,
            env=_environment(temporary),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        watch = _Watch(process.pid, limits, made.mischief)
        exit_code, usage = watch.until_it_ends()
        process.returncode = exit_code
    strays = [*(set(_names(folder / "in")) - before - set(_below(folder / "in", output))), *_names(temporary)]
    return Outcome(
        end=watch.end,
        exit_code=exit_code,
        stdout=(folder / "stdout").read_text(errors="replace"),
        stderr=(folder / "stderr").read_text(errors="replace"),
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_mb=watch.peak_kib / _KIB,
        files={name: (output / name).read_bytes() for name in _names(output) if (output / name).is_file()},
        folder=os.fspath(folder),
        strays=tuple(sorted(strays)),
        has_struck=watch.has_struck,
    )


def _environment(temporary: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "TMPDIR": str(temporary)}


def _without_privileges() -> Sequence[str]:
    """Root may read what nobody may read, unless it gives that up."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() or not setpriv:
        return ()
    return (setpriv, "--bounding-set", "-dac_override,-dac_read_search")


def _on_full_disk(file_bytes: int | None) -> Sequence[str]:
    return () if file_bytes is None else (shutil.which("prlimit") or "prlimit", f"--fsize={file_bytes}")


def _names(folder: Path) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            if name in files or path.is_symlink():
                yield os.fspath(path.relative_to(folder))


def _below(folder: Path, output: Path) -> Iterator[str]:
    """Yields the results by their names in the folder, where the output lies in it."""
    with suppress(ValueError):
        inside = output.relative_to(folder)
        yield from (os.fspath(inside / name) for name in _names(output))


class _Watch:
    """Looks at a process until it ends, and ends it when it goes too far."""

    def __init__(self, pid: int, limits: Limits, mischief: Mischief | None) -> None:
        self.end = End.EXITED
        self.peak_kib = 0.0
        self._pid = pid
        self._limits = limits
        self._mischief = mischief
        self._began = time.monotonic()

    @property
    def has_struck(self) -> bool:
        return self._mischief is None

    def until_it_ends(self) -> tuple[int, resource.struct_rusage]:
        """Returns its exit code and what it used."""
        while True:
            pid, status, usage = os.wait4(self._pid, os.WNOHANG)
            if pid:
                return self._ended(status, usage)
            self.peak_kib = max(self.peak_kib, sum(map(_peak_kib, _tree(self._pid))))
            self._strike()
            self._judge()
            time.sleep(_HASTY_TICK if self._mischief else _TICK)

    def _ended(self, status: int, usage: resource.struct_rusage) -> tuple[int, resource.struct_rusage]:
        # The kernel's own figure begins with that of whoever started the process: it tells only of more.
        if usage.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
            self.peak_kib = max(self.peak_kib, usage.ru_maxrss)
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(status), usage

    def _strike(self) -> None:
        if self._mischief and self._mischief(self._pid):
            self._mischief = None

    def _judge(self) -> None:
        if self.end is not End.EXITED:
            return
        if time.monotonic() - self._began > self._limits.wall_seconds:
            self._stop(End.TIME)
        elif self.peak_kib / _KIB > self._limits.peak_mb:
            self._stop(End.MEMORY)

    def _stop(self, end: End) -> None:
        self.end = end
        os.killpg(self._pid, signal.SIGKILL)


def _tree(pid: int) -> Iterator[int]:
    """Yields a process and all it started."""
    yield pid
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _tree(int(child))


def _peak_kib(pid: int) -> int:
    """Returns the most memory a process has held; it never goes down, so a rare look misses little."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
