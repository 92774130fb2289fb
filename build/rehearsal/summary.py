"""What a person sees at the end of a rehearsal, and ``summary.json``, which says the same to programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from build.cost import Estimate
from validator.contract import Artifact

from .history import StateRun
from .outcome import Outcome
from .permissions import Permissions
from .scenario import Scenario
from .watch import SILENT_KINDS

LABEL_WIDTH = 12
VERDICT_STYLES = {"pass": "green", "warn": "yellow", "fail": "red"}


@dataclass(frozen=True, slots=True)
class Summary:
    """The last execution of a scenario, what it would have cost, and what was not as the scenario says."""

    scenario: Scenario
    outcome: Outcome
    cost: Estimate
    permissions: Permissions
    problems: Sequence[str]

    @property
    def report(self) -> Path | None:
        """The validator's report, None when it was never written."""
        path = self.outcome.folder / Artifact.REPORT
        return path if path.is_file() else None

    @property
    def proposal(self) -> Path | None:
        """The schema the validator proposed, None when there was one already."""
        path = self.outcome.folder / Artifact.SCHEMA_PROPOSED
        return path if path.is_file() else None

    def to_json(self) -> Mapping[str, Any]:
        """The keys of ``summary.json``."""
        outcome = self.outcome
        return {
            "scenario": self.scenario.name,
            "status": outcome.status,
            "input": outcome.input,
            "output": outcome.output,
            "states": [_state(run) for run in outcome.states],
            "verdict": outcome.verdict.get("verdict"),
            "model_metric": outcome.metric or None,
            "cost": self.cost.to_json(),
            "permissions": self.permissions.to_json(),
            "notices": [{"subject": each.subject, "message": each.message} for each in outcome.notifications],
            "report": str(self.report) if self.report else None,
            "logs": str(outcome.logs),
            "problems": list(self.problems),
        }


def write(summary: Summary, path: Path) -> None:
    """Write ``summary.json`` whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(summary.to_json(), indent=2, default=str) + "\n", encoding="utf-8")
    part.replace(path)


def show(summary: Summary, console: Console) -> None:
    """Tell the person how it ended: verdict, findings, metric, cost, and where to look."""
    outcome = summary.outcome
    console.print()
    _row(console, "Execution", f"{outcome.status}, ended at {outcome.end}")
    if outcome.cause:
        _row(console, "Cause", Text(" ".join(outcome.cause.split())))
    _show_verdict(console, outcome.verdict)
    if outcome.metric:
        _row(console, "Model", _metric(outcome.metric))
    _row(console, "Cost on AWS", f"about ${summary.cost.total:.4f}")
    for item, times in Counter(summary.cost.items).items():
        _row(console, "", Text(item.formula + (f", {times} times" if times > 1 else ""), style="dim"))
    for number, notification in enumerate(outcome.notifications):
        _row(console, "" if number else "Notified", Text(notification.subject))
    if outcome.notifications:
        _row(console, "Notices", f"{outcome.notices}: what the topic's subscribers would read")
    if summary.report:
        _row(console, "Report", str(summary.report))
    if summary.proposal:
        _row(console, "Schema", f"{summary.proposal}: review it, put it into schema/, name it in config.toml")
    _row(console, "Permissions", summary.permissions.told)
    _row(console, "Logs", str(outcome.logs))
    console.print()
    _show_end(console, summary)


def _show_verdict(console: Console, verdict: Mapping[str, Any]) -> None:
    if not verdict:
        return
    word = str(verdict["verdict"])
    rows = f" on {verdict['rows']:,} rows"
    _row(console, "Verdict", Text.assemble((word, f"bold {VERDICT_STYLES.get(word, '')}"), rows))
    findings = verdict["findings"]
    for finding in findings[:5]:
        _row(console, "", Text(f"{finding['severity']}: {finding['message']}"))
    if len(findings) > 5:
        _row(console, "", Text(f"and {len(findings) - 5} more in the report", style="dim"))


def _show_end(console: Console, summary: Summary) -> None:
    if summary.problems:
        console.print(Text(f"Not as {summary.scenario.name} should be:", style="bold red"))
        for problem in summary.problems:
            console.print(Text(f"  {problem}"), soft_wrap=not console.is_terminal)
    else:
        told = Text(f"As designed: {summary.scenario.shows}.", style="green")
        console.print(told, soft_wrap=not console.is_terminal)


def _metric(metric: Mapping[str, Any]) -> str:
    champion = metric.get("champion_value")
    against = "no champion yet" if champion is None else f"champion {champion:.4f}"
    return f"{metric['metric']} {metric['value']:.4f} on the validation split ({against})"


def _row(console: Console, label: str, value: str | Text) -> None:
    """On a terminal a long value wraps below itself; elsewhere each row stays one line."""
    if not console.is_terminal:
        console.print(Text.assemble(f"{label:<{LABEL_WIDTH}}", value), soft_wrap=True, highlight=False)
        return
    grid = Table.grid()
    grid.add_column(width=LABEL_WIDTH, style="bold")
    grid.add_column(overflow="fold")
    grid.add_row(label, value)
    console.print(grid)


def _state(run: StateRun) -> Mapping[str, Any]:
    return {
        "name": run.name,
        "status": run.status,
        "attempts": run.attempts,
        "seconds": round(run.seconds, 3),
        "routes": run.kind in SILENT_KINDS,
    }
