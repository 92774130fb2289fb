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
    depth: int = 0
    """How many lists are around a value: 0 for one value an example, 1 for a list of them, and so on."""
    fields: tuple[Column, ...] = ()
    """Of a struct."""
    is_guessed: bool = False
    """Whether no value has shown the kind: if there is none at all it is text, as TFDV has it."""

    @property
    def is_list(self) -> bool:
        """Whether an example has a list of values rather than one."""
        return self.depth > 0

    @property
    def leaves(self) -> int:
        """How many columns of values it stands for."""
        return sum(field.leaves for field in self.fields) or 1


def widest(*kinds: Kind | None) -> Kind | None:
    """Returns the narrowest kind that holds all; None stands for a block without a value."""
    known = [kind for kind in kinds if kind is not None]
    return reduce(Kind.widened, known) if known else None
