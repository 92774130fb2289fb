"""Bombs that averages of a Parquet row group hide: a row that has all of it, a word that all rows repeat."""

from __future__ import annotations

from typing import Any, Final

import pyarrow.compute as pc
from pyarrow import parquet

from validator.formats.columnar.parts import PART_BYTES, TROUBLE, Oversized

SPREAD: Final = 100
"""How many times of what it is stored in a column above PART_BYTES may be decoded, if its rows can differ."""
_SMALL_BYTES: Final = 256 << 10
"""A dictionary stored in more is one of many short words, such as the first megabyte of a column of ids."""
_PEEK_BYTES: Final = 16 << 10


def demand_spread(chunk: Any, kind: Any, *, decoded: int, size: int) -> None:
    """Goes on if a row group's column is stored in so many bytes that its rows can be about equal.

    Args:
        chunk: A pyarrow.parquet.ColumnChunkMetaData.
        kind: The pyarrow.parquet.ColumnSchema of it.
        decoded: Bytes of all its values in memory.
        size: Bytes of the file.

    Raises:
        Oversized: One row may be nearly all of it.
    """
    can_differ = kind.max_repetition_level > 0 or kind.physical_type == "BYTE_ARRAY"
    stored = min(chunk.total_compressed_size, size)
    if can_differ and decoded > max(PART_BYTES, SPREAD * stored):
        unpacked = f"{decoded >> 20} MiB decoded, stored in {stored} bytes"
        why = f"column {kind.path!r} of a row group has {unpacked}: one row may be nearly all of it"
        raise Oversized(why, "write smaller row groups")


def has_long_words(source: Any, footer: Any, number: int, leaf: int, rows: int) -> bool:
    """Says whether so many rows of a text may be more than is held, because of a word in its dictionary.

    Only dictionaries that are stored in little are looked at.

    Raises:
        Oversized: The words cannot be held either.
    """
    chunk = footer.row_group(number).column(leaf)
    if not chunk.has_dictionary_page or chunk.data_page_offset - chunk.dictionary_page_offset > _SMALL_BYTES:
        return False
    if rows * chunk.total_uncompressed_size <= PART_BYTES:
        return False
    path = chunk.path_in_schema
    file = parquet.ParquetFile(
        source, metadata=footer, read_dictionary=[path], buffer_size=_PEEK_BYTES, pre_buffer=False
    )
    try:
        first = next(file.iter_batches(1, [number], [path], use_threads=False), None)
    except TROUBLE:
        # The reading will meet it too, and name the column.
        return False
    if first is None or rows * _longest(first.column(0)) <= PART_BYTES:
        return False
    if chunk.total_uncompressed_size > PART_BYTES:
        why = (
            f"column {path!r} has words of {_longest(first.column(0))} bytes, and more than are held at once"
        )
        raise Oversized(why, "write smaller row groups")
    return True


def _longest(array: Any) -> int:
    lengths = pc.binary_length(array.dictionary)
    return int(pc.max(lengths).as_py() or 0)
