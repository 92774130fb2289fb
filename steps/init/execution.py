"""The execution that runs Init, and whether another one still runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Self

from .errors import InvalidEvent
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

    def refuse_days_ahead(self, run_date: date) -> None:
        """Refuse a day that has not begun anywhere: a model of it would be champion over all days until then.

        Raises:
            InvalidEvent: It lies more than a day after the date, in UTC, on which the execution was started.
        """
        started = datetime.fromisoformat(self.started).astimezone(UTC).date()
        if run_date > started + timedelta(days=1):
            raise InvalidEvent(f"run_date is {run_date}, and today is {started}: the day has not come yet")

    def job_name(self, prefix: str, dataset: str, run_date: date) -> str:
        """Return a name for SageMaker: unique for ever in an account, within 63 characters.

        Args:
            prefix: What the names of this stage's jobs begin with, at most 12 characters.
            dataset: Its name, at most 31 characters.
            run_date: Day of the data.
        """
        digest = hashlib.sha256(f"{self.arn} {self.started}".encode()).hexdigest()
        return f"{prefix}{dataset}-{run_date}-{digest[:8]}"


def is_running(states: Any, arn: str) -> bool:
    """Ask Step Functions whether an execution runs or may be redriven at any moment."""
    try:
        return states.describe_execution(executionArn=arn)["status"] in RUNNING
    except states.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return False
        raise
