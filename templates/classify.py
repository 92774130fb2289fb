"""Why a validator task failed, and what follows.

Retry sees error names only, and every task that ends badly is States.TaskFailed: the Cause tells more. It
is the stopped task as JSON, but may be cut off, absent or a sentence, so it is searched and never parsed.
Patterns name the key they read: text that others chose (an execution's name is in the task's environment)
stands behind no such key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from templates.asl import Definition, Name, State, choice, jsonata, rule, wait
from templates.container import ON_DEMAND, SPOT
from validator.contract import ExitCode

ATTEMPTS: Final = 2
"""How often a passing failure is answered by another attempt on the same capacity."""

REPAIRS: Final = 2
"""How often missing parts are profiled again: once for wider columns, once for what failed."""

KILLED: Final = 137
"""Exit code of a container that got SIGKILL: the kernel's, when memory ran out."""


def _cause(pattern: str) -> str:
    return f"$contains($failure.cause, /{pattern}/)"


def _exited(code: int) -> str:
    return rf'"ExitCode"\s*:\s*{code}\b'


EXIT_CODE: Final = r"""$match($failure.cause, /"ExitCode"\s*:\s*(\d+)/)[0].groups[0]"""
"""A stopped task's first exit code, as text; nothing when it has none."""

INTERRUPTED: Final = _cause(
    r'"StopCode"\s*:\s*"(SpotInterruption|TerminationNotice)"'
    r'|"StoppedReason"\s*:\s*"Your Spot Task was interrupted'
)
NO_CAPACITY: Final = _cause("Capacity is unavailable")
THROTTLED: Final = _cause("Rate exceeded")
"""RunTask's throttling comes under the names of other errors, also of mistakes: Retry cannot tell it."""
STOPPED_BY_USER: Final = _cause(r'"StopCode"\s*:\s*"UserInitiated"')
MISSING: Final = _cause(_exited(ExitCode.MISSING_SHARDS))
STORAGE: Final = _cause(_exited(ExitCode.STORAGE))
OUT_OF_MEMORY: Final = _cause(rf'{_exited(KILLED)}|"(Reason|StoppedReason)"\s*:\s*"OutOfMemory')

LOST_SPOT: Final = f"$capacity = '{SPOT}' and ({INTERRUPTED} or {NO_CAPACITY})"
LARGER_SIZE: Final = "$size = 0 and $exists($run.sizes[1]) and $run.sizes[1] != $run.sizes[0]"


def classify(
    *,
    again: Name,
    when_there_is_capacity: Name,
    when_storage_is_back: Name,
    missing: Name | None,
    failed: Name,
) -> State:
    """Return the Choice on the stopped reason, then on the exit code.

    | what happened                  | what follows                                     |
    |--------------------------------|--------------------------------------------------|
    | interrupted, no Spot capacity  | twice again on Spot, then on-demand              |
    | throttled                      | twice again on the same capacity, then Failed    |
    | stopped by a user              | Failed                                           |
    | interrupted on-demand          | Failed                                           |
    | 69, storage unavailable        | twice again on the same capacity, then Failed    |
    | 66, children's states missing  | twice: those profiled on demand, merged again    |
    | 137 or OutOfMemoryError        | once again with the next task size, then Failed  |
    | 64, 65, 70, anything else      | Failed                                           |
    """
    return choice(
        Name.CLASSIFY,
        [
            rule(
                f"$interruptions < {ATTEMPTS} and ({LOST_SPOT} or {THROTTLED})",
                when_there_is_capacity,
                assign={"interruptions": jsonata("$interruptions + 1")},
            ),
            rule(LOST_SPOT, again, assign={"capacity": ON_DEMAND}),
            # Ended by others: neither its exit code nor its memory is to blame.
            rule(f"{INTERRUPTED} or {STOPPED_BY_USER}", failed),
            rule(
                f"$storage_failures < {ATTEMPTS} and {STORAGE}",
                when_storage_is_back,
                assign={"storage_failures": jsonata("$storage_failures + 1")},
            ),
            rule(f"{LARGER_SIZE} and {OUT_OF_MEMORY}", again, assign={"size": 1}),
            *(_repair(missing) if missing else ()),
        ],
        otherwise=failed,
    )


def _repair(missing: Name) -> Iterator[Definition]:
    yield rule(f"$repairs < {REPAIRS} and {MISSING}", missing, assign={"repairs": jsonata("$repairs + 1")})


def wait_for_capacity(*, then: Name) -> State:
    """Wait one to two minutes, then two to four: Spot capacity comes back by the minute."""
    return wait(Name.WAIT_FOR_CAPACITY, _between("60 * $interruptions"), then=then)


def wait_for_storage(*, then: Name) -> State:
    """Wait half a minute to one, then one to two: the validator itself has waited before it gave up."""
    return wait(Name.WAIT_FOR_STORAGE, _between("30 * $storage_failures"), then=then)


def _between(seconds: str) -> str:
    return f"$floor({seconds} * (1 + $random()))"
