"""Streams between the store and pyarrow."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import pyarrow as pa

from validator import store
from validator.store import Object


def native(target: Object) -> Any:
    """Opens an object as a seekable pyarrow file."""
    return pa.PythonFile(store.at(target.uri).open(target), mode="r")


_PIECE_BYTES: Final = 8 << 20
_OPENING: Final = (b',"', b'\n"', b'\r"')
_CLOSING: Final = (b'",', b'"\n', b'"\r')


class Watched(io.RawIOBase):
    """Passes bytes of CSV on and watches for what a fast reader takes without a word."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._last = b"\n"
        self._quotes = 0
        self._surplus = 0
        """Quotation marks that seem to close a field, less those that seem to open one."""
        self.has_hexadecimals = False

    @property
    def has_odd_quotes(self) -> bool:
        """Whether quotation marks do not open and close fields in pairs: a closer look is needed then."""
        return self._quotes % 2 != 0 or self._surplus != 0

    def readable(self) -> bool:
        """Says yes."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Reads so many bytes, fewer at the end only; there the last line ends as all others do."""
        wanted = sys.maxsize if size is None or size < 0 else size
        content = b"".join(self._pieces(wanted))
        # pyarrow takes a header without a line end for none.
        if len(content) < wanted and (content or self._last)[-1:] != b"\n":
            content += b"\n"
        self._watch(content)
        return content

    def close(self) -> None:
        """Closes the source too."""
        self._source.close()
        super().close()

    def _pieces(self, wanted: int) -> Iterator[bytes]:
        while wanted and (piece := self._source.read(min(wanted, _PIECE_BYTES))):
            wanted -= len(piece)
            yield piece

    def _watch(self, content: bytes) -> None:
        text = self._last + content
        self._last = text[-1:]
        self.has_hexadecimals = self.has_hexadecimals or b"0x" in text or b"0X" in text
        if b'"' in text:
            self._quotes += content.count(b'"')
            self._surplus += sum(map(text.count, _CLOSING)) - sum(map(text.count, _OPENING))
