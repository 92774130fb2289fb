"""State of a column of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from validator.profile.columns import Column, Kind
from validator.profile.counts import Counts, Limit, Values, tally
from validator.profile.distribution import Counted, Sketched
from validator.profile.moments import Floats, Moments, Tally
from validator.profile.parts import Parts, read_table, write_table
from validator.profile.sketches import Quantiles
from validator.profile.summary import NumericSummary, Presence


@dataclass(slots=True)
class Numbers:
    """What is exact whatever the number of values."""

    nan: int = 0
    negative_infinities: int = 0
    positive_infinities: int = 0
    zeros: int = 0
    minimum: int | float | None = None
    maximum: int | float | None = None
    moments: Moments = field(default_factory=Moments)

    def add(self, values: Any, counts: Tally | None) -> None:
        """Takes in finite numbers, each as often as its count says."""
        if len(values) == 0:
            return
        zeros = values == 0
        self.zeros += int(zeros.sum() if counts is None else counts[zeros].sum())
        self._stretch(values.min().item(), values.max().item())
        self.moments.merge(Moments.of(values.astype(np.float64, copy=False), counts))

    def merge(self, other: Numbers) -> None:
        """Takes in another's numbers."""
        self.nan += other.nan
        self.negative_infinities += other.negative_infinities
        self.positive_infinities += other.positive_infinities
        self.zeros += other.zeros
        if other.minimum is not None and other.maximum is not None:
            self._stretch(other.minimum, other.maximum)
        self.moments.merge(other.moments)

    def _stretch(self, lowest: float, highest: float) -> None:
        self.minimum = lowest if self.minimum is None else min(self.minimum, lowest)
        self.maximum = highest if self.maximum is None else max(self.maximum, highest)


class NumericState:
    """Numbers of one column: exact counts of values up to a limit, a quantile sketch beyond."""

    def __init__(self, column: Column, limit: Limit) -> None:
        self._column = column
        self._limit = limit
        self._numbers = Numbers()
        self._counts: Counts | None = Counts(self._type, limit)
        self._quantiles: Quantiles | None = None

    @property
    def _type(self) -> Any:
        return pa.int64() if self._column.kind is Kind.INT else pa.float64()

    def add(self, values: Values) -> None:
        """Takes in the values of one batch, nulls left out."""
        finite = values if self._column.kind is Kind.INT else self._finite(values)
        if self._counts is None:
            numbers = finite.to_numpy()
            self._numbers.add(numbers, None)
            self._sketch().add(numbers)
            return
        distinct, counts = tally(finite)
        self._numbers.add(distinct.to_numpy(), counts)
        self._counts.add(distinct, counts)
        self._settle()

    def merge(self, other: NumericState) -> None:
        """Takes in another's numbers; what one of both has sketched is sketched."""
        self._numbers.merge(other._numbers)
        if self._counts is not None and other._counts is not None:
            self._counts.merge(other._counts)
            self._settle()
            return
        self._spill()
        if other._counts is not None:
            self._sketch().add_counted(*_numbers(other._counts))
        else:
            self._sketch().merge(other._sketch())

    def finish(self, presence: Presence) -> NumericSummary:
        """Says what is known."""
        numbers = self._numbers
        minimum, maximum = float(numbers.minimum or 0), float(numbers.maximum or 0)
        return NumericSummary(
            column=self._column,
            presence=presence,
            nan=numbers.nan,
            negative_infinities=numbers.negative_infinities,
            positive_infinities=numbers.positive_infinities,
            zeros=numbers.zeros,
            finite=numbers.moments.count,
            minimum=minimum,
            maximum=maximum,
            mean=numbers.moments.mean,
            variance=numbers.moments.variance,
            distribution=Counted.of(*_numbers(self._counts))
            if self._counts is not None
            else Sketched(self._sketch(), numbers.moments.count, minimum, maximum),
            is_exact=self._counts is not None,
        )

    def to_parts(self) -> Parts:
        """Returns the state as scalars and blobs."""
        moments, numbers = self._numbers.moments, self._numbers
        scalars = {
            "nan": numbers.nan,
            "negative_infinities": numbers.negative_infinities,
            "positive_infinities": numbers.positive_infinities,
            "zeros": numbers.zeros,
            "minimum": numbers.minimum,
            "maximum": numbers.maximum,
            "moments": [moments.count, moments.mean, moments.deviations],
        }
        if self._counts is not None:
            return Parts(scalars, {"counts.arrow": write_table(*self._counts.table())})
        return Parts(scalars, {"quantiles.kll": self._sketch().to_bytes()})

    @classmethod
    def from_parts(cls, column: Column, limit: Limit, parts: Parts) -> NumericState:
        """Reads what `to_parts` returned."""
        state = cls(column, limit)
        scalars: Mapping[str, Any] = dict(parts.scalars)
        moments = Moments(*scalars["moments"])
        state._numbers = Numbers(**{k: v for k, v in scalars.items() if k != "moments"}, moments=moments)
        if "counts.arrow" in parts.blobs and state._counts is not None:
            state._counts.add(*read_table(parts.blobs["counts.arrow"]))
        else:
            state._counts = None
            state._quantiles = Quantiles.from_bytes(parts.blobs["quantiles.kll"])
        return state

    def _finite(self, values: Values) -> Values:
        numbers = values.to_numpy()
        is_finite = np.isfinite(numbers)
        # Adding zero makes -0.0 and 0.0 one value.
        if is_finite.all():
            return pa.array(numbers + 0.0)
        self._numbers.nan += int(np.isnan(numbers).sum())
        self._numbers.negative_infinities += int(np.isneginf(numbers).sum())
        self._numbers.positive_infinities += int(np.isposinf(numbers).sum())
        return pa.array(numbers[is_finite] + 0.0)

    def _settle(self) -> None:
        if self._counts is not None and self._counts.is_full:
            self._spill()

    def _spill(self) -> None:
        if self._counts is not None:
            self._sketch().add_counted(*_numbers(self._counts))
            self._counts = None

    def _sketch(self) -> Quantiles:
        self._quantiles = self._quantiles or Quantiles()
        return self._quantiles


def _numbers(counts: Counts) -> tuple[Floats, Tally]:
    values, occurrences = counts.table()
    return values.to_numpy().astype(np.float64), occurrences
