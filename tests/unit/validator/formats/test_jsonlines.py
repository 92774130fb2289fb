"""JSON Lines: the rows are those of json.loads, line by line, or the line that is wrong is named."""

from __future__ import annotations

import bz2
import gzip
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator import dataset, profiling, store
from validator.crew import Crew
from validator.cuts import Cut, Extent, Weight
from validator.errors import DataError
from validator.formats import Header, Misfit, of
from validator.formats.jsonlines import lines, reader
from validator.formats.jsonlines.reader import JsonLines
from validator.interruption import Interruption
from validator.profile import Column, Kind
from validator.profiling import Profiling
from validator.store import Object

Row = Mapping[str, Any]


def put(folder: Path, content: bytes, name: str = "a.jsonl") -> Object:
    (folder / name).write_bytes(content)
    return store.at("").list(str(folder / name))[0]


def text(rows: Sequence[Row]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def rows(target: Object, columns: Sequence[Column] | None = None, cut: Cut | None = None) -> list[Row]:
    return extent_and_rows(target, columns, cut)[1]


def extent_and_rows(
    target: Object, columns: Sequence[Column] | None = None, cut: Cut | None = None
) -> tuple[Extent, list[Row]]:
    read = of(target.uri)
    reading = read.read(cut or Cut.whole(target), columns or read.header(target).columns)
    found = [row for batch in reading.batches for row in batch.to_pylist()]
    return reading.extent, found


def profiled(folder: Path) -> Profiling:
    described = dataset.describe(store.at("").list(str(folder)))
    return profiling.profile(described, str(folder / "_states"), Crew(Interruption()), lambda _: None)


def refusal(folder: Path, content: bytes, name: str = "a.jsonl") -> str:
    """Reads with the columns of the first lines, and surveys; returns what the first refusal says."""
    target = put(folder, content, name)
    with pytest.raises(DataError) as caught:
        rows(target)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"cannot read {target.uri}: ")
    assert not isinstance(caught.value, Misfit)
    return message.removeprefix(f"cannot read {target.uri}: ")


class TestColumns:
    def test_are_the_keys_of_all_lines(self, tmp_path: Path) -> None:
        target = put(tmp_path, b'{"a":1,"b":"x"}\n{"c":1.5,"a":null}\n{"d":true,"e":null}\n')
        header = JsonLines().header(target)
        kinds = {column.name: (column.kind, column.is_guessed) for column in header.columns}
        assert kinds == {
            "a": (Kind.INT, False),
            "b": (Kind.BYTES, False),
            "c": (Kind.FLOAT, False),
            "d": (Kind.INT, False),
            "e": (Kind.INT, True),
        }
        assert header.is_open

    def test_of_objects_and_lists(self, tmp_path: Path) -> None:
        target = put(tmp_path, b'{"o":{"x":1},"l":[1,2.5],"m":[[]]}\n{"o":{"y":["t"]},"m":[["z"],null]}\n')
        x, y = Column("x", Kind.INT), Column("y", Kind.BYTES, depth=1)
        assert JsonLines().header(target).columns == (
            Column("o", Kind.STRUCT, fields=(x, y)),
            Column("l", Kind.FLOAT, depth=1),
            Column("m", Kind.BYTES, depth=2),
        )
        assert rows(target) == [
            {"o": {"x": 1, "y": None}, "l": [1.0, 2.5], "m": [[]]},
            {"o": {"x": None, "y": ["t"]}, "l": None, "m": [["z"], None]},
        ]

    def test_of_a_file_without_keys(self, tmp_path: Path) -> None:
        target = put(tmp_path, b"{}\n{}\n")
        assert JsonLines().header(target) == Header((), {}, is_open=True)
        assert rows(target) == [{}, {}]

    def test_come_up_late(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "PROBE_BYTES", 1)
        put(tmp_path, b'{"a":1}\n' * 3 + b'{"b":{"c":"x"}}\n{"b":{"d":1}}\n')
        found = profiled(tmp_path)
        fields = (Column("c", Kind.BYTES), Column("d", Kind.INT))
        assert found.dataset.columns == (Column("a", Kind.INT), Column("b", Kind.STRUCT, fields=fields))
        assert found.profile.rows == 5
        assert found.mixtures == ()

    def test_differ_between_the_parts_of_a_dataset(self, tmp_path: Path) -> None:
        put(tmp_path, b'{"a":1,"o":{"x":1}}\n', "1.jsonl")
        put(tmp_path, b'{"b":[2],"o":{"y":"t"}}\n', "2.jsonl")
        fields = (Column("x", Kind.INT), Column("y", Kind.BYTES))
        assert profiled(tmp_path).dataset.columns == (
            Column("a", Kind.INT),
            Column("o", Kind.STRUCT, fields=fields),
            Column("b", Kind.INT, depth=1),
        )

    def test_that_clash_between_the_parts_are_refused(self, tmp_path: Path) -> None:
        put(tmp_path, b'{"a":1}\n', "1.jsonl")
        put(tmp_path, b'{"a":[2]}\n', "2.jsonl")
        with pytest.raises(DataError, match=r"1\.jsonl: line 1: 'a' is not what it was before"):
            profiled(tmp_path)


class TestMixedValues:
    def test_are_texts_and_counted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "PROBE_BYTES", 1)
        put(tmp_path, b'{"a":1}\n{}\n{"a":1.50}\n{"a":"x"}\n{"a":true}\n{"a":null}\n{"a":"y"}\n')
        found = profiled(tmp_path)
        assert found.dataset.columns == (Column("a", Kind.BYTES),)
        (mixture,) = found.mixtures
        assert (mixture.column, mixture.numbers, mixture.texts) == ("a", 3, 2)
        assert (mixture.first, mixture.row) == ("x", 4)

    def test_of_a_field_are_counted_under_its_path(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reader, "PROBE_BYTES", 1)
        monkeypatch.setattr(lines, "FIRST_BYTES", 1)
        put(tmp_path, b'{"a":{"b":[1,2]}}\n' * 2 + b'{"a":{"b":[3,"x"]}}\n' + b'{"a":{"b":["y"]}}\n' * 9)
        (mixture,) = profiled(tmp_path).mixtures
        assert (mixture.column, mixture.numbers, mixture.texts, mixture.row) == ("a.b", 5, 10, 3)

    def test_among_the_first_lines_are_counted_too(self, tmp_path: Path) -> None:
        put(tmp_path, b'{"a":"x","o":{"b":"y"}}\n{"a":1,"o":{"b":2.5}}\n{"a":2}\n')
        found = profiled(tmp_path)
        assert [(m.column, m.numbers, m.texts, m.row) for m in found.mixtures] == [
            ("a", 2, 1, 1),
            ("o.b", 1, 1, 1),
        ]
        fields = (Column("b", Kind.BYTES),)
        assert found.dataset.columns == (Column("a", Kind.BYTES), Column("o", Kind.STRUCT, fields=fields))

    def test_keep_the_spelling_of_numbers(self, tmp_path: Path) -> None:
        content = b'{"a":"x"}\n{"a":1.50}\n{"a":-7}\n{"a":true}\n{"a":123456789012345678901234567890}\n'
        spelt = ["x", "1.50", "-7", "true", "123456789012345678901234567890"]
        assert [row["a"] for row in rows(put(tmp_path, content), [Column("a", Kind.BYTES)])] == spelt

    @pytest.mark.parametrize(
        ("first", "then", "why"),
        [
            (b"1", b'{"x":1}', "is an object here and a number before"),
            (b'"t"', b"[1]", "is a list here and a text before"),
            (b'{"x":1}', b'"t"', "is a text here and an object before"),
            (b"[1]", b"1", "is a number here and a list before"),
            (b"[]", b"1", "is a number here and a list before"),
            (b"[[1]]", b"[1]", "is a list here and a list of lists before"),
        ],
    )
    def test_that_no_column_holds_are_refused(
        self, tmp_path: Path, first: bytes, then: bytes, why: str
    ) -> None:
        content = b'{"a":' + first + b'}\n{"a":' + then + b"}\n"
        assert refusal(tmp_path, content).startswith(f"line 2: 'a' {why}")

    def test_null_goes_with_everything(self, tmp_path: Path) -> None:
        content = b'{"a":null,"b":null}\n{"a":{"x":null},"b":[null]}\n{"a":null,"b":[]}\n'
        assert rows(put(tmp_path, content)) == [
            {"a": None, "b": None},
            {"a": {"x": None}, "b": [None]},
            {"a": None, "b": []},
        ]


class TestNumbers:
    def test_beyond_64_bits_are_floats(self, tmp_path: Path) -> None:
        content = b'{"a":9223372036854775807,"b":9223372036854775808}\n{"a":-9223372036854775808,"b":1}\n'
        found = rows(put(tmp_path, content))
        assert found == [{"a": 2**63 - 1, "b": 2.0**63}, {"a": -(2**63), "b": 1.0}]
        assert [type(value) for value in found[1].values()] == [int, float]

    def test_beyond_a_float_are_infinite(self, tmp_path: Path) -> None:
        content = (
            b'{"a":1.5}\n{"a":1e999}\n{"a":-1e999}\n{"a":' + b"9" * 5000 + b'}\n{"a":NaN}\n{"a":-Infinity}\n'
        )
        *found, nan, least = [row["a"] for row in rows(put(tmp_path, content))]
        assert found == [1.5, math.inf, -math.inf, math.inf]
        assert math.isnan(nan)
        assert least == -math.inf

    def test_booleans_are_numbers(self, tmp_path: Path) -> None:
        content = b'{"a":true,"l":[false]}\n' * 9000 + b'{"a":2,"l":[7]}\n'
        found = rows(put(tmp_path, content))
        assert (found[0], found[-1]) == ({"a": 1, "l": [0]}, {"a": 2, "l": [7]})
        assert type(found[0]["a"]) is int


FINE = b'{"a":1}\n'
MANY = FINE * 20_000
ONE = [Column("a", Kind.INT)]
NESTED = 100_000


class TestRefused:
    @pytest.mark.parametrize("before", [b"", FINE, MANY, b"\xef\xbb\xbf" + MANY])
    @pytest.mark.parametrize(
        ("line", "why"),
        [
            (b'{"a":}', "column 6: not JSON: Expecting value"),
            (b'{"a":1,"a":2}', "key 'a' stands twice in one object"),
            (b'{"a":1,"\\u0061":null}', "key 'a' stands twice in one object"),
            (b'{"o":{"x":1,"x":1}}', "key 'x' stands twice in one object"),
            (b'{"a":1}{"a":2}', "column 8: not JSON: Extra data"),
            (b'{"a":1} null', "column 9: not JSON: Extra data"),
            (b'{"a":1},', "column 8: not JSON: Extra data"),
            (b"null", "it is not an object"),
            (b"[]", "it is not an object"),
            (b"17", "it is not an object"),
            (b'{"a":1', "column 7: not JSON: Expecting ',' delimiter"),
            (b'{"a":"x\ty"}', "column 8: not JSON: Invalid control character"),
            (b'{"a":"x\0y"}', "column 8: not JSON: Invalid control character"),
            (b'{"a":01}', "column 7: not JSON: Expecting ',' delimiter"),
            (b'{"s":"\xe9"}', "byte 7: 0xe9 is not UTF-8 text; save it as UTF-8"),
            (b'{"s":"\xed\xa0\x80"}', "byte 7: 0xed is not UTF-8 text; save it as UTF-8"),
            (b'{"s":"\\ud800"}', r"\ud800 is half of a surrogate pair, no character"),
            (b'{"\\udc00":1}', r"\udc00 is half of a surrogate pair, no character"),
            (b'{"":1}', "a key is empty"),
            (b'{"d":' + b"[" * NESTED, "it is nested deeper than 32"),
            (b'{"d":' * NESTED + b"1" + b"}" * NESTED, "it is nested deeper than 32"),
            (b'{"d":' + b"[" * 40 + b"]" * 40 + b"}", "it is nested deeper than 32"),
        ],
    )
    def test_lines_are_named(self, tmp_path: Path, before: bytes, line: bytes, why: str) -> None:
        place = f"line {before.count(b'{') + 1}"
        message = refusal(tmp_path, before + line + b"\n" + FINE)
        assert message.startswith((f"{place}, {why}", f"{place}: {why}"))

    def test_a_last_line_that_was_cut(self, tmp_path: Path) -> None:
        assert "line 2, column 9: not JSON: Unterminated string starting, and the line has no end" in refusal(
            tmp_path, FINE + b'{"a":1,"b'.replace(b',"b', b', "b')
        )

    @pytest.mark.parametrize("content", [b"", b"\n", b" \r\n\n", b"\xef\xbb\xbf\n"])
    def test_nothing(self, tmp_path: Path, content: bytes) -> None:
        assert refusal(tmp_path, content).startswith("it is empty")

    @pytest.mark.parametrize(
        ("content", "name", "why"),
        [
            (
                '{"a":1}\n'.encode("utf-16"),
                "a.jsonl",
                "line 1: its text is UTF-16, not UTF-8; save it as UTF-8",
            ),
            ('{"a":1}\n'.encode("utf-16-le"), "a.jsonl", "line 1: it begins with a NUL byte, as UTF-16 has"),
            (gzip.compress(FINE), "a.jsonl", "line 1: its text is gzip"),
            (gzip.compress(gzip.compress(FINE)), "a.jsonl.gz", "line 1: its text is gzip"),
            (gzip.compress(MANY)[:-9], "a.jsonl.gz", "its gzip is damaged or cut off (Truncated"),
            (pa.compress(MANY, "zstd", asbytes=True)[:-9], "a.jsonl.zst", "its zstd is damaged or cut off"),
            (bz2.compress(MANY)[:-9], "a.jsonl.bz2", "its bz2 is damaged or cut off"),
            (FINE, "a.jsonl.gz", "its gzip is damaged or cut off (zlib inflate failed"),
        ],
    )
    def test_bytes_that_are_no_text(self, tmp_path: Path, content: bytes, name: str, why: str) -> None:
        assert why in refusal(tmp_path, content, name)

    def test_a_line_longer_than_any_should_be(self, tmp_path: Path) -> None:
        content = FINE * 3 + b'{"a":"' + b"x" * lines.LINE_BYTES + b'"}\n'
        assert refusal(tmp_path, content).startswith("line 4: a line is longer than 8 MiB")

    def test_a_bomb_of_one_line(self, tmp_path: Path) -> None:
        content = gzip.compress(FINE + b" " * (64 << 20), 1)
        assert refusal(tmp_path, content, "a.jsonl.gz").startswith("line 2: a line is longer than 8 MiB")

    def test_keys_that_are_values(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "MAX_KEYS", 1000)
        content = text([{f"user{number}": 1} for number in range(1001)])
        assert "there are more than 1,000 keys" in refusal(tmp_path, content)

    def test_objects_by_the_million_under_thousands_of_keys(self, tmp_path: Path) -> None:
        wide = text([{"l": [{str(number): 1 for number in range(5000)}]}])
        crowd = b'{"l":[' + b"{}," * 100_000 + b"{}]}\n"
        assert refusal(tmp_path, wide + crowd).startswith("line 2: it has too many objects for so many keys")

    def test_formats_of_two_kinds_are_no_dataset(self, tmp_path: Path) -> None:
        put(tmp_path, FINE)
        put(tmp_path, b"a\n1\n", "b.csv")
        with pytest.raises(
            DataError, match=r"a\.jsonl and .*b\.csv as one dataset: they are of different form"
        ):
            dataset.describe(store.at("").list(str(tmp_path)))


class TestAccepted:
    @pytest.mark.parametrize(
        "content",
        [
            b'{"a":1}\n{"a":2}\n',
            b'{"a":1}\n{"a":2}',
            b'\xef\xbb\xbf{"a":1}\r\n{"a":2}\r\n',
            b'\n\n{"a":1}\n \t\n\n{"a":2}\n\n',
            b'  {"a" : 1 }  \n\t{ "a":2}\t\r\n',
        ],
    )
    @pytest.mark.parametrize("times", [1, 5000])
    def test_blanks_that_are_no_rows(self, tmp_path: Path, content: bytes, times: int) -> None:
        more = content.removeprefix(b"\xef\xbb\xbf").rstrip() + b"\n"
        assert rows(put(tmp_path, content.rstrip(b" ") + b"\n" + more * (times - 1))) == (
            [{"a": 1}, {"a": 2}] * times
        )

    def test_characters_of_all_kinds(self, tmp_path: Path) -> None:
        content = '{"a":"\\u0000 \\ud83d\\ude00 é \u2028 }\\n{"}\n'.encode() * 5000
        assert rows(put(tmp_path, content)) == [{"a": "\0 😀 é \u2028 }\n{"}] * 5000

    def test_packed(self, tmp_path: Path) -> None:
        packed = {
            "a.jsonl.gz": gzip.compress(FINE) + gzip.compress(FINE),
            "a.ndjson.zst": pa.compress(FINE * 2, "zstd", asbytes=True),
            "a.ndjson.bz2": bz2.compress(FINE * 2),
        }
        for name, content in packed.items():
            target = put(tmp_path, content, name)
            assert extent_and_rows(target) == (Extent(0, target.size), [{"a": 1}] * 2)

    def test_a_bomb_of_blank_lines_is_no_row(self, tmp_path: Path) -> None:
        assert rows(put(tmp_path, gzip.compress(FINE + b"\n" * (32 << 20), 1), "a.jsonl.gz")) == [{"a": 1}]


class TestNothingTakesLong:
    """Between two batches, with rows or without, is where a run can be ended."""

    @pytest.fixture(autouse=True)
    def _lines_as_blocks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lines, "FIRST_BYTES", len(FINE))
        monkeypatch.setattr(lines, "BLOCK_BYTES", len(FINE))

    BLANK = FINE + b"\n" * 5 * len(FINE) + FINE

    def test_blank_lines_are_batches_without_rows(self, tmp_path: Path) -> None:
        assert sizes(put(tmp_path, self.BLANK)) == [0] * 5 + [2]

    def test_blank_lines_are_part_of_a_survey(self, tmp_path: Path) -> None:
        target = put(tmp_path, self.BLANK)
        found = JsonLines().survey(Cut.whole(target)).batches
        assert [(sight.rows, [seen.numbers for seen in sight.seen]) for sight in found] == [
            (1, [1]),
            *[(0, [0])] * 5,
            (1, [1]),
        ]

    def test_few_rows_do_not_hold_up_for_long(self, tmp_path: Path) -> None:
        assert sizes(put(tmp_path, FINE * 10)) == [0, 0, 10]

    def test_nor_do_batches_without_rows_change_what_is_found(self, tmp_path: Path) -> None:
        row = b'{"o":{"x":[1]},"l":[[]],"s":"t"}\n'
        put(tmp_path, row + b"\n" * 50 + row)
        assert profiled(tmp_path).profile.rows == 2


class TestComplaints:
    @pytest.mark.parametrize("is_survey", [False, True])
    def test_what_looks_for_its_line_gives_empty_batches_meanwhile(
        self, tmp_path: Path, is_survey: bool
    ) -> None:
        target = put(tmp_path, FINE + b"\n" * (20 << 20) + b"1\n")
        cut = Cut(target, target.size - 2, target.size, is_exact=True)
        read = JsonLines()
        found: list[int] = []
        batches: Iterator[int] = (
            (sight.rows for sight in read.survey(cut).batches)
            if is_survey
            else map(len, read.read(cut, ONE).batches)
        )
        with pytest.raises(DataError, match=f"line {(20 << 20) + 2}: it is not an object"):
            found.extend(batches)
        assert found[-3:] == [0, 0, 0]

    def test_a_guess_does_not_count_lines(self, tmp_path: Path) -> None:
        target = put(tmp_path, FINE * 3 + b"1\n")
        with pytest.raises(DataError, match="after byte 24: it is not an object"):
            rows(target, ONE, Cut(target, 9, target.size))

    def test_of_a_guess_are_made_again_with_their_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reader, "PROBE_BYTES", 1)
        monkeypatch.setattr(JsonLines, "weight", Weight(10))
        put(tmp_path, FINE * 3 + b"1\n")
        with pytest.raises(DataError, match="line 4: it is not an object"):
            profiled(tmp_path)


def sizes(target: Object) -> list[int]:
    """Returns how many rows each batch has."""
    read = JsonLines()
    reading = read.read(Cut.whole(target), read.header(target).columns)
    return [batch.num_rows for batch in reading.batches]


KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=3)
SCALARS = {
    "int": st.integers(-(2**63), 2**63 - 1),
    "big": st.integers(-(2**70), 2**70),
    "float": st.floats(),
    "bool": st.booleans(),
    "text": st.text(st.characters(codec="utf-8"), max_size=5),
}


@st.composite
def tables(draw: st.DrawFn, level: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Draws a strategy of rows that agree on what is below a key."""
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for key in draw(st.lists(KEYS, max_size=4, unique=True)):
        kind = draw(st.sampled_from([*SCALARS, "object"] if level < 2 else [*SCALARS]))
        values = draw(tables(level + 1)) if kind == "object" else SCALARS[kind]
        for _ in range(draw(st.integers(0, 2))):
            values = st.lists(values, max_size=3)
        fields[key] = st.none() | values
    return st.fixed_dictionaries({}, optional=fields)


def same(found: Any, expected: Any, column: Column, depth: int) -> bool:
    """Compares a value read with that of json.loads; an absent key is a missing value."""
    if expected is None or found is None:
        return found is expected
    if depth:
        return len(found) == len(expected) and all(
            same(*pair, column, depth - 1) for pair in zip(found, expected, strict=True)
        )
    if column.kind is Kind.STRUCT:
        names = {field.name for field in column.fields}
        return expected.keys() <= names and all(
            same(found[field.name], expected.get(field.name), field, field.depth) for field in column.fields
        )
    if column.kind is Kind.BYTES:
        return bool(found == expected)
    if column.kind is Kind.INT:
        return type(found) is int and found == int(expected)
    return math.isnan(expected) if math.isnan(found) else bool(found == float(expected))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_rows_are_those_of_json_loads_wherever_it_is_cut(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = data.draw(tables())
    wanted = data.draw(st.lists(table, min_size=1, max_size=12))
    blank = st.sampled_from(["\n", "\r\n", " \n", "\n\n", "\n\t"])
    written = "".join(json.dumps(row, ensure_ascii=False) + data.draw(blank) for row in wanted)
    target = put(tmp_path_factory.mktemp("rows"), written.encode())
    columns = JsonLines().header(target).columns
    cuts = sorted(data.draw(st.sets(st.integers(1, target.size - 1), max_size=4)))
    blocks = data.draw(st.integers(1, 64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "FIRST_BYTES", blocks)
        patch.setattr(lines, "BLOCK_BYTES", blocks)
        found: list[Row] = []
        end = 0
        for start, stop in pairwise([0, *cuts, target.size]):
            extent, more = extent_and_rows(target, columns, Cut(target, start, stop, is_exact=start == 0))
            assert extent.begin == end
            end = extent.end
            found += more
    assert end == target.size
    whole = Column("", Kind.STRUCT, fields=tuple(columns))
    assert len(found) == len(wanted)
    assert all(same(row, json.loads(json.dumps(w)), whole, 0) for row, w in zip(found, wanted, strict=True))


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_survey_finds_the_columns_of_a_probe_of_all(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = data.draw(tables())
    wanted = data.draw(st.lists(table, min_size=1, max_size=12))
    folder = tmp_path_factory.mktemp("rows")
    target = put(folder, text(wanted))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "PROBE_BYTES", 1)
        patch.setattr(lines, "FIRST_BYTES", 1)
        patch.setattr(lines, "BLOCK_BYTES", 16)
        found = profiled(folder)
    assert sorted_columns(found.dataset.columns) == sorted_columns(JsonLines().header(target).columns)
    assert found.profile.rows == len(wanted)


def sorted_columns(columns: Sequence[Column]) -> list[Any]:
    return sorted((c.name, c.kind, c.depth, sorted_columns(c.fields)) for c in columns)


@pytest.mark.parametrize("row", [b'{"x":Inf}', b'{"x":-Inf}', b'{"s":{"y":Inf}}', b'{"l":[[1.5, Inf]]}'])
@pytest.mark.parametrize("before", [1, 8_000])
def test_a_short_infinity_is_no_json_wherever_it_stands(tmp_path: Path, row: bytes, before: int) -> None:
    content = b'{"x":1.5,"s":{"y":0.5},"l":[[0.5]]}\n' * before + row + b"\n"
    assert refusal(tmp_path, content).startswith(f"line {before + 1}, column ")


def test_a_long_infinity_is_a_number_beside_a_short_one_in_a_text(tmp_path: Path) -> None:
    target = put(tmp_path, b'{"x":1.5,"t":"Inf"}\n' * 8_000 + b'{"x":Infinity}\n')
    assert rows(target)[-1] == {"x": float("inf"), "t": None}
