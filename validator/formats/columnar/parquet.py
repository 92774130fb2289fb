"""Apache Parquet: a cut owns the row groups whose first column starts in it, read page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
from pyarrow import parquet

from validator.cuts import Cut, Extent, Weight
from validator.errors import DataError
from validator.formats.columnar import bombs, parts, typed
from validator.formats.columnar.claims import Claim, Contradiction, claims
from validator.formats.columnar.parts import explained
from validator.formats.header import Header, Reading, Sights
from validator.formats.stream import native
from validator.profile import Column
from validator.store import Object

HELD_BYTES: Final = 32 << 20
"""A row group stored in less is read chunk by chunk, in the order of the file; a greater one through windows
on all its chunks, which together have this size."""
ROW_BYTES: Final = 64 << 20
"""Decoded size of a row, on average over its row group, above which none is read: a list may be a bomb."""
_WINDOW_BYTES: Final = (16 << 10, 4 << 20)

_MARK: Final = b"PAR1"
_DICTIONARY_BYTES: Final = 1 << 20
"""Above this size of a dictionary, writers go on without one (Arrow's, parquet-mr's and DuckDB's default)."""
_INDEX_BYTES: Final = 4
"""No index into a dictionary is longer."""
_WIDTHS: Final = {"BOOLEAN": 1, "INT32": 8, "INT64": 8, "INT96": 8, "FLOAT": 8, "DOUBLE": 8}
"""Decoded bytes of a value, by physical type."""
_TEXTS: Final = frozenset({"NONE", "STRING", "ENUM", "JSON", "BSON"})
"""Logical types of byte arrays that Arrow can leave in their dictionary."""


class Parquet:
    """Reads Parquet."""

    @property
    def weight(self) -> Weight:
        """Row groups are read apart."""
        return Weight(parts.SHARD_BYTES, is_certain=True)

    def header(self, target: Object) -> Header:
        """Reads the schema of the footer."""
        with explained(target, "footer"), native(target) as source:
            return typed.header(parquet.ParquetFile(source, metadata=_footer(source, target)).schema_arrow)

    def survey(self, cut: Cut) -> Sights:
        """Tells the declared kinds: Parquet knows them."""
        return parts.survey(cut, self.header(cut.target))

    def read(self, cut: Cut, columns: Sequence[Column]) -> Reading:
        """Reads the row groups of a cut, typed as the columns say."""
        return Reading(_batches(cut, columns), Extent(cut.start, cut.stop))


@dataclass(slots=True)
class _Group:
    """What the footer says of a row group."""

    number: int
    rows: int
    stored: int
    decoded: int
    words: frozenset[str]
    """Paths of texts that are worth reading as a dictionary."""

    @property
    def batch_rows(self) -> int:
        return parts.batch_rows(self.rows, self.decoded)


def _batches(cut: Cut, columns: Sequence[Column]) -> Iterator[Any]:
    target = cut.target
    with native(target) as source:
        with explained(target, "footer"):
            footer = _footer(source, target)
            groups = [
                _group(footer, n, target.size) for n in range(footer.num_row_groups) if _owns(cut, footer, n)
            ]
        for group in groups:
            with explained(target, f"row group {group.number}"):
                group.words |= _long_words(source, footer, group)
                file = _open(source, footer, group)
                said = claims(footer, group.number, file.schema_arrow)
            yield from _of_group(file, group, said, columns, target)


def _of_group(
    file: Any, group: _Group, said: Sequence[Claim], columns: Sequence[Column], target: Object
) -> Iterator[Any]:
    rows = 0
    try:
        for batch in file.iter_batches(group.batch_rows, row_groups=[group.number], use_threads=False):
            rows += batch.num_rows
            for claim in said:
                claim.look(batch.column(claim.name))
            yield typed.conformed(batch, columns)
        for claim in said:
            claim.demand()
    except Contradiction as error:
        with explained(target, f"row group {group.number}, column {error.name!r}"):
            raise
    except parts.TROUBLE as error:
        with explained(target, f"row group {group.number}{_culprit(file, group)}"):
            raise error
    if rows != group.rows:
        why = f"row group {group.number} has {rows} rows, its footer says {group.rows}"
        raise DataError(f"cannot read {target.uri}", why=why)


def _culprit(file: Any, group: _Group) -> str:
    def read(path: str) -> None:
        for _ in file.iter_batches(group.batch_rows, [group.number], [path], use_threads=False):
            pass

    return parts.culprit([file.schema.column(leaf).path for leaf in range(len(file.schema))], read)


def _footer(source: Any, target: Object) -> Any:
    """Reads the metadata, and looks whether it can be true."""
    try:
        footer = parquet.read_metadata(source)
    except pa.ArrowInvalid as error:
        parts.demand_mark(target, "Parquet", _MARK)
        if "magic bytes" not in str(error):
            raise
        raise ValueError("its end is not that of a Parquet file, it was cut off") from error
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    if footer.num_columns == 0:
        raise ValueError("it has no columns")
    if sum(group.num_rows for group in groups) != footer.num_rows:
        raise ValueError(f"it says {footer.num_rows} rows, but its row groups do not add up to that")
    for number, group in enumerate(groups):
        if group.num_rows < 0 or (group.num_rows and not len(_MARK) <= _start(group) < target.size):
            raise ValueError(f"row group {number} is not inside of the file")
    return footer


def _owns(cut: Cut, footer: Any, number: int) -> bool:
    return bool(cut.start <= _start(footer.row_group(number)) < cut.stop)


def _start(group: Any) -> int:
    """Returns where the first column of a row group starts: at its dictionary, or at its data."""
    chunk = group.column(0)
    # Some writers say 0 where there is no dictionary.
    offsets = (chunk.dictionary_page_offset if chunk.has_dictionary_page else 0, chunk.data_page_offset)
    return min((offset for offset in offsets if offset), default=0)


def _group(footer: Any, number: int, size: int) -> _Group:
    group = footer.row_group(number)
    stored = decoded = 0
    words = set()
    for leaf in range(group.num_columns):
        chunk, kind = group.column(leaf), footer.schema.column(leaf)
        if kind.max_repetition_level == 0 and chunk.num_values != group.num_rows:
            why = f"row group {number} has {group.num_rows} rows, its column {kind.path!r} {chunk.num_values}"
            raise ValueError(why)
        stored += chunk.total_compressed_size
        if _is_text(kind) and _fits_dictionary(chunk):
            words.add(chunk.path_in_schema)
            decoded += chunk.num_values * _INDEX_BYTES
        else:
            unpacked = max(chunk.num_values * _width(kind), chunk.total_uncompressed_size)
            bombs.demand_spread(chunk, kind, decoded=unpacked, size=size)
            decoded += unpacked
    if decoded > ROW_BYTES * max(1, group.num_rows):
        raise ValueError(f"the rows of row group {number} are wider than {ROW_BYTES >> 20} MiB")
    return _Group(number, group.num_rows, stored, decoded, frozenset(words))


def _long_words(source: Any, footer: Any, group: _Group) -> frozenset[str]:
    """Returns the paths of texts that must stay in their dictionary, whatever it costs."""
    rows = min(group.rows, group.batch_rows)
    kinds = [footer.schema.column(leaf) for leaf in range(footer.num_columns)]
    return frozenset(
        kind.path
        for leaf, kind in enumerate(kinds)
        if kind.path == kind.name
        and kind.max_repetition_level == 0
        and _is_text(kind)
        and kind.path not in group.words
        and bombs.has_long_words(source, footer, group.number, leaf, rows)
    )


def _open(source: Any, footer: Any, group: _Group) -> Any:
    least, most = _WINDOW_BYTES
    window = min(most, max(least, HELD_BYTES // footer.num_columns))
    return parquet.ParquetFile(
        source,
        metadata=footer,
        read_dictionary=sorted(group.words),
        # Reading ahead is the store's: this would hold the whole row group.
        pre_buffer=False,
        buffer_size=window if group.stored > HELD_BYTES else 0,
        # Nanoseconds, the default, wrap around before 1677 and after 2262.
        coerce_int96_timestamp_unit="us",
        page_checksum_verification=True,
    )


def _is_text(kind: Any) -> bool:
    return kind.physical_type == "BYTE_ARRAY" and kind.logical_type.type in _TEXTS


def _fits_dictionary(chunk: Any) -> bool:
    """Says whether a chunk is so small that it can only be indices into a dictionary, or hardly matters.

    Arrow would go on to put the values of later pages into the dictionary, until it held the whole row group.
    """
    return bool(chunk.total_uncompressed_size <= _DICTIONARY_BYTES + _INDEX_BYTES * chunk.num_values)


def _width(kind: Any) -> int:
    return _WIDTHS.get(kind.physical_type, kind.length or 0)
