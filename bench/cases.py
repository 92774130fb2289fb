"""What is run: the data, and the processes that are measured on it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.process import Limits

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = Path(__file__).parent / ".data"

OUTPUT: Final = "{output}"
"""Stands in a command for a folder of that run's own, empty and taken away afterwards."""

_OURS: Final = sys.executable
_BENCH: Final = str(ROOT / ".venv-bench/bin/python")
_PARITY: Final = str(ROOT / ".venv-parity/bin/python")
_JOBS: Final = str(ROOT / ".venv-jobs/bin/python")

MEGABYTE: Final = 1_000_000
SMALL_TASK: Final = 512 * MEGABYTE
WIDE_TASK: Final = 2_000 * MEGABYTE
_BUDGET: Final = "293"
"""MiB: 60 % of 512 MB, which is what the validator takes by itself in a container of that size."""

STATES: Final = 1_000
STATE_ROWS: Final = 10_000
TFDV_ROWS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Data:
    """A file or folder that is written once and kept."""

    name: str
    made_by: tuple[str, ...]
    """Module and arguments; the path is added."""
    rows: int
    replaces: str = "part-*"
    """Pattern of what is of no use any more once this is wanted."""

    @property
    def path(self) -> Path:
        """Where it lies."""
        return FOLDER / self.name


@dataclass(frozen=True, slots=True)
class Case:
    """A process whose figures are taken."""

    name: str
    what: str
    argv: tuple[str, ...]
    data: Data
    limits: Limits = field(default_factory=Limits)
    scale: float = 1.0
    """What the process says of its part is multiplied by this: it reads a part of the rows only."""
    is_long: bool = False
    """Run once when time is short."""
    is_slow_peer: bool = False
    """Left out when time is short."""


def trips(rows: int) -> Data:
    """Returns taxi-like trips in one CSV file."""
    return Data(f"trips-{rows}.csv", ("bench.data", "trips-csv", str(rows)), rows)


def trips_parquet(rows: int) -> Data:
    """Returns the same trips in four Parquet files."""
    return Data(f"trips-{rows}-parquet", ("bench.data", "trips-parquet", str(rows)), rows)


def wide(rows: int) -> Data:
    """Returns 5,000 columns in one CSV file."""
    return Data(f"wide-{rows}.csv", ("bench.data", "wide-csv", str(rows)), rows)


def states(engine: str) -> Data:
    """Returns a folder of saved states; another engine has others."""
    return Data(
        f"states-{STATES}-{engine}",
        ("bench.subjects.states", str(STATES)),
        STATES * STATE_ROWS,
        replaces="states-*",
    )


def cases(great: int, tall: int, engine: str) -> Sequence[Case]:
    """Returns all cases.

    Args:
        great: Rows of the great file.
        tall: Rows of the wide file.
        engine: What tells this engine's saved states from others.
    """
    csv, parquet, part = trips(1_000_000), trips_parquet(1_000_000), trips(TFDV_ROWS)
    return (
        Case("bare-csv", "pyarrow reads the CSV", _subject(_OURS, "bare", csv), csv),
        Case("profile-csv", "our profile of the CSV", _subject(_OURS, "profile", csv, OUTPUT), csv),
        Case("duckdb-csv", "DuckDB SUMMARIZE of the CSV", _subject(_BENCH, "duckdb_summarize", csv), csv),
        Case("bare-parquet", "pyarrow reads the Parquet", _subject(_OURS, "bare", parquet), parquet),
        Case(
            "profile-parquet",
            "our profile of the Parquet",
            _subject(_OURS, "profile", parquet, OUTPUT),
            parquet,
        ),
        Case(
            "duckdb-parquet",
            "DuckDB SUMMARIZE of the Parquet",
            _subject(_BENCH, "duckdb_summarize", parquet),
            parquet,
        ),
        *_validations(great, tall),
        *_workers(great),
        *_side_by_side(great),
        Case(
            "merge",
            f"{STATES:,} states merged",
            _subject(_OURS, "merge", states(engine)),
            states(engine),
            is_long=True,
        ),
        Case(
            "tfdv-arrow",
            "TFDV's generators over Arrow batches",
            _subject(_PARITY, "tfdv_arrow", csv),
            csv,
            is_slow_peer=True,
        ),
        Case(
            "tfdv-csv",
            f"tfdv.generate_statistics_from_csv of {TFDV_ROWS:,} rows, times {1_000_000 // TFDV_ROWS}",
            _subject(_PARITY, "tfdv_csv", part),
            part,
            scale=1_000_000 / TFDV_ROWS,
            is_slow_peer=True,
        ),
        Case("spark-csv", "PySpark aggregates", _subject(_JOBS, "spark", csv), csv, is_slow_peer=True),
    )


def _validations(great: int, tall: int) -> Sequence[Case]:
    """Returns whole runs of the validator, as its users start it."""
    csv, few, many, columns = trips(1_000_000), trips(10_000), trips(great), wide(tall)
    return (
        Case("validate", "validate 1M rows, whole process", _validate(csv), csv),
        Case("validate-few", "validate 10,000 rows, whole process", _validate(few), few),
        Case(
            "validate-small-task",
            f"validate {great:,} rows in 512 MB",
            _validate(many, "--memory-budget-mb", _BUDGET),
            many,
            Limits(SMALL_TASK),
            is_long=True,
        ),
        Case(
            "validate-wide",
            f"validate 5,000 columns x {tall:,} rows",
            _validate(columns),
            columns,
            Limits(WIDE_TASK),
            is_long=True,
        ),
    )


def _workers(great: int) -> Sequence[Case]:
    """Returns the same run with one worker and with two."""
    many = trips(great)
    return tuple(
        Case(
            f"workers-{number}",
            f"validate {great:,} rows, --workers {number}",
            _validate(many, "--workers", str(number)),
            many,
            is_long=True,
        )
        for number in (1, 2)
    )


def _side_by_side(great: int) -> Sequence[Case]:
    """Returns what two processors do at most: processes that share nothing, each reading all rows."""
    many = trips(great)
    return tuple(
        Case(
            f"side-by-side-{number}",
            f"pyarrow reads {great:,} rows, {number} at once",
            _subject(_OURS, "bare", many, "--processes", str(number)),
            many,
            is_long=True,
        )
        for number in (1, 2)
    )


def _subject(python: str, module: str, data: Data, *arguments: str) -> tuple[str, ...]:
    return (python, "-m", f"bench.subjects.{module}", str(data.path), *arguments)


def _validate(data: Data, *options: str) -> tuple[str, ...]:
    return (_OURS, "-m", "validator", "validate", "--data", str(data.path), "--output", OUTPUT, *options)
