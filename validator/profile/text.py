"""Texts and bytes of one column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from validator.profile import dates, hashes
from validator.profile.columns import Column
from validator.profile.counts import Values, tally
from validator.profile.dates import Dates
from validator.profile.limits import Limits
from validator.profile.occurrences import Occurrences, Parts
from validator.profile.sketches import Distinct, Frequent
from validator.profile.summary import Presence, TextSummary
from validator.profile.sums import Tally

RANKS: Final = 1_000
"""How many of the most frequent values are reported: the size of TFDV's rank histogram."""

INVALID_UTF8: Final = "__BYTES_VALUE__"
"""TFDV's stand-in for a value that is no text."""
LARGE: Final = "__LARGE_BYTES__"
"""TFDV's stand-in for a value above `LARGE_BYTES`, whether it is a text or not."""
LARGE_BYTES: Final = 1_024

EXAMPLES: Final = RANKS
"""Texts that are kept of a column in which none occurs twice. TFDV's L-infinity distance takes the ranked
ones for all there are: of a few each would weigh much."""


@dataclass(slots=True)
class Texts:
    """What is exact whatever the number of values."""

    count: int = 0
    content: int = 0
    shortest: int | None = None
    longest: int = 0
    invalid_utf8: int = 0
    large: int = 0
    """Values above `LARGE_BYTES`."""
    large_invalid: int = 0
    """Those of them that are not UTF-8."""
    with_nul: int = 0

    def add(self, values: Values, counts: Tally | None = None) -> None:
        """Takes in binary values, each as often as its count says."""
        if len(values) == 0:
            return
        self.count += len(values) if counts is None else int(counts.sum())
        lengths = pc.binary_length(values).to_numpy()
        self.content += int(lengths.sum(dtype=np.int64) if counts is None else np.dot(lengths, counts))
        self._stretch(int(lengths.min()), int(lengths.max()))
        lowest, highest = _extreme_bytes(values)
        if lowest == 0:
            self.with_nul += _weight(_has_nul(values), counts)
        is_large = lengths > LARGE_BYTES
        self.large += _weight(is_large, counts)
        if highest >= 0x80:
            is_invalid = _is_invalid(values)
            self.invalid_utf8 += _weight(is_invalid, counts)
            self.large_invalid += _weight(is_invalid & is_large, counts)

    def merge(self, other: Texts) -> None:
        """Takes in another's values."""
        self.count += other.count
        self.content += other.content
        self.invalid_utf8 += other.invalid_utf8
        self.large += other.large
        self.large_invalid += other.large_invalid
        self.with_nul += other.with_nul
        if other.shortest is not None:
            self._stretch(other.shortest, other.longest)

    @property
    def stand_ins(self) -> Mapping[str, int]:
        """How many values each stand-in is for: those are different values, and one in the statistics."""
        found = {LARGE: self.large, INVALID_UTF8: self.invalid_utf8 - self.large_invalid}
        return {stand_in: count for stand_in, count in found.items() if count}

    def _stretch(self, shortest: int, longest: int) -> None:
        self.shortest = shortest if self.shortest is None else min(self.shortest, shortest)
        self.longest = max(self.longest, longest)


class TextDigest:
    """Texts that are too many to be counted one by one.

    A text that a batch has only once is not fed to the sketch of frequent ones: that spares most of the work
    on identifiers, and makes a count too low by one a batch at most, which the stated bound has in it.

    Args:
        limits: How fine the sketches are.
    """

    def __init__(self, limits: Limits) -> None:
        self.texts = Texts()
        self.frequent = Frequent(limits.frequent_log2)
        self.distinct = Distinct(limits.distinct_log2)
        self.passed_over = 0
        """Batches that had texts once only."""

    def add(self, values: Any) -> None:
        """Takes in the texts of a batch, nulls among them."""
        if pa.types.is_dictionary(values.type):
            distinct, counts = tally(values)
            self.add_counted(distinct.cast(pa.binary()), counts)
            return
        present = (values.drop_null() if values.null_count else values).cast(pa.binary())
        found = hashes.of(present)
        self.texts.add(present)
        self.distinct.add(found)
        again = hashes.repeated(found)
        self._pass_over(present, again)
        self._feed(*tally(present.filter(pa.array(again))))

    def add_counted(self, values: Values, counts: Tally) -> None:
        """Takes in texts, each as often as its count says."""
        self.texts.add(values, counts)
        self.distinct.add(hashes.of(values))
        again = counts > 1
        self._pass_over(values, again)
        self._feed(values.filter(pa.array(again)), counts[again])

    def merge(self, other: TextDigest) -> None:
        """Takes in another's texts."""
        self.texts.merge(other.texts)
        self.frequent.merge(other.frequent)
        self.distinct.merge(other.distinct)
        self.passed_over += other.passed_over

    @property
    def count_error(self) -> float:
        """By how large a share of the texts a count may be too low."""
        return self.frequent.count_error + self.passed_over / max(1, self.texts.count)

    def to_parts(self) -> Parts:
        """Returns scalars and the sketches."""
        scalars = {**asdict(self.texts), "passed_over": self.passed_over}
        return Parts(
            scalars,
            {"frequent.items": self.frequent.to_bytes(), "distinct.theta": self.distinct.to_bytes()},
        )

    @classmethod
    def from_parts(cls, limits: Limits, parts: Parts) -> TextDigest:
        """Reads what `to_parts` returned."""
        digest = cls(limits)
        scalars = dict(parts.scalars)
        digest.passed_over = scalars.pop("passed_over")
        digest.texts = Texts(**scalars)
        digest.frequent = Frequent.from_bytes(parts.blobs["frequent.items"])
        digest.distinct = Distinct.from_bytes(limits.distinct_log2, parts.blobs["distinct.theta"])
        return digest

    def _pass_over(self, values: Values, again: Any) -> None:
        """Takes note of texts that the batch has once; the very first ones are kept for people to see."""
        if again.all():
            return
        self.passed_over += 1
        if self.frequent.is_empty:
            shown = values.take(pa.array(np.flatnonzero(~again)[:EXAMPLES]))
            self._feed(shown, np.ones(len(shown), np.int64))

    def _feed(self, values: Values, counts: Tally) -> None:
        values, counts = _readable(values, counts, self.texts)
        self.frequent.add(values.cast(pa.string()).to_pylist(), counts.tolist())


def summarize(column: Column, presence: Presence, seen: Occurrences[TextDigest]) -> TextSummary:
    """Says what is known of a column of texts."""
    if table := seen.table():
        values, counts = table
        texts = Texts()
        texts.add(values, counts)
        return _summary(
            column,
            presence,
            texts=texts,
            distinct=len(values),
            dates=dates.of(values, counts),
            counted=_ranked(*_readable(values, counts, texts)),
            digest=None,
        )
    digest = seen.digest
    return _summary(
        column,
        presence,
        texts=digest.texts,
        distinct=min(digest.distinct.count, digest.texts.count),
        # Dates of more days than are counted one by one are no dates.
        dates=Dates(),
        counted=digest.frequent.ranked(),
        digest=digest,
    )


def _summary(
    column: Column,
    presence: Presence,
    *,
    texts: Texts,
    distinct: int,
    dates: Dates,
    counted: Sequence[tuple[str, int]],
    digest: TextDigest | None,
) -> TextSummary:
    # A text may read like a stand-in.
    together = Counter(texts.stand_ins)
    together.update(dict(counted))
    return TextSummary(
        column=column,
        presence=presence,
        content=texts.content,
        shortest=texts.shortest or 0,
        longest=texts.longest,
        invalid_utf8=texts.invalid_utf8,
        with_nul=texts.with_nul,
        distinct=distinct,
        dates=dates,
        ranked=tuple(sorted(together.items(), key=lambda pair: (pair[1], pair[0]), reverse=True)[:RANKS]),
        count_error=digest.count_error if digest else None,
        distinct_error=digest.distinct.error if digest else None,
    )


def _ranked(values: Values, counts: Tally) -> Sequence[tuple[str, int]]:
    # Ties are broken by value: everything as frequent as the last rank has to be looked at.
    least = np.sort(counts)[-RANKS:][0] if len(counts) else 0
    wanted = np.flatnonzero(counts >= least)
    texts = values.take(pa.array(wanted)).cast(pa.string()).to_pylist()
    return list(zip(texts, counts[wanted].tolist(), strict=True))


def _readable(values: Values, counts: Tally, texts: Texts) -> tuple[Values, Tally]:
    """Leaves out what has a stand-in."""
    if not texts.stand_ins:
        return values, counts
    is_readable = (pc.binary_length(values).to_numpy() <= LARGE_BYTES) & ~_is_invalid(values)
    return values.filter(pa.array(is_readable)), counts[is_readable]


def _weight(marked: Any, counts: Tally | None) -> int:
    return int(np.count_nonzero(marked) if counts is None else counts[marked].sum())


def _extreme_bytes(values: Values) -> tuple[int, int]:
    """Returns the least and the greatest byte; a whole buffer at a time, so that clean data costs nothing."""
    _, offsets, content = values.buffers()
    ends = np.frombuffer(offsets, np.int32)[values.offset :][: len(values) + 1]
    used = np.frombuffer(content, np.uint8)[ends[0] : ends[-1]] if content else np.zeros(0, np.uint8)
    return (int(used.min()), int(used.max())) if len(used) else (1, 0)


def _has_nul(values: Values) -> Any:
    return pc.match_substring(values, b"\0").to_numpy(zero_copy_only=False)


def _is_invalid(values: Values) -> Any:
    try:
        values.cast(pa.string())
    except pa.ArrowInvalid:
        return np.array([not _is_text(value) for value in values.to_pylist()])
    return np.zeros(len(values), bool)


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
