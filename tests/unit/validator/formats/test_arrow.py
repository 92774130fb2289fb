"""Arrow IPC: right figures from files and streams, every way of cutting, and damage that is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, ipc

from tests.unit.validator.formats.reading import kinds, numeric, read_in_cuts, refusal, summary, text
from validator import formats, store
from validator.cuts import Cut
from validator.errors import DataError
from validator.formats.columnar import parts

COLUMNS: Mapping[str, Any] = {
    "n": pa.array(range(900)),
    "s": pa.array([f"s{n % 7}" for n in range(900)]),
    "c": pa.array([f"s{n % 7}" for n in range(900)]).dictionary_encode(),
}


def write(
    path: Path, columns: Mapping[str, Any] = COLUMNS, compression: str | None = None, rows: int = 100
) -> Path:
    """Writes record batches of so many rows, as a file or as a stream by its name."""
    table = pa.table(dict(columns))
    options = ipc.IpcWriteOptions(compression=compression, emit_dictionary_deltas=True)
    new = ipc.new_stream if path.suffix == ".arrows" else ipc.new_file
    with new(str(path), table.schema, options=options) as writer:
        writer.write_table(table, rows)
    return path


def batches(path: Path) -> list[Any]:
    """Returns what is profiled of a file."""
    [target] = store.at(str(path)).list(str(path))
    reader = formats.of(target.uri)
    return list(reader.read(Cut(target, 0, target.size), reader.header(target).columns).batches)


@pytest.fixture(params=["a.arrow", "a.arrows"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / str(request.param))


class TestRead:
    @pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
    def test_files_and_streams(self, path: Path, compression: str | None) -> None:
        read = summary(write(path, compression=compression))
        assert (read.rows, numeric(read).mean, "".join(k[0] for k in kinds(read).values())) == (
            900,
            449.5,
            "IBB",
        )
        assert text(read, 1).ranked == text(read, 2).ranked

    @pytest.mark.parametrize("name", ["a.arrow", "a.feather", "a.ipc"])
    def test_a_stream_may_have_the_name_of_a_file(self, tmp_path: Path, name: str) -> None:
        stream = write(tmp_path / "a.arrows").rename(tmp_path / name)
        assert summary(stream).rows == 900

    @pytest.mark.parametrize("suffix", ["arrow", "feather"])
    def test_files_of_before_0_15(self, tmp_path: Path, suffix: str) -> None:
        path, table = tmp_path / f"a.{suffix}", pa.table(dict(COLUMNS))
        options = ipc.IpcWriteOptions(use_legacy_format=True, metadata_version=ipc.MetadataVersion.V4)
        with ipc.new_file(path, table.schema, options=options) as writer:
            writer.write_table(table, 100)
        assert summary(path).rows == 900

    def test_feather(self, tmp_path: Path) -> None:
        feather.write_feather(pa.table(dict(COLUMNS)), str(tmp_path / "a.feather"), chunksize=100)
        assert summary(tmp_path / "a.feather").rows == 900

    def test_no_rows(self, path: Path) -> None:
        read = summary(write(path, {"n": pa.array([], pa.int64())}))
        assert (read.rows, len(read.columns)) == (0, 1)

    def test_words_that_come_up_later(self, tmp_path: Path) -> None:
        path = tmp_path / "a.arrows"
        first, second = (pa.record_batch({"s": pa.array(w).dictionary_encode()}) for w in (["a"], ["a", "b"]))
        options = ipc.IpcWriteOptions(emit_dictionary_deltas=True)
        with ipc.new_stream(str(path), first.schema, options=options) as writer:
            writer.write_batch(first)
            writer.write_batch(second)
        assert text(summary(path)).ranked == (("a", 2), ("b", 1))

    def test_text_that_is_no_utf8_is_counted(self, path: Path) -> None:
        texts = pa.array([b"\xff", b"good"]).view(pa.string())
        assert text(summary(write(path, {"s": texts}))).invalid_utf8 == 1


class TestCuts:
    @pytest.fixture(scope="class")
    @staticmethod
    def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
        return write(tmp_path_factory.mktemp("cuts") / "a.arrow")

    @pytest.fixture(scope="class")
    @staticmethod
    def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
        return write(tmp_path_factory.mktemp("cuts") / "a.arrows")

    @settings(deadline=None, max_examples=40)
    @given(st.sets(st.integers(1, 30_000), max_size=12))
    def test_each_record_batch_is_read_once(self, file: Path, borders: set[int]) -> None:
        assert list(chain(*read_in_cuts(file, borders))) == list(range(900))

    @settings(deadline=None, max_examples=40)
    @given(st.sets(st.integers(1, 30_000), max_size=12))
    def test_a_stream_is_read_by_its_first_cut(self, stream: Path, borders: set[int]) -> None:
        first, *others = read_in_cuts(stream, borders)
        assert first == list(range(900))
        assert not any(others)

    def test_cuts_share_the_record_batches(self, file: Path) -> None:
        assert [len(values) for values in read_in_cuts(file, [file.stat().st_size // 2])] == [500, 400]

    @pytest.mark.parametrize(("name", "is_cuttable"), [("a.arrow", True), ("a.arrows", False)])
    def test_only_what_is_named_a_stream_stays_whole(self, name: str, is_cuttable: bool) -> None:
        assert formats.of(name).weight.is_cuttable is is_cuttable


class TestBounds:
    ZEROS: Mapping[str, Any] = {"n": pa.array(np.zeros(1 << 20, np.int64))}

    @pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
    def test_a_record_batch_that_is_too_great_is_refused(
        self, path: Path, compression: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parts, "MOST_BYTES", 8 << 20)
        assert summary(write(path, self.ZEROS, compression, rows=1 << 20)).rows == 1 << 20
        monkeypatch.setattr(parts, "MOST_BYTES", (8 << 20) - 1)
        complaint = "record batch 0: its buffers have 8 MiB decoded, more than the 7 MiB that are held"
        assert complaint in refusal(write(path, self.ZEROS, compression, rows=1 << 20))

    @pytest.mark.parametrize(("packing", "is_refused"), [(16, True), (1 << 20, False)])
    def test_one_that_is_packed_little_may_be_greater(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, packing: int, *, is_refused: bool
    ) -> None:
        monkeypatch.setattr(parts, "PART_BYTES", 1 << 20)
        monkeypatch.setattr(parts, "PACKING", packing)
        write(path, self.ZEROS, "zstd", rows=1 << 20)
        if is_refused:
            assert "more than the 1 MiB" in refusal(path)
        else:
            assert summary(path).rows == 1 << 20

    def test_a_later_one_is_refused_by_its_number(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parts, "PART_BYTES", 1 << 20)
        texts = ["x"] * 250 + ["x" * (1 << 20)]
        assert "record batch 2: its buffers have 2 MiB" in refusal(write(path, {"s": texts}, "zstd"))

    @pytest.mark.parametrize(("is_growing", "is_refused"), [(True, True), (False, False)])
    def test_dictionaries_that_grow_are_counted_together(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_growing: bool, is_refused: bool
    ) -> None:
        path = tmp_path / "a.arrows"
        options = ipc.IpcWriteOptions(emit_dictionary_deltas=is_growing)
        words: list[str] = []
        with ipc.new_stream(
            path, pa.schema({"s": pa.dictionary(pa.int32(), pa.string())}), options=options
        ) as writer:
            for number in range(4):
                words = [*words * is_growing, f"{number}" * 600]
                writer.write_batch(pa.record_batch({"s": pa.array(words).dictionary_encode()}))
        monkeypatch.setattr(parts, "MOST_BYTES", 2000)
        if is_refused:
            assert "write smaller dictionaries" in refusal(path)
        else:
            assert summary(path).rows == 4


def lists_of(words: Any) -> Any:
    """1,000 rows of the first word of a dictionary."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * 1_000, pa.int8()), words)


LONG = "x" * 1_000


class TestUnpacked:
    """What is stored once and read by many rows is never unpacked for all of them."""

    @pytest.mark.parametrize(
        "values",
        [
            pa.RunEndEncodedArray.from_arrays([1_000], pa.array([[7] * 100])),
            lists_of(pa.array([[7] * 100])),
            lists_of(pa.array([[7] * 100], pa.list_(pa.int8(), 100))),
            lists_of(pa.array([{"a": LONG}])),
            pa.StructArray.from_arrays([lists_of(pa.array([[7] * 100]))], ["f"]),
            pa.ListArray.from_arrays(range(1_001), lists_of(pa.array([[7] * 100]))),
            pa.ListViewArray.from_arrays([0] * 1_000, [100] * 1_000, pa.array([7] * 100)),
            pa.FixedSizeListArray.from_arrays(pa.nulls(100_000), 100),
            pa.array([[True] * 100] * 1_000),
        ],
        ids=lambda values: str(values.type),
    )
    def test_batches_are_bounded(self, path: Path, values: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        write(path, {"v": values}, rows=1_000)
        [whole] = batches(path)
        monkeypatch.setattr(parts, "BATCH_BYTES", 20_000)
        pieces = batches(path)
        assert max(piece.nbytes for piece in pieces) <= 20_000
        assert 40 <= len(pieces) <= 100
        assert pa.Table.from_batches(pieces).to_pylist() == pa.Table.from_batches([whole]).to_pylist()

    @pytest.mark.parametrize(
        "values",
        [
            pa.RunEndEncodedArray.from_arrays([1_000], pa.array([LONG])),
            lists_of(pa.array([LONG, None])),
            lists_of(pa.array([LONG, LONG])),
            lists_of(pa.array([LONG.encode(), None], pa.large_binary())),
            lists_of(pa.array([LONG.encode()], pa.binary(1_000))),
            lists_of(pa.array([LONG, *[""] * (1 << 16)])),
        ],
        ids=lambda values: f"{values.type}",
    )
    def test_texts_stay_packed(self, path: Path, values: Any) -> None:
        [batch] = batches(write(path, {"v": values}, rows=1_000))
        assert batch.nbytes < 10_000
        assert text(summary(path), 0).ranked[0][1] == 1_000

    def test_rows_of_different_sizes(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        lengths = [0, 10, 999, 0, 5, 1_000, 1]
        write(path, {"v": pa.array([[None] * length for length in lengths], pa.list_(pa.null()))})
        monkeypatch.setattr(parts, "BATCH_BYTES", 8_000)
        assert [batch.num_rows for batch in batches(path)] == [2, 1, 2, 1, 1]
        assert summary(path).rows == 7

    @pytest.mark.parametrize(("length", "is_refused"), [(1_000, False), (1_001, True)])
    def test_a_row_that_is_too_great_is_refused(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, length: int, *, is_refused: bool
    ) -> None:
        monkeypatch.setattr(parts, "BATCH_BYTES", 1_000)
        monkeypatch.setattr(parts, "PART_BYTES", 8_008)
        write(path, {"v": pa.array([[1], [1] * length])})
        if is_refused:
            assert "record batch 0: a row has 0 MiB decoded, more than the 0 MiB" in refusal(path)
        else:
            assert summary(path).rows == 2


class TestDamage:
    def test_of_an_end_that_is_cut_off(self, path: Path) -> None:
        content = path.read_bytes()
        for size in range(0, len(content), 97):
            path.write_bytes(content[:size])
            refusal(path)

    @pytest.mark.parametrize("batches", [0, 1, 8])
    def test_of_a_stream_cut_off_between_two_record_batches(self, tmp_path: Path, batches: int) -> None:
        path = write(tmp_path / "a.arrows")
        with path.open("rb") as file:
            reader = ipc.open_stream(file)
            for _ in range(batches):
                reader.read_next_batch()
            end = file.tell()
        path.write_bytes(path.read_bytes()[:end])
        assert "its stream has no end: it was cut off" in refusal(path)

    def test_of_a_second_stream_behind_the_first(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.arrows")
        path.write_bytes(path.read_bytes() * 2)
        assert "its stream ends after record batch 8" in refusal(path)

    @pytest.mark.parametrize(
        ("content", "name"),
        [
            (b"", "empty"),
            (b"a,b\n1,2\n", "text"),
            (b"PAR1" + bytes(99) + b"PAR1", "Parquet"),
            (b"FEA1" + bytes(99) + b"FEA1", "Feather version 1"),
            (b"\x1f\x8b" + bytes(99), "gzip"),
        ],
    )
    def test_of_another_format(self, path: Path, content: bytes, name: str) -> None:
        path.write_bytes(content)
        assert f"it is {name}, not Arrow IPC" in refusal(path)

    def test_of_offsets(self, path: Path) -> None:
        offsets = pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, 5, 3)))
        broken = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"abcde"))
        assert "record batch 0, column 's': Offset invariant failure" in refusal(write(path, {"s": broken}))

    def test_of_any_byte_is_refused_or_read_to_the_end(self, path: Path) -> None:
        content = path.read_bytes()
        for place in range(0, len(content), 61):
            path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
            with suppress(DataError):
                assert summary(path).rows == 900

    def test_of_lengths(self, path: Path) -> None:
        content = write(path, {"s": COLUMNS["s"]}).read_bytes()
        places = [
            place for place in range(len(content)) if content.startswith((100).to_bytes(8, "little"), place)
        ]
        for place in places:
            path.write_bytes(content[:place] + (1 << 60).to_bytes(8, "little") + content[place + 8 :])
            assert "record batch" in refusal(path)
        assert places

    def test_of_names(self, path: Path) -> None:
        table = pa.table([[1], [2]], names=["a", "a"])
        new: Callable[..., Any] = ipc.new_stream if path.suffix == ".arrows" else ipc.new_file
        with new(str(path), table.schema) as writer:
            writer.write_table(table)
        assert "its schema has 2 columns named 'a'" in refusal(path)
