"""How a state is taken apart to be stored: JSON scalars, and blobs in formats others document too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from validator.profile.counts import Values
from validator.profile.moments import Tally


@dataclass(frozen=True, slots=True)
class Parts:
    """A column's state: what JSON can say, and named blobs."""

    scalars: Mapping[str, Any]
    blobs: Mapping[str, bytes]


def write_table(values: Values, counts: Tally) -> bytes:
    """Returns a table of values and counts as an Arrow IPC stream."""
    batch = pa.record_batch([values, pa.array(counts)], names=["value", "count"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def read_table(content: bytes) -> tuple[Values, Tally]:
    """Reads what `write_table` returned."""
    with pa.ipc.open_stream(content) as reader:
        batch = reader.read_next_batch()
    return batch.column("value"), batch.column("count").to_numpy()
