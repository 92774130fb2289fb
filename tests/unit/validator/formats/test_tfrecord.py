"""TFRecord of tf.Example, written here byte by byte: read as it was written, or what is wrong is named."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator import dataset, profiling, store
from validator.crew import Crew
from validator.cuts import Cut, Extent
from validator.errors import DataError
from validator.formats import Misfit, batches, of
from validator.formats.tfrecord import framing, reader
from validator.formats.tfrecord.reader import TfRecord
from validator.interruption import Interruption
from validator.profile import Column, Kind
from validator.profiling import Profiling
from validator.store import Object

INT64, FLOAT, BYTES = "int64", "float", "bytes"
Features = Mapping[str, tuple[str, Sequence[Any]] | None]
"""Kind and values by name; None where the kind is not set."""


def checksum(content: bytes) -> int:
    """CRC-32C (Castagnoli) bit by bit, masked as TFRecord has it."""
    total = 0xFFFFFFFF
    for byte in content:
        total ^= byte
        for _ in range(8):
            total = total >> 1 ^ (0x82F63B78 if total & 1 else 0)
    total ^= 0xFFFFFFFF
    return (total >> 15 | total << 17) + 0xA282EAD8 & 0xFFFFFFFF


def varint(number: int) -> bytes:
    rest = number & 0xFFFFFFFFFFFFFFFF
    found = bytearray()
    while rest > 0x7F:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes((*found, rest))


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def values(kind: str, of_list: Sequence[Any]) -> bytes:
    if kind == BYTES:
        return field(1, b"".join(field(1, value) for value in of_list))
    if kind == FLOAT:
        packed = struct.pack(f"<{len(of_list)}f", *of_list)
        return field(2, field(1, packed) if of_list else b"")
    packed = b"".join(map(varint, of_list))
    return field(3, field(1, packed) if of_list else b"")


def entry(name: str, content: bytes) -> bytes:
    return field(1, field(1, name.encode()) + field(2, content))


def example(features: Features) -> bytes:
    return field(1, b"".join(entry(name, values(*it) if it else b"") for name, it in features.items()))


def framed(data: bytes) -> bytes:
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", checksum(head)) + data + struct.pack("<I", checksum(data))


def written(examples: Iterable[Features]) -> bytes:
    return b"".join(framed(example(features)) for features in examples)


def put(folder: Path, content: bytes, name: str = "a.tfrecord") -> Object:
    (folder / name).write_bytes(content)
    return store.at("").list(str(folder / name))[0]


def rows(target: Object) -> list[dict[str, Any]]:
    read = of(target.uri)
    reading = read.read(Cut.whole(target), read.header(target).columns)
    found = [row for batch in reading.batches for row in batch.to_pylist()]
    assert reading.extent == Extent(0, target.size)
    return found


def profiled(folder: Path) -> Profiling:
    described = dataset.describe(store.at("").list(str(folder)))
    return profiling.profile(described, str(folder / "_states"), Crew(Interruption()), lambda _: None)


def refusal(folder: Path, content: bytes, name: str = "a.tfrecord") -> str:
    target = put(folder, content, name)
    with pytest.raises(DataError) as caught:
        rows(target)
    message = str(caught.value)
    assert "\n" not in message
    assert not isinstance(caught.value, Misfit)
    return message.removeprefix(f"cannot read {target.uri}: ")


ONE: Features = {"n": (INT64, [7]), "x": (FLOAT, [1.5]), "s": (BYTES, [b"a"])}
READ = {"n": [7], "x": [1.5], "s": [b"a"]}
N_ONLY = written([{"n": (INT64, [1])}])


class TestRead:
    def test_kinds_are_declared(self, tmp_path: Path) -> None:
        target = put(tmp_path, written([ONE, {"u": None}]))
        header = TfRecord().header(target)
        assert header.columns == (
            Column("n", Kind.INT, depth=1),
            Column("s", Kind.BYTES, depth=1),
            Column("x", Kind.FLOAT, depth=1),
            Column("u", Kind.INT, depth=1, is_guessed=True),
        )
        assert header.types == {"n": "int64", "x": "float", "s": "bytes", "u": ""}
        assert header.is_open

    def test_absent_unset_and_empty_differ(self, tmp_path: Path) -> None:
        parts: list[Features] = [ONE, {}, {"n": None}, {"n": (INT64, []), "x": (FLOAT, []), "s": (BYTES, [])}]
        missing = {"n": None, "x": None, "s": None}
        empty: dict[str, list[Any]] = {"n": [], "x": [], "s": []}
        assert rows(put(tmp_path, written(parts))) == [READ, missing, missing, empty]

    def test_an_example_without_a_byte_has_no_features(self, tmp_path: Path) -> None:
        assert rows(put(tmp_path, framed(b"") + N_ONLY)) == [{"n": None}, {"n": [1]}]

    def test_extremes(self, tmp_path: Path) -> None:
        numbers = [0, 1, -1, 127, 128, 2**63 - 1, -(2**63), 300]
        floats = [0.1, -0.0, float("inf"), 3e38]
        texts = [b"", b"\0\xff", b"y" * 300, b"z" * 20_000]
        content = written([{"n": (INT64, numbers), "x": (FLOAT, floats), "s": (BYTES, texts)}])
        rounded = [float(np.float32(value)) for value in floats]
        assert rows(put(tmp_path, content)) == [{"n": numbers, "x": rounded, "s": texts}]

    @pytest.mark.parametrize("times", [1, 700])
    def test_names_alike(self, tmp_path: Path, times: int) -> None:
        names = [*(f"measurement_{number:06}_average" for number in range(20)), "a", "ab", "ü" * 30]
        parts: list[Features] = [
            {name: (INT64, [number]) for number, name in enumerate(names)},
            {name: (INT64, [number]) for number, name in reversed([*enumerate(names)])},
        ]
        expected = {name: [number] for number, name in enumerate(names)}
        assert rows(put(tmp_path, written(parts) * times)) == [expected] * 2 * times

    @pytest.mark.parametrize(
        "odd",
        [
            entry("n", field(3, b"\x08\x07")),
            entry("n", field(3, b"\x08\x01")) + entry("n", field(3, b"\x08\x07")),
            entry("n", values(INT64, [1]) + values(INT64, [])).replace(b"\x01\x01", b"\x01\x07"),
            field(1, field(2, values(INT64, [7])) + field(1, b"n")),
            entry("n", field(3, field(1, b"\x87\x80\x00"))),
        ],
    )
    def test_what_no_writer_writes_is_read_as_protobuf_reads_it(self, tmp_path: Path, odd: bytes) -> None:
        assert rows(put(tmp_path, N_ONLY + framed(field(1, odd)))) == [{"n": [1]}, {"n": [7]}]

    def test_long_lists_of_texts(self, tmp_path: Path) -> None:
        lists = [[b"a"] * 1000, [], [b"b", b"c"]]
        content = written({"s": (BYTES, each)} for each in lists)
        assert [row["s"] for row in rows(put(tmp_path, content))] == lists

    def test_gzip(self, tmp_path: Path) -> None:
        content = gzip.compress(written([ONE])) + gzip.compress(written([ONE]))
        assert rows(put(tmp_path, content, "a.tfrecords.gz")) == [READ, READ]

    @pytest.mark.parametrize(
        ("content", "name"), [(b"", "a.tfrecord"), (gzip.compress(b""), "a.tfrecord.gz")]
    )
    def test_no_record_is_no_row(self, tmp_path: Path, content: bytes, name: str) -> None:
        assert rows(put(tmp_path, content, name)) == []

    def test_records_across_blocks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(framing.frames, "__defaults__", (7,))
        assert rows(put(tmp_path, written([ONE] * 5))) == [READ] * 5


class TestDatasets:
    def test_a_feature_comes_up_late(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "PROBE_BYTES", 1)
        monkeypatch.setattr(reader, "_PROBE_BLOCK_BYTES", 40)
        put(tmp_path, N_ONLY + written([{"u": None}, {"u": (BYTES, [b"x"]), "v": (FLOAT, [])}]))
        found = profiled(tmp_path)
        assert found.dataset.columns == (
            Column("n", Kind.INT, depth=1),
            Column("u", Kind.BYTES, depth=1),
            Column("v", Kind.FLOAT, depth=1),
        )
        assert (found.profile.rows, found.mixtures) == (3, ())

    def test_parts_may_have_other_features_or_none(self, tmp_path: Path) -> None:
        put(tmp_path, written([ONE]), "1.tfrecord")
        put(tmp_path, written([{"t": (BYTES, [b"x"])}]), "2.tfrecord")
        put(tmp_path, b"", "3.tfrecord")
        found = profiled(tmp_path)
        assert [column.name for column in found.dataset.columns] == ["n", "s", "x", "t"]
        assert found.profile.rows == 2

    def test_parts_of_other_kinds_are_refused(self, tmp_path: Path) -> None:
        put(tmp_path, N_ONLY, "1.tfrecord")
        put(tmp_path, written([{"n": (FLOAT, [1.0])}]), "2.tfrecord")
        with pytest.raises(DataError, match="column 'n' is int64 in the first, float in the second"):
            profiled(tmp_path)

    def test_a_feature_of_two_kinds_is_refused_once_it_is_met(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reader, "PROBE_BYTES", 1)
        monkeypatch.setattr(reader, "_PROBE_BLOCK_BYTES", 40)
        put(tmp_path, written([{}, {"n": (INT64, [1])}, ONE, {"n": (BYTES, [b"x"])}]))
        with pytest.raises(DataError, match=r"record 4 .*'n' is bytes here and int64 in record 2"):
            profiled(tmp_path)


class TestNothingTakesLong:
    """Between two batches, with rows or without, is where a run can be ended."""

    def test_pieces_of_a_block_come_one_by_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "CELLS", 1)
        monkeypatch.setattr(batches, "CELLS", 1)
        target = put(tmp_path, written([{"n": (INT64, [1])}, {}, {"n": (FLOAT, [1.5])}]))
        found: list[int] = []
        reading = TfRecord().read(Cut.whole(target), [Column("n", Kind.INT, depth=1)])
        with pytest.raises(Misfit, match="record 3"):
            found.extend(batch.num_rows for batch in reading.batches)
        assert found == [1, 1]

    def test_few_records_do_not_hold_up_for_long(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(framing.frames, "__defaults__", (len(N_ONLY),))
        target = put(tmp_path, N_ONLY * 10)
        reading = TfRecord().read(Cut.whole(target), TfRecord().header(target).columns)
        assert [batch.num_rows for batch in reading.batches] == [0, 0, 10]

    def test_a_survey_of_many_records_comes_in_parts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reader, "_SURVEYED", 2)
        target = put(tmp_path, N_ONLY + framed(b"") * 4)
        sights = TfRecord().survey(Cut.whole(target)).batches
        assert [(sight.rows, len(sight.seen)) for sight in sights] == [(2, 1), (2, 1), (1, 1)]


SECOND = len(framed(example(ONE)))
GOOD = written([ONE] * 3)


def flipped(at: int) -> bytes:
    return GOOD[:at] + bytes([GOOD[at] ^ 0x10]) + GOOD[at + 1 :]


class TestRefused:
    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (flipped(SECOND + 1), "the checksum of its length is wrong"),
            (flipped(SECOND + 9), "the checksum of its length is wrong"),
            (flipped(SECOND + 20), "the checksum of its data is wrong"),
            (flipped(2 * SECOND - 1), "the checksum of its data is wrong"),
            (GOOD[: SECOND + 3], "the file ends inside of it"),
            (GOOD[: SECOND + 20], "the file ends inside of it"),
            (GOOD[: 2 * SECOND - 1], "the file ends inside of it"),
            (
                GOOD[:SECOND] + b"\xff" * 8 + struct.pack("<I", checksum(b"\xff" * 8)),
                "bytes long, more than 64 MiB",
            ),
            (GOOD[:SECOND] + framed(b"hello"), "it is no tf.Example"),
            (GOOD[:SECOND] + framed(field(9, b"x")), "it is no tf.Example: it has fields none has"),
            (GOOD[:SECOND] + framed(example(ONE) + field(2, b"")), "it is a tf.SequenceExample"),
            (
                GOOD[:SECOND] + written([{"n": (FLOAT, [1.0])}]),
                "feature 'n' is float here and int64 in record 1",
            ),
            (GOOD[:SECOND] + written([{"": (FLOAT, [1.0])}]), "a feature has no name"),
        ],
    )
    @pytest.mark.parametrize("is_packed", [False, True])
    def test_the_record_is_named(self, tmp_path: Path, content: bytes, why: str, is_packed: bool) -> None:
        name = "a.tfrecord.gz" if is_packed else "a.tfrecord"
        message = refusal(tmp_path, gzip.compress(content) if is_packed else content, name)
        assert message.startswith(f"record 2 at byte {SECOND}: ")
        assert why in message

    def test_a_packed_file_under_a_plain_name(self, tmp_path: Path) -> None:
        assert refusal(tmp_path, gzip.compress(GOOD)).endswith("it is gzip: name it .tfrecord.gz")

    @pytest.mark.parametrize(
        ("content", "why"),
        [(GOOD, "(zlib inflate failed"), (gzip.compress(GOOD)[:-9], "(Truncated compressed stream")],
    )
    def test_what_is_not_gzip(self, tmp_path: Path, content: bytes, why: str) -> None:
        assert f"its gzip is damaged or cut off {why}" in refusal(tmp_path, content, "a.tfrecord.gz")

    def test_features_that_are_values(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "MAX_KEYS", 10)
        parts: list[Features] = [{f"user{number}": (INT64, [1])} for number in range(11)]
        assert "there are more than 10 features" in refusal(tmp_path, written(parts))

    @given(content=st.binary(max_size=60))
    @settings(deadline=None)
    def test_any_data_is_an_example_or_refused(
        self, content: bytes, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        target = put(tmp_path_factory.mktemp("any"), N_ONLY + framed(field(1, content)))
        try:
            assert len(rows(target)) == 2
        except DataError as error:
            assert "record 2 at byte" in str(error)  # noqa: PT017 - both ends are right


KINDS = {
    INT64: st.integers(-(2**63), 2**63 - 1),
    FLOAT: st.floats(width=32, allow_nan=False),
    BYTES: st.binary(max_size=20),
}


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, tuple[str, list[Any]] | None]]:
    kinds = draw(
        st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), st.sampled_from([*KINDS]))
    )
    features = {
        name: st.none() | st.tuples(st.just(kind), st.lists(KINDS[kind], max_size=4))
        for name, kind in kinds.items()
    }
    return draw(st.lists(st.fixed_dictionaries({}, optional=features), max_size=8))


@settings(deadline=None)
@given(table=tables(), block=st.integers(1, 200))
def test_what_is_read_is_what_was_written(
    table: list[dict[str, tuple[str, list[Any]] | None]],
    block: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    target = put(folder, written(table))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing.frames, "__defaults__", (block,))
        found = rows(target)
    names = {name for row in table for name in row}
    expected = [{name: it[1] if (it := row.get(name)) else None for name in names} for row in table]
    assert found == expected
