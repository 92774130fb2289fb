"""The execution that runs Init, and whether another one still runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self

from .event import name

RUNNING: Final = frozenset({"RUNNING", "PENDING_REDRIVE"})
GONE: Final = frozenset({"ExecutionDoesNotExist", "InvalidArn"})


@dataclass(frozen=True, slots=True)
class Execution:
    """The context object of the state machine, as far as Init reads it."""

    name: str
    arn: str
    started: str

    @classmethod
    def parse(cls, context: Mapping[str, str]) -> Self:
        """Read ``execution`` of the payload; its name becomes the run's id and part of object keys."""
        return cls(name(context["name"], "the execution's name"), context["id"], context["started"])

    def job_name(self, dataset: str, run_date: date) -> str:
        """Return a name for SageMaker: unique for ever in an account, at most 55 of its 63 characters."""
        digest = hashlib.sha256(f"{self.arn} {self.started}".encode()).hexdigest()
        return f"{dataset}-{run_date}-{digest[:12]}"


def is_running(states: Any, arn: str) -> bool:
    """Ask Step Functions whether an execution runs or may be redriven at any moment."""
    try:
        return states.describe_execution(executionArn=arn)["status"] in RUNNING
    except states.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return False
        raise
