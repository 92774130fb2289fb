"""The kinds of failure this tooling knows, each with the exit code it ends in.

Every message is one line: what happened, why, and what to do.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What `python -m build` ends with."""

    OK = 0
    """It went as designed."""
    FAILED = 1
    """It did not: the surroundings said no, the person did, or we have a bug."""
    USAGE = 64
    """Usage or configuration (sysexits.h)."""
    UNAVAILABLE = 77
    """This machine cannot do it: a tool or the credentials are missing."""


class BuildError(Exception):
    """Base of all; its text is folded into one line, whatever it quotes."""

    exit_code = ExitCode.FAILED

    def __str__(self) -> str:
        return " ".join(super().__str__().split())


class UserError(BuildError):
    """The person who called can put it right."""

    exit_code = ExitCode.USAGE


class PlatformError(BuildError):
    """The surroundings said no: AWS, the network, a tool that failed."""


class StackFailedError(PlatformError):
    """A stack operation ended badly; names the first resource that failed, not those it took along.

    Attributes:
        stack: Name of the stack.
        status: CloudFormation's status at the end.
        resource: Logical id of the first resource that failed, or "" when none is to blame.
        reason: What CloudFormation says of it.
    """

    def __init__(self, *, stack: str, status: str, resource: str, reason: str) -> None:
        self.stack, self.status, self.resource, self.reason = stack, status, resource, reason
        blame = f"{resource} failed: {reason}" if resource else reason or "CloudFormation gives no reason"
        end = "nothing of it is left" if status == "DELETE_COMPLETE" else f"the stack is now {status}"
        super().__init__(f"cannot deploy {stack}: {blame} ({end})")


class UnavailableError(BuildError):
    """This machine lacks what the command needs."""

    exit_code = ExitCode.UNAVAILABLE
