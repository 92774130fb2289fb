"""The faults a rehearsal asks for: each is met by one attempt of its step, in the order they are listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from threading import Lock
from typing import Any


class Kind(StrEnum):
    """What goes wrong."""

    INTERRUPT = "interrupt"
    """AWS takes a task on ``capacity`` away once its log says ``after``: SIGTERM, then SIGKILL."""
    NO_CAPACITY = "no-capacity"
    """RunTask on ``capacity`` starts nothing."""
    STOP = "stop"
    """A person calls StopTask once the task's log says ``after``."""
    MEMORY_LIMIT = "memory-limit"
    """The task may hold ``megabytes`` only."""
    CRASH = "crash"
    """The step's code dies: SIGABRT to its process, Runtime.ExitError of its function."""
    BUG = "bug"
    """The task's code meets an error nobody expected: importing ``module`` raises one."""
    SETTING = "setting"
    """The task's ``variable`` has been set to ``value``: a mistake in its configuration."""
    STORAGE_ERRORS = "storage-errors"
    """The task's first ``count`` requests to S3 fail."""
    PUT_OBJECT = "put-object"
    """``file`` is put to ``key`` before the step starts: somebody changes the data under the pipeline."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one step."""

    step: str
    kind: Kind
    after: str = ""
    """Of interrupt and stop; empty means at once."""
    capacity: str = "FARGATE_SPOT"
    """Of interrupt and no-capacity: the capacity provider that is meant."""
    module: str = ""
    variable: str = ""
    value: str = ""
    megabytes: int = 0
    count: int = 0
    bucket: str = ""
    """Of put-object; empty means the bucket of the step's own data."""
    key: str = ""
    file: str = ""


_REQUIRED: Mapping[Kind, tuple[str, ...]] = {
    Kind.BUG: ("module",),
    Kind.SETTING: ("variable",),
    Kind.MEMORY_LIMIT: ("megabytes",),
    Kind.STORAGE_ERRORS: ("count",),
    Kind.PUT_OBJECT: ("key", "file"),
}


def parse(record: Mapping[str, Any]) -> Fault:
    """Reads one fault as settings give it.

    Raises:
        ValueError: with the sentence that says what is wrong.
    """
    unknown = record.keys() - {field.name for field in fields(Fault)}
    if unknown:
        raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
    missing = {"step", "kind"} - record.keys()
    if missing:
        raise ValueError(f"a fault lacks {', '.join(sorted(missing))}")
    fault = Fault(**{**record, "kind": Kind(record["kind"])})
    lacking = [name for name in _REQUIRED.get(fault.kind, ()) if not getattr(fault, name)]
    if lacking:
        raise ValueError(f"a {fault.kind} fault lacks {', '.join(lacking)}")
    return fault


class Faults:
    """The faults that are still to come; safe to share between threads."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._waiting = list(faults)
        self._lock = Lock()

    def take(self, step: str, applies: Callable[[Fault], bool] = lambda _fault: True) -> Fault | None:
        """Uses up the step's next fault that applies to this attempt; None when there is none."""
        with self._lock:
            fault = next((fault for fault in self._waiting if fault.step == step and applies(fault)), None)
            if fault:
                self._waiting.remove(fault)
            return fault
