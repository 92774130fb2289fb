"""The one door to processes: start, stop, watch and clean up; what /proc says about them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Final

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_MEMORY_INTERVAL_SECONDS: Final = 0.02
_END_INTERVAL_SECONDS: Final = 0.005


class LocalProcess:
    """A container's or a job's process, with its output in a log file.

    It stays in this process's group, so that whatever happens the whole group can be ended at once.
    """

    def __init__(self, argv: Sequence[str], *, environment: Mapping[str, str], cwd: Path, log: Path) -> None:
        """Starts the process.

        Raises:
            OSError: the program cannot be started.
        """
        self.log = log
        self.out_of_memory = False
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603
                argv, env=dict(environment), cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """What it ended with as a container reports it, 128 + n after signal n; None while it runs."""
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for its end, at most ``timeout`` seconds; tells whether it has ended."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, grace: float) -> None:
        """Ends it as a container engine does: SIGTERM to it, SIGKILL to all of it after ``grace`` seconds."""
        self._process.terminate()
        if not self.wait(grace):
            self.kill()

    def kill(self) -> None:
        """Ends it and everything it started with SIGKILL."""
        doomed = {self.pid, *descendants(self.pid)}
        for pid in doomed:
            _send(pid, signal.SIGKILL)
        self._process.wait()
        while doomed & {pid for pid, _, _ in _processes()}:
            time.sleep(_END_INTERVAL_SECONDS)

    def crash(self) -> None:
        """Makes it die of SIGABRT, as after a bug in native code."""
        self._process.send_signal(signal.SIGABRT)

    def limit_memory(self, limit: int) -> None:
        """Kills it as soon as the whole tree holds more than ``limit`` bytes."""
        Thread(target=self._watch_memory, args=(limit,), daemon=True, name=f"memory-{self.pid}").start()

    def _watch_memory(self, limit: int) -> None:
        while not self.wait(_MEMORY_INTERVAL_SECONDS):
            if resident_bytes(self.pid) > limit:
                self.out_of_memory = True
                self.kill()


def resident_bytes(pid: int) -> int:
    """Memory that a process and all it started hold (RSS, shared pages counted in each)."""
    return sum(_resident(member) for member in [pid, *descendants(pid)])


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, theirs too."""
    children: dict[int, list[int]] = {}
    for member, parent, _group in _processes():
        children.setdefault(parent, []).append(member)
    found = list(children.get(pid, ()))
    for member in found:
        found.extend(children.get(member, ()))
    return found


def _processes() -> Iterator[tuple[int, int, int]]:
    """Number, parent and process group of each process that is there."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            # The program's name stands in brackets and may hold blanks and brackets itself.
            rest = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if rest[0] != "Z":
            yield int(folder.name), int(rest[1]), int(rest[2])


def lead_group() -> None:
    """Puts this process at the head of a group of its own, unless it is there already."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)


def end_others() -> None:
    """Ends every other process of this group, until none is left."""
    while others := [pid for pid, _, group in _processes() if group == os.getpgrp() and pid != os.getpid()]:
        for pid in others:
            _send(pid, signal.SIGKILL)
        time.sleep(_END_INTERVAL_SECONDS)


def end_group() -> None:
    """Ends this process and all that is left of its group; does not return."""
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def on_end_of_input(action: Callable[[], None]) -> None:
    """Calls ``action`` once whoever started this process lets go of its standard input, by whatever death."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        action()

    Thread(target=watch, daemon=True, name="end-of-input").start()


def on_terminate(action: Callable[[], None]) -> None:
    """Calls ``action`` on a thread of its own after SIGTERM or SIGINT."""
    asked = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())

    def watch() -> None:
        asked.wait()
        action()

    Thread(target=watch, daemon=True, name="terminate").start()


def redirect_output(log: Path) -> None:
    """Sends this process's standard output and error to a file."""
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)


def last_line(log: Path) -> str:
    """The last line of a log that says something, at most 1,000 characters of it."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1][:1000] if lines else ""
