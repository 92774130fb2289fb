"""A text in blocks of whole rows.

A row ends with a line feed outside quotation marks. (A carriage return alone ends one too, but nothing is cut
there.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from validator.formats.delimited.quotes import MARK, marks, opening, seem_paired
from validator.formats.delimited.window import Bytes, Positions, Window
from validator.formats.trouble import Trouble

BLOCK_BYTES: Final = 6 << 20
"""Text decoded at a time: less makes workers wait for Python's lock, more for fresh memory."""
ROW_BYTES: Final = 8 << 20
"""The longest row that is read; a longer one is most often a quotation mark that is not closed."""

_REACH_BYTES: Final = 1 << 16
"""First read on behind the end of a cut, for the end of its last row."""
_LINE_FEED: Final = ord("\n")
_RETURN: Final = ord("\r")
_NO_MARKS: Final = np.zeros(0, np.int64)
_LINE_END: Final = np.array([_LINE_FEED], np.uint8)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows."""

    offset: int
    """Of the first byte in the text."""
    content: Bytes
    """Good until the next block is asked for."""
    is_paired: bool = True
    """Whether quotation marks are known to open and close fields in turn, or only seem to (`seem_paired`)."""

    def demand_pairs(self, delimiter: int) -> None:
        """Goes through the marks, if they are not known to open and close fields in turn.

        Raises:
            Trouble: They do not.
            Unpaired: The last one opens a field.
        """
        if self.is_paired:
            return
        padded = np.concatenate([_LINE_END, self.content, _LINE_END])
        if len(marks(padded, delimiter, self.offset)) % 2:
            raise Unpaired


class Unpaired(Exception):  # noqa: N818 - says that a block has to be cut anew
    """A block that seemed to end with a row ends within a field."""


class Blocks:
    """Cuts a text into blocks.

    Args:
        source: Where the text is read on from.
        delimiter: The byte between two fields.
        offset: Where in the text the source is; a row begins there.
        stop: Rows that begin here or behind are left to others; None reads all there are.
        size: Bytes of a block.
        longest: Bytes of the longest row.
    """

    def __init__(
        self,
        source: Any,
        delimiter: int,
        *,
        offset: int = 0,
        stop: int | None = None,
        size: int = BLOCK_BYTES,
        longest: int = ROW_BYTES,
    ) -> None:
        self._window = Window(source, offset)
        self._delimiter = delimiter
        self._stop = stop
        self._size = size
        self._longest = longest
        self.lacks_line_end = False
        """Whether the last row ended with the text."""
        self._is_refuted = False

    @property
    def offset(self) -> int:
        """Of the first byte that was not given out."""
        return self._window.offset

    def head(self, size: int) -> bytes:
        """Returns the next bytes without giving them out."""
        held = self._window.fill(size)
        return self._window.content(min(size, held)).tobytes()

    def skip(self, size: int) -> None:
        """Gives out bytes nobody wants."""
        self._window.fill(size)
        self._window.drop(size)

    def first_row(self) -> bytes:
        """Gives out the first row that is not blank, without its line end; b"" when there is none.

        Raises:
            Trouble: It has no end, or one that is not read.
        """
        self._skip_blank_lines()
        wanted = self._size
        while self._window.fill(wanted):
            bounding = self._marks()
            self._demand_line_feed(bounding)
            if end := self._window.first(_LINE_FEED, bounding) + 1 or self._rest(bounding):
                row = self._window.content(end).tobytes().rstrip(b"\r\n")
                self._window.drop(end)
                if row:
                    return row
            else:
                wanted = self._more(bounding)
        return b""

    def refute(self) -> None:
        """Takes back the block given out last, which is `Unpaired`: the next one begins where it did."""
        self._is_refuted = True

    def __iter__(self) -> Iterator[Block]:
        """Yields the rows.

        Raises:
            Trouble: Quotation marks do not close what they open, or a row is too long.
        """
        wanted, reach = self._size, _REACH_BYTES
        while not self._is_done() and self._window.fill(self._within_reach(wanted, reach)):
            if end := self._apparent_end():
                yield Block(self._window.offset, self._window.content(end), is_paired=False)
                if not self._is_refuted:
                    self._window.drop(end)
                    wanted = self._size
                    continue
                self._is_refuted = False
            bounding = self._marks()
            if end := self._end(bounding) or self._rest(bounding):
                self.lacks_line_end = not self._end(bounding)
                yield Block(self._window.offset, self._window.content(end))
                self._window.drop(end)
                wanted = self._size
            else:
                wanted, reach = self._more(bounding), 2 * reach

    def _skip_blank_lines(self) -> None:
        """Goes to the first line that is not blank, all blank ones held at once."""
        while held := self._window.fill(self._size):
            text = self._window.content(held).tobytes()
            blank = held - len(text.lstrip(b"\r\n"))
            end = text.rfind(b"\n", 0, blank) + 1
            self._window.drop(end)
            if blank < held or not end:
                return

    def _is_done(self) -> bool:
        return self._stop is not None and self._window.offset >= self._stop

    def _within_reach(self, wanted: int, reach: int) -> int:
        """Returns how much to hold: not much from behind the place where the last row has to end."""
        if self._stop is None:
            return wanted
        left = self._stop - self._window.offset
        return min(wanted, left if self._window.filled < left else self._window.filled + reach)

    def _apparent_end(self) -> int:
        """Returns the end of the last line held, if the quotation marks before it seem to be paired; or 0."""
        is_last = self._stop is not None and self._stop - self._window.offset <= self._window.filled
        if is_last or not self._window.has(MARK):
            return 0
        end = self._window.last(_LINE_FEED, _NO_MARKS) + 1
        separators = [self._delimiter, _LINE_FEED, *([_RETURN] if self._window.has(_RETURN) else [])]
        return end if end and seem_paired(self._window.padded[: end + 2], separators) else 0

    def _marks(self) -> Positions:
        if not self._window.has(MARK):
            return _NO_MARKS
        return marks(self._window.padded, self._delimiter, self._window.offset)

    def _end(self, bounding: Positions) -> int:
        """Returns the end of the first row that ends at or behind the stop, or of the last one held; or 0."""
        if self._stop is not None:
            last = max(0, self._stop - 1 - self._window.offset)
            if end := self._window.first(_LINE_FEED, bounding, last) + 1:
                return end
        return self._window.last(_LINE_FEED, bounding) + 1

    def _rest(self, bounding: Positions) -> int:
        """Returns the end of a last row without a line end; 0 while there may be more to read."""
        if not self._window.is_at_end:
            return 0
        if len(bounding) % 2:
            raise Trouble(self._window.offset + opening(bounding), "a quotation mark is not closed")
        return self._window.filled

    def _more(self, bounding: Positions) -> int:
        """Returns how much to hold when what is held has no whole row."""
        if self._window.filled <= self._longest:
            return min(2 * self._window.filled, self._longest + 1)
        limit = f"{self._longest >> 20} MiB"
        if len(bounding) % 2:
            where = self._window.offset + opening(bounding)
            raise Trouble(where, f"a quotation mark is not closed within {limit}")
        raise Trouble(self._window.offset, f"a row is longer than {limit}")

    def _demand_line_feed(self, bounding: Positions) -> None:
        """Refuses a first row that ends with a carriage return alone."""
        held = self._window.content(self._window.filled)
        at = self._window.first(_RETURN, bounding)
        following = int(held[at + 1]) if 0 <= at < len(held) - 1 else _LINE_FEED
        feed = self._window.first(_LINE_FEED, bounding)
        if following not in (_LINE_FEED, _RETURN) and not 0 <= feed < at:
            why = "its line ends with a carriage return alone, as on old Macs; end lines with LF or CRLF"
            raise Trouble(self._window.offset + at, why)


def after_line_end(source: Any, start: int, longest: int = ROW_BYTES) -> int:
    """Returns the offset behind the first line feed at or behind an offset; the end when there is none.

    Args:
        source: A text that can seek; where it is afterwards is not told.
        start: Where to begin.
        longest: How far to look.

    Raises:
        Trouble: No line ends so soon.
    """
    source.seek(start)
    window = Window(source, start)
    step = _REACH_BYTES
    while window.fill(step) and window.offset - start <= longest:
        if (at := window.first(_LINE_FEED, _NO_MARKS)) >= 0:
            return window.offset + at + 1
        window.drop(window.filled)
    if window.filled:
        raise Trouble(start, f"no line ends within {longest >> 20} MiB")
    return window.offset
