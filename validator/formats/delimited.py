"""Comma-separated values (RFC 4180, UTF-8, a header line), plain or gzipped.

Only an empty field is missing; NA, null and NaN are what they say, as TFDV has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from validator.errors import DataError
from validator.formats.complaints import not_utf8, open_quote, parsing
from validator.formats.header import Header, Misfit
from validator.formats.stream import QuoteCount
from validator.profile import Column, Kind
from validator.profile.columns import widest
from validator.store import Object, at

BLOCK_BYTES: Final = 8 << 20
"""Text decoded at a time, and the longest row that is read."""
PROBE_BYTES: Final = 1 << 20
"""Text whose values decide the kinds first tried."""

_MARKS: Final = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x1f\x8b": "gzip", b"PAR1": "Parquet"}
_TYPES: Final = {Kind.INT: pa.int64(), Kind.FLOAT: pa.float64(), Kind.BYTES: pa.string()}


class Delimited:
    """Reads CSV.

    Args:
        compression: What the bytes are packed with, in pyarrow's words, or None.
    """

    def __init__(self, compression: str | None = None) -> None:
        self._compression = compression

    def header(self, target: Object) -> Header:
        """Reads the header line and infers the kinds of the first block."""
        with self._explained(target):
            try:
                return self._probed(target, PROBE_BYTES)
            except pa.ArrowInvalid as error:
                if "straddling" not in str(error):
                    raise
                return self._probed(target, 2 * BLOCK_BYTES)

    def survey(self, target: Object) -> Sequence[Kind | None]:
        """Reads all values as text and returns the kinds that hold them."""
        names = self.header(target).fields
        kinds: list[Kind | None] = [None] * len(names)
        for batch in self._read(target, dict.fromkeys(names, pa.string())):
            kinds = [widest(known, _kind(column)) for known, column in zip(kinds, batch.columns, strict=True)]
        return kinds

    def batches(self, target: Object, columns: Sequence[Column]) -> Iterator[Any]:
        """Yields the rows, typed as the columns say."""
        return self._read(target, {column.name: _TYPES[column.kind] for column in columns})

    def _read(self, target: Object, types: dict[str, Any]) -> Iterator[Any]:
        with self._explained(target), QuoteCount(self._open(target)) as text:
            # Closed before its source: pyarrow reads ahead on a thread of its own.
            with _reader(pa.PythonFile(text, mode="r"), types, BLOCK_BYTES) as batches:
                yield from batches
            if text.quotes % 2:
                self._demand_closed_quotes(target)

    def _open(self, target: Object) -> Any:
        source = at(target.uri).open(target)
        return (
            pa.CompressedInputStream(pa.PythonFile(source, "r"), self._compression)
            if self._compression
            else source
        )

    def _probed(self, target: Object, size: int) -> Header:
        with self._open(target) as text:
            head = bytes(text.read(size))
        _demand_text(head, target)
        # A head that is not the whole text ends inside a row: half of it certainly holds whole ones.
        block = len(head) if len(head) < size else size // 2
        names = _names(_reader(pa.BufferReader(head), {}, block).schema.names, target)
        reader = _reader(pa.BufferReader(head), dict.fromkeys(names, pa.string()), block)
        first = next(iter(reader), None)
        kinds = [_kind(column) for column in first.columns] if first else [None] * len(names)
        return Header(dict.fromkeys(names, ""), kinds, [False] * len(names))

    def _demand_closed_quotes(self, target: Object) -> None:
        with self._open(target) as text:
            if place := open_quote(text, BLOCK_BYTES):
                raise _refused(target, place)

    @contextmanager
    def _explained(self, target: Object) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError, ValueError) as error:
            message = str(error)
            if "conversion error to int64" in message or "conversion error to double" in message:
                raise Misfit(
                    f"cannot read {target.uri} with the types of its first rows", why=message
                ) from error
            raise _refused(target, self._place(target, message)) from error

    def _place(self, target: Object, message: str) -> str:
        if "straddling" in message:
            with self._open(target) as text:
                return open_quote(text, BLOCK_BYTES) or f"a row is longer than {BLOCK_BYTES >> 20} MiB"
        if "UTF8" in message:
            with self._open(target) as text:
                return not_utf8(text, 2 * BLOCK_BYTES)
        return parsing(message)


def _reader(source: Any, types: dict[str, Any], block: int) -> Any:
    return csv.open_csv(
        source,
        read_options=csv.ReadOptions(use_threads=False, block_size=max(block, 1)),
        # Without it a block could end inside a quoted line break.
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=types, null_values=[""], strings_can_be_null=True, true_values=[], false_values=[]
        ),
    )


def _names(names: Sequence[str], target: Object) -> Sequence[str]:
    for name, times in Counter(names).items():
        if times > 1:
            raise _refused(target, f"its header has {times} columns named {name!r}")
        if "\0" in name:
            raise _refused(target, "its header has a NUL byte; if its text is UTF-16, save it as UTF-8")
    return names


def _kind(texts: Any) -> Kind | None:
    present = pc.utf8_trim(texts.drop_null(), " \t")
    if len(present) == 0:
        return None
    if _casts(present, pa.int64()):
        # Arrow reads 0x1F as a number; nobody's identifiers are numbers for that.
        is_hexadecimal = pc.any(pc.match_substring(present, "x", ignore_case=True)).as_py()
        return Kind.BYTES if is_hexadecimal else Kind.INT
    return Kind.FLOAT if _casts(present, pa.float64()) else Kind.BYTES


def _casts(texts: Any, kind: Any) -> bool:
    try:
        texts.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _demand_text(head: bytes, target: Object) -> None:
    if not head.strip():
        raise _refused(target, "it is empty, it has not even a header")
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            raise _refused(target, f"its text is {name}, not UTF-8")


def _refused(target: Object, why: str) -> DataError:
    return DataError(f"cannot read {target.uri}", why=why)
