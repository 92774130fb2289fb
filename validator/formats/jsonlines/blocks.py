"""JSON decoded by pyarrow, a block of lines at a time.

What it takes without a word is looked for before and after: an object that is not alone on its line, bytes
that are not UTF-8, `Inf`, and `null` in place of the first object, which crashes the process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json

from validator.formats.batches import CELLS
from validator.formats.jsonlines.objects import BLANKS
from validator.formats.shape import Form, Shape
from validator.formats.trouble import Trouble
from validator.profile import Column, Kind

_LINE_FEED, _OPENING, _CLOSING = b"\n{}"
_BLANK_LINES: Final = re.compile(rb"\n[ \t\r\n]+")
_CROWD: Final = 8
"""How many times as many cells as wanted one line may have."""
_TYPES: Final = {Kind.INT: pa.int64(), Kind.FLOAT: pa.float64(), Kind.BYTES: pa.string()}
# Written otherwise than the kind suggests. Whole numbers have one spelling: as text they are what they were.
_OTHER_TYPES: Final = {
    (Kind.INT, Form.BOOLEAN): pa.bool_(),
    (Kind.FLOAT, Form.BOOLEAN): pa.bool_(),
    (Kind.BYTES, Form.BOOLEAN): pa.bool_(),
    (Kind.BYTES, Form.INTEGER): pa.int64(),
}


_INF: Final = re.compile(rb"Inf(?!inity)")
"""What pyarrow takes for an infinity and nobody else does; it may stand in a text."""


def pieces(offset: int, content: bytes, columns: Sequence[Column]) -> Iterator[tuple[int, bytes]]:
    """Cuts a block so that no piece has more cells than memory is meant for, those of absent keys included.

    Args:
        offset: Of the block in its text.
        content: Lines.
        columns: What is made of them.

    Raises:
        Trouble: One line alone has far too many.
    """
    leaves = max(1, sum(column.leaves for column in columns))
    parts = _objects(content) * leaves // CELLS + 1
    if parts == 1:
        yield offset, content
        return
    for start, stop in pairwise(_borders(content, parts)):
        piece = content[start:stop]
        if _objects(piece) * leaves > _CROWD * CELLS:
            raise Trouble(offset + start, "it has too many objects for so many keys")
        yield offset + start, piece


def table(content: bytes, types: Any) -> Any:
    """Returns lines as pyarrow reads them, or None when it refuses them or should not be trusted.

    Args:
        content: Lines.
        types: Schema of all keys.
    """
    tidy, lines = _tidy(content)
    if not lines or not _is_utf8(tidy):
        return None
    reading = json.ReadOptions(use_threads=False, block_size=len(tidy) + 1)
    parsing = json.ParseOptions(
        explicit_schema=types, newlines_in_values=False, unexpected_field_behavior="error"
    )
    try:
        found = json.read_json(pa.BufferReader(tidy), read_options=reading, parse_options=parsing)
    except pa.ArrowException:
        return None
    if found.num_rows != lines or (any(map(_has_infinity, found.columns)) and _INF.search(tidy)):
        return None
    return found


def _has_infinity(array: Any) -> bool:
    """Says whether a number is infinite, in structs and lists too."""
    if pa.types.is_floating(array.type):
        return bool(pc.any(pc.is_inf(array)).as_py())
    if pa.types.is_struct(array.type):
        return any(map(_has_infinity, array.flatten()))
    return pa.types.is_list(array.type) and _has_infinity(pc.list_flatten(array))


def from_rows(rows: Sequence[dict[str, Any]], columns: Sequence[Column]) -> Any:
    """Returns rows that fit as a table."""
    kind = pa.struct(schema(columns))
    return pa.Table.from_struct_array(pa.array(rows, kind))


def schema(columns: Sequence[Column], shape: Shape | None = None) -> Any:
    """Returns types of columns.

    Args:
        columns: What is wanted.
        shape: How values were written so far, for pyarrow to read them; None for what is made of them.
    """
    fields = [(column.name, _type(column, shape and shape.fields.get(column.name))) for column in columns]
    return pa.schema(fields)


def _type(column: Column, shape: Shape | None) -> Any:
    if column.kind is Kind.STRUCT:
        kind = pa.struct(schema(column.fields, shape))
    else:
        written = shape.forms if shape else Form(0)
        kind = _OTHER_TYPES.get((column.kind, written), _TYPES[column.kind])
    for _ in range(column.depth):
        kind = pa.list_(kind)
    return kind


def _tidy(content: bytes) -> tuple[bytes, int]:
    """Returns the lines without the blanks around them, and how many; 0 when one looks like no object."""
    tidy = content.strip(BLANKS)
    if lines := _regular(tidy):
        return tidy, lines
    tidy = _BLANK_LINES.sub(b"\n", tidy.replace(b"\r\n", b"\n"))
    if lines := _regular(tidy):
        return tidy, lines
    tidy = b"\n".join(line.rstrip(BLANKS) for line in tidy.split(b"\n"))
    return tidy, _regular(tidy)


def _regular(tidy: bytes) -> int:
    """Returns how many lines there are when each begins and ends as objects do, otherwise 0."""
    if not (tidy.startswith(b"{") and tidy.endswith(b"}")):
        return 0
    # Half the time of bytes.count, which is slow where it finds much.
    text = np.frombuffer(tidy, np.uint8)
    ends = np.flatnonzero(text == _LINE_FEED)
    is_regular = np.all(text[ends - 1] == _CLOSING) and np.all(text[ends + 1] == _OPENING)
    return len(ends) + 1 if is_regular else 0


def _objects(content: bytes) -> int:
    """Returns how many objects there are, or more: text has braces too."""
    return int(np.count_nonzero(np.frombuffer(content, np.uint8) == _OPENING))


def _is_utf8(content: bytes) -> bool:
    try:
        return content.isascii() or bool(content.decode())
    except UnicodeDecodeError:
        return False


def _borders(content: bytes, parts: int) -> list[int]:
    """Returns ends of lines that divide them into so many parts, of about as many lines each."""
    ends = np.flatnonzero(np.frombuffer(content, np.uint8) == _LINE_FEED) + 1
    chosen = ends[:: max(1, len(ends) // parts)].tolist()
    return sorted({0, *chosen, len(content)})
