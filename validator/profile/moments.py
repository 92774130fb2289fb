"""Mean and variance that merge without cancellation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Tally = NDArray[np.int64]


@dataclass(slots=True)
class Moments:
    """Count, mean and sum of squared deviations of a stream of numbers.

    Merged by Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
    Variances" (1979).
    """

    count: int = 0
    mean: float = 0.0
    deviations: float = 0.0
    """Sum of squared deviations from the mean."""

    @classmethod
    def of(cls, values: Floats, counts: Tally | None = None) -> Moments:
        """Returns the moments of finite numbers, each taken as often as its count says."""
        weights = np.ones(len(values), np.int64) if counts is None else counts
        total = int(weights.sum())
        if total == 0:
            return cls()
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(np.dot(values, weights)) / total
            if not np.isfinite(mean):
                # The sum is beyond the largest float, the mean is not.
                mean = float(np.dot(values / total, weights))
            return cls(total, mean, float(np.dot((values - mean) ** 2, weights)))

    @property
    def variance(self) -> float:
        """Population variance, as TFDV's."""
        return self.deviations / self.count if self.count else 0.0

    def merge(self, other: Moments) -> None:
        """Takes in the numbers of another stream."""
        if other.count == 0:
            return
        if self.count == 0:
            # Zero times the square of a great distance is not a number.
            self.count, self.mean, self.deviations = other.count, other.mean, other.deviations
            return
        count = self.count + other.count
        distance = other.mean - self.mean
        share = other.count / count
        self.mean += distance * share
        self.deviations += other.deviations + distance * distance * share * self.count
        self.count = count
