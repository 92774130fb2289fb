"""What the figures are held against, and how a ratio is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final

from bench.cases import MEGABYTE, SMALL_TASK, WIDE_TASK
from bench.process import Measured

Runs = Mapping[str, Sequence[Measured]]
"""The runs of each case by its name, round by round."""


class Unit(StrEnum):
    """What a figure counts."""

    TIMES = "x"
    CPU = "CPU s"
    MEGABYTES = "MB"


class Standing(StrEnum):
    """How a figure stands to its two marks."""

    STRETCH = "stretch met"
    MUST = "must met"
    MISSED = "missed"
    OPEN = "not measured"


@dataclass(frozen=True, slots=True)
class Target:
    """One line of the table."""

    what: str
    unit: Unit
    figures: Callable[[Runs], Sequence[float]]
    """One of each round; none where a process it needs was not run, or failed."""
    must: float
    stretch: float | None = None
    is_least: bool = False
    """Whether the marks are the least that is wanted, rather than the most."""
    needs: tuple[str, ...] = ()
    """Cases whose failure is a miss."""

    def value(self, runs: Runs) -> float | None:
        """Returns the median of the rounds."""
        figures = self.figures(runs)
        return median(figures) if figures else None

    def standing(self, runs: Runs) -> Standing:
        """Says whether the marks are reached."""
        if any(not run.is_done for case in self.needs for run in runs.get(case, ())):
            return Standing.MISSED
        value = self.value(runs)
        if value is None:
            return Standing.OPEN
        if self.stretch is not None and self._reaches(value, self.stretch):
            return Standing.STRETCH
        return Standing.MUST if self._reaches(value, self.must) else Standing.MISSED

    def _reaches(self, value: float, mark: float) -> bool:
        return value >= mark if self.is_least else value <= mark


def part(run: Measured) -> float:
    """CPU seconds of the part that counts, without imports."""
    return run.part["cpu"]


def whole(run: Measured) -> float:
    """CPU seconds of the whole process and what it started."""
    return run.cpu


def wall(run: Measured) -> float:
    """Seconds from start to end."""
    return run.wall


def peak(run: Measured) -> float:
    """Megabytes at most."""
    return run.peak / MEGABYTE


def ratio(above: str, below: str, figure: Callable[[Measured], float]) -> Callable[[Runs], Sequence[float]]:
    """Returns what divides one case's figure by another's of the same round."""

    def figures(runs: Runs) -> Sequence[float]:
        pairs = zip(runs.get(above, ()), runs.get(below, ()), strict=False)
        return [figure(a) / figure(b) for a, b in pairs if a.is_done and b.is_done]

    return figures


def single(case: str, figure: Callable[[Measured], float]) -> Callable[[Runs], Sequence[float]]:
    """Returns what takes one case's figure."""
    return lambda runs: [figure(run) for run in runs.get(case, ()) if run.is_done]


def targets(great: int, tall: int) -> Sequence[Target]:
    """Returns the table.

    Args:
        great: Rows of the great file.
        tall: Rows of the wide file.
    """
    return (
        *_ratios(),
        Target(
            "validate 1M rows, whole process", Unit.CPU, single("validate", whole), 4, 3, needs=("validate",)
        ),
        Target(
            "validate 10,000 rows, whole process",
            Unit.CPU,
            single("validate-few", whole),
            1.5,
            0.8,
            needs=_FEW,
        ),
        Target(
            "validate 10,000 rows, peak", Unit.MEGABYTES, single("validate-few", peak), 200, 150, needs=_FEW
        ),
        Target(
            f"validate {great:,} rows in 512 MB, peak of all processes",
            Unit.MEGABYTES,
            single("validate-small-task", peak),
            SMALL_TASK / MEGABYTE,
            400,
            needs=("validate-small-task",),
        ),
        Target(
            f"validate 5,000 columns x {tall:,} rows, peak",
            Unit.MEGABYTES,
            single("validate-wide", peak),
            WIDE_TASK / MEGABYTE,
            1_000,
            needs=("validate-wide",),
        ),
        Target(
            f"wall of 1 worker / 2 workers, {great:,} rows",
            Unit.TIMES,
            ratio("workers-1", "workers-2", wall),
            1.6,
            1.8,
            is_least=True,
            needs=("workers-1", "workers-2"),
        ),
        Target("merging 1,000 states", Unit.CPU, single("merge", part), 5, 2, needs=("merge",)),
        Target("merging 1,000 states, peak", Unit.MEGABYTES, single("merge", peak), 500, needs=("merge",)),
    )


_FEW: Final = ("validate-few",)


def _ratios() -> Sequence[Target]:
    """Returns the lines that divide CPU seconds of parts, imports left out on both sides."""

    def peer(what: str, above: str, ours: str, must: float, stretch: float) -> Target:
        return Target(what, Unit.TIMES, ratio(above, ours, part), must, stretch, is_least=True, needs=(ours,))

    def bare(what: str, ours: str, below: str, must: float, stretch: float) -> Target:
        return Target(what, Unit.TIMES, ratio(ours, below, part), must, stretch, needs=(ours,))

    return (
        bare("profile / bare read, CSV", "profile-csv", "bare-csv", 2.2, 1.6),
        bare("profile / bare read, Parquet", "profile-parquet", "bare-parquet", 3.5, 2.0),
        peer("tfdv.generate_statistics_from_csv / profile, CSV", "tfdv-csv", "profile-csv", 45, 70),
        peer("TFDV over Arrow batches / profile, CSV", "tfdv-arrow", "profile-csv", 1.3, 2),
        peer("DuckDB SUMMARIZE / profile, CSV", "duckdb-csv", "profile-csv", 1.4, 2),
        peer("DuckDB SUMMARIZE / profile, Parquet", "duckdb-parquet", "profile-parquet", 1.4, 2),
    )
