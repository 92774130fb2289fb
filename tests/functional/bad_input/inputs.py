"""An input of the corpus: how it is made, and what must come out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.functional.bad_input.expected import Bounds, Expected

Mischief = Callable[[int], bool]
"""Called again and again with the id of the running process until it says that it has struck."""


@dataclass(frozen=True, slots=True)
class Run:
    """How the process is started for an input.

    Paths are absolute and may hold surrogates for bytes that are no text.
    """

    data: Path | str | None
    """None where a manifest names the data."""
    options: tuple[str, ...] = ()
    output: Path | str | None = None
    """None for a new folder."""
    file_bytes: int | None = None
    """No file the process writes may grow beyond this, as on a disk that is full."""
    mischief: Mischief | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One input of the corpus."""

    name: str
    form: str
    """The format or the kind of thing it is bad at, for tables."""
    make: Callable[[Path], Run]
    """Makes the input below an empty folder."""
    expected: tuple[Expected, ...]
    """What may come out; the first is what people would hope for."""
    anchor: str = ""
    """Its row in the table of how other tools behave."""
    bounds: Bounds = field(default_factory=Bounds)
    is_slow: bool = False
    """Takes seconds, not one."""

    def __str__(self) -> str:
        return self.name
