"""Holds what came out of an input against what must come out of it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from tests.functional.bad_input.artifacts import Artifacts, tidy
from tests.functional.bad_input.expected import Accepted, Bounds, Expected, Figures, Flaw, Refused
from tests.functional.bad_input.inputs import Case, Run
from tests.functional.bad_input.process import End, Outcome

LOG: Final = re.compile(
    r"shard \d+ of \d+ (done|taken from saved state): .*, [\d,]+ rows?|profiling anew: .+|reading anew: .+"
)
_UNTIDY: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_SAVED: Final = ("states/*.state", "states/*.survey", "states/*.misfit")
_LEFT_AFTER_ERROR: Final = ("error.json", *_SAVED)
_WRITTEN: Final = (
    *("statistics.pb", "anomalies.pb", "anomalies.pbtxt", "verdict.json", "report.html", "gate.json"),
    *("schema.proposed.pbtxt", "failing-rows.parquet", *_SAVED),
)
SOFTWARE: Final = 70
"""Exit code of a bug of ours: whatever it says, it names no cause."""
_EXACTLY: Final = 1e-9
"""Relative: the order in which shares of a mean are added up may change its last digits."""


class Letter(StrEnum):
    """The classes of the table of how other tools behave."""

    R = "R"
    """Right: accepted with right figures, every defect shown."""
    A = "A"
    """An error that names cause, file and place."""
    B = "B"
    """An error that names the cause, not file and place."""
    C = "C"
    """An error that does not name the cause, or a valid file refused."""
    S = "S"
    """Accepted in silence: the figures can be defended, a defect is hidden."""
    W = "W"
    """Accepted with wrong figures, or although only refusing it is right."""
    H = "H"
    """Took more than a minute."""
    X = "X"
    """Took too much memory."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an outcome amounts to."""

    letter: Letter
    complaints: tuple[str, ...]
    """Everything that is not as it must be; none when all is."""


def judge(case: Case, made: Run, outcome: Outcome) -> Judgement:
    """Judges an outcome by the alternative it comes closest to."""
    house = (*_mischief(outcome), *_costs(case.bounds, outcome), *_manners(outcome))
    if outcome.end is not End.EXITED:
        letter = Letter.H if outcome.end is End.TIME else Letter.X
        return Judgement(letter, (f"it {outcome.end.value}", *house))
    wanted = Accepted if outcome.exit_code == 0 else Refused
    judged = [_by(expected, made, outcome) for expected in case.expected if isinstance(expected, wanted)]
    if not judged:
        judged = [_unexpected(case.expected[0], outcome)]
    best = min(judged, key=lambda judgement: len(judgement.complaints))
    return Judgement(best.letter, (*best.complaints, *house))


def _by(expected: Expected, made: Run, outcome: Outcome) -> Judgement:
    if isinstance(expected, Accepted):
        return _accepted(expected, outcome)
    return _refused(expected, made, outcome)


def _unexpected(expected: Expected, outcome: Outcome) -> Judgement:
    if outcome.exit_code == 0:
        return Judgement(Letter.W, (f"accepted, must be refused: {_said(expected)}",))
    return Judgement(
        Letter.C, (f"exit code {outcome.exit_code}, must be accepted: {_last_line(outcome.stderr)}",)
    )


def _said(expected: Expected) -> str:
    return f"{expected.why} {expected.place}".strip() if isinstance(expected, Refused) else ""


# Refused ---------------------------------------------------------------------------------------------------


def _refused(expected: Refused, made: Run, outcome: Outcome) -> Judgement:
    line = _last_line(outcome.stderr)
    # The folder is named after the test, which is named after what must be said.
    said = line.replace(outcome.folder, "") if outcome.folder else line
    # Nor does data.jsonl say that something is no JSON.
    has_cause = _says(expected.why, said.replace(Path(made.data or "").name or "\n", ""))
    unnamed = [name for name in (expected.names or _name(made)) if not _says(name, said)]
    if expected.place and not _says(expected.place, said):
        unnamed.append(expected.place)
    complaints = [
        *([] if has_cause else [f"the cause is not named, /{expected.why}/: {line}"]),
        *(f"not named, /{name}/: {line}" for name in unnamed),
        *_of_an_error(expected, outcome, line),
    ]
    if not has_cause or outcome.exit_code == SOFTWARE or "Traceback" in outcome.stderr:
        return Judgement(Letter.C, tuple(complaints))
    return Judgement(Letter.B if unnamed else Letter.A, tuple(complaints))


def _says(pattern: str, line: str) -> bool:
    return re.search(pattern, line, re.IGNORECASE) is not None


def _name(made: Run) -> tuple[str, ...]:
    return (re.escape(Path(made.data).name),) if made.data is not None else ()


def _of_an_error(expected: Refused, outcome: Outcome, line: str) -> Iterator[str]:
    if outcome.exit_code not in expected.codes:
        yield f"exit code {outcome.exit_code}, must be {' or '.join(map(str, expected.codes))}"
    if outcome.stdout:
        yield f"an error, but stdout has {outcome.stdout!r}"
    for name in outcome.files:
        if not _is_one_of(name, (*_LEFT_AFTER_ERROR, *expected.may_leave)):
            yield f"left after an error: {name}"
    for earlier in outcome.stderr.splitlines()[:-1]:
        if not LOG.fullmatch(earlier):
            yield f"more than one line of error: {earlier[:200]}"
    if expected.leaves_error:
        yield from _error_document(outcome, line)


def _error_document(outcome: Outcome, line: str) -> Iterator[str]:
    try:
        left = json.loads(outcome.files["error.json"])
    except (KeyError, ValueError) as error:
        yield f"no error.json that can be read ({type(error).__name__})"
        return
    if left.get("exit_code") != outcome.exit_code:
        yield f"error.json says exit code {left.get('exit_code')}"
    if left.get("message") != line:
        yield f"error.json says {left.get('message')!r}, stderr {line!r}"


# Accepted --------------------------------------------------------------------------------------------------


def _accepted(expected: Accepted, outcome: Outcome) -> Judgement:
    try:
        found = Artifacts.read(outcome.files)
    except (KeyError, ValueError) as error:
        return Judgement(Letter.W, (f"no results that can be read: {type(error).__name__} {error}",))
    wrong = list(_wrong_figures(expected, found))
    hidden = list(_hidden(expected, found))
    complaints = (*wrong, *hidden, *found.disagreements(), *_of_a_verdict(outcome))
    letter = Letter.W if wrong else Letter.S if hidden else Letter.R
    return Judgement(letter, complaints)


def _wrong_figures(expected: Accepted, found: Artifacts) -> Iterator[str]:
    if found.rows != expected.rows:
        yield f"{found.rows} rows, must be {expected.rows}"
    if expected.names is not None and found.names != expected.names:
        yield f"columns are {', '.join(found.names)[:200]}, must be {', '.join(expected.names)[:200]}"
    for name, figures in expected.columns.items():
        if name not in found.names:
            yield f"column {name!r} is absent"
        else:
            yield from _wrong(name, figures, found.figures(name))


def _wrong(name: str, expected: Figures, found: Figures) -> Iterator[str]:
    for what in Figures.__slots__:
        wanted, has = getattr(expected, what), getattr(found, what)
        if wanted is not None and not _is_same(wanted, has):
            yield f"{what} of {name!r} is {has}, must be {wanted}"


def _is_same(wanted: Any, has: Any) -> bool:
    if isinstance(wanted, float | int) and isinstance(has, float | int):
        return wanted == has or math.isclose(wanted, has, rel_tol=_EXACTLY)
    return bool(wanted == has)


def _hidden(expected: Accepted, found: Artifacts) -> Iterator[str]:
    for flaw in expected.flaws:
        if not any(_is_of(flaw, finding) for finding in found.findings):
            yield f"no finding {flaw.code} of {flaw.feature!r} with /{flaw.observed}/"
    if expected.verdict is not None and found.verdict != expected.verdict:
        yield f"verdict is {found.verdict}, must be {expected.verdict}"


def _is_of(flaw: Flaw, finding: Any) -> bool:
    return (
        re.fullmatch(flaw.code, finding["code"]) is not None
        and finding["feature"] == flaw.feature
        and re.search(flaw.observed, finding["observed"]) is not None
    )


def _of_a_verdict(outcome: Outcome) -> Iterator[str]:
    for line in outcome.stderr.splitlines():
        if not LOG.fullmatch(line):
            yield f"not a line of log: {line[:200]}"
    for name in outcome.files:
        if not _is_one_of(name, _WRITTEN):
            yield f"left in the output: {name}"


# Always ----------------------------------------------------------------------------------------------------


def _mischief(outcome: Outcome) -> Iterator[str]:
    if not outcome.has_struck:
        yield "what was to happen while it is read did not happen"


def _costs(bounds: Bounds, outcome: Outcome) -> Iterator[str]:
    if outcome.cpu_seconds > bounds.cpu_seconds:
        yield f"{outcome.cpu_seconds:.1f} CPU s, must be {bounds.cpu_seconds:g} at most"
    if outcome.peak_mb > bounds.peak_mb:
        yield f"{outcome.peak_mb:.0f} MB, must be {bounds.peak_mb:g} at most"


def _manners(outcome: Outcome) -> Iterator[str]:
    if outcome.exit_code < 0 and outcome.end is End.EXITED:
        yield f"ended by signal {-outcome.exit_code}"
    if "Traceback (most recent call last)" in outcome.stderr:
        yield "a traceback"
    for name, text in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
        if found := _UNTIDY.search(text):
            yield f"{name} has the control character {found[0]!r}"
    for stray in outcome.strays:
        yield f"left behind: {stray!r}"
    yield from tidy(outcome.files)


def _is_one_of(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _last_line(text: str) -> str:
    return next(reversed(text.splitlines()), "")
