"""What the formats have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from validator.errors import DataError
from validator.profile import Column, Kind
from validator.store import Object


@dataclass(frozen=True, slots=True)
class Header:
    """An object's columns."""

    fields: Mapping[str, str]
    """Declared type by name, in order; "" where the format declares none."""
    kinds: Sequence[Kind | None]
    """What the first values are; None where there is no value."""
    lists: Sequence[bool]


class Format(Protocol):
    """One way of writing rows down."""

    def header(self, target: Object) -> Header:
        """Reads an object's columns and the kinds of its first values."""

    def survey(self, target: Object) -> Iterator[Sequence[Kind | None]]:
        """Reads all values and yields the kinds that hold them, batch by batch."""

    def batches(self, target: Object, columns: Sequence[Column]) -> Iterator[Any]:
        """Yields pyarrow.RecordBatches: int64, float64, text or bytes, or lists of these.

        Raises:
            Misfit: A value does not fit its declared column.
            DataError: The bytes are not what the name claims.
        """


class Misfit(DataError):  # noqa: N818 - no error of anyone's
    """A value does not fit the kind its column was declared to have: the kinds have to be surveyed."""

    remedy = ""
