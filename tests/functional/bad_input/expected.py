"""What must come out of an input: data, compared by `judge`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one column as `statistics.pb` must have them; None is not looked at."""

    kind: str | None = None
    """INT, FLOAT or STRING."""
    missing: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    """The standard deviation, of all values, not of a sample."""
    zeros: int | None = None
    distinct: int | None = None
    """Of a column of text."""
    top: tuple[str, int] | None = None
    """The most frequent text and how often it occurs."""
    values: int | None = None
    """In all lists together."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A finding that must be in `verdict.json`."""

    code: str
    feature: str = ""
    observed: str = ""
    """Searched for in what the finding observed: a regular expression that has the number in it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The input is judged: exit code 0, right figures, every defect counted."""

    rows: int
    columns: Mapping[str, Figures] = field(default_factory=dict)
    flaws: tuple[Flaw, ...] = ()
    names: tuple[str, ...] | None = None
    """Of all columns, in their order."""
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The input is refused: one line that names the cause, the file and the place in it."""

    why: str
    """Regular expression of the cause."""
    place: str = ""
    """Regular expression of the place; empty where the file as a whole is the place."""
    codes: tuple[int, ...] = (65,)
    names: tuple[str, ...] = ()
    """Regular expressions of what the line must name; the name of the input's file when there is none."""
    leaves_error: bool = True
    """Whether error.json can be written."""
    may_leave: tuple[str, ...] = ()
    """Results that were whole before it went wrong."""


Expected = Accepted | Refused

UNUSABLE: Final = (64,)
"""Exit code of an input that cannot even be opened: a path, an option, a document of a person."""
EITHER: Final = (64, 65)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an input may cost."""

    cpu_seconds: float = 20
    peak_mb: float = 600
    """Resident memory of the process and all it started."""
    wall_seconds: float = 60
    """Beyond it, it hangs."""
