"""State of a column of texts or bytes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from validator.profile.columns import Column
from validator.profile.counts import Counts, Limit, Values, tally
from validator.profile.moments import Tally
from validator.profile.parts import Parts, read_table, write_table
from validator.profile.sketches import Frequent
from validator.profile.summary import Presence, TextSummary

RANKS: Final = 1_000
"""How many of the most frequent values are reported: the size of TFDV's rank histogram."""

INVALID_UTF8: Final = "__BYTES_VALUE__"
"""TFDV's stand-in for a value that is no text."""
LARGE: Final = "__LARGE_BYTES__"
"""TFDV's stand-in for a value above `LARGE_BYTES` in a sketch."""
LARGE_BYTES: Final = 1_024


@dataclass(slots=True)
class Texts:
    """What is exact whatever the number of values."""

    content: int = 0
    invalid_utf8: int = 0
    with_nul: int = 0

    def add(self, values: Values, counts: Tally) -> None:
        """Takes in values, each as often as its count says."""
        if len(values) == 0:
            return
        self.content += int(np.dot(pc.binary_length(values).to_numpy(), counts))
        lowest, highest = _extreme_bytes(values)
        if lowest == 0:
            self.with_nul += int(counts[_has_nul(values)].sum())
        if highest >= 0x80:
            self.invalid_utf8 += int(counts[_is_invalid(values)].sum())

    def merge(self, other: Texts) -> None:
        """Takes in another's values."""
        self.content += other.content
        self.invalid_utf8 += other.invalid_utf8
        self.with_nul += other.with_nul


class TextState:
    """Values of one column: exact counts up to a limit, frequent items and distinct count beyond."""

    def __init__(self, column: Column, limit: Limit) -> None:
        self._column = column
        self._limit = limit
        self._texts = Texts()
        self._counts: Counts | None = Counts(pa.large_binary(), limit)
        self._frequent: Frequent | None = None

    def add(self, values: Values) -> None:
        """Takes in the values of one batch, nulls left out."""
        found, counts = tally(values)
        distinct = found.cast(pa.large_binary())
        self._texts.add(distinct, counts)
        if self._counts is None:
            self._sketch(distinct, counts)
            return
        self._counts.add(distinct, counts)
        self._settle()

    def merge(self, other: TextState) -> None:
        """Takes in another's values; what one of both has sketched is sketched."""
        self._texts.merge(other._texts)
        if self._counts is not None and other._counts is not None:
            self._counts.merge(other._counts)
            self._settle()
            return
        self._spill()
        if other._counts is not None:
            self._sketch(*other._counts.table())
        elif other._frequent is not None:
            self._sketches().merge(other._frequent)

    def finish(self, presence: Presence) -> TextSummary:
        """Says what is known."""
        distinct, ranked = self._ranked()
        return TextSummary(
            column=self._column,
            presence=presence,
            content=self._texts.content,
            invalid_utf8=self._texts.invalid_utf8,
            with_nul=self._texts.with_nul,
            distinct=distinct,
            ranked=ranked,
            is_exact=self._counts is not None,
        )

    def to_parts(self) -> Parts:
        """Returns the state as scalars and blobs."""
        if self._counts is not None:
            return Parts(asdict(self._texts), {"counts.arrow": write_table(*self._counts.table())})
        items, distinct = self._sketches().to_bytes()
        return Parts(asdict(self._texts), {"frequent.items": items, "distinct.hll": distinct})

    @classmethod
    def from_parts(cls, column: Column, limit: Limit, parts: Parts) -> TextState:
        """Reads what `to_parts` returned."""
        state = cls(column, limit)
        state._texts = Texts(**parts.scalars)
        if "counts.arrow" in parts.blobs and state._counts is not None:
            state._counts.add(*read_table(parts.blobs["counts.arrow"]))
        else:
            state._counts = None
            state._frequent = Frequent.from_bytes(parts.blobs["frequent.items"], parts.blobs["distinct.hll"])
        return state

    def _ranked(self) -> tuple[int, tuple[tuple[str, int], ...]]:
        if self._counts is None:
            return self._sketches().distinct, _most_frequent(self._sketches().ranked())
        values, counts = self._counts.table()
        # Ties are broken by value: everything as frequent as the last rank has to be looked at.
        least = np.sort(counts)[-RANKS:][0] if len(counts) else 0
        wanted = np.flatnonzero(counts >= least)
        texts = [readable(value) for value in values.take(pa.array(wanted)).to_pylist()]
        return len(values), _most_frequent(list(zip(texts, counts[wanted].tolist(), strict=True)))

    def _settle(self) -> None:
        if self._counts is not None and self._counts.is_full:
            self._spill()

    def _spill(self) -> None:
        if self._counts is not None:
            values, counts = self._counts.table()
            self._counts = None
            self._sketch(values, counts)

    def _sketch(self, values: Values, counts: Tally) -> None:
        self._sketches().add([_short(value) for value in values.to_pylist()], counts.tolist())

    def _sketches(self) -> Frequent:
        self._frequent = self._frequent or Frequent()
        return self._frequent


def readable(value: bytes) -> str:
    """Returns a value as text, or TFDV's stand-in when it is none."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return INVALID_UTF8


def _short(value: bytes) -> str:
    return readable(value) if len(value) <= LARGE_BYTES else LARGE


def _most_frequent(counted: list[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counted, key=lambda pair: (pair[1], pair[0]), reverse=True)[:RANKS])


def _extreme_bytes(values: Values) -> tuple[int, int]:
    """Returns the least and the greatest byte; a whole buffer at a time, so that clean data costs nothing."""
    _, offsets, content = values.buffers()
    ends = np.frombuffer(offsets, np.int64)[values.offset :][: len(values) + 1]
    used = np.frombuffer(content, np.uint8)[ends[0] : ends[-1]] if content else np.zeros(0, np.uint8)
    return (int(used.min()), int(used.max())) if len(used) else (1, 0)


def _has_nul(values: Values) -> Any:
    return pc.match_substring(values, b"\0").to_numpy(zero_copy_only=False)


def _is_invalid(values: Values) -> Any:
    try:
        values.cast(pa.large_string())
    except pa.ArrowInvalid:
        return np.array([readable(value) is INVALID_UTF8 for value in values.to_pylist()])
    return np.zeros(len(values), bool)
