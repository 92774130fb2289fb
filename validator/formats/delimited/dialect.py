"""What a delimited text does not say about itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """How delimited texts are written, where that is not told by their names and first lines."""

    delimiter: str | None = None
    """One ASCII character; None for the one that goes with a name."""
    columns: tuple[str, ...] | None = None
    """Names of the columns of texts that have no header; None where the first line names them."""

    def __bool__(self) -> bool:
        return self != Dialect()
