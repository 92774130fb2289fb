"""Messages of Arrow IPC: what they are, how great they will be, and damage that stays within them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import ipc

from validator.formats.columnar import messages
from validator.formats.columnar.flatbuffer import Table
from validator.formats.columnar.messages import DICTIONARY, RECORD_BATCH, SCHEMA, Message

ROWS = pa.record_batch(
    {
        "n": np.arange(1000),
        "s": [None, *(f"s{n % 7}" for n in range(999))],
        "d": pa.array([f"s{n % 7}" for n in range(1000)]).dictionary_encode(),
    }
)


def stored(compression: str | None = None, *, is_file: bool = False) -> bytes:
    out = io.BytesIO()
    new = ipc.new_file if is_file else ipc.new_stream
    with new(out, ROWS.schema, options=ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_batch(ROWS)
        writer.write_batch(ROWS.slice(0, 10))
    return out.getvalue()


def read(content: bytes) -> list[Message]:
    place, found = 0, []
    while (message := messages.message(io.BytesIO(content), place, len(content))) is not None:
        found.append(message)
        place += message.stored
    return found


class TestMessage:
    @pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
    def test_kinds_and_sizes(self, compression: str | None) -> None:
        found = read(stored(compression))
        assert [message.kind for message in found] == [SCHEMA, DICTIONARY, RECORD_BATCH, RECORD_BATCH]
        buffers = [buffer.size for column in ROWS.columns for buffer in column.buffers()[:3] if buffer]
        assert found[2].decoded == pytest.approx(sum(buffers), abs=64 * len(buffers))

    def test_all_of_a_stream_is_in_its_messages(self) -> None:
        content = stored()
        assert b"".join(part for m in read(content) for part in (m.head, m.body)) == content[:-8]

    @pytest.mark.parametrize("compression", [None, "zstd"])
    def test_the_size_is_that_of_the_values(self, compression: str | None) -> None:
        out = io.BytesIO()
        batch = pa.record_batch({"n": np.zeros(1 << 20, np.int64)})
        with ipc.new_stream(
            out, batch.schema, options=ipc.IpcWriteOptions(compression=compression)
        ) as writer:
            writer.write_batch(batch)
        [_, message] = read(out.getvalue())
        assert message.decoded == 8 << 20
        assert (message.stored < 10_000) is (compression is not None)

    def test_places_in_a_file(self) -> None:
        content = stored(is_file=True)
        places = messages.places(io.BytesIO(content), len(content))
        kinds = [
            [messages.message(io.BytesIO(content), place, len(content)) for place in found]
            for found in ((places.schema,), places.dictionaries, places.batches)
        ]
        assert [[m.kind for m in found if m] for found in kinds] == [
            [SCHEMA],
            [DICTIONARY],
            [RECORD_BATCH] * 2,
        ]

    @pytest.mark.parametrize("cut", [0, 1, 5, 8, 30, 200])
    def test_one_that_is_cut_off(self, cut: int) -> None:
        content = stored()[:cut]
        with pytest.raises(ValueError, match=r"cut off|damaged"):
            messages.message(io.BytesIO(content), 0, len(content))

    @settings(deadline=None, max_examples=300)
    @given(st.data())
    def test_any_bytes_are_a_message_or_refused(self, data: Any) -> None:
        content = bytearray(stored("lz4", is_file=data.draw(st.booleans())))
        for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
            content[place] = data.draw(st.integers(0, 255))
        try:
            found = messages.places(io.BytesIO(content), len(content))
            for place in (found.schema, *found.dictionaries, *found.batches):
                message = messages.message(io.BytesIO(content), place, len(content))
                assert message is None or message.decoded >= 0
        except ValueError:
            pass


class TestTable:
    @pytest.mark.parametrize("content", [b"", b"\0\0", b"\xff" * 4, b"\xff" * 64])
    def test_of_no_flatbuffer(self, content: bytes) -> None:
        with pytest.raises(ValueError, match="its metadata is damaged"):
            list(Table.root(content).structs(2, "<qq"))

    def test_what_is_not_set(self) -> None:
        # The root is at byte 8, its vtable of 4 bytes, without a field, at byte 4.
        table = Table.root(b"\x08\0\0\0\x04\0\x04\0\x04\0\0\0")
        assert (table.number(0, "<q"), table.table(1), list(table.structs(2, "<q"))) == (0, None, [])
