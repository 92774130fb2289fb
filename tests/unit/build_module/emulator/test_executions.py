"""Step Functions' quotas, and what no wildcard catches."""

from __future__ import annotations

import json
from typing import Any

import pytest

from build.rehearsal.emulator.executions import EVENTS_LIMIT, PAYLOAD_LIMIT_BYTES, bounded, by_name


class FailedError(Exception):
    """Stands in for MiniStack's."""

    def __init__(self, error: str, cause: str) -> None:
        self.error = error
        super().__init__(f"{error}: {cause}")


def add(execution: dict[str, Any], kind: str, details: Any = None) -> None:
    execution["events"].append((kind, details))


def written(kind: str, details: Any = None, events: int = 0) -> int:
    """How many events there are when one more was written."""
    execution: dict[str, Any] = {"events": [()] * events}
    bounded(add, FailedError)(execution, kind, details)
    return len(execution["events"])


def of_size(size: int, letter: str = "a") -> str:
    """A payload of so many bytes, as MiniStack tells it: beyond ASCII, spelt out."""
    return json.dumps(letter * ((size - 2) // len(letter.encode())))


@pytest.mark.parametrize("letter", ["a", "ä", "日", "\U0001f600"])
@pytest.mark.parametrize(
    ("kind", "detail", "name"),
    [
        ("PassStateEntered", "stateEnteredEventDetails", "input"),
        ("TaskSucceeded", "taskSucceededEventDetails", "output"),
        ("PassStateExited", "stateExitedEventDetails", "output"),
    ],
)
def test_a_payload_has_256_kibibytes_at_most(kind: str, detail: str, name: str, letter: str) -> None:
    assert written(kind, {detail: {name: of_size(PAYLOAD_LIMIT_BYTES, letter)}}) == 1
    with pytest.raises(FailedError, match=r"States\.DataLimitExceeded"):
        written(kind, {detail: {name: of_size(PAYLOAD_LIMIT_BYTES + 8, letter)}})


def test_white_space_does_not_count() -> None:
    output = json.dumps([0] * (PAYLOAD_LIMIT_BYTES // 2 - 1))
    assert len(output) > PAYLOAD_LIMIT_BYTES
    assert written("TaskSucceeded", {"taskSucceededEventDetails": {"output": output}}) == 1


def test_a_history_has_25000_events_the_end_among_them() -> None:
    assert written("PassStateEntered", events=EVENTS_LIMIT - 2) == EVENTS_LIMIT - 1
    with pytest.raises(FailedError, match=r"States\.Runtime: .*25000"):
        written("PassStateEntered", events=EVENTS_LIMIT - 1)
    assert written("ExecutionFailed", events=EVENTS_LIMIT - 1) == EVENTS_LIMIT


@pytest.mark.parametrize("error", ["States.DataLimitExceeded", "States.Runtime"])
def test_only_its_name_catches_a_terminal_error(error: str) -> None:
    matches = by_name(lambda _named, _error: True)
    assert not matches(["States.ALL"], error)
    assert not matches(["States.TaskFailed"], error)
    assert matches([error], error)
    assert matches(["States.ALL"], "States.TaskFailed")
