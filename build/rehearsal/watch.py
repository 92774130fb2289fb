"""Follow an execution until it ends, as a live table on a terminal and as lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from build.errors import PlatformError

from .history import Event, StateRun, Status, states

POLL_SECONDS = 0.25
DEADLINE_SECONDS = 900.0
"""No scenario takes longer; an execution that does is hung."""

SIGNS = {Status.RUNNING: ("…", "cyan"), Status.SUCCEEDED: ("✓", "green"), Status.FAILED: ("✗", "red")}
REASONS = ("StoppedReason", "ErrorMessage", "errorMessage", "FailureReason", "StatusReason")
"""Where a task, a Glue job, a function, a training job and a job of AWS Batch say why they failed."""

REASON_LIMIT = 240
SILENT_KINDS = frozenset({"Choice", "Pass", "Wait"})
"""States that only route: they take no time worth a row."""


class Executions(Protocol):
    """What following an execution needs of Step Functions."""

    def status(self, execution_arn: str) -> str:
        """Step Functions' word for how it stands."""

    def history(self, execution_arn: str) -> Sequence[Event]:
        """Its history events so far, oldest first."""


def follow(
    executions: Executions, execution_arn: str, console: Console, *, sleep: Callable[[float], None]
) -> tuple[StateRun, ...]:
    """Show the execution's states until it ends, and return them.

    Raises:
        PlatformError: the execution has not ended within ``DEADLINE_SECONDS``.
    """
    show = _Live(console) if console.is_terminal else _Lines(console)
    with show:
        for _ in range(int(DEADLINE_SECONDS / POLL_SECONDS)):
            ended = executions.status(execution_arn) != "RUNNING"
            runs = states(executions.history(execution_arn))
            show.update(runs)
            if ended:
                return runs
            sleep(POLL_SECONDS)
    raise PlatformError(f"the execution has not ended after {DEADLINE_SECONDS:.0f} s: it hangs; see its logs")


class _Live:
    """The table that is drawn anew while the execution runs."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=8)

    def __enter__(self) -> None:
        self._live.start()

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def update(self, runs: Iterable[StateRun]) -> None:
        self._live.update(table(runs, datetime.now(UTC)))


class _Lines:
    """One line per change of a state, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: dict[str, tuple[Status, int]] = {}

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, *_: object) -> None:
        """Nothing to restore."""

    def update(self, runs: Iterable[StateRun]) -> None:
        for run in runs:
            now = (run.status, run.attempts)
            if run.kind not in SILENT_KINDS and self._told.get(run.name) != now:
                self._told[run.name] = now
                self._console.print(_line(run), highlight=False, soft_wrap=True)


def table(runs: Iterable[StateRun], now: datetime) -> Table:
    """The states so far, with attempts and seconds."""
    grid = Table(box=None, pad_edge=False)
    grid.add_column("")
    grid.add_column("State", min_width=18)
    grid.add_column("Attempts", justify="right")
    grid.add_column("Seconds", justify="right")
    grid.add_column("", no_wrap=True, overflow="ellipsis")
    for run in runs:
        if run.kind not in SILENT_KINDS:
            sign, style = SIGNS[run.status]
            grid.add_row(
                Text(sign, style=style),
                run.name,
                str(run.attempts or ""),
                f"{run.elapsed(now):.1f}",
                Text(reason(run), style="yellow"),
            )
    return grid


def reason(run: StateRun) -> str:
    """Why the state's last failed attempt failed, in a few words; empty when none did."""
    if not run.failures:
        return ""
    failure = run.failures[-1]
    said = _children(failure.detail) or next(
        (failure.detail[key] for key in REASONS if failure.detail.get(key)), failure.cause
    )
    code = "" if failure.exit_code is None else f"exit {failure.exit_code}: "
    return f"{code}{' '.join(str(said).split())}"[:REASON_LIMIT]


def _children(detail: Mapping[str, Any]) -> str:
    """How many children of an array job failed; empty when it is none."""
    array = detail.get("ArrayProperties") or {}
    if not array.get("Size"):
        return ""
    return f"{array.get('StatusSummary', {}).get('FAILED', 0)} of {array['Size']} children failed"


def _line(run: StateRun) -> Text:
    sign, style = SIGNS[run.status]
    attempts = f", attempt {run.attempts}" if run.attempts > 1 else ""
    seconds = "" if run.status is Status.RUNNING else f"  {run.seconds:.1f} s"
    before = "before: " if run.status is Status.RUNNING else ""
    said = f"  ({before}{reason(run)})" if run.failures and run.status is not Status.SUCCEEDED else ""
    return Text.assemble((sign, style), f" {run.name}{attempts}{seconds}{said}")
