"""The one door to other programs."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from build.errors import PlatformError, UnavailableError

GRACE_SECONDS: Final = 5.0
"""How long a child may take to end once its stdin is closed."""

_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG: Final = 1


def run(
    argv: Sequence[str],
    *,
    secret: str | None = None,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> None:
    """Run a program to its end, which comes no later than our own; stdout stays ours.

    Args:
        argv: Program and arguments; no shell reads them.
        secret: Text for its stdin, where no process list shows it.
        environment: All its variables; without, it has ours.
        log: File for what it prints; without one it goes to stderr.

    Raises:
        UnavailableError: This machine has no such program.
        PlatformError: It ended with another code than 0.
    """
    with _sink(log) as sink, _starting(argv):
        ended = subprocess.run(  # noqa: S603 - a list, and no shell
            list(argv),
            input=secret or "",
            text=True,
            stdout=sink,
            stderr=subprocess.STDOUT if log else None,
            env=environment,
            check=False,
            preexec_fn=_end_with_parent,
        )
    if ended.returncode:
        where = f"{_said(log)}; see {log}" if log else "its own lines above say why"
        raise PlatformError(f"{_named(argv)} ended with {ended.returncode}; {where}")


def _named(argv: Sequence[str]) -> str:
    """A program's name with its command, or with the module that an interpreter runs."""
    return " ".join(argv[: 3 if "-m" in argv[1:2] else 2])


def _said(log: Path) -> str:
    """What a program said last, which of most is why it ended."""
    return last_line(log.read_text(encoding="utf-8", errors="replace")) or "it said nothing"


def last_line(text: str) -> str:
    """The last line that says something, empty when none does."""
    return (text.strip().splitlines() or [""])[-1]


def _end_with_parent() -> None:
    """Have the kernel kill this new process when the one that started it dies, by SIGKILL too."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Child:
    """A program that runs beside us, in a session of its own."""

    process: subprocess.Popen[bytes]

    @property
    def ended(self) -> bool:
        """It runs no more."""
        return self.process.poll() is not None


@contextmanager
def child(argv: Sequence[str], *, cwd: Path, log: Path) -> Iterator[Child]:
    """Run a program as long as the block lasts.

    It holds the other end of a pipe as its stdin: however we end, SIGKILL included, it reads the end of the
    file and knows. What it then leaves running in its session is killed here.

    Raises:
        UnavailableError: This machine has no such program.
    """
    with log.open("wb") as sink, _starting(argv):
        process = subprocess.Popen(  # noqa: S603 - a list, and no shell
            list(argv), cwd=cwd, stdin=subprocess.PIPE, stdout=sink, stderr=sink, start_new_session=True
        )
    try:
        yield Child(process)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    # Also when it has ended: it may have died before it could end what it started.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _sink(log: Path | None) -> IO[bytes] | nullcontext[IO[str]]:
    return log.open("wb") if log else nullcontext(sys.stderr)


@contextmanager
def _starting(argv: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, PermissionError) as error:
        raise UnavailableError(f"cannot run {argv[0]}: {error.strerror}; install it and try again") from error
