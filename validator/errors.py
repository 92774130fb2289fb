"""Errors of the validator: whose turn it is decides the class, the class decides the exit code.

Bad data is a verdict, not an error; `DataError` is for bytes that are not what they claim to be.
"""

from __future__ import annotations

from typing import ClassVar

from validator.contract import ExitCode


class ValidatorError(Exception):
    """One line for a person: what happened: why; what to do.

    Args:
        what: What happened.
        why: The cause, when it is known.
        remedy: What to do about it; that of the class when none is given.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.SOFTWARE
    remedy: ClassVar[str] = ""

    def __init__(self, what: str, *, why: object = "", remedy: str = "") -> None:
        explained = f"{what}: {why}" if str(why) else what
        super().__init__(one_line("; ".join(filter(None, (explained, remedy or self.remedy)))))


class UsageError(ValidatorError):
    """Options, environment or configuration are wrong: the person who starts the run can mend it."""

    exit_code = ExitCode.USAGE


class AbsentError(UsageError):
    """There is nothing of this name; S3 answers "denied" too, to those who may not list."""


class DataError(ValidatorError):
    """Bytes cannot be decoded as the format they claim, or are not those the manifest names."""

    exit_code = ExitCode.DATA
    remedy = "mend or remove it, then start again"


class MissingError(ValidatorError):
    """A merge lacks what children should have saved: some of them have to run again."""

    exit_code = ExitCode.MISSING_SHARDS


class StorageError(ValidatorError):
    """Storage did not answer after retries: the same run may succeed later."""

    exit_code = ExitCode.STORAGE


class Interrupted(ValidatorError):  # noqa: N818 - an interruption is no error of anyone's
    """The process was told to end; the work so far is saved."""

    exit_code = ExitCode.INTERRUPTED
    remedy = "start again with the same output to go on"


def one_line(text: str) -> str:
    """Returns the text on one line, other control characters shown as escapes."""
    flat = " ".join(text.split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in flat)
