"""What a finished profile says of a dataset: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from validator.profile.columns import Column
from validator.profile.distribution import Distribution


@dataclass(frozen=True, slots=True)
class Presence:
    """In how many examples a column has values, and how many at a time."""

    rows: int
    missing: int
    lengths: Mapping[int, int]
    """Number of examples by number of values; missing ones are left out."""

    @property
    def present(self) -> int:
        """Examples that are not missing; an empty list is not missing."""
        return self.rows - self.missing

    @property
    def values(self) -> int:
        """Values of all examples together."""
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
    variance: float
    distribution: Distribution
    is_exact: bool
    """Whether quantiles and histograms are exact, or sketched."""


@dataclass(frozen=True, slots=True)
class TextSummary:
    """A column of texts or bytes."""

    column: Column
    presence: Presence
    content: int
    """Bytes of all values together."""
    invalid_utf8: int
    with_nul: int
    """Values with a NUL byte in them."""
    distinct: int
    ranked: tuple[tuple[str, int], ...]
    """The most frequent values, most frequent first; of equal ones the greater first, as TFDV has it."""
    is_exact: bool
    """Whether counts of values are exact, or sketched."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole dataset."""

    rows: int
    columns: tuple[NumericSummary | TextSummary, ...]
