"""What a function's failure is called."""

from __future__ import annotations

from typing import Any

import pytest

from build.rehearsal.emulator.functions import crash, with_class_name


def failed(message: str, log: str) -> dict[str, Any]:
    return {"error": True, "log": log, "body": {"errorMessage": message, "errorType": "Runtime.HandlerError"}}


def traceback(last: str) -> str:
    return f"said before: x\nTraceback (most recent call last):\n  File 'main.py', line 3\n{last}\n"


@pytest.mark.parametrize(
    ("message", "last", "name"),
    [
        ("no dataset: x", "init.errors.UnknownDataset: no dataset: x", "UnknownDataset"),
        ("no dataset", "UnknownDataset: no dataset", "UnknownDataset"),
        ("", "KeyboardInterrupt", "KeyboardInterrupt"),
        ("two\nlines: here", "ValueError: two\nlines: here", "ValueError"),
        ("'key'", "KeyError: 'key'", "KeyError"),
        ("odd", "something else entirely", "Exception"),
    ],
)
def test_the_exceptions_class_is_the_error(message: str, last: str, name: str) -> None:
    assert with_class_name(failed(message, traceback(last)))["body"]["errorType"] == name


def test_a_dead_worker_is_an_exit_error() -> None:
    assert with_class_name(failed("Worker process died", ""))["body"]["errorType"] == "Runtime.ExitError"


def test_other_results_stay_as_they_are() -> None:
    late = {
        "error": True,
        "log": "",
        "body": {"errorMessage": "Task timed out", "errorType": "Sandbox.Timedout"},
    }
    well = {"body": {"errorType": "Runtime.HandlerError"}}
    assert with_class_name(late) == late
    assert with_class_name(well) == well


def test_a_crash_is_what_lambda_calls_it() -> None:
    assert crash("r1")["body"]["errorType"] == "Runtime.ExitError"
    assert crash("r1")["error"]
