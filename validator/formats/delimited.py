"""Comma-separated values (RFC 4180, UTF-8, a header line), plain or gzipped.

Only an empty field is missing; NA, null and NaN are what they say, as TFDV has it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from validator.cuts import Cut, Extent, Weight
from validator.errors import DataError
from validator.formats.complaints import not_utf8, open_quote, parsing
from validator.formats.header import Header, Misfit, Reading, Seen
from validator.formats.stream import Watched
from validator.profile import Column, Kind
from validator.store import Object, at
from validator.text import cut

BLOCK_BYTES: Final = 8 << 20
"""Text decoded at a time, and the longest row that is read."""
PROBE_BYTES: Final = 1 << 20
"""Text whose values decide the kinds first tried."""

_MARKS: Final = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x1f\x8b": "gzip", b"PAR1": "Parquet"}
_SAVE_AS_UTF8: Final = "save it as UTF-8"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_OTHER_SEPARATORS: Final = {b";": "';'", b"\t": "tabs", b"|": "'|'"}
_QUOTED: Final = re.compile(rb'"(?:[^"]|"")*(?:"|$)')

# Words of pyarrow's; anchored, because it repeats what the data says.
_RAGGED: Final = re.compile(r"CSV parse error: Row #")
_MISFIT: Final = re.compile(r"In CSV column #\d+: (Row #\d+: )?CSV conversion error to (int64|double):")
_ENDLESS: Final = re.compile(r"^straddling|^CSV parse error: Empty CSV file or block")

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
                if not _ENDLESS.search(str(error)):
                    raise
                return self._probed(target, 2 * BLOCK_BYTES)

    @property
    def weight(self) -> Weight:
        """A whole object."""
        return Weight(64 << 20, is_cuttable=False)

    def survey(self, cut: Cut) -> Iterator[Sequence[Seen]]:
        """Reads all values as text and yields what they are, batch by batch."""
        names = self.header(cut.target).types
        for batch in self._read(cut.target, dict.fromkeys(names, pa.string())):
            yield [_seen(column) for column in batch.columns]

    def read(self, cut: Cut, columns: Sequence[Column]) -> Reading:
        """Reads the rows of a cut, typed as the columns say."""
        types = {column.name: _TYPES[column.kind] for column in columns}
        return Reading(self._read(cut.target, types), Extent(cut.start, cut.stop))

    def _read(self, target: Object, types: dict[str, Any]) -> Iterator[Any]:
        with self._explained(target), Watched(self._open(target)) as text:
            # Closed before its source: pyarrow reads ahead on a thread of its own.
            with _reader(pa.PythonFile(text, mode="r"), types, BLOCK_BYTES) as batches:
                yield from batches
            if text.has_odd_quotes:
                self._demand_closed_quotes(target)
            if text.has_hexadecimals and pa.int64() in types.values():
                self._demand_decimals(target, types)

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
        _demand_commas(head, target)
        if len(head) < size:
            # pyarrow takes a header without a line end for none.
            head += b"\n"
            block = len(head)
        else:
            # Its end is inside a row: half of it certainly holds whole ones.
            block = size // 2
        names = _names(_reader(pa.BufferReader(head), {}, block).schema.names, target)
        reader = _reader(pa.BufferReader(head), dict.fromkeys(names, pa.string()), block)
        first = next(iter(reader), None)
        kinds = [_kind(column) for column in first.columns] if first else [None] * len(names)
        columns = [Column(name, kind or Kind.INT) for name, kind in zip(names, kinds, strict=True)]
        empty = frozenset(name for name, kind in zip(names, kinds, strict=True) if kind is None)
        return Header(columns, dict.fromkeys(names, ""), empty)

    def _demand_closed_quotes(self, target: Object) -> None:
        with self._open(target) as text:
            if place := open_quote(text, BLOCK_BYTES):
                raise _refused(target, place)

    def _demand_decimals(self, target: Object, types: dict[str, Any]) -> None:
        for batch in self.survey(Cut.whole(target)):
            for (name, kind), seen in zip(types.items(), batch, strict=True):
                if kind == pa.int64() and seen.kind is Kind.BYTES:
                    raise _misfit(target, f"column {name!r} has hexadecimal values")

    @contextmanager
    def _explained(self, target: Object) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError, ValueError) as error:
            message = str(error)
            if _MISFIT.match(message):
                raise _misfit(target, message) from error
            raise self._refusal(target, message) from error

    def _refusal(self, target: Object, message: str) -> DataError:
        if _RAGGED.match(message):
            return _refused(target, parsing(message))
        if _ENDLESS.search(message):
            with self._open(target) as text:
                place = open_quote(text, BLOCK_BYTES) or f"a row is longer than {BLOCK_BYTES >> 20} MiB"
            return _refused(target, place)
        if "UTF8" in message:
            with self._open(target) as text:
                return _refused(target, not_utf8(text, 2 * BLOCK_BYTES), _SAVE_AS_UTF8)
        return _refused(target, parsing(message))


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
        if not name:
            raise _refused(target, f"column {names.index(name) + 1} of its header has no name", "give it one")
        if times > 1:
            why = f"its header has {times} columns named {name!r}"
            raise _refused(target, why, "give each a name of its own")
    return names


def _seen(texts: Any) -> Seen:
    return Seen(_kind(texts), rows=len(texts))


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
    if not head.removeprefix(_BYTE_ORDER_MARK).strip():
        raise _refused(target, "it is empty, it has not even a header")
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            raise _refused(target, f"its text is {name}, not UTF-8")
    if b"\0" in head.partition(b"\n")[0]:
        raise _refused(target, "its header has a NUL byte, as UTF-16 has", _SAVE_AS_UTF8)


def _demand_commas(head: bytes, target: Object) -> None:
    line = head.removeprefix(_BYTE_ORDER_MARK).lstrip(b"\r\n").splitlines()[0].strip()
    # What stands inside quotation marks is a name of somebody's choice.
    bare = _QUOTED.sub(b"", line)
    used = max(_OTHER_SEPARATORS, key=bare.count)
    if used in bare and b"," not in bare:
        raise _refused(
            target,
            f"its header is one column, {cut(line.decode(errors='replace'))!r}: it seems to be separated by "
            f"{_OTHER_SEPARATORS[used]}, only commas are read",
            "export it with commas, or put the name into quotation marks",
        )


def _misfit(target: Object, why: str) -> Misfit:
    return Misfit(f"cannot read {target.uri} with the types of its first rows", why=why)


def _refused(target: Object, why: str, remedy: str = "") -> DataError:
    return DataError(f"cannot read {target.uri}", why=why, remedy=remedy)
