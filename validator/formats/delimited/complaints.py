"""Where in a text the trouble is: slow scans, made only once there is some."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from validator.formats.delimited.blocks import Block
from validator.formats.delimited.quotes import marks
from validator.formats.delimited.window import PADDING, Positions
from validator.formats.trouble import Trouble
from validator.text import count, cut

_ROW: Final = re.compile(r"Row #\d+: ")
_SHOWN: Final = 80
_LINE_FEED: Final = ord("\n")
_RETURN: Final = ord("\r")


def complaint(block: Block, delimiter: str, fields: int, message: str) -> Trouble:
    """Returns what is wrong in a block that pyarrow does not read.

    Args:
        block: What was to be read.
        delimiter: What is between two fields.
        fields: How many a row has.
        message: What pyarrow says.
    """
    found = ragged(block, ord(delimiter), fields) or not_utf8(block)
    return found or Trouble(block.offset, cut(_ROW.sub("", message, count=1), _SHOWN))


def ragged(block: Block, delimiter: int, fields: int) -> Trouble | None:
    """Names the first row that has not so many fields."""
    content = block.content
    padded = np.frombuffer(PADDING + content.tobytes() + PADDING, np.uint8)
    bounding = marks(padded, delimiter, block.offset)
    starts, stops = _rows(padded, bounding)
    delimiters = _outside(np.flatnonzero(content == delimiter), bounding)
    found = np.searchsorted(delimiters, stops) - np.searchsorted(delimiters, starts) + 1
    wrong = np.flatnonzero((found != fields) & (stops > starts))
    if not len(wrong):
        return None
    start, number = int(starts[wrong[0]]), int(found[wrong[0]])
    return Trouble(block.offset + start, f"expected {count(fields, 'field')}, found {number:,}")


def not_utf8(block: Block) -> Trouble | None:
    """Names the first byte that is no UTF-8 text."""
    content = block.content.tobytes()
    try:
        content.decode()
    except UnicodeDecodeError as error:
        at = error.start
        place = f", byte {at - content.rfind(PADDING, 0, at)}"
        return Trouble(block.offset + at, f"0x{content[at]:02x} is not UTF-8 text; save it as UTF-8", place)
    return None


def _rows(padded: Any, bounding: Positions) -> tuple[Positions, Positions]:
    """Returns where rows begin and end, the line ends left out; CR, LF and CRLF end one."""
    content = padded[1:-1]
    is_end = (content == _LINE_FEED) | (content == _RETURN)
    # The line feed of a CRLF ends nothing: what is between them is no row.
    is_end[1:] &= ~((content[1:] == _LINE_FEED) & (content[:-1] == _RETURN))
    ends = _outside(np.flatnonzero(is_end), bounding)
    widths = 1 + ((content[ends] == _RETURN) & (padded[2:][ends] == _LINE_FEED))
    starts = np.concatenate(([0], ends + widths))
    return starts, np.append(ends, len(content))


def _outside(positions: Positions, bounding: Positions) -> Positions:
    outside: Positions = positions[np.searchsorted(bounding, positions) % 2 == 0]
    return outside
