"""Plays inputs against the real process: rows for the tests, the benchmark and docs/reliability.md."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.functional.bad_input.catalogue import CASES
from tests.functional.bad_input.inputs import Case
from tests.functional.bad_input.judge import Letter, judge
from tests.functional.bad_input.process import Limits, Outcome, run

_ALWAYS: Final = ("SCHEMA_INFERRED", "NO_BASELINE")
"""Findings of every run that is given data alone."""


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one input."""

    name: str
    form: str
    anchor: str
    """Its row in the table of other tools; "" when it has none."""
    letter: Letter
    exit_code: int
    message: str
    """The line of error; of an accepted input its rows and what was found in them."""
    cpu_seconds: float
    peak_mb: float
    complaints: tuple[str, ...]
    """Everything that is not as it must be."""


def play(case: Case, folder: Path) -> Row:
    """Makes an input below an empty folder, runs the validator on it, and judges.

    The folder is removed: inputs are large.
    """
    (folder / "in").mkdir(parents=True)
    try:
        made = case.make(folder / "in")
        outcome = run(made, folder, Limits(case.bounds.wall_seconds))
        judged = judge(case, made, outcome)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    message = _message(outcome).replace(os.fspath(folder / "in") + "/", "")
    return Row(
        case.name,
        case.form,
        case.anchor,
        judged.letter,
        outcome.exit_code,
        message.replace(os.fspath(folder), "…"),
        outcome.cpu_seconds,
        outcome.peak_mb,
        judged.complaints,
    )


def play_all(
    cases: Iterable[Case] = CASES, workers: int = 2, progress: Callable[[Row], None] = lambda _: None
) -> list[Row]:
    """Plays inputs side by side; rows come back in the order of the inputs."""
    with tempfile.TemporaryDirectory(prefix="corpus-") as place, ThreadPoolExecutor(workers) as pool:
        folder = Path(place).resolve()
        rows = pool.map(lambda numbered: play(numbered[1], folder / f"{numbered[0]}"), enumerate(cases))
        return list(_told(rows, progress))


def _told(rows: Iterable[Row], progress: Callable[[Row], None]) -> Iterator[Row]:
    for row in rows:
        progress(row)
        yield row


def _message(outcome: Outcome) -> str:
    if outcome.exit_code != 0 or "verdict.json" not in outcome.files:
        return next(reversed(outcome.stderr.splitlines()), outcome.end.value)
    verdict = json.loads(outcome.files["verdict.json"])
    found = [_told_of(finding) for finding in verdict["findings"] if finding["code"] not in _ALWAYS]
    return "; ".join([f"{verdict['rows']:,} row{'s' * (verdict['rows'] != 1)}", *found])


def _told_of(finding: Mapping[str, str]) -> str:
    about = f" {finding['feature']}" if finding["feature"] else ""
    return f"{finding['code']}{about}: {finding['observed']}"
