"""Finite numbers in order, known exactly or by a sketch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from validator.profile.sketches import Quantiles
from validator.profile.sums import Floats, Tally


class Distribution(Protocol):
    """Finite numbers in order."""

    def values_at(self, positions: Tally) -> Floats:
        """Returns the numbers at these positions, 0 being the least."""

    def counts_up_to(self, values: Floats) -> Floats:
        """Returns how many numbers are at most each value; the values ascend."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A distribution of numbers that are all known."""

    values: Floats
    """Ascending."""
    ends: Tally
    """How many numbers are at most each value."""

    @classmethod
    def of(cls, values: Floats, counts: Tally) -> Counted:
        """Sorts a table of values and counts."""
        order = np.argsort(values)
        return cls(values[order], np.cumsum(counts[order]))

    def values_at(self, positions: Tally) -> Floats:
        """Returns the numbers at these positions."""
        return self.values[np.searchsorted(self.ends, positions, side="right")]

    def counts_up_to(self, values: Floats) -> Floats:
        """Returns how many numbers are at most each value."""
        ends = np.concatenate([[0], self.ends])
        return ends[np.searchsorted(self.values, values, side="right")].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Sketched:
    """A distribution known by its sketch and its ends."""

    quantiles: Quantiles
    count: int
    minimum: float
    maximum: float

    def values_at(self, positions: Tally) -> Floats:
        """Returns the numbers at these positions."""
        values = self.quantiles.values_at(np.asarray(positions) / self.count)
        ends = np.where(
            positions <= 0, self.minimum, np.where(positions >= self.count - 1, self.maximum, values)
        )
        return np.clip(ends, self.minimum, self.maximum)

    def counts_up_to(self, values: Floats) -> Floats:
        """Returns how many numbers are at most each value."""
        distinct, places = np.unique(values, return_inverse=True)
        counts = self.quantiles.shares_up_to(distinct)[places] * self.count
        return np.where(values >= self.maximum, self.count, np.where(values < self.minimum, 0.0, counts))
