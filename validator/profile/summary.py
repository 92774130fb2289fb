"""What a finished profile says of a dataset: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from validator.profile.columns import Column
from validator.profile.dates import Dates
from validator.profile.distribution import Distribution


@dataclass(frozen=True, slots=True)
class Presence:
    """In how many rows a column has values, and how many at a time.

    The rows of a struct's field are the structs.
    """

    rows: int
    missing: int
    lengths: Mapping[int, int]
    """Number of rows by number of values (innermost ones of nested lists); missing rows are left out."""
    levels: tuple[Presence, ...] = ()
    """Of nested lists: the same for each list by itself, outermost first."""

    @property
    def present(self) -> int:
        """Rows that are not missing; an empty list is not missing."""
        return self.rows - self.missing

    @property
    def values(self) -> int:
        """Values of all rows together; what is null in a list is one."""
        return sum(length * rows for length, rows in self.lengths.items())


@dataclass(frozen=True, slots=True)
class NumericSummary:
    """A column of numbers. Moments and extremes are those of the finite ones."""

    column: Column
    presence: Presence
    nan: int
    negative_infinities: int
    positive_infinities: int
    zeros: int
    finite: int
    minimum: float
    maximum: float
    mean: float
    deviation: float
    distribution: Distribution
    rank_error: float | None
    """By how large a share of the numbers a rank may be off; None where quantiles are exact."""


@dataclass(frozen=True, slots=True)
class TextSummary:
    """A column of texts or bytes."""

    column: Column
    presence: Presence
    content: int
    """Bytes of all values together."""
    shortest: int
    """Bytes."""
    longest: int
    """Bytes."""
    invalid_utf8: int
    with_nul: int
    """Values with a NUL byte in them."""
    dates: Dates
    """What is wrong with them, if the values are dates."""
    distinct: int
    ranked: tuple[tuple[str, int], ...]
    """The most frequent values, most frequent first; of equal ones the greater first, as TFDV has it."""
    count_error: float | None
    """By how large a share of the texts a count may be too low; None where counts are exact."""
    distinct_error: float | None
    """By how large a share the number of distinct texts may be off; None where it is exact."""


@dataclass(frozen=True, slots=True)
class StructSummary:
    """A column of structs; their fields are in the order of the column."""

    column: Column
    presence: Presence
    fields: tuple[ColumnSummary, ...]


ColumnSummary = NumericSummary | TextSummary | StructSummary


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole dataset."""

    rows: int
    columns: tuple[ColumnSummary, ...]
