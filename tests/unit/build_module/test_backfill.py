"""Days run by hand: in date order, never more at a time than asked, each with what came of it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from build.aws.faults import RefusedError
from build.aws.stepfunctions import Execution
from build.backfill import LONGEST, OUTAGE, Backfill, Day, Order, days
from build.errors import PlatformError, UserError
from build.progress import line, shown

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FIRST = date(2026, 11, 1)
ENDED = {"status": "Registered"}


class Machine:
    """Executions that end after so many looks."""

    def __init__(
        self, looks: Mapping[str, int], output: Mapping[str, Any] = ENDED, status: str = "SUCCEEDED"
    ):
        self.looks, self.output, self.status = dict(looks), output, status
        self.started: list[str] = []
        self.most = 0
        self.names: list[str] = []

    def start(self, state_machine: str, name: str, given: Mapping[str, Any]) -> str:
        assert (state_machine, given["dataset"], set(given)) == ("alias", "taxi", {"dataset", "run_date"})
        self.started.append(given["run_date"])
        self.names.append(name)
        self.most = max(self.most, sum(self.looks[day] > 0 for day in self.started))
        return f"arn:{given['run_date']}"

    def describe(self, execution: str) -> Execution:
        day = execution.removeprefix("arn:")
        self.looks[day] -= 1
        running = self.looks[day] > 0
        status, stopped = ("RUNNING", None) if running else (self.status, NOON + timedelta(seconds=90))
        output = {} if running else self.output
        return Execution(execution, day, status, NOON, stopped, output=output)

    def state(self, execution: str) -> str:
        return "Validate"


def order(count: int, parallel: int) -> Order:
    return Order("alias", "taxi", days(FIRST, FIRST + timedelta(days=count - 1)), parallel)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.integers(1, 4))
def test_days_start_in_date_order_and_never_more_at_a_time(looks: list[int], parallel: int) -> None:
    asked = order(len(looks), parallel)
    names = [day.isoformat() for day in asked.days]
    machine = Machine(dict(zip(names, looks, strict=True)))
    running = Backfill(asked, machine)

    steps = 0
    while running.step(NOON):
        steps += 1
        assert steps <= sum(looks)

    assert machine.started == names
    assert machine.most == min(parallel, len(looks))
    assert all(day.as_designed for day in running.days)
    assert len(set(machine.names)) == len(names)
    assert all(len(name) <= 80 for name in machine.names)


def test_a_day_tells_where_it_is_and_what_came_of_it() -> None:
    running = Backfill(order(2, 1), Machine({"2026-11-01": 2, "2026-11-02": 1}))
    assert running.step(NOON)
    assert running.step(NOON + timedelta(seconds=7))
    one, two = running.days
    assert (one.status, one.state, one.seconds, two.status) == ("RUNNING", "Validate", 7, "WAITING")
    assert [line(day) for day in running.days] == [
        "2026-11-01  goes on in AWS  arn:2026-11-01",
        "2026-11-02  not started",
    ]
    while running.step(NOON):
        pass
    assert line(running.days[0]) == "2026-11-01  Registered  90 s  arn:2026-11-01"


@pytest.mark.parametrize(
    ("output", "status", "told", "as_designed"),
    [
        ({"status": "NotPromoted"}, "SUCCEEDED", "NotPromoted  90 s  arn:2026-11-01", True),
        # Another execution had the day: this one did not run it.
        ({"status": "Duplicate"}, "SUCCEEDED", "Duplicate  90 s  arn:2026-11-01", False),
        (
            {"Error": "DataRejected", "Cause": "taxi of 2026-11-01: 3 errors\nNO_DATA"},
            "FAILED",
            "DataRejected  90 s  arn:2026-11-01  taxi of 2026-11-01: 3 errors NO_DATA",
            False,
        ),
        ({"Error": "", "Cause": ""}, "ABORTED", "ABORTED  90 s  arn:2026-11-01", False),
    ],
)
def test_each_end_is_told_on_one_line(
    output: Mapping[str, Any], status: str, told: str, as_designed: bool
) -> None:
    running = Backfill(order(1, 1), Machine({"2026-11-01": 1}, output, status))
    while running.step(NOON):
        pass
    (day,) = running.days
    assert line(day) == f"2026-11-01  {told}"
    assert day.as_designed is as_designed


def test_a_start_that_is_refused_leaves_the_day_waiting() -> None:
    class Refusing(Machine):
        def start(self, state_machine: str, name: str, given: Mapping[str, Any]) -> str:
            if given["run_date"] == "2026-11-02":
                raise PlatformError("no")
            return super().start(state_machine, name, given)

    running = Backfill(order(2, 2), Refusing({"2026-11-01": 9, "2026-11-02": 9}))
    with pytest.raises(PlatformError):
        running.step(NOON)
    assert [day.status for day in running.days] == ["RUNNING", "WAITING"]


class Unreachable(Machine):
    """Executions that cannot be looked at while AWS is away, and whose start's answer may be lost."""

    away = False
    lost = 0

    def start(self, state_machine: str, name: str, given: Mapping[str, Any]) -> str:
        arn = super().start(state_machine, name, given)
        if self.lost:
            self.lost -= 1
            raise PlatformError("the network is down")
        return arn

    def describe(self, execution: str) -> Execution:
        if self.away:
            raise PlatformError("the network is down")
        return super().describe(execution)


def test_the_network_may_be_away_for_a_while() -> None:
    machine = Unreachable({"2026-11-01": 2, "2026-11-02": 1})
    running = Backfill(order(2, 1), machine)
    assert running.step(NOON)
    machine.away = True
    assert running.step(NOON + OUTAGE)
    with pytest.raises(PlatformError):
        running.step(NOON + OUTAGE + timedelta(seconds=1))
    machine.away = False
    while running.step(NOON + OUTAGE):
        pass
    assert [day.state for day in running.days] == ["Registered", "Registered"]


def test_a_start_whose_answer_was_lost_is_made_again_under_the_same_name() -> None:
    machine = Unreachable({"2026-11-01": 1, "2026-11-02": 1})
    running = Backfill(order(2, 1), machine)
    running.step(NOON)
    machine.lost = 1
    while running.step(NOON):
        pass
    assert machine.started == ["2026-11-01", "2026-11-02", "2026-11-02"]
    assert machine.names[1] == machine.names[2] != machine.names[0]


def test_what_cannot_be_begun_ends_at_once() -> None:
    machine = Unreachable({"2026-11-01": 1})
    machine.lost = 1
    with pytest.raises(PlatformError):
        Backfill(order(1, 1), machine).step(NOON)


def test_what_aws_refuses_ends_at_once() -> None:
    class Expired(Machine):
        def describe(self, execution: str) -> Execution:
            raise RefusedError("look", "ExpiredToken", "sign in")

    running = Backfill(order(1, 1), Expired({"2026-11-01": 1}))
    running.step(NOON)
    with pytest.raises(RefusedError):
        running.step(NOON)


def test_a_range_has_both_its_ends() -> None:
    assert days(FIRST, FIRST) == (FIRST,)
    assert days(date(2024, 2, 28), date(2024, 3, 1)) == (
        date(2024, 2, 28),
        date(2024, 2, 29),
        date(2024, 3, 1),
    )
    assert len(days(FIRST, FIRST + timedelta(days=LONGEST - 1))) == LONGEST


@pytest.mark.parametrize("last", [FIRST - timedelta(days=1), FIRST + timedelta(days=LONGEST), date.max])
def test_a_range_that_is_none_or_too_long_is_refused(last: date) -> None:
    with pytest.raises(UserError):
        days(FIRST, last)


def test_a_cause_is_cut() -> None:
    machine = Machine({"2026-11-01": 1}, {"Error": "Failed", "Cause": "x" * 5000}, "FAILED")
    running = Backfill(order(1, 1), machine)
    while running.step(NOON):
        pass
    assert len(line(running.days[0])) < 400
    assert not Day(FIRST).ended


def test_a_terminal_shows_each_day_with_its_state() -> None:
    running = Backfill(order(2, 1), Machine({"2026-11-01": 3, "2026-11-02": 1}))
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    with shown(screen) as show:
        for _ in range(2):
            running.step(NOON + timedelta(seconds=7))
            show.update(running.days)
    assert isinstance(screen.file, io.StringIO)
    drawn = " ".join(Text.from_ansi(screen.file.getvalue()).plain.split())
    assert "2026-11-01 RUNNING Validate 7" in drawn
    assert "2026-11-02 WAITING" in drawn


def test_elsewhere_a_change_is_a_line() -> None:
    running = Backfill(order(1, 1), Machine({"2026-11-01": 3}))
    pipe = Console(file=io.StringIO(), width=100)
    with shown(pipe) as show:
        while running.step(NOON):
            show.update(running.days)
        show.update(running.days)
    assert isinstance(pipe.file, io.StringIO)
    assert pipe.file.getvalue().splitlines() == [
        "2026-11-01 started: arn:2026-11-01",
        "2026-11-01 ended SUCCEEDED at Registered after 90 s",
    ]
