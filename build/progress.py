"""Days while they run: a live table on a terminal, a line a change elsewhere, a line a day at last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from build.backfill import RUNNING, WAITING, Day

LEFT = {WAITING: "not started", RUNNING: "goes on in AWS"}


class Progress(Protocol):
    """Shows how days stand."""

    def update(self, days: Iterable[Day]) -> None:
        """Show them as they are now."""


@contextmanager
def shown(console: Console) -> Iterator[Progress]:
    """Show days in the way that fits the console, until the block ends."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        yield _Live(live)


class _Live:
    """The table that is drawn anew."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def update(self, days: Iterable[Day]) -> None:
        """Draw it."""
        self._live.update(table(days))


class _Lines:
    """A line when a day starts or ends, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: dict[str, str] = {}

    def update(self, days: Iterable[Day]) -> None:
        """Tell what has changed."""
        for day in days:
            if day.execution and self._told.get(day.execution) != day.status:
                self._told[day.execution] = day.status
                started = f"{day.run_date} started: {day.execution}"
                ended = f"{day.run_date} ended {day.status} at {day.state} after {day.seconds:.0f} s"
                self._console.print(Text(ended if day.ended else started), soft_wrap=True)


def table(days: Iterable[Day]) -> Table:
    """The days, with the state each is in."""
    grid = Table("day", "status", "state", box=None, pad_edge=False)
    grid.add_column("seconds", justify="right")
    for day in days:
        seconds = f"{day.seconds:.0f}" if day.execution else ""
        grid.add_row(day.run_date.isoformat(), Text(day.status, _style(day)), Text(day.state), seconds)
    return grid


def line(day: Day) -> str:
    """What came of a day, on one line."""
    if not day.ended:
        return "  ".join(filter(None, (str(day.run_date), LEFT[day.status], day.execution)))
    came = f"{day.run_date}  {day.state or day.status}  {day.seconds:.0f} s  {day.execution}"
    return f"{came}  {day.said}".rstrip()


def _style(day: Day) -> str:
    if not day.ended:
        return "cyan" if day.status == RUNNING else "dim"
    return "green" if day.as_designed else "red"
