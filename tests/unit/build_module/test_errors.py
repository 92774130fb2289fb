"""Errors: one line, and the exit code that goes with the kind."""

from __future__ import annotations

import pytest

from build.errors import (
    BuildError,
    ExitCode,
    PlatformError,
    StackFailedError,
    UnavailableError,
    UserError,
)


@pytest.mark.parametrize(
    ("kind", "code"), [(BuildError, 1), (UserError, 64), (PlatformError, 1), (UnavailableError, 77)]
)
def test_each_kind_has_its_exit_code(kind: type[BuildError], code: int) -> None:
    assert kind("x").exit_code == code
    assert isinstance(kind("x").exit_code, ExitCode)


def test_a_message_is_one_line_whatever_it_quotes() -> None:
    assert str(PlatformError("no:\n  <Error>\r\n\tx")) == "no: <Error> x"


def test_a_failed_stack_names_resource_reason_and_end() -> None:
    error = StackFailedError(
        stack="s", status="UPDATE_ROLLBACK_COMPLETE", resource="Queue", reason="too\nlong"
    )
    assert str(error) == (
        "cannot deploy s: Queue failed: too long (the stack is now UPDATE_ROLLBACK_COMPLETE)"
    )


def test_a_failed_stack_without_a_culprit_still_says_something() -> None:
    error = StackFailedError(stack="s", status="DELETE_COMPLETE", resource="", reason="")
    assert str(error) == "cannot deploy s: CloudFormation gives no reason (nothing of it is left)"
