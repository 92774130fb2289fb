"""Days of a dataset, run by hand: in date order, a bounded number at a time.

Nothing here ends an execution: whoever stops watching leaves it to AWS.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Protocol

from build.aws.faults import RefusedError
from build.aws.stepfunctions import Execution
from build.errors import PlatformError, UserError

LONGEST: Final = 366
"""Days a range may have."""

OUTAGE: Final = timedelta(minutes=15)
"""So long AWS may stay out of reach, while the executions go on there."""

WAITING: Final = "WAITING"
RUNNING: Final = "RUNNING"
"""How a day stands before its execution ends; then it is Step Functions' word."""

DONE: Final = frozenset({"Registered", "NotPromoted"})
"""Ends of a day that went the whole way; before the champion's own day nothing is trained."""

CAUSE_LIMIT: Final = 300


class Executions(Protocol):
    """What running days needs of Step Functions."""

    def start(self, state_machine: str, name: str, given: Mapping[str, Any]) -> str:
        """Start an execution; return its ARN."""

    def describe(self, execution: str) -> Execution:
        """An execution with its output."""

    def state(self, execution: str) -> str:
        """Name of the state it is in."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Attributes:
        alias: ARN of the state machine's alias.
        dataset: Whose days.
        days: In date order.
        parallel: How many may run at a time.
    """

    alias: str
    dataset: str
    days: tuple[date, ...]
    parallel: int


@dataclass(frozen=True, slots=True)
class Day:
    """How a day stands.

    Attributes:
        execution: ARN; "" before it is started.
        status: WAITING, or Step Functions' word.
        state: The state it is in, or ended at.
        seconds: Since its start, or until its end.
        said: Why it failed; "" when it did not.
    """

    run_date: date
    execution: str = ""
    status: str = WAITING
    state: str = ""
    seconds: float = 0.0
    said: str = ""

    @property
    def ended(self) -> bool:
        """Whether its execution has ended."""
        return self.status not in {WAITING, RUNNING}

    @property
    def as_designed(self) -> bool:
        """Whether it was judged, passed, and went the whole way."""
        return self.status == "SUCCEEDED" and self.state in DONE


class Backfill:
    """An order while it is carried out; `days` is how it stands."""

    def __init__(self, order: Order, executions: Executions) -> None:
        self._order, self._executions = order, executions
        self._days = {day: Day(day) for day in order.days}
        self._waiting = deque(order.days)
        # Names stay taken for 90 days, and a day may be run again.
        self._suffix = uuid.uuid4().hex[:12]
        self._answered: datetime | None = None

    @property
    def days(self) -> tuple[Day, ...]:
        """Every day, in date order."""
        return tuple(self._days.values())

    def step(self, now: datetime) -> bool:
        """Look at what runs, start what may start; return whether anything is left to do.

        Raises:
            RefusedError: AWS said no.
            PlatformError: AWS could not be asked for longer than `OUTAGE`.
        """
        try:
            self._advance(now)
            self._answered = now
        except RefusedError:
            raise
        except PlatformError:
            # At the first step nothing runs yet that would be worth waiting for.
            if self._answered is None or now - self._answered > OUTAGE:
                raise
        return bool(self._waiting or self._running())

    def _advance(self, now: datetime) -> None:
        for day in self._running():
            self._days[day.run_date] = self._looked_at(day, now)
        while self._waiting and len(self._running()) < self._order.parallel:
            self._start(self._waiting[0])
            self._waiting.popleft()

    def _running(self) -> list[Day]:
        return [day for day in self.days if day.status == RUNNING]

    def _start(self, run_date: date) -> None:
        day = run_date.isoformat()
        # One name for each try: a start whose answer was lost is not made twice.
        name = f"{self._order.dataset}-{day}-{self._suffix}"
        given = {"dataset": self._order.dataset, "run_date": day}
        execution = self._executions.start(self._order.alias, name, given)
        self._days[run_date] = Day(run_date, execution, RUNNING)

    def _looked_at(self, day: Day, now: datetime) -> Day:
        found = self._executions.describe(day.execution)
        seconds = ((found.stopped or now) - found.started).total_seconds()
        if found.status == RUNNING:
            return replace(day, state=self._executions.state(day.execution), seconds=seconds)
        # A failure has the name of its end as its error.
        state = found.output.get("status") or found.output.get("Error") or ""
        said = " ".join(str(found.output.get("Cause") or "").split())[:CAUSE_LIMIT]
        return replace(day, status=found.status, state=state, seconds=seconds, said=said)


def days(first: date, last: date) -> tuple[date, ...]:
    """Return the days of a range, both ends included, in date order.

    Raises:
        UserError: It ends before it begins, or is longer than `LONGEST` days.
    """
    if last < first:
        raise UserError(f"the range ends on {last}, before it begins on {first}: swap them")
    found = tuple(_from(first, last))
    if len(found) > LONGEST:
        raise UserError(f"{len(found):,} days from {first} to {last}: at most {LONGEST} at a time")
    return found


def _from(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def present() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)
