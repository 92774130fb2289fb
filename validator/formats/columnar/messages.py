"""The messages of Arrow IPC as they are stored, and how many bytes they are decoded.

A message is FF FF FF FF (not before Arrow 0.15), the size of its metadata, these as a flatbuffer, and a body
of buffers. A file has magic bytes, a stream, and a footer with the places of dictionaries and record batches.

https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc,
https://github.com/apache/arrow/tree/main/format: File.fbs, Message.fbs
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

from validator.formats.columnar import parts
from validator.formats.columnar.flatbuffer import Table

MAGIC: Final = b"ARROW1"
CONTINUATION: Final = b"\xff\xff\xff\xff"
SCHEMA, DICTIONARY, RECORD_BATCH = 1, 2, 3
"""What a message may be."""

_SCHEMA_PLACE: Final = 8
"""In a file: after the magic bytes."""
_BLOCK: Final = "<qi4xq"
"""Offset, bytes of the metadata, bytes of the body."""
_BUFFER: Final = "<qq"
"""Offset in the body, bytes."""
_PACKED_AS_IT_IS: Final = -1


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    head: bytes
    """What stands before the body, as it is stored."""
    body: bytes
    kind: int
    decoded: int
    """Bytes of its buffers once they are unpacked."""
    dictionary: int = 0
    """Id of a dictionary."""
    is_delta: bool = False
    """Whether a dictionary goes on with the one of its id that came before."""

    @property
    def stored(self) -> int:
        """Bytes of all of it."""
        return len(self.head) + len(self.body)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the messages of a file begin."""

    schema: int
    dictionaries: tuple[int, ...]
    batches: tuple[int, ...]


def places(source: Any, size: int) -> Places:
    """Reads the places in the footer of a file.

    Raises:
        ValueError: One is outside of the file.
    """
    source.seek(size - len(MAGIC) - 4)
    [length] = struct.unpack("<i", source.read(4))
    source.seek(max(0, size - len(MAGIC) - 4 - length))
    footer = Table.root(source.read(length))
    # Field 1 is the schema once more.
    dictionaries, batches = (tuple(block[0] for block in footer.structs(field, _BLOCK)) for field in (2, 3))
    if not all(0 < place < size for place in (*dictionaries, *batches)):
        raise ValueError("a message is not inside of the file")
    return Places(_SCHEMA_PLACE, dictionaries, batches)


def message(source: Any, place: int, size: int) -> Message | None:
    """Reads a message whole; None where a stream has its end.

    Args:
        source: A file.
        place: Where the message begins.
        size: Bytes of the file, beyond which none are asked for.

    Raises:
        ValueError: It ends beyond the file, is damaged, or there is none.
        Oversized: Its body is greater than what is held.
    """
    if place == size:
        # Without the mark at the end nobody could tell a whole stream from one that was cut off.
        raise ValueError("its stream has no end: it was cut off")
    source.seek(place)
    prefix = _read(source, 4, size)
    if prefix == CONTINUATION:
        prefix += _read(source, 4, size)
    [length] = struct.unpack("<i", prefix[-4:])
    if length == 0:
        return None
    metadata = _read(source, length, size)
    table = Table.root(metadata)
    length = table.number(3, "<q")
    stored = min(length, size)
    parts.demand_held(stored, stored, "record batches")
    return _told(prefix + metadata, table, _read(source, length, size))


def _read(source: Any, length: int, size: int) -> bytes:
    left = size - source.tell()
    if not 0 <= length <= left:
        raise ValueError(f"its length is {length} where {left} bytes are left: it is damaged or was cut off")
    content: bytes = source.read(length)
    return content


def _told(head: bytes, table: Table, body: bytes) -> Message:
    kind = table.number(1, "<B")
    header = table.table(2)
    if kind == RECORD_BATCH and header is not None:
        return Message(head, body, kind, _decoded(header, body))
    if kind == DICTIONARY and header is not None:
        words = header.table(1)
        decoded = 0 if words is None else _decoded(words, body)
        return Message(head, body, kind, decoded, header.number(0, "<q"), bool(header.number(2, "<B")))
    return Message(head, body, kind, 0)


def _decoded(batch: Table, body: bytes) -> int:
    buffers = batch.structs(2, _BUFFER)
    is_packed = batch.table(3) is not None
    return sum(_unpacked(body, *buffer) if is_packed else max(0, buffer[1]) for buffer in buffers)


def _unpacked(body: bytes, offset: int, length: int) -> int:
    """Returns how many bytes a packed buffer says it will be, in its first eight."""
    if length == 0:
        return 0
    if not 0 <= offset <= len(body) - 8:
        raise ValueError("its metadata is damaged")
    [size] = struct.unpack_from("<q", body, offset)
    return length if size == _PACKED_AS_IT_IS else max(0, int(size))
