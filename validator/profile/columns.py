"""What a column is declared to hold: decided once per run, never changed between blocks or files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import reduce


class Kind(StrEnum):
    """Types of values, as a TFX schema names them."""

    INT = "INT"
    FLOAT = "FLOAT"
    BYTES = "BYTES"
    STRUCT = "STRUCT"
    """Named fields; never widened."""

    def widened(self, other: Kind) -> Kind:
        """Returns the narrowest kind that holds both: INT, then FLOAT, then BYTES."""
        return max(self, other, key=_WIDTHS.index)


_WIDTHS = (Kind.INT, Kind.FLOAT, Kind.BYTES, Kind.STRUCT)


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column, or one field of a struct."""

    name: str
    kind: Kind
    is_list: bool = False
    """Whether an example has a list of values rather than one."""
    fields: tuple[Column, ...] = ()
    """Of a struct."""


def widest(*kinds: Kind | None) -> Kind | None:
    """Returns the narrowest kind that holds all; None stands for a block without a value."""
    known = [kind for kind in kinds if kind is not None]
    return reduce(Kind.widened, known) if known else None
