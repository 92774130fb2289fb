"""JSON Lines (one object a line, UTF-8), plain or packed.

Columns are the keys; null is missing, as an absent key is. Booleans are 0 and 1, objects are structs. Numbers
beyond 64 bits are floats, beyond those infinite; among texts they are texts, as written. A line must be one
object, and no key stand in it twice.

pyarrow decodes; what it refuses is decoded again line by line, which finds what is wrong with which line, or
that nothing is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from validator.cuts import Cut, Extent, Weight
from validator.errors import DataError
from validator.formats import locating
from validator.formats.batches import gathered
from validator.formats.header import Header, Misfit, Reading, Sight, Sights
from validator.formats.jsonlines import blocks, objects
from validator.formats.jsonlines.lines import Lines
from validator.formats.shape import MAX_KEYS, Clash, Shape
from validator.formats.stream import unpacked
from validator.formats.trouble import Trouble, Unfit
from validator.profile import Column
from validator.store import Object

PROBE_BYTES: Final = 1 << 20
"""Text whose keys and values decide the columns first tried."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_MARKS: Final = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"PAR1": "Parquet",
}
_SAVE_AS_UTF8: Final = "save it as UTF-8"


class JsonLines:
    """Reads JSON Lines.

    Args:
        packing: What the bytes are packed with, in pyarrow's words, or None.
    """

    def __init__(self, packing: str | None = None) -> None:
        self._packing = packing

    @property
    def weight(self) -> Weight:
        """A plain text is cut anywhere, a packed one not at all."""
        if self._packing:
            return Weight(16 << 20, is_cuttable=False)
        return Weight(64 << 20, is_certain=True)

    def header(self, target: Object) -> Header:
        """Finds the keys of the first lines."""
        met, rows = _Met(), 0
        try:
            with unpacked(target, self._packing) as source:
                for offset, content in _blocks(Lines(source, stop=PROBE_BYTES)):
                    for piece in blocks.pieces(offset, content, met.columns):
                        rows += met.look(*piece)
        except Trouble as trouble:
            raise _complaint(target, trouble, locating.line(target, self._packing, trouble)) from trouble
        if not rows:
            raise _refused(target, "it is empty, it has not one row")
        columns = met.shape.columns(is_narrow=True)
        return Header(columns, dict.fromkeys((column.name for column in columns), ""), is_open=True)

    def survey(self, cut: Cut) -> Sights:
        """Finds all keys and what their values are."""
        extent = Extent(cut.start, cut.stop)
        found = self._seen(cut, extent)
        return Sights(locating.located(cut, self._packing, found, Sight(0, []), _complaint), extent)

    def read(self, cut: Cut, columns: Sequence[Column]) -> Reading:
        """Reads the rows of a cut, typed as the columns say.

        A batch without rows may come from blank lines, and while a complaint looks for its line, so that
        nothing takes long.
        """
        columns = tuple(columns)
        extent = Extent(cut.start, cut.stop)
        found, nothing = self._tables(cut, columns, extent), blocks.from_rows([], columns)
        tables = locating.located(cut, self._packing, found, nothing, _complaint)
        return Reading(gathered(tables), extent)

    def _seen(self, cut: Cut, extent: Extent) -> Iterator[Sight]:
        met = _Met()
        with unpacked(cut.target, self._packing) as source:
            lines = self._lines(source, cut)
            for offset, content in _blocks(lines):
                for piece in blocks.pieces(offset, content, met.columns):
                    rows = met.look(*piece)
                    yield Sight(rows, list(met.shape.harvest()))
            self._settle(extent, lines)

    def _tables(self, cut: Cut, columns: tuple[Column, ...], extent: Extent) -> Iterator[Any]:
        with unpacked(cut.target, self._packing) as source:
            lines = self._lines(source, cut)
            met = _Met(columns)
            for offset, content in _blocks(lines):
                for piece in blocks.pieces(offset, content, columns):
                    yield met.table(*piece)
            self._settle(extent, lines)

    def _settle(self, extent: Extent, lines: Lines) -> None:
        if not self._packing:
            extent.begin, extent.end = lines.begin, lines.offset

    def _lines(self, source: Any, cut: Cut) -> Lines:
        if self._packing:
            return Lines(source)
        is_exact = cut.is_exact or cut.start == 0
        offset = cut.start if is_exact else cut.start - 1
        source.seek(offset)
        return Lines(source, offset=offset, stop=cut.stop, is_exact=is_exact)


def _blocks(lines: Lines) -> Iterator[tuple[int, bytes]]:
    """Yields blocks of lines without a mark of the byte order, and nothing of those that are all blank."""
    for offset, content in lines:
        if not offset:
            _demand_text(content)
        bare = content if offset else content.removeprefix(_BYTE_ORDER_MARK)
        yield offset + len(content) - len(bare), b"" if bare.isspace() else bare


class _Met:
    """What was met in rows so far, which tells pyarrow how to read more of them.

    Args:
        columns: What is made of them; None while the columns are looked for.
    """

    def __init__(self, columns: Sequence[Column] | None = None) -> None:
        self.shape = Shape()
        self.columns = tuple(columns or ())
        self._is_looking = columns is None
        self._made = blocks.schema(self.columns)
        self._read: Any = None
        """Nothing was met so far while it is None."""

    def look(self, offset: int, content: bytes) -> int:
        """Takes in lines, counts their values, and returns how many rows they are.

        Args:
            offset: Of the lines in their text.
            content: Lines.
        """
        if (table := self._decoded(content)) is not None:
            numbers = pa.array(np.arange(table.num_rows))
            for name, column in zip(table.column_names, table.columns, strict=True):
                self.shape.fields[name].count(column.combine_chunks(), numbers)
            return len(numbers)
        found = 0
        for place, row in objects.rows(offset, content):
            self._learn(place, row, found)
            found += 1
        self._finish(offset)
        return found

    def table(self, offset: int, content: bytes) -> Any:
        """Returns lines as a table of the columns."""
        if (table := self._decoded(content)) is not None:
            return table if table.schema.equals(self._made) else table.cast(self._made)
        found = []
        for place, row in objects.rows(offset, content):
            self._learn(place, row, 0)
            try:
                found.append(objects.fitted(row, self.columns))
            except Unfit as unfit:
                raise Trouble(place, str(unfit)) from unfit
        self._finish(offset)
        return blocks.from_rows(found, self.columns)

    def _decoded(self, content: bytes) -> Any:
        return None if self._read is None else blocks.table(content, self._read)

    def _learn(self, offset: int, row: dict[str, Any], number: int) -> None:
        try:
            objects.learn(self.shape, row, number)
        except Clash as clash:
            raise Trouble(offset, str(clash)) from clash

    def _finish(self, offset: int) -> None:
        """Makes use of what was learnt."""
        if self._is_looking:
            if self.shape.keys() > MAX_KEYS:
                raise Trouble(offset, f"there are more than {MAX_KEYS:,} keys; are some of them values?")
            self.columns = self.shape.columns()
        if self.shape.fields:
            self._read = blocks.schema(self.columns, self.shape)


def _demand_text(head: bytes) -> None:
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            raise Trouble(0, f"its text is {name}, not UTF-8")
    if b"\0" in head[:4]:
        raise Trouble(0, "it begins with a NUL byte, as UTF-16 has")


def _complaint(target: Object, trouble: Trouble, where: str) -> DataError:
    why = f"{', '.join(filter(None, (where, trouble.place)))}: {trouble.why}"
    if isinstance(trouble.__cause__, Unfit):
        return Misfit(f"cannot read {target.uri}", why=why)
    return _refused(target, why, _SAVE_AS_UTF8 if "UTF-" in trouble.why else "")


def _refused(target: Object, why: str, remedy: str = "") -> DataError:
    return DataError(f"cannot read {target.uri}", why=why, remedy=remedy)
