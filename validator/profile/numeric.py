"""Numbers of one column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from validator.profile.columns import Column
from validator.profile.counts import Values
from validator.profile.distribution import Counted, Distribution, Sketched
from validator.profile.limits import Limits
from validator.profile.occurrences import Occurrences, Parts
from validator.profile.sketches import Quantiles
from validator.profile.summary import NumericSummary, Presence
from validator.profile.sums import Sums, Tally


@dataclass(slots=True)
class Numbers:
    """What is exact whatever the number of values."""

    nan: int = 0
    negative_infinities: int = 0
    positive_infinities: int = 0
    zeros: int = 0
    minimum: int | float | None = None
    maximum: int | float | None = None
    sums: Sums = field(default_factory=Sums)

    def add(self, values: Any, counts: Tally | None = None) -> tuple[Any, Tally | None]:
        """Takes in numbers, each as often as its count says, and returns the finite ones among them."""
        if len(values) == 0:
            return values, counts
        lowest, highest = values.min(), values.max()
        if not (np.isfinite(lowest) and np.isfinite(highest)):
            return self.add(*self._finite(values, counts))
        zeros = values == 0
        self.zeros += int(np.count_nonzero(zeros) if counts is None else counts[zeros].sum())
        # Adding zero makes -0.0 and 0.0 one number.
        self._stretch(lowest.item() + 0, highest.item() + 0)
        self.sums.merge(Sums.of(values, counts))
        return values, counts

    def merge(self, other: Numbers) -> None:
        """Takes in another's numbers."""
        self.nan += other.nan
        self.negative_infinities += other.negative_infinities
        self.positive_infinities += other.positive_infinities
        self.zeros += other.zeros
        if other.minimum is not None and other.maximum is not None:
            self._stretch(other.minimum, other.maximum)
        self.sums.merge(other.sums)

    def _finite(self, values: Any, counts: Tally | None) -> tuple[Any, Tally | None]:
        weights = np.ones(len(values), np.int64) if counts is None else counts
        self.nan += int(weights[np.isnan(values)].sum())
        self.negative_infinities += int(weights[np.isneginf(values)].sum())
        self.positive_infinities += int(weights[np.isposinf(values)].sum())
        is_finite = np.isfinite(values)
        return values[is_finite], None if counts is None else counts[is_finite]

    def _stretch(self, lowest: float, highest: float) -> None:
        self.minimum = lowest if self.minimum is None else min(self.minimum, lowest)
        self.maximum = highest if self.maximum is None else max(self.maximum, highest)


class NumericDigest:
    """Numbers that are too many to be counted one by one.

    Args:
        limits: How fine the sketch is.
    """

    def __init__(self, limits: Limits) -> None:
        self.numbers = Numbers()
        self.quantiles = Quantiles(limits.quantiles_k)

    def add(self, values: Any) -> None:
        """Takes in the numbers of a batch, nulls among them."""
        present = values.drop_null() if values.null_count else values
        finite, _ = self.numbers.add(present.to_numpy())
        self.quantiles.add(finite)

    def add_counted(self, values: Values, counts: Tally) -> None:
        """Takes in numbers, each as often as its count says."""
        if counts.max(initial=1) == 1:
            self.add(values)
            return
        finite, occurrences = self.numbers.add(values.to_numpy(), counts)
        assert occurrences is not None  # noqa: S101 - counts in, counts out
        self.quantiles.add_counted(finite.astype(np.float64), occurrences)

    def merge(self, other: NumericDigest) -> None:
        """Takes in another's numbers."""
        self.numbers.merge(other.numbers)
        self.quantiles.merge(other.quantiles)

    def to_parts(self) -> Parts:
        """Returns scalars and the sketch."""
        scalars = asdict(self.numbers)
        sums = self.numbers.sums
        # Hexadecimal: JSON readers elsewhere would make floats of such integers.
        scalars["sums"] = [sums.count, hex(sums.total), hex(sums.squares)]
        return Parts(scalars, {"quantiles.kll": self.quantiles.to_bytes()})

    @classmethod
    def from_parts(cls, limits: Limits, parts: Parts) -> NumericDigest:
        """Reads what `to_parts` returned."""
        digest = cls(limits)
        scalars: Mapping[str, Any] = dict(parts.scalars)
        count, total, squares = scalars["sums"]
        sums = Sums(count, int(total, 16), int(squares, 16))
        digest.numbers = Numbers(**{**scalars, "sums": sums})
        digest.quantiles = Quantiles.from_bytes(parts.blobs["quantiles.kll"])
        return digest


def summarize(column: Column, presence: Presence, seen: Occurrences[NumericDigest]) -> NumericSummary:
    """Says what is known of a column of numbers."""
    if table := seen.table():
        numbers = Numbers()
        values, counts = numbers.add(table[0].to_numpy(), table[1])
        assert counts is not None  # noqa: S101 - counts in, counts out
        return _summary(column, presence, numbers, Counted.of(values.astype(np.float64) + 0.0, counts), None)
    numbers, quantiles = seen.digest.numbers, seen.digest.quantiles
    ends = float(numbers.minimum or 0), float(numbers.maximum or 0)
    sketched = Sketched(quantiles, numbers.sums.count, *ends)
    return _summary(column, presence, numbers, sketched, quantiles.rank_error)


def _summary(
    column: Column,
    presence: Presence,
    numbers: Numbers,
    distribution: Distribution,
    rank_error: float | None,
) -> NumericSummary:
    return NumericSummary(
        column=column,
        presence=presence,
        nan=numbers.nan,
        negative_infinities=numbers.negative_infinities,
        positive_infinities=numbers.positive_infinities,
        zeros=numbers.zeros,
        finite=numbers.sums.count,
        minimum=float(numbers.minimum or 0),
        maximum=float(numbers.maximum or 0),
        mean=numbers.sums.mean,
        deviation=numbers.sums.deviation,
        distribution=distribution,
        rank_error=rank_error,
    )
