r"""Which quotation marks of a text open and close its fields (RFC 4180), a block at a time.

Marks of a well written text open and close in turn, an escaped mark ("") being one that closes and one that
opens again: every opening mark stands at the beginning of a field or right behind a closing one, and every
closing one before a delimiter, a line end or another mark. That is looked at for all marks at once. Only
where it does not hold are they gone through in order: some of them may be ordinary text (5" pipe).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from validator.formats.delimited.window import Bytes, Positions
from validator.formats.trouble import Trouble
from validator.text import count

MARK: Final = ord('"')

_LINE_FEED: Final = ord("\n")
_RETURN: Final = ord("\r")
_STRETCH_BYTES: Final = 1 << 18
"""Looked at in one go: what fits into a processor's cache is done in two thirds of the time."""

_FIELDS: Final = re.compile(rb"B(?:.A)*+.?", re.DOTALL)
"""Quoted fields in a text with one letter a mark: B at the beginning of a field, A right behind another mark.
A field opens with B; any mark closes it, and if the next is an A both are an escaped mark."""


def seem_paired(padded: Bytes, separators: Sequence[int]) -> bool:
    """Says whether marks seem to open and close fields in turn, by their neighbours and number alone.

    That is half the work of finding them. What seems so is so if no value that pyarrow reads has a mark in
    it: pyarrow goes inside a field at an opening mark, and outside again at the next of any kind. A closing
    mark met outside would be part of a value, an opening one met inside would leave fewer of the closing.

    Args:
        padded: Whole rows, with a line feed more on both sides.
        separators: What stands between two fields or rows; to look for one that is not there costs time.
    """
    opening_marks = all_marks = 0
    for start in range(0, len(padded) - 2, _STRETCH_BYTES):
        stretch = padded[start : start + _STRETCH_BYTES + 2]
        separates = stretch == separators[0]
        for separator in separators[1:]:
            separates |= stretch == separator
        found = stretch[1:-1] == MARK
        if (found > (separates[:-2] ^ separates[2:])).any():
            return False
        all_marks += int(np.count_nonzero(found))
        opening_marks += int(np.count_nonzero(found & separates[:-2]))
    return 2 * opening_marks == all_marks


def marks(padded: Bytes, delimiter: int, offset: int) -> Positions:
    """Returns the marks that open and close fields in turn; an odd number of them leaves one open.

    Args:
        padded: A block that begins with a row, with a line feed more on both sides.
        delimiter: The byte between two fields.
        offset: Offset of the block in its text.

    Raises:
        Trouble: Text follows a closing mark.
    """
    found, in_turn = _all_marks(padded, delimiter)
    if in_turn:
        return found
    bounding = _bounding(padded, delimiter, found)
    _demand_ends(padded, delimiter, bounding, offset)
    return bounding


def _all_marks(padded: Bytes, delimiter: int) -> tuple[Positions, bool]:
    """Returns all marks, and whether every single one of them stands where it may open or close."""
    size = len(padded) - 2
    pieces, is_open, in_turn = [], 0, True
    for start in range(0, size, _STRETCH_BYTES):
        stop = min(start + _STRETCH_BYTES, size)
        found = np.flatnonzero(padded[1 + start : 1 + stop] == MARK)
        before = padded[start:].take(found[is_open::2])
        behind = padded[start + 2 :].take(found[1 - is_open :: 2])
        in_turn = in_turn and _all_bound(before, delimiter) and _all_bound(behind, delimiter)
        is_open ^= len(found) & 1
        pieces.append(found + start)
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int64), in_turn


def _all_bound(neighbours: Bytes, delimiter: int) -> bool:
    return bool((_separates(neighbours, delimiter) | (neighbours == MARK)).all())


def _separates(values: Bytes, delimiter: int) -> npt.NDArray[np.bool_]:
    separates: npt.NDArray[np.bool_] = (values == delimiter) | (values == _LINE_FEED) | (values == _RETURN)
    return separates


def _bounding(padded: Bytes, delimiter: int, found: Positions) -> Positions:
    """Returns the marks of quoted fields only."""
    before = padded.take(found)
    letters = np.full(len(found), ord("T"), np.uint8)
    letters[_separates(before, delimiter)] = ord("B")
    letters[before == MARK] = ord("A")
    spans = [field.span() for field in _FIELDS.finditer(letters.tobytes())]
    fields = np.array(spans, np.int64).reshape(-1, 2)
    steps = np.zeros(len(found) + 1, np.int8)
    steps[fields[:, 0]] += 1
    steps[fields[:, 1]] -= 1
    return found[np.cumsum(steps[:-1]) > 0]


def _demand_ends(padded: Bytes, delimiter: int, bounding: Positions, offset: int) -> None:
    closing = bounding[1::2]
    behind = padded[2:].take(closing)
    wrong = np.flatnonzero(~(_separates(behind, delimiter) | (behind == MARK)))
    if not len(wrong):
        return
    closed = int(closing[wrong[0]])
    opened = opening(bounding[: 2 * int(wrong[0]) + 1])
    lines = int(np.count_nonzero(padded[1 + opened : 1 + closed] == _LINE_FEED))
    raise Trouble(offset + opened, _misplaced(lines))


def _misplaced(lines: int) -> str:
    if not lines:
        return "text follows the quotation mark that closes a field"
    return f"a quotation mark is not closed: the next one, {count(lines, 'line')} below, has text behind it"


def opening(bounding: Positions) -> int:
    """Returns where the field begins that the last of these marks is in, escaped marks passed over."""
    last = len(bounding) - 1
    while last > 1 and bounding[last] == bounding[last - 1] + 1:
        last -= 2
    return int(bounding[last])
