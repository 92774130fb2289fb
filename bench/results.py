"""The figures of one bench: as JSON for machines, as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.markup import escape
from rich.table import Table

from bench.cases import MEGABYTE, Case
from bench.process import Measured
from bench.targets import Runs, Standing, Target, Unit

_COLOURS = {Standing.STRETCH: "green", Standing.MUST: "green", Standing.MISSED: "red", Standing.OPEN: "dim"}


@dataclass(frozen=True, slots=True)
class Results:
    """All runs, and what they are held against."""

    machine: Mapping[str, Any]
    cases: Sequence[Case]
    targets: Sequence[Target]
    runs: Runs

    def to_json(self) -> dict[str, Any]:
        """Returns everything that was measured, as plain values."""
        return {
            "machine": dict(self.machine),
            "targets": [self._target(target) for target in self.targets],
            "cases": [self._case(case) for case in self.cases if self.runs.get(case.name)],
        }

    def judged(self) -> Table:
        """Returns the targets as a table."""
        table = Table("", "", "measured", "must", "stretch", "", title="medians of the rounds' figures")
        for target in self.targets:
            standing = target.standing(self.runs)
            sign = ">=" if target.is_least else "<="
            stretch = "" if target.stretch is None else f"{sign} {target.stretch:g}"
            table.add_row(
                target.what,
                target.unit.value,
                _figure(target.value(self.runs), target.unit),
                f"{sign} {target.must:g}",
                stretch,
                f"[{_COLOURS[standing]}]{standing}[/]",
            )
        return table

    def measured(self) -> Table:
        """Returns the medians of every case as a table."""
        table = Table("", "part CPU s", "CPU s", "wall s", "peak MB", "runs", "", title="medians")
        for case in self.cases:
            if runs := self.runs.get(case.name):
                table.add_row(
                    case.what, *_shown([run for run in runs if run.is_done]), str(len(runs)), _failure(runs)
                )
        return table

    def _target(self, target: Target) -> dict[str, Any]:
        return {
            "what": target.what,
            "unit": target.unit.value,
            "value": target.value(self.runs),
            "rounds": list(target.figures(self.runs)),
            "must": target.must,
            "stretch": target.stretch,
            "wanted": "at least" if target.is_least else "at most",
            "standing": target.standing(self.runs).value,
        }

    def _case(self, case: Case) -> dict[str, Any]:
        runs = self.runs[case.name]
        done = [run for run in runs if run.is_done]
        return {
            "name": case.name,
            "what": case.what,
            "scale": case.scale,
            "limit_mb": case.limits.bytes and case.limits.bytes / MEGABYTE,
            "medians": _medians(done),
            "runs": [run.to_json() for run in runs],
        }


def _medians(done: Sequence[Measured]) -> Mapping[str, float]:
    """Returns the medians of runs that did their work, CPU seconds of the part only where it was told."""
    if not done:
        return {}
    parts = [run.part["cpu"] for run in done if run.part]
    figures = {name: median(getattr(run, name) for run in done) for name in ("cpu", "wall", "peak")}
    return {"part": median(parts), **figures} if parts else figures


def _shown(done: Sequence[Measured]) -> Sequence[str]:
    medians = _medians(done)
    if not medians:
        return ["-"] * 4
    part = f"{medians['part']:.2f}" if "part" in medians else ""
    # Of several processes together: the largest sum of their proportional shares that was seen.
    sign = " (PSS)" if done[0].memory == "sampled PSS" else ""
    peak = f"{medians['peak'] / MEGABYTE:,.0f}{sign}"
    return part, f"{medians['cpu']:.2f}", f"{medians['wall']:.2f}", peak


def _failure(runs: Sequence[Measured]) -> str:
    for run in runs:
        if not run.is_done:
            return f"[red]killed at {run.beyond}[/]" if run.beyond else f"[red]{escape(run.complaint)}[/]"
    return ""


def _figure(value: float | None, unit: Unit) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if unit is Unit.MEGABYTES else f"{value:.2f}"
