"""Streams between the store and pyarrow."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import pyarrow as pa

from validator import store
from validator.store import Object


def native(target: Object) -> Any:
    """Opens an object as a seekable pyarrow file."""
    return pa.PythonFile(store.at(target.uri).open(target), mode="r")


class QuoteCount(io.RawIOBase):
    """Passes bytes on and counts the quotation marks among them."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.quotes = 0

    def readable(self) -> bool:
        """Says yes."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Reads at most so many bytes."""
        content = self._source.read(-1 if size is None else size)
        self.quotes += content.count(b'"')
        return content

    def close(self) -> None:
        """Closes the source too."""
        self._source.close()
        super().close()
