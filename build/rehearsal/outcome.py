"""What one execution came to: the values a scenario judges and the summary tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from build.cost import Use
from build.shell import last_line

from .history import StateRun

LINE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Notification:
    """One message of the pipeline's topic."""

    subject: str
    message: str

    def to_text(self) -> str:
        """The message as it comes by mail."""
        return f"Subject: {self.subject}\n\n{self.message}\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """An execution after its end.

    Attributes:
        status: Step Functions' word: SUCCEEDED, FAILED, TIMED_OUT, ABORTED.
        input: The execution's input (the whole event when a rule started it).
        output: The execution's output; for a failure its Error and Cause.
        states: The states it entered, in order.
        uses: The capacity it used.
        verdict: The validator's verdict.json, empty when it was never written.
        prepared: Prepare's summary (rows read, dropped, train, validation), empty when it never ended.
        notifications: What the topic's subscribers were told.
        notices: Folder of what they were told, a file each, earlier executions' first.
        folder: Where the validator's artifacts were downloaded to.
        logs: Where the containers', functions' and jobs' logs lie.
    """

    status: str
    input: Mapping[str, Any]
    output: Mapping[str, Any]
    states: tuple[StateRun, ...]
    uses: tuple[Use, ...]
    verdict: Mapping[str, Any]
    prepared: Mapping[str, Any]
    notifications: tuple[Notification, ...]
    notices: Path
    folder: Path
    logs: Path

    @property
    def end(self) -> str:
        """Name of the last state."""
        return self.states[-1].name if self.states else ""

    @property
    def cause(self) -> str:
        """Why the execution failed, in its own words; empty when it did not."""
        return str(self.output.get("Cause") or "")

    @property
    def metric(self) -> Mapping[str, Any]:
        """The model's metric on the validation split, as Evaluate gives it; empty without a model."""
        evaluation = self.output.get("evaluation")
        return evaluation if isinstance(evaluation, dict) else {}

    @property
    def failure(self) -> str:
        """Which state failed last, and the last line it logged; empty when none did."""
        failed = next((run for run in reversed(self.states) if run.failures), None)
        return f"{failed.name}: {self._last_words(failed)}" if failed else ""

    def _last_words(self, run: StateRun) -> str:
        # A state's logs are numbered from the first execution on, so the newest is the one to read.
        logs = self.logs.glob(f"{run.name}-*.log")
        newest = max(logs, key=lambda log: int(log.stem.rpartition("-")[2]), default=None)
        said = last_line(self.log(newest.name)) if newest else ""
        return (said or run.failures[-1].cause)[:LINE_LIMIT]

    def log(self, name: str) -> str:
        """Text of the log of that file name, empty when there is none."""
        path = self.logs / name
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def state(self, name: str) -> StateRun:
        """The state of that name, as never visited when it was not entered."""
        return next((run for run in self.states if run.name == name), StateRun(name, "", attempts=0))
