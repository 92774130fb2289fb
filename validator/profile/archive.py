"""How a state is stored: a line with a checksum, one of JSON, then all blobs in one zstd frame. No pickle.

The checksum is the CRC-32C, as eight hexadecimal digits, of what is stored beside the state (by `states`, a
line before it) and of every byte after its own line. The JSON has `engine`, `rows`, `columns` (per column,
and per field of a struct, its scalars and the names and sizes of its blobs, in order), and `bytes` of the
blobs together before they were compressed.
Blobs of exact counts: `values` (int64 or float64), or `offsets` (int32) and `bytes` of texts; then `counts`
(int64); all little-endian. Blobs beyond the limit are Apache DataSketches' own: `quantiles.kll`,
`frequent.items`, `distinct.theta`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, Final

import google_crc32c
import numpy as np
import pyarrow as pa

from validator.profile.counts import Values
from validator.profile.occurrences import Parts
from validator.profile.sums import Tally

_LEVEL: Final = 1
"""Higher ones of zstd save a tenth for twice the time."""
_LARGEST: Final = 2 << 30
"""Bytes of blobs; no state comes near, a damaged one may claim more."""


def pack(index: Mapping[str, Any], blobs: Sequence[bytes], beside: bytes = b"") -> bytes:
    """Returns an index and blobs as one content, whose checksum covers what is stored beside it too."""
    body = b"".join(blobs)
    line = json.dumps({**index, "bytes": len(body)}).encode()
    packed: bytes = pa.Codec("zstd", _LEVEL).compress(body, asbytes=True)
    return b"\n".join([_checksum(beside, line, packed), line, packed])


def unpack(content: bytes, beside: bytes = b"") -> tuple[Mapping[str, Any], memoryview]:
    """Returns the index and all blobs of a content.

    Raises:
        ValueError: It is damaged, or what is stored beside it is.
    """
    checksum, line, packed = content.split(b"\n", 2)
    if checksum != _checksum(beside, line, packed):
        raise ValueError("not the bytes that were stored")
    index = json.loads(line)
    size = index["bytes"]
    if not 0 <= size <= _LARGEST:
        raise ValueError("blobs of an impossible size")
    body = pa.Codec("zstd").decompress(packed, size, asbytes=True) if size else b""
    return index, memoryview(body)


def _checksum(beside: bytes, line: bytes, packed: bytes) -> bytes:
    # By pieces: a state may be large, and to put them together would copy it.
    return b"%08x" % reduce(google_crc32c.extend, (line, b"\n", packed), google_crc32c.value(beside))


def described(parts: Parts) -> dict[str, Any]:
    """Returns the scalars of a column, with the names and sizes of its blobs."""
    return {**parts.scalars, "blobs": [[name, len(blob)] for name, blob in parts.blobs.items()]}


class Blobs:
    """Hands out the blobs of a body in their order."""

    def __init__(self, body: memoryview) -> None:
        self._body = body
        self._position = 0

    def of(self, scalars: Mapping[str, Any]) -> Parts:
        """Returns a column's scalars and the blobs they name."""
        return Parts(scalars, dict(self._named(scalars["blobs"])))

    def _named(self, names: Sequence[tuple[str, int]]) -> Iterator[tuple[str, bytes]]:
        for name, size in names:
            start, self._position = self._position, self._position + size
            # A copy: a small table must not hold the whole body in memory.
            yield name, bytes(self._body[start : self._position])


def write_table(values: Values, counts: Tally) -> Mapping[str, bytes]:
    """Returns a table of values and counts as blobs."""
    if not pa.types.is_binary(values.type):
        return {"values": values.to_numpy().tobytes(), "counts": counts.tobytes()}
    _, offsets, content = values.buffers()
    ends = np.frombuffer(offsets, np.int32)[values.offset :][: len(values) + 1]
    used = memoryview(content)[ends[0] : ends[-1]] if content else b""
    return {"offsets": (ends - ends[0]).tobytes(), "bytes": bytes(used), "counts": counts.tobytes()}


def read_table(kind: Any, blobs: Mapping[str, bytes]) -> tuple[Values, Tally]:
    """Reads what `write_table` returned."""
    counts = np.frombuffer(blobs["counts"], np.int64)
    if not pa.types.is_binary(kind):
        buffers = [None, pa.py_buffer(blobs["values"])]
        return pa.Array.from_buffers(kind, len(counts), buffers), counts
    buffers = [None, pa.py_buffer(blobs["offsets"]), pa.py_buffer(blobs["bytes"])]
    return pa.Array.from_buffers(kind, len(counts), buffers), counts
