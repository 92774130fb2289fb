"""Standard streams: printing never fails, and what could not be written is known."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from validator import streams

SCRIPT = """
import sys
from validator import streams
streams.settle()
print("x" * 1_000_000)
print([streams.trouble(), streams.trouble()], file=sys.stderr)
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    with os.fdopen(reader), os.fdopen(writer, "w"):
        yield reader, writer


def told(stdout: int) -> str:
    """Prints more than a pipe holds there, and returns which trouble there was, asked for twice."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stderr.strip()


def test_a_full_pipe_that_nobody_waits_for_is_told_once(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    assert told(pipe[1]) == "['resource temporarily unavailable', '']"


def test_a_stream_that_is_only_for_reading_is_told_once(pipe: tuple[int, int]) -> None:
    assert told(pipe[0]) == "['bad file descriptor', '']"


def test_where_it_can_be_written_there_is_no_trouble() -> None:
    assert told(subprocess.DEVNULL) == "['', '']"


def test_a_stream_of_somebody_else_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    print("x")
    assert (streams.trouble(), capsys.readouterr().out) == ("", "x\n")
