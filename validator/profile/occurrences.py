"""The values of a column: counted one by one up to a limit, digested beyond."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from validator.profile.counts import Counts, Values, tally
from validator.profile.limits import Limits
from validator.profile.sums import Tally


@dataclass(frozen=True, slots=True)
class Parts:
    """What is stored of a column: scalars that JSON can say, and named blobs."""

    scalars: Mapping[str, Any]
    blobs: Mapping[str, bytes]


_D = TypeVar("_D", bound="Digest")


class Digest(Protocol):
    """What is kept of values that are too many to be counted one by one."""

    def add(self, values: Any) -> None:
        """Takes in the values of a batch, nulls among them."""

    def add_counted(self, values: Values, counts: Tally) -> None:
        """Takes in values, each as often as its count says."""

    def merge(self: _D, other: _D) -> None:
        """Takes in another's values."""

    def to_parts(self) -> Parts:
        """Returns what `from_parts` of the class reads."""


class Occurrences(Generic[_D]):
    """Values of one column: exact counts as long as they fit, then a digest.

    Which of both depends on the values alone, not on how they were cut into batches and shards.

    Args:
        kind: Arrow type of the values.
        limits: What is counted exactly.
        digest: Makes what takes over, when it has to: sketches take time and room, and few columns need them.
    """

    def __init__(self, kind: Any, limits: Limits, digest: Callable[[Limits], _D]) -> None:
        self._kind = kind
        self._limits = limits
        self._make = digest
        self._counts: Counts | None = Counts(kind, limits)
        self._digested: _D | None = None

    def add(self, values: Any) -> None:
        """Takes in the values of one batch, nulls among them."""
        if self._counts is None:
            self.digest.add(values)
            return
        distinct, counts = tally(values)
        self.add_counted(distinct.cast(self._kind), counts)

    def add_counted(self, values: Values, counts: Tally) -> None:
        """Takes in values, each as often as its count says."""
        if self._counts is None:
            self.digest.add_counted(values, counts)
            return
        self._counts.add(values, counts)
        self._settle()

    def merge(self, other: Occurrences[_D]) -> None:
        """Takes in another's values; what one of both has digested is digested."""
        if table := other.table():
            self.add_counted(*table)
            return
        self.give_up_counting()
        self.digest.merge(other.digest)

    def table(self) -> tuple[Values, Tally] | None:
        """Returns each value once beside its count, or None where there were too many."""
        if self._counts is None:
            return None
        table = self._counts.table()
        self._settle()
        return None if self._counts is None else table

    @property
    def digest(self) -> _D:
        """What is known beyond the limit."""
        if self._digested is None:
            self._digested = self._make(self._limits)
        return self._digested

    @property
    def is_counted(self) -> bool:
        """Whether the values are still counted one by one."""
        return self._counts is not None

    def give_up_counting(self) -> None:
        """Digests the values from now on."""
        if self._counts is not None:
            table, self._counts = self._counts.table(), None
            self.digest.add_counted(*table)

    def _settle(self) -> None:
        if self._counts is not None and self._counts.is_full:
            self.give_up_counting()

    def restore(self, digest: _D) -> None:
        """Takes over a digest in place of counts."""
        self._counts, self._digested = None, digest
