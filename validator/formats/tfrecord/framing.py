"""Records of a TFRecord file: length, checksum of the length, data, checksum of the data.

https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import google_crc32c
import numpy as np

from validator.formats.tfrecord.wire import PADDING, Numbers
from validator.formats.trouble import Trouble

BLOCK_BYTES: Final = 4 << 20
"""Read at a time."""
RECORD_BYTES: Final = 64 << 20
"""The longest record that is read."""

_HEAD: Final = struct.Struct("<QI")
_FOOT: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Frames:
    """Consecutive records."""

    number: int
    """Records before them."""
    offset: int
    """Of the content in the unpacked file."""
    content: bytes
    """Records with all around them, then PADDING."""
    starts: Numbers
    """Where in the content each record's data begins."""
    stops: Numbers

    def __len__(self) -> int:
        return len(self.starts)

    def part(self, start: int, stop: int) -> Frames:
        """Returns some of the records."""
        return Frames(
            self.number + start, self.offset, self.content, self.starts[start:stop], self.stops[start:stop]
        )

    def trouble(self, record: int, why: str) -> Trouble:
        """Returns what is to be said of one of them."""
        return _trouble(self.number + record, self.offset + int(self.starts[record]) - _HEAD.size, why)

    def __iter__(self) -> Iterator[bytes]:
        """Yields the data of each record."""
        for start, stop in zip(self.starts.tolist(), self.stops.tolist(), strict=True):
            yield self.content[start:stop]


def frames(source: Any, block: int = BLOCK_BYTES) -> Iterator[Frames]:
    """Yields the records of a stream in order, some megabytes at a time.

    Args:
        source: A binary stream, unpacked.
        block: Bytes read at a time.

    Raises:
        Trouble: A checksum is wrong, a record too long, or the end inside of one.
    """
    number = offset = 0
    held = b""
    while piece := source.read(block):
        held += piece
        starts, stops, end = _whole(held, number, offset)
        if starts:
            content = held[:end] + PADDING
            yield Frames(number, offset, content, np.array(starts, np.int64), np.array(stops, np.int64))
            number, offset, held = number + len(starts), offset + end, held[end:]
    if held:
        raise _trouble(number, offset, "the file ends inside of it")


def _whole(held: bytes, number: int, offset: int) -> tuple[list[int], list[int], int]:
    """Returns where data begins and ends of each record that is held whole, and where the last one ends."""
    starts: list[int] = []
    stops: list[int] = []
    at = 0
    while len(held) - at >= _HEAD.size:
        start = at + _HEAD.size
        size, checksum = _HEAD.unpack_from(held, at)
        if _masked(held[at : at + 8]) != checksum:
            why = "the checksum of its length is wrong: it is damaged, or no TFRecord"
            raise _trouble(number + len(starts), offset + at, why)
        if size > RECORD_BYTES:
            why = f"it is {size:,} bytes long, more than {RECORD_BYTES >> 20} MiB"
            raise _trouble(number + len(starts), offset + at, why)
        stop = start + size
        if stop + _FOOT.size > len(held):
            break
        if _masked(held[start:stop]) != _FOOT.unpack_from(held, stop)[0]:
            raise _trouble(
                number + len(starts), offset + at, "the checksum of its data is wrong: it is damaged"
            )
        starts.append(start)
        stops.append(stop)
        at = stop + _FOOT.size
    return starts, stops, at


def _masked(content: bytes) -> int:
    """Returns the CRC-32C of bytes, rotated and shifted: that of data that holds its own would be weak."""
    checksum: int = google_crc32c.value(content)
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _trouble(record: int, at: int, why: str) -> Trouble:
    return Trouble(at, why, f"record {record + 1} at byte {at}")
