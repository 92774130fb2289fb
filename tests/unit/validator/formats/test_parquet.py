"""Parquet: right figures, every way of cutting, bounded memory, and damage that is named."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.unit.validator.formats.reading import kinds, numeric, read_in_cuts, refusal, summary, text
from validator import dataset, formats, store
from validator.cuts import Cut
from validator.errors import DataError
from validator.formats.columnar import bombs, parts
from validator.formats.columnar import parquet as subject


def write(path: Path, columns: Mapping[str, Any], **options: Any) -> Path:
    parquet.write_table(pa.table(dict(columns)), path, **options)
    return path


class TestParquet:
    def test_types_and_their_kinds(self, tmp_path: Path) -> None:
        columns = {
            "bool": pa.array([True, False, None]),
            "int8": pa.array([1, 2, 3], pa.int8()),
            "uint64": pa.array([2**64 - 1, 0, None], pa.uint64()),
            "float32": pa.array([1.5, None, 3], pa.float32()),
            "decimal": pa.array([Decimal("1.50"), Decimal("2.25"), None]),
            "text": pa.array(["x", None, "x"]),
            "bytes": pa.array([b"\xff", b"y", None]),
            "category": pa.array(["p", "q", None]).dictionary_encode(),
            "date": pa.array([date(2026, 11, 22)] * 3),
            "time": pa.array([datetime(2026, 11, 22, 1, 2, 3)] * 3, pa.timestamp("us")),  # noqa: DTZ001
            "null": pa.nulls(3),
        }
        read = summary(write(tmp_path / "a.parquet", columns))
        letters = "".join(kind[0] for kind in kinds(read).values())
        assert letters == "IIFFFBBBBBB"
        assert numeric(read, 2).maximum == 2.0**64
        assert text(read, 6).invalid_utf8 == 1
        assert text(read, 8).ranked == (("2026-11-22", 3),)
        assert text(read, 9).ranked[0][0].startswith("2026-11-22 01:02:03")

    def test_lists_are_counted_by_length(self, tmp_path: Path) -> None:
        lists = pa.array([[1, 2], [], None, [3, None, 5]])
        names = pa.array([["x"], ["x", "y"], None, []], pa.list_(pa.string()))
        read = summary(write(tmp_path / "a.parquet", {"n": lists, "s": names}))
        assert numeric(read).presence.lengths == {0: 1, 2: 1, 3: 1}
        assert (numeric(read).presence.missing, numeric(read).finite) == (1, 4)
        assert text(read, 1).ranked == (("x", 2), ("y", 1))

    def test_many_row_groups_and_wide_rows(self, tmp_path: Path) -> None:
        columns = {"n": pa.array(range(1000)), "s": pa.array(["x" * 5000] * 1000)}
        read = summary(write(tmp_path / "a.parquet", columns, row_group_size=100))
        assert (read.rows, numeric(read).mean, text(read, 1).content) == (1000, 499.5, 5_000_000)

    def test_no_rows(self, tmp_path: Path) -> None:
        read = summary(write(tmp_path / "a.parquet", {"n": pa.array([], pa.int64())}))
        assert (read.rows, len(read.columns)) == (0, 1)

    def test_no_rows_and_nothing_stored(self, tmp_path: Path) -> None:
        columns = {"n": pa.array([], pa.int64())}
        path = write(tmp_path / "a.parquet", columns, use_dictionary=False, compression="none")
        assert summary(path).rows == 0

    def test_days_before_1677_in_the_old_type_do_not_wrap(self, tmp_path: Path) -> None:
        days = pa.array([datetime(1, 1, 1), datetime(9999, 12, 31)], pa.timestamp("us"))  # noqa: DTZ001
        path = write(tmp_path / "a.parquet", {"t": days}, use_deprecated_int96_timestamps=True)
        assert [label[:10] for label, _ in text(summary(path)).ranked] == ["9999-12-31", "0001-01-01"]

    def test_text_that_is_no_utf8_is_counted(self, tmp_path: Path) -> None:
        texts = pa.array([b"\xff", b"good"]).view(pa.string())
        assert text(summary(write(tmp_path / "a.parquet", {"s": texts}))).invalid_utf8 == 1

    @pytest.mark.parametrize(
        ("words", "is_kept"), [(lambda n: f"word {n % 50}", True), (lambda n: f"{n:040}", False)]
    )
    def test_words_stay_in_their_dictionary_and_unique_texts_do_not(
        self, tmp_path: Path, words: Callable[[int], str], is_kept: bool
    ) -> None:
        path = write(tmp_path / "a.parquet", {"s": pa.array(map(words, range(60_000)))})
        [target] = store.at("").list(str(path))
        reading = subject.Parquet().read(Cut.whole(target), dataset.describe([target]).columns)
        found = {pa.types.is_dictionary(batch.column(0).type) for batch in reading.batches}
        assert found == {is_kept}


class TestCuts:
    @pytest.fixture(scope="class")
    @staticmethod
    def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
        columns = {"n": pa.array(range(900)), "s": pa.array([f"s{n % 7}" for n in range(900)])}
        return write(tmp_path_factory.mktemp("cuts") / "a.parquet", columns, row_group_size=100)

    @settings(deadline=None, max_examples=40)
    @given(st.sets(st.integers(1, 20_000), max_size=12))
    def test_each_row_group_is_read_once(self, path: Path, borders: set[int]) -> None:
        assert list(chain(*read_in_cuts(path, borders))) == list(range(900))

    def test_a_row_group_belongs_to_where_its_first_column_starts(self, path: Path) -> None:
        start = subject._start(parquet.read_metadata(path).row_group(4))
        assert [len(values) for values in read_in_cuts(path, [start])] == [400, 500]
        assert [len(values) for values in read_in_cuts(path, [start + 1])] == [500, 400]


class TestBounds:
    def test_batches_are_bounded_in_rows_and_bytes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(
            tmp_path / "a.parquet", {"n": np.arange(10_000), "m": np.random.default_rng(1).random(10_000)}
        )
        monkeypatch.setattr(parts, "BATCH_ROWS", 4000)
        assert self._sizes(path) == [4000, 4000, 2000]
        monkeypatch.setattr(parts, "BATCH_BYTES", 32_000)
        assert max(self._sizes(path)) <= 2000

    def test_a_great_row_group_is_read_through_windows(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        noise = np.random.default_rng(1).integers(0, 2**62, 200_000)
        path = write(
            tmp_path / "a.parquet", {"n": noise, "m": noise}, use_dictionary=False, compression="none"
        )
        reads = self._reads(path, monkeypatch)
        assert max(reads) > 1_600_000
        monkeypatch.setattr(subject, "HELD_BYTES", 200_000)
        assert max(self._reads(path, monkeypatch)) < 1_200_000

    def test_the_footer_is_read_once_and_each_chunk_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(tmp_path / "a.parquet", {f"c{n}": range(1000) for n in range(5)}, row_group_size=500)
        assert len(self._reads(path, monkeypatch)) == 1 + 2 * 5

    def test_a_list_that_is_a_bomb_is_refused(self, tmp_path: Path) -> None:
        zeros = pa.array(np.zeros(9 << 20, np.int64))
        lists = pa.LargeListArray.from_arrays(pa.array([0, len(zeros)], pa.int64()), zeros)
        path = write(tmp_path / "a.parquet", {"l": lists}, compression="zstd")
        assert path.stat().st_size < 10_000
        assert "the rows of row group 0 are wider than 64 MiB" in refusal(path)

    def test_a_list_that_is_a_bomb_among_many_that_are_not(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lengths = np.ones(10_000, np.int64)
        lengths[5000] = 1 << 20
        offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int64())
        lists = pa.LargeListArray.from_arrays(offsets, pa.array(np.zeros(int(lengths.sum()), np.int64)))
        path = write(tmp_path / "a.parquet", {"l": lists}, compression="zstd")
        assert summary(path).rows == 10_000
        write(path, {"l": lists}, compression="zstd")
        monkeypatch.setattr(bombs, "PART_BYTES", 1 << 20)
        assert "column 'l.list.element' of a row group has 8 MiB decoded" in refusal(path)

    @pytest.mark.parametrize("values", [np.zeros(1 << 20, np.int64), ["x" * 10] * (1 << 17)])
    def test_columns_of_equal_rows_may_be_packed_as_well(
        self, tmp_path: Path, values: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bombs, "PART_BYTES", 1 << 20)
        assert summary(write(tmp_path / "a.parquet", {"n": values}, compression="zstd")).rows == len(values)

    @pytest.mark.parametrize("most", [64 << 20, 8 << 20])
    def test_long_words_stay_in_their_dictionary(
        self, tmp_path: Path, most: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, words = tmp_path / "a.parquet", [f"{n:02}" + "x" * (1 << 16) for n in range(30)]
        texts = pa.DictionaryArray.from_arrays(pa.array(np.arange(600) % 30, pa.int32()), words)
        write(path, {"s": texts}, store_schema=False, dictionary_pagesize_limit=1 << 28, compression="zstd")
        monkeypatch.setattr(bombs, "PART_BYTES", most)
        [target] = store.at("").list(str(path))
        batches = list(subject.Parquet().read(Cut.whole(target), dataset.describe([target]).columns).batches)
        is_kept = most < 600 << 16
        assert {pa.types.is_dictionary(batch.column(0).type) for batch in batches} == {is_kept}
        assert [text for b in batches for text in b.column(0).to_pylist()] == words * 20

    def test_a_flipped_dictionary_is_still_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = [f"{n:02}" + "x" * (1 << 16) for n in range(30)]
        texts = pa.DictionaryArray.from_arrays(pa.array(np.arange(600) % 30, pa.int32()), words)
        options = {"dictionary_pagesize_limit": 1 << 28, "compression": "zstd"}
        path = write(tmp_path / "a.parquet", {"s": texts}, store_schema=False, **options)
        chunk = parquet.read_metadata(path).row_group(0).column(0)
        place = (chunk.dictionary_page_offset + chunk.data_page_offset) // 2
        path.write_bytes(flipped(flipped(path.read_bytes(), place), place + 1))
        monkeypatch.setattr(bombs, "PART_BYTES", 8 << 20)
        assert "row group 0, column 's': " in refusal(path)

    def test_words_longer_than_what_is_held_are_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = [f"{n:02}" + "x" * (1 << 16) for n in range(30)]
        texts = pa.DictionaryArray.from_arrays(pa.array(np.arange(600) % 30, pa.int32()), words)
        options = {"dictionary_pagesize_limit": 1 << 28, "compression": "none"}
        path = write(tmp_path / "a.parquet", {"s": texts}, store_schema=False, **options)
        monkeypatch.setattr(bombs, "PART_BYTES", 1 << 20)
        monkeypatch.setattr(bombs, "_SMALL_BYTES", 1 << 28)
        assert "row group 0: column 's' has words of 65538 bytes" in refusal(path)

    def test_a_long_text_is_none(self, tmp_path: Path) -> None:
        assert text(summary(write(tmp_path / "a.parquet", {"s": ["x" * (10 << 20)]}))).longest == 10 << 20

    @staticmethod
    def _sizes(path: Path) -> list[int]:
        [target] = store.at("").list(str(path))
        reading = formats.of(target.uri).read(Cut.whole(target), dataset.describe([target]).columns)
        return [batch.num_rows for batch in reading.batches]

    def _reads(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        sizes: list[int] = []

        class Counting:
            def __init__(self, target: store.Object) -> None:
                self._source = store.at(target.uri).open(target)

            def read(self, size: int = -1) -> bytes:
                content = self._source.read(size)
                sizes.append(len(content))
                return content

            def __getattr__(self, name: str) -> Any:
                return getattr(self._source, name)

        [target] = store.at("").list(str(path))
        columns = dataset.describe([target]).columns
        monkeypatch.setattr(subject, "native", lambda target: pa.PythonFile(Counting(target), mode="r"))
        for _ in subject.Parquet().read(Cut.whole(target), columns).batches:
            pass
        return sizes


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


class TestDamage:
    @pytest.mark.parametrize(
        ("damage", "complaint"),
        [
            (lambda b: b[:-10], "footer: its end is not that of a Parquet file, it was cut off"),
            (lambda b: b[: len(b) // 2], "it was cut off"),
            (lambda b: b[:10], "it was cut off"),
            (lambda b: b[:-4] + b"PAR2", "it was cut off"),
            (lambda b: b[:-8] + (1 << 30).to_bytes(4, "little") + b"PAR1", "footer: "),
            (lambda b: b[:-8] + (1 << 31).to_bytes(4, "little") + b"PAR1", "footer: "),
            (lambda b: b[:0], "it is empty, not Parquet"),
            (lambda b: b"\x1f\x8b" + b[:-4], "it is gzip, not Parquet"),
            (lambda _: b"a,b\n1,2\n", "it is text, not Parquet"),
            (lambda b: b"ORC" + b[3:-4] + b"ORC\x0f", "it is ORC, not Parquet"),
            (lambda _: bytes(1000), "it is of an unknown format, not Parquet"),
        ],
    )
    def test_of_the_ends(self, tmp_path: Path, damage: Callable[[bytes], bytes], complaint: str) -> None:
        path = write(tmp_path / "a.parquet", {"n": pa.array(range(1000))})
        path.write_bytes(damage(path.read_bytes()))
        assert complaint in refusal(path)

    @pytest.mark.parametrize("column", [0, 1, 2])
    @pytest.mark.parametrize("compression", ["snappy", "zstd", "none"])
    def test_of_a_page_with_a_checksum(self, tmp_path: Path, compression: str, column: int) -> None:
        path = self._three(tmp_path, compression=compression, write_page_checksum=True)
        name = self._spoil(path, column)
        assert f"row group 1, column '{name}': " in refusal(path)

    @pytest.mark.parametrize("column", [0, 1, 2])
    def test_of_a_packed_page(self, tmp_path: Path, column: int) -> None:
        path = self._three(tmp_path, compression="snappy")
        name = self._spoil(path, column)
        assert f"row group 1, column '{name}': Corrupt snappy" in refusal(path)

    def test_words_that_are_not_in_the_dictionary(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.parquet", {"s": ["a", "b", "c"] * 100}, compression="none")
        chunk = parquet.read_metadata(path).row_group(0).column(0)
        end = chunk.dictionary_page_offset + chunk.total_compressed_size
        refused = 0
        content = path.read_bytes()
        for place in range(chunk.data_page_offset, end):
            path.write_bytes(flipped(content, place))
            with suppress(DataError):
                assert summary(path).rows == 300
                continue
            refused += 1
        assert refused > 10

    @pytest.mark.parametrize("which", [0, 1, 2, 4])
    @pytest.mark.parametrize("rows", [1 << 60, 1001, 999, 0, -5])
    def test_of_the_number_of_rows(self, tmp_path: Path, rows: int, which: int) -> None:
        """Of the file, of either column, of the row group."""
        path = write(tmp_path / "a.parquet", {"n": pa.array(range(1000)), "s": ["x"] * 1000})
        lie(path, 1000, rows, which)
        assert "row" in refusal(path)

    @pytest.mark.parametrize("rows", [1 << 60, 1001])
    def test_of_all_numbers_of_rows(self, tmp_path: Path, rows: int) -> None:
        path = write(tmp_path / "a.parquet", {"n": pa.array(range(1000))})
        for _ in range(3):
            lie(path, 1000, rows, 0)
        assert "row group 0" in refusal(path)

    def test_of_a_place_outside_of_the_file(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.parquet", {"n": pa.array(range(1000))}, use_dictionary=False)
        lie(path, 4, 1 << 40)
        assert "row group 0 is not inside of the file" in refusal(path)

    def test_a_column_without_a_name(self, tmp_path: Path) -> None:
        parquet.write_table(pa.table([[1], [2]], names=["a", ""]), tmp_path / "a.parquet")
        assert "column 2 of its schema has no name; give it one" in refusal(tmp_path / "a.parquet")

    def test_two_columns_of_one_name(self, tmp_path: Path) -> None:
        parquet.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "a.parquet")
        assert "its schema has 2 columns named 'a'; give each a name" in refusal(tmp_path / "a.parquet")

    def test_no_column(self, tmp_path: Path) -> None:
        parquet.write_table(pa.table({}), tmp_path / "a.parquet")
        assert "footer: it has no columns" in refusal(tmp_path / "a.parquet")

    @staticmethod
    def _three(folder: Path, **options: Any) -> Path:
        columns = {
            "n": range(20_000),
            "s": [f"s{n}" for n in range(20_000)],
            "l": pa.array([[n] for n in range(20_000)]),
        }
        return write(folder / "a.parquet", columns, row_group_size=10_000, use_dictionary=False, **options)

    @staticmethod
    def _spoil(path: Path, column: int) -> str:
        chunk = parquet.read_metadata(path).row_group(1).column(column)
        place = chunk.data_page_offset + chunk.total_compressed_size // 2
        path.write_bytes(flipped(flipped(path.read_bytes(), place), place + 1))
        return str(chunk.path_in_schema)


def lie(path: Path, true: int, false: int, which: int = 0) -> None:
    """Writes another number into the footer where this one stands for the n-th time."""
    content = path.read_bytes()
    size = struct.unpack("<I", content[-8:-4])[0]
    footer = content[-8 - size : -8]
    # A thrift field of 64 bits: its distance from the last one, 6, and the number as a varint.
    places = [found.start() + 1 for found in re.finditer(b"[\x16\x26]" + re.escape(varint(true)), footer)]
    place = places[which]
    footer = footer[:place] + varint(false) + footer[place + len(varint(true)) :]
    path.write_bytes(content[: -8 - size] + footer + struct.pack("<I", len(footer)) + b"PAR1")


def varint(number: int) -> bytes:
    """Returns a number as thrift's compact protocol writes it."""
    rest = (number << 1) ^ (number >> 63)
    digits = bytearray()
    while rest >= 0x80:
        digits.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*digits, rest])


class TestParts:
    def test_parts_of_other_types_are_both_named(self, tmp_path: Path) -> None:
        write(tmp_path / "1.parquet", {"id": pa.array([1])})
        write(tmp_path / "2.parquet", {"id": pa.array(["1"])})
        with pytest.raises(DataError, match=r"1\.parquet and .*2\.parquet.*int64 in the first, string"):
            summary(tmp_path)

    def test_a_type_that_shows_up_late_is_compared_too(self, tmp_path: Path) -> None:
        write(tmp_path / "1.parquet", {"id": pa.nulls(1)})
        write(tmp_path / "2.parquet", {"id": pa.array([1])})
        write(tmp_path / "3.parquet", {"id": pa.array(["1"])})
        with pytest.raises(DataError, match=r"2\.parquet and .*3\.parquet.*int64 in the first, string"):
            summary(tmp_path)

    @pytest.mark.parametrize(
        "parts",
        [
            ([1], pa.array([2], pa.int8())),
            ([1.5], pa.array([2.5], pa.float32())),
            (["a"], pa.array([b"b"])),
            (pa.nulls(1), [1.5]),
            ([1.5], pa.nulls(1)),
            (pa.nulls(1), [[1, 2]]),
            (pa.nulls(1), ["a"]),
            (pa.array([{"a": None, "b": 1}]), pa.array([{"a": "x", "b": 1}])),
            (pa.nulls(1), pa.array([{"a": [1]}])),
        ],
    )
    def test_parts_of_one_kind_are_one_dataset(self, tmp_path: Path, parts: tuple[Any, Any]) -> None:
        for number, part in enumerate(parts):
            write(tmp_path / f"{number}.parquet", {"x": part})
        assert summary(tmp_path).rows == 2

    @pytest.mark.parametrize(
        "parts",
        [
            ([1], [1.5]),
            ([1], [[1]]),
            (pa.array([{"a": 1}]), pa.array([{"b": 1}])),
            (pa.array([{"a": 1}]), pa.array([{"a": "x"}])),
        ],
    )
    def test_parts_of_two_kinds_are_not(self, tmp_path: Path, parts: tuple[Any, Any]) -> None:
        for number, part in enumerate(parts):
            write(tmp_path / f"{number}.parquet", {"x": part})
        with pytest.raises(DataError, match=r"0\.parquet and .*1\.parquet as one dataset: column 'x' is"):
            summary(tmp_path)
