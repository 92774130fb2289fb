"""Standard output and standard error that never end a run: what cannot be written is remembered, not raised.

A run's results are its files and its exit code: a full disk behind a log, or no listener, changes neither.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any, Final, TextIO

_ENOUGH: Final = errno.EPIPE
"""Who reads has gone, as `head` does once it has its lines."""


class _Forbearing(io.FileIO):
    """A stream whose writes always succeed."""

    trouble: OSError | None = None
    """Why something could not be written."""

    def write(self, content: Any) -> int:
        """Writes what it can; takes the rest for written."""
        try:
            written = super().write(content)
        except OSError as error:
            written, self.trouble = None, error
        else:
            if written is None:
                self.trouble = BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return memoryview(content).nbytes if written is None else written


def settle() -> None:
    """Puts such streams in the places of both; call it before anything is printed or opened."""
    if sys.stdin is None:
        # Else the first file that is opened would be standard input.
        os.open(os.devnull, os.O_WRONLY)
    sys.stdout = _forbearing(sys.stdout)
    sys.stderr = _forbearing(sys.stderr)


def trouble() -> str:
    """Returns why standard output could not be written since the last call; empty when all is well.

    It is well too with a pipe whose reader has had enough.
    """
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if not isinstance(raw, _Forbearing) or raw.trouble is None:
        return ""
    found, raw.trouble = raw.trouble, None
    return "" if found.errno == _ENOUGH else os.strerror(found.errno or 0).lower()


def _forbearing(stream: TextIO | None) -> TextIO:
    # Of a closed one the place is taken, for reading: nothing can be written there, and no file be opened.
    number = os.open(os.devnull, os.O_RDONLY) if stream is None else stream.fileno()
    buffer = io.BufferedWriter(_Forbearing(number, "w", closefd=False))
    encoding = "utf-8" if stream is None else stream.encoding
    return io.TextIOWrapper(buffer, encoding, errors="backslashreplace", line_buffering=True)
