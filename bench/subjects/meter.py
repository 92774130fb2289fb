"""Measures the part of a subject that counts, without its imports; standard library only."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench import tree


@contextmanager
def metered() -> Iterator[dict[str, float]]:
    """Prints one line of JSON with the CPU and wall seconds of its body, and what the body adds to it."""
    said: dict[str, float] = {}
    start, cpu = time.monotonic(), _cpu_seconds()
    yield said
    print(json.dumps({"cpu": _cpu_seconds() - cpu, "wall": time.monotonic() - start, **said}), flush=True)


def _cpu_seconds() -> float:
    """Returns the seconds of this process and of all it started."""
    ended = os.times()
    below = sum(tree.cpu_seconds(pid) for pid in tree.members(os.getpid())[1:])
    return time.process_time() + ended.children_user + ended.children_system + below
