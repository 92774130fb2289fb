"""Where in a text the trouble is: slow scans, made only once there is some."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any, Final

_ROW: Final = re.compile(r"Row #(\d+): (.*)", re.DOTALL)
_SHOWN: Final = 80


def open_quote(text: Any, limit: int) -> str:
    """Says where a quotation mark opens that is never closed, or a field is too long; "" when none does.

    Args:
        text: A binary stream from its beginning.
        limit: Bytes after which a line or a field is given up.
    """
    csv.field_size_limit(limit)
    rows = csv.reader((line.decode(errors="replace") for line in _lines(text, limit)), strict=True)
    opened = 1
    try:
        for _ in rows:
            opened = rows.line_num + 1
    except csv.Error as error:
        if "limit" in str(error):
            long = f"a field is longer than {limit >> 20} MiB"
            return f"line {opened}: {long}; perhaps a quotation mark is not closed"
        return f"line {opened}: a quotation mark is not closed ({error})"
    return ""


def not_utf8(text: Any, limit: int) -> str:
    """Names the first byte of a binary stream that is not UTF-8.

    Args:
        text: A binary stream from its beginning.
        limit: Bytes after which a line is given up.
    """
    for number, line in enumerate(_lines(text, limit), start=1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            byte = line[error.start]
            return f"line {number}, byte {error.start + 1}: 0x{byte:02x} is not UTF-8 text"
    return "its text is not UTF-8"


def parsing(message: str) -> str:
    """Returns pyarrow's complaint with its place first, cut for a line of log."""
    found = _ROW.search(message)
    if not found:
        return message
    row, complaint = found.groups()
    return f"row {row}: {complaint if len(complaint) <= _SHOWN else complaint[:_SHOWN] + '…'}"


def _lines(text: Any, limit: int) -> Iterator[bytes]:
    """Yields lines; a packed line of a gigabyte must not be held."""
    source = io.BufferedReader(_Raw(text), 1 << 20)
    while line := source.readline(limit + 1):
        if len(line) > limit:
            raise csv.Error("line beyond the limit")
        yield line


class _Raw(io.RawIOBase):
    """What io's wrappers ask of a stream that can only read."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._source.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)
