"""What the formats have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from validator.cuts import Cut, Extent, Weight
from validator.errors import DataError
from validator.profile import Column, Kind
from validator.store import Object


@dataclass(frozen=True, slots=True)
class Header:
    """An object's columns."""

    columns: Sequence[Column]
    """In the order of the object; the kind is that of the first values where the format declares none."""
    types: Mapping[str, str]
    """Declared type by name; "" where the format declares none."""
    empty: frozenset[str] = frozenset()
    """Columns that showed no value: their kind is a guess, and that of any other object wins."""
    is_open: bool = False
    """Whether rows name their columns themselves: more may come up further down, and other objects may have
    others; the dataset has those of all."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the values of a column turned out to be, in a batch of a survey."""

    kind: Kind | None
    """The narrowest that holds all of them; None where there is no value."""
    numbers: int = 0
    """Values that are numbers."""
    texts: int = 0
    """Values that are not."""
    first_text: str = ""
    first_row: int = 0
    """The row of the batch the first text is in, counted from 0."""
    path: tuple[str, ...] = ()
    """Column, field of it and so on, where rows name their columns themselves; otherwise a batch has all
    columns in their order."""
    depth: int = 0
    """Lists around a value, where rows name their columns themselves."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One batch of a survey."""

    rows: int
    seen: Sequence[Seen]


@dataclass(slots=True)
class Sights:
    """What the values of one cut are."""

    batches: Iterator[Sight]
    """One without rows comes meanwhile where many bytes hold none."""
    extent: Extent
    """Which bytes they came from: true once the last batch is read."""


@dataclass(slots=True)
class Reading:
    """The rows of one cut."""

    batches: Iterator[Any]
    """pyarrow.RecordBatches of the declared columns: int64, float64, text or bytes (also as dictionaries),
    structs of these, and lists of all. Raises Misfit when a value does not fit its column, DataError when
    the bytes are not what the name claims."""
    extent: Extent
    """Which bytes they came from: true once the last batch is read."""


class Format(Protocol):
    """One way of writing rows down."""

    @property
    def weight(self) -> Weight:
        """How objects of this format are cut."""

    def header(self, target: Object) -> Header:
        """Reads an object's columns and the kinds of its first values."""

    def survey(self, cut: Cut) -> Sights:
        """Reads all values of a cut and tells what they are, batch by batch."""

    def read(self, cut: Cut, columns: Sequence[Column]) -> Reading:
        """Reads the rows of a cut, typed as the columns say."""


class Misfit(DataError):  # noqa: N818 - no error of anyone's
    """A value does not fit the kind its column was declared to have: the kinds have to be surveyed."""

    remedy = ""
