"""A text in blocks of whole lines, for formats in which a line end cannot stand inside a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from validator.formats.trouble import Trouble

BLOCK_BYTES: Final = 4 << 20
"""Text decoded at a time."""
LINE_BYTES: Final = 8 << 20
"""The longest line that is read."""
FIRST_BYTES: Final = 64 << 10
"""Text decoded at first: what it holds tells how to decode the rest."""


class Lines:
    """Cuts a text into blocks.

    Args:
        source: A binary stream.
        offset: Where in the text the source is.
        stop: Lines that begin here or behind are left to others; None reads all there are.
        is_exact: Whether a line begins at the offset; otherwise the offset is one byte before the place the
            first line is looked for from.
    """

    def __init__(
        self, source: Any, *, offset: int = 0, stop: int | None = None, is_exact: bool = True
    ) -> None:
        self._source = source
        self._stop = stop
        self._is_exact = is_exact
        self._rest = b""
        self._is_at_end = False
        self.offset = offset
        """After the last line given out."""
        self.begin = offset
        """Of the first line."""

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yields the offset of a block and its lines; the last may have no line end.

        Raises:
            Trouble: A line is too long.
        """
        if not self._is_exact:
            self._skip()
            self.begin = self.offset
        wanted = FIRST_BYTES
        while not self._is_done() and (held := self._more(wanted)):
            end = self._end(held) or (len(held) if self._is_at_end else 0)
            start, self.offset, self._rest = self.offset, self.offset + end, held[end:]
            if end:
                yield start, held[:end]
            wanted = BLOCK_BYTES

    def _skip(self) -> None:
        """Passes over the end of a line that another cut has."""
        while held := self._more(FIRST_BYTES):
            end = held.find(b"\n") + 1
            passed = end or (len(held) if self._is_at_end else 0)
            self.offset, self._rest = self.offset + passed, held[passed:]
            if end:
                return

    def _is_done(self) -> bool:
        return self._stop is not None and self.offset >= self._stop

    def _more(self, wanted: int) -> bytes:
        """Returns what is held and some more, if there is."""
        left = wanted if self._stop is None else self._stop - self.offset - len(self._rest)
        piece = self._read(min(wanted, max(left, FIRST_BYTES)))
        self._is_at_end = not piece
        held = self._rest + piece
        first = held.find(b"\n")
        if (first if first >= 0 else len(held)) > LINE_BYTES:
            raise Trouble(self.offset, f"a line is longer than {LINE_BYTES >> 20} MiB")
        return held

    def _end(self, held: bytes) -> int:
        """Returns the end of the first line that ends at the stop or behind, or else of the last one held."""
        if self._stop is not None:
            last = max(0, self._stop - 1 - self.offset)
            if end := held.find(b"\n", last) + 1:
                return end
        return held.rfind(b"\n") + 1

    def _read(self, size: int) -> bytes:
        pieces = []
        while size and (piece := self._source.read(size)):
            size -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)
