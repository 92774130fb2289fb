"""Hashes of texts, all of a batch at once: sketches are fed with what matters instead of with every value.

`of` is ours for short texts: multiply and shift over words of eight bytes, finished as MurmurHash3 is; for
long ones it is BLAKE2b. Both are part of the engine's version, since states hold what they gave. `theta` is
Apache DataSketches' own hash of an integer: MurmurHash3_x64_128 by Austin Appleby with seed 9001, its first
half shifted right by one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
Indices = NDArray[np.int64]
Marks = NDArray[np.bool_]

_WORD: Final = 8
_SHORT: Final = 128
"""Bytes of the longest text that is hashed together with others of its length."""
_CELLS_LOG2: Final = 20
_SEED: Final = 0x9E3779B97F4A7C15
_STEP: Final = np.uint64(0xD6E8FEB86659FD93)
_C1: Final = np.uint64(0x87C37B91114253D5)
_C2: Final = np.uint64(0x4CF5AD432745937F)
_F1: Final = np.uint64(0xFF51AFD7ED558CCD)
_F2: Final = np.uint64(0xC4CEB9FE1A85EC53)
_THETA_SEED: Final = np.uint64(9001 ^ _WORD)


def of(values: Any) -> Hashes:
    """Returns a hash of 64 bits for each binary value."""
    _, offsets, content = values.buffers()
    ends = np.frombuffer(offsets, np.int32)[values.offset :][: len(values) + 1].astype(np.int64)
    if not len(values):
        return np.zeros(0, np.uint64)
    # A word behind the last text, so that the last ones can be read too.
    text = np.zeros(ends[-1] - ends[0] + _WORD, np.uint8)
    if content:
        text[:-_WORD] = np.frombuffer(content, np.uint8)[ends[0] : ends[-1]]
    starts, lengths = ends[:-1] - ends[0], np.diff(ends)
    longest = int(lengths.max())
    if longest <= _SHORT and longest == int(lengths.min()):
        return _of_length(longest, partial(_in_steps, text, longest, len(starts)), len(starts))
    hashes = np.empty(len(starts), np.uint64)
    is_short = lengths <= _SHORT
    hashes[is_short] = _of_short(text, starts[is_short], lengths[is_short])
    hashes[~is_short] = _of_long(text, starts[~is_short], lengths[~is_short])
    return hashes


def theta(hashes: Hashes) -> Hashes:
    """Returns what a theta sketch makes of these hashes as signed integers: less than 2**63."""
    mixed = hashes * _C1
    mixed = (mixed << np.uint64(31)) | (mixed >> np.uint64(33))
    first = (mixed * _C2) ^ _THETA_SEED
    first = first + _THETA_SEED
    second = _finished(first + _THETA_SEED)
    return (_finished(first) + second) >> np.uint64(1)


def repeated(hashes: Hashes) -> Marks:
    """Says of each hash whether another is equal."""
    shift = np.uint64(64 - min(_CELLS_LOG2, len(hashes).bit_length() + 3))
    cells = (hashes >> shift).view(np.int64)
    # Most hashes are alone in one of eight times as many cells; only the others are compared.
    together = np.bincount(cells)[cells] > 1
    candidates = hashes[together]
    ordered = np.sort(candidates)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return np.zeros(len(hashes), bool)
    places = np.minimum(np.searchsorted(twice, candidates), len(twice) - 1)
    together[together] = twice[places] == candidates
    return together


def _of_short(text: Bytes, starts: Indices, lengths: Indices) -> Hashes:
    # A word from every byte on, whatever a processor calls aligned.
    words: Hashes = np.ndarray((len(text) - _WORD + 1,), "<u8", text, 0, (1,))
    hashes = np.empty(len(starts), np.uint64)
    for length, rows in _by_length(lengths):
        hashes[rows] = _of_length(length, partial(_gathered, words, starts[rows]), len(rows))
    return hashes


def _of_long(text: Bytes, starts: Indices, lengths: Indices) -> Hashes:
    """Returns the hashes of texts one by one: hardly two of them have one length."""
    view = text.data
    spans = zip(starts.tolist(), (starts + lengths).tolist(), strict=True)
    digests = (hashlib.blake2b(view[start:stop], digest_size=_WORD).digest() for start, stop in spans)
    return np.frombuffer(b"".join(digests), "<u8")


def _in_steps(text: Bytes, length: int, count: int, at: int) -> Hashes:
    """Returns the words of texts that lie one behind the other: five times as fast as to gather them."""
    return np.ndarray((count,), "<u8", text, at, (length,))


def _gathered(words: Hashes, starts: Indices, at: int) -> Hashes:
    gathered: Hashes = words[starts + at]
    return gathered


def _by_length(lengths: Indices) -> Iterator[tuple[int, Indices]]:
    """Yields the rows of each length."""
    # Stable sorting of small integers takes time in proportion to their number.
    order = np.argsort(lengths.astype(np.uint8), kind="stable")
    ordered = lengths[order]
    borders = [0, *(np.flatnonzero(np.diff(ordered)) + 1).tolist(), len(order)]
    for start, stop in pairwise(borders if len(order) else ()):
        yield int(ordered[start]), order[start:stop]


def _of_length(length: int, words_at: Callable[[int], Hashes], count: int) -> Hashes:
    """Returns the hashes of texts of one length, word by word.

    Args:
        length: Bytes of every text.
        words_at: Returns the words that begin at an offset in each text.
        count: How many texts there are.
    """
    # The length is in every bit: in the lowest ones alone it is made up for by a text's own first byte.
    hashes = np.full(count, _SEED * (length + 1) % (1 << 64), np.uint64)
    for at in range(0, length - _WORD + 1, _WORD):
        hashes = _mixed(hashes, words_at(at))
    if left := length % _WORD:
        hashes = _mixed(hashes, words_at(length - left) & np.uint64((1 << 8 * left) - 1))
    return _finished(hashes)


def _mixed(hashes: Hashes, words: Hashes) -> Hashes:
    mixed: Hashes = (hashes ^ words) * _STEP
    mixed ^= mixed >> np.uint64(32)
    return mixed


def _finished(hashes: Hashes) -> Hashes:
    """Returns MurmurHash3's last step: every bit depends on every other."""
    mixed = (hashes ^ (hashes >> np.uint64(33))) * _F1
    mixed = (mixed ^ (mixed >> np.uint64(33))) * _F2
    finished: Hashes = mixed ^ (mixed >> np.uint64(33))
    return finished
