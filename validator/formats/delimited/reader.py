"""Delimited text (RFC 4180, UTF-8): comma- and tab-separated values, with a header or without.

Plain text is cut by bytes; packed text is read from its beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from validator.cuts import Cut, Extent, Weight
from validator.errors import DataError
from validator.formats import locating
from validator.formats.delimited import probe
from validator.formats.delimited.blocks import BLOCK_BYTES, Blocks, after_line_end
from validator.formats.delimited.conversion import Conversion
from validator.formats.delimited.dialect import Dialect
from validator.formats.header import Header, Misfit, Reading, Sight, Sights
from validator.formats.stream import unpacked
from validator.formats.trouble import Trouble, Unfit
from validator.profile import Column, Kind
from validator.store import Object

_COLUMN_BYTES: Final = 8 << 10
_WIDEST_BYTES: Final = 32 << 20
_TEXT: Final = Weight(64 << 20)
_PACKED: Final = Weight(16 << 20, is_cuttable=False)


class Delimited:
    """Reads rows of fields with a delimiter between them.

    Args:
        dialect: What whoever names the data knows of it.
        delimiter: What goes with the name, if the dialect says nothing.
        packing: What the bytes are packed with, in pyarrow's words, or None.
        block_bytes: Text decoded at a time; None for what suits the number of columns.
    """

    def __init__(
        self,
        dialect: Dialect | None = None,
        delimiter: str = ",",
        packing: str | None = None,
        block_bytes: int | None = None,
    ) -> None:
        dialect = dialect or Dialect()
        self._delimiter = dialect.delimiter or delimiter
        self._columns = dialect.columns
        self._packing = packing
        self._block_bytes = block_bytes

    @property
    def weight(self) -> Weight:
        """Packed text is not cut."""
        return _PACKED if self._packing else _TEXT

    def header(self, target: Object) -> Header:
        """Reads the header line and infers the kinds of the first rows."""
        try:
            return self._probed(target)
        except probe.Foreign as foreign:
            raise _refused(target, foreign.why, foreign.remedy) from foreign
        except Trouble as trouble:
            raise _complaint(target, trouble, locating.line(target, self._packing, trouble)) from trouble

    def survey(self, cut: Cut) -> Sights:
        """Reads all values as text and tells what they are, block by block."""
        reading = self.read(cut, [Column(name, Kind.BYTES) for name in self.header(cut.target).types])
        sights = (
            Sight(len(batch), [probe.seen(each) for each in batch.columns]) for batch in reading.batches
        )
        return Sights(sights, reading.extent)

    def read(self, cut: Cut, columns: Sequence[Column]) -> Reading:
        """Reads the rows of a cut, typed as the columns say.

        A batch without rows may come while a complaint looks for its line, so that nothing takes long.
        """
        extent = Extent(cut.start, cut.stop)
        return Reading(self._batches(cut, columns, extent), extent)

    def _batches(self, cut: Cut, columns: Sequence[Column], extent: Extent) -> Iterator[Any]:
        conversion = Conversion(columns, self._delimiter)
        found = self._converted(cut, conversion, extent)
        try:
            yield from locating.located(cut, self._packing, found, conversion.nothing(), _complaint)
        except Unfit as unfit:
            raise _misfit(cut.target, str(unfit)) from unfit

    def _converted(self, cut: Cut, conversion: Conversion, extent: Extent) -> Iterator[Any]:
        with unpacked(cut.target, self._packing) as source:
            blocks = self._blocks(source, cut, self._block_bytes or block_bytes(conversion.width))
            if blocks.offset == 0:
                self._skip_header(blocks)
            else:
                extent.begin = extent.end = blocks.offset
            yield from conversion.batches(blocks)
            extent.lacks_line_end = blocks.lacks_line_end
            if not self._packing:
                extent.end = blocks.offset

    def _blocks(self, source: Any, cut: Cut, size: int) -> Blocks:
        start = cut.start
        if start and not cut.is_exact:
            start = after_line_end(source, start - 1)
        if start:
            source.seek(start)
        stop = None if self._packing else cut.stop
        return Blocks(source, ord(self._delimiter), offset=start, stop=stop, size=size)

    def _skip_header(self, blocks: Blocks) -> Sequence[str]:
        """Goes to the first row of values and returns the names of the columns."""
        if blocks.head(len(probe.BYTE_ORDER_MARK)) == probe.BYTE_ORDER_MARK:
            blocks.skip(len(probe.BYTE_ORDER_MARK))
        return self._columns or probe.names(blocks.first_row(), self._delimiter)

    def _probed(self, target: Object) -> Header:
        with unpacked(target, self._packing) as source:
            blocks = Blocks(source, ord(self._delimiter), size=probe.HEAD_BYTES)
            head = blocks.head(probe.HEAD_BYTES)
            probe.demand_text(head)
            if not self._columns:
                probe.demand_delimiter(head, self._delimiter)
            names = self._skip_header(blocks)
            conversion = Conversion([Column(name, Kind.BYTES) for name in names], self._delimiter)
            first = next(conversion.batches(blocks), conversion.nothing())
        kinds = [probe.guess(column) for column in first.columns]
        columns = [Column(name, kind or Kind.INT) for name, kind in zip(names, kinds, strict=True)]
        empty = frozenset(name for name, kind in zip(names, kinds, strict=True) if kind is None)
        return Header(columns, dict.fromkeys(names, ""), empty)


def block_bytes(columns: int) -> int:
    """Returns how much text to decode at a time: more of a wide table, where each column costs time."""
    return min(max(BLOCK_BYTES, columns * _COLUMN_BYTES), _WIDEST_BYTES)


def _complaint(target: Object, trouble: Trouble, where: str) -> DataError:
    return _refused(target, f"{where}{trouble.place}: {trouble.why}")


def _misfit(target: Object, why: str) -> Misfit:
    return Misfit(f"cannot read {target.uri} with the types of its first rows", why=why)


def _refused(target: Object, why: str, remedy: str = "") -> DataError:
    return DataError(f"cannot read {target.uri}", why=why, remedy=remedy)
