"""The wire format of tf.Example, thousands of records at a time.

All records are gone through side by side: one step takes the next feature of each. That is possible because
writers write one way: features, in it map entries of a key and a value, in that one list, numbers packed.
What is written otherwise but means the same is Odd, and left to protobuf, which takes ten times as long.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

PADDING: Final = bytes(16)
"""What has to stand behind a block: words are read across its end."""
UNSET: Final = 4
"""A feature without a list, beside the field numbers of the lists."""
BYTES_LIST, FLOAT_LIST, INT64_LIST = 1, 2, 3

_FIRST: Final = 0x0A
"""Field 1, with a length: Example.features, Features.feature, the key of an entry, the values of a list."""
_SECOND: Final = 0x12
"""Field 2, with a length: the value of an entry."""
_LISTS: Final = 0x02
"""What the tags of the lists have behind the field number."""
_MASKS: Final = np.array([(1 << 8 * size) - 1 for size in range(9)], np.uint64)
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_LONGEST_VARINT: Final = 10
_MOST_STEPS: Final = 64
"""Texts of one list that are looked for side by side."""

Numbers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


class Odd(Exception):  # noqa: N818 - nothing is wrong
    """Bytes are not laid out as all writers do."""


class Block:
    """Bytes that can be read from anywhere.

    Args:
        content: Records, then PADDING.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.bytes = np.frombuffer(content, np.uint8)
        self._size = len(content) - len(PADDING)

    def words(self, at: Numbers) -> Words:
        """Returns the eight bytes from each offset on."""
        found: Words = self._view("<u8")[at]
        return found

    def floats(self, at: Numbers) -> npt.NDArray[np.float32]:
        """Returns the float at each offset."""
        found: npt.NDArray[np.float32] = self._view("<f4")[at]
        return found

    def demand(self, at: Numbers, tag: int) -> None:
        """Goes on if a tag stands at each offset."""
        _demand(self.bytes[at] == tag)

    def sized(self, at: Numbers) -> tuple[Numbers, Numbers]:
        """Returns where what a tag at each offset announces begins and ends.

        Raises:
            Odd: A size has five bytes or more, or reaches beyond the block.
        """
        first = self.bytes[at + 1]
        sizes, begins = (first & 0x7F).astype(np.int64), at + 2
        if (first & 0x80).any():
            sizes, begins = self._long(at + 1)
        ends = begins + sizes
        _demand(ends <= self._size)
        return begins, ends

    def _long(self, at: Numbers) -> tuple[Numbers, Numbers]:
        words = self.words(at).astype(np.int64)
        goes_on = np.ones(len(at), bool)
        sizes, begins = np.zeros(len(at), np.int64), at.copy()
        for number in range(4):
            piece = words >> 8 * number
            sizes += np.where(goes_on, (piece & 0x7F) << 7 * number, 0)
            begins += goes_on
            goes_on &= piece & 0x80 != 0
        _demand(~goes_on)
        return sizes, begins

    def _view(self, kind: str) -> Any:
        """Returns a number at every offset, each overlapping the next."""
        size = np.dtype(kind).itemsize
        return np.ndarray((len(self.content) - size,), kind, self.content, strides=(1,))


class Keys:
    """Finds keys by their bytes.

    Args:
        names: Keys.
    """

    def __init__(self, names: Sequence[str]) -> None:
        encoded = [name.encode() for name in names]
        self._longest = max(map(len, encoded), default=0)
        width = self._longest // 8 + 1
        padded = b"".join(key.ljust(8 * width, b"\0") for key in encoded)
        self._words = np.frombuffer(padded, "<u8").reshape(len(names), width).T
        self._sizes = np.array([len(key) for key in encoded], np.int64)
        hashes = _hashed(self._words)
        self._order = np.argsort(hashes)
        self._sorted = hashes[self._order]

    def __len__(self) -> int:
        return len(self._sizes)

    def find(self, block: Block, begins: Numbers, ends: Numbers) -> Numbers:
        """Returns which of the keys stands in each place.

        Raises:
            Odd: Another one does.
        """
        sizes = ends - begins
        _demand(sizes <= self._longest)
        words = [
            block.words(np.minimum(begins + 8 * number, ends)) & _MASKS[np.clip(sizes - 8 * number, 0, 8)]
            for number in range(len(self._words))
        ]
        places = np.searchsorted(self._sorted, _hashed(words))
        found = self._order[np.minimum(places, len(self) - 1)]
        _demand(sizes == self._sizes[found])
        for word, known in zip(words, self._words, strict=True):
            _demand(word == known[found])
        return found


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the lists of the features stand: by feature, then by record."""

    block: Block
    kinds: npt.NDArray[np.uint8]
    """Field number of the list, UNSET, or 0 where the feature is absent."""
    begins: Numbers
    ends: Numbers

    @classmethod
    def of(cls, block: Block, starts: Numbers, stops: Numbers, keys: Keys) -> Layout:
        """Finds the lists of these records.

        Raises:
            Odd: A record has another feature, one twice, or is written in another way.
        """
        shape = (len(keys), len(starts))
        layout = cls(block, np.zeros(shape, np.uint8), np.zeros(shape, np.int64), np.zeros(shape, np.int64))
        records = np.flatnonzero(starts < stops)
        stops = stops[records]
        block.demand(starts[records], _FIRST)
        at, ends = block.sized(starts[records])
        _demand(ends == stops)
        while len(at):
            has_more = at < stops
            records, at, stops = records[has_more], at[has_more], stops[has_more]
            if len(at):
                at = layout._step(keys, records, at, stops)
        return layout

    def _step(self, keys: Keys, records: Numbers, at: Numbers, stops: Numbers) -> Numbers:
        """Takes the feature at each offset; returns where the next ones are."""
        block = self.block
        block.demand(at, _FIRST)
        entries, entry_ends = block.sized(at)
        _demand(entry_ends <= stops)
        block.demand(entries, _FIRST)
        names, name_ends = block.sized(entries)
        _demand(name_ends < entry_ends)
        block.demand(name_ends, _SECOND)
        features, feature_ends = block.sized(name_ends)
        _demand(feature_ends == entry_ends)
        if not len(keys):
            raise Odd
        places = keys.find(block, names, name_ends) * self.kinds.shape[1] + records
        _demand(self.kinds.reshape(-1)[places] == 0)
        is_set = features < feature_ends
        self.kinds.reshape(-1)[places[~is_set]] = UNSET
        self._take(places[is_set], features[is_set], feature_ends[is_set])
        return entry_ends

    def _take(self, places: Numbers, at: Numbers, stops: Numbers) -> None:
        tags = self.block.bytes[at]
        kinds = tags >> 3
        _demand((tags & 0x07 == _LISTS) & (kinds >= BYTES_LIST) & (kinds <= INT64_LIST))
        begins, ends = self.block.sized(at)
        _demand(ends == stops)
        self.kinds.reshape(-1)[places] = kinds
        self.begins.reshape(-1)[places] = begins
        self.ends.reshape(-1)[places] = ends

    def array(self, feature: int, kind: int) -> Any:
        """Returns the lists of a feature as an array; an absent or unset one is null.

        Raises:
            Odd: One is of another kind, or written in another way.
        """
        kinds = self.kinds[feature]
        is_missing = (kinds == 0) | (kinds == UNSET)
        _demand(is_missing | (kinds == kind))
        # Those without values have nothing in them to be looked at.
        filled = np.flatnonzero(self.begins[feature] < self.ends[feature])
        begins, ends = self.begins[feature][filled], self.ends[feature][filled]
        counts = np.zeros(len(kinds), np.int64)
        counts[filled], values = _DECODERS[kind](self.block, begins, ends)
        offsets = np.concatenate(([0], np.cumsum(counts)))
        mask = pa.array(is_missing) if is_missing.any() else None
        return pa.LargeListArray.from_arrays(pa.array(offsets), values, mask=mask)


def _texts(block: Block, at: Numbers, ends: Numbers) -> tuple[Numbers, Any]:
    lists = np.arange(len(at))
    found: list[tuple[Numbers, Numbers, Numbers]] = []
    while len(at):
        if len(found) == _MOST_STEPS:
            raise Odd
        block.demand(at, _FIRST)
        begins, stops = block.sized(at)
        _demand(stops <= ends)
        found.append((lists, begins, stops))
        has_more = stops < ends
        lists, at, ends = lists[has_more], stops[has_more], ends[has_more]
    counts = np.bincount(np.concatenate([each[0] for each in found]), minlength=0) if found else lists
    if len(found) > 1:
        owners, begins, stops = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.argsort(owners, kind="stable")
        begins, stops = begins[order], stops[order]
    elif found:
        _, begins, stops = found[0]
    else:
        begins = stops = at
    content = block.content
    pieces = [content[begin:stop] for begin, stop in zip(begins.tolist(), stops.tolist(), strict=True)]
    return counts, pa.array(pieces, pa.large_binary())


def _floats(block: Block, at: Numbers, ends: Numbers) -> tuple[Numbers, Any]:
    begins, counts = _packed(block, at, ends, 4)
    return counts, pa.array(block.floats(_runs(begins, counts, 4)).astype(np.float64))


def _integers(block: Block, at: Numbers, ends: Numbers) -> tuple[Numbers, Any]:
    begins, sizes = _packed(block, at, ends, 1)
    content = block.bytes[_runs(begins, sizes, 1)]
    is_last = content < 0x80
    borders = np.cumsum(sizes)
    _demand(is_last[borders - 1])
    passed = np.concatenate(([0], np.cumsum(is_last)))
    counts = passed[borders] - passed[borders - sizes]
    lasts = np.flatnonzero(is_last)
    firsts = np.concatenate(([0], lasts[:-1] + 1)) if len(lasts) else lasts
    lengths = lasts - firsts + 1
    _demand(lengths <= _LONGEST_VARINT)
    values = (content[firsts] & 0x7F).astype(np.uint64)
    for number in range(1, int(lengths.max(initial=0))):
        longer = np.flatnonzero(lengths > number)
        piece = (content[firsts[longer] + number] & 0x7F).astype(np.uint64)
        values[longer] |= piece << np.uint64(7 * number)
    return counts, pa.array(values.view(np.int64))


_DECODERS: Final = {BYTES_LIST: _texts, FLOAT_LIST: _floats, INT64_LIST: _integers}


def _packed(block: Block, at: Numbers, ends: Numbers, width: int) -> tuple[Numbers, Numbers]:
    """Returns where the values of each list begin, and how many of so many bytes there are."""
    block.demand(at, _FIRST)
    begins, stops = block.sized(at)
    sizes = stops - begins
    _demand((stops == ends) & (sizes > 0) & (sizes % width == 0))
    return begins, sizes // width


def _runs(begins: Numbers, counts: Numbers, width: int) -> Numbers:
    """Returns the offsets of all values of runs."""
    if len(counts) and counts.max() == 1:
        return begins
    before = np.cumsum(counts) - counts
    offsets: Numbers = np.repeat(begins - width * before, counts) + width * np.arange(counts.sum())
    return offsets


def _hashed(words: Any) -> Words:
    total = np.zeros(len(words[0]), np.uint64)
    for word in words:
        total = (total ^ word) * _FACTOR
        total ^= total >> np.uint64(29)
    return total


def _demand(holds: Any) -> None:
    if not holds.all():
        raise Odd
