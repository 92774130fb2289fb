"""Delimited text at the reader: cuts, blocks, quotation marks, dialects; test_formats.py has the figures."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from validator import formats, store
from validator.cuts import Cut
from validator.errors import DataError, UsageError
from validator.formats import Dialect, Misfit
from validator.formats.delimited import probe
from validator.formats.delimited.blocks import ROW_BYTES, Blocks
from validator.formats.delimited.conversion import has_hexadecimals
from validator.formats.delimited.quotes import MARK, marks, seem_paired
from validator.formats.delimited.reader import Delimited
from validator.formats.trouble import Trouble
from validator.profile import Column, Kind
from validator.store import Object

Row = tuple[Any, ...]
PACKED: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": lambda content: bytes(pa.Codec("zstd").compress(content, asbytes=True)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("delimited")


def target(folder: Path, content: bytes, name: str = "a.csv") -> Object:
    (folder / name).write_bytes(content)
    return store.at("").list(str(folder / name))[0]


def texts(format_: Any, of: Object) -> list[Column]:
    return [Column(name, Kind.BYTES) for name in format_.header(of).types]


def rows(batches: Iterator[Any]) -> list[Row]:
    return [row for batch in batches for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)]


def read(format_: Any, of: Object) -> list[Row]:
    return rows(format_.read(Cut.whole(of), texts(format_, of)).batches)


def joined(format_: Any, of: Object, borders: Sequence[int]) -> tuple[list[Row], int]:
    """Reads an object in cuts, as profiling does; returns its rows and how many cuts had to be read twice."""
    found: list[Row] = []
    end, again = 0, 0
    columns = texts(format_, of)
    for start, stop in pairwise(borders):
        reading = format_.read(Cut(of, start, stop, is_exact=start == 0), columns)
        try:
            part = rows(reading.batches)
            is_met = reading.extent.begin == end
        except DataError:
            is_met = False
        if not is_met:
            assert start
            again += 1
            reading = format_.read(Cut(of, end, stop, is_exact=True), columns)
            part = rows(reading.batches)
            assert reading.extent.begin == end
        found += part
        end = reading.extent.end
    assert end == of.size
    return found, again


FIELD = st.text(alphabet='ab ,"\n\r;é', max_size=6)
BARE = st.from_regex(r"\A[ab ;é][ab \";é]{0,5}\Z|\A\Z")


def written(field: str, is_bare: bool) -> str:
    return field if is_bare else '"' + field.replace('"', '""') + '"'


@st.composite
def tables(draw: st.DrawFn) -> tuple[bytes, list[Row]]:
    """Draws a text and its rows; as tables go: any quoting, line ends mixed, the last there or not."""
    width = draw(st.integers(1, 3))
    cell = st.one_of(st.tuples(FIELD, st.just(False)), st.tuples(BARE, st.just(True)))
    table = draw(st.lists(st.lists(cell, min_size=width, max_size=width), max_size=12))
    lines = [",".join(written(*each) for each in row) for row in table]
    ends = [draw(st.sampled_from(["\n", "\r\n"])) for _ in lines]
    if ends and lines[-1] and draw(st.booleans()):
        ends[-1] = ""
    header = ",".join("xyz"[:width]) + "\n"
    text = header + "".join(line + end for line, end in zip(lines, ends, strict=True))
    return text.encode(), [tuple(field or None for field, _ in row) for row in table]


@given(table=tables(), size=st.integers(1, 200), draw=st.data())
@settings(max_examples=120, deadline=None)
def test_any_blocks_and_cuts_give_the_rows_of_the_whole(
    folder: Path, table: tuple[bytes, list[Row]], size: int, draw: st.DataObject
) -> None:
    content, expected = table
    of = target(folder, content)
    inner = draw.draw(st.lists(st.integers(1, len(content)), max_size=4, unique=True))
    borders = sorted({0, *inner, len(content)})
    assert joined(Delimited(block_bytes=size), of, borders)[0] == expected
    parsed = list(csv.reader(io.StringIO(content.decode(), newline="")))[1:]
    assert [tuple(field or None for field in row or [""]) for row in parsed] == expected


ORDINARY = [("a", "a"), ('5"', '5"'), ('x"y', 'x"y'), ("", None)]
QUOTED = [
    ('"l\nm"', "l\nm"),
    ('"p,q"', "p,q"),
    ('"""r"""', '"r"'),
    ('"5"""', '5"'),
    ('"\n"', "\n"),
    ('"\n,"', "\n,"),
]


@given(
    table=st.lists(st.lists(st.sampled_from(ORDINARY + QUOTED), min_size=2, max_size=2), max_size=12),
    size=st.integers(1, 60),
)
@example(table=[[ORDINARY[1], ORDINARY[0]], [ORDINARY[0], ('"b\nc,d\ne,f"', "b\nc,d\ne,f")]], size=14)
@settings(max_examples=500, deadline=None)
def test_an_ordinary_mark_before_a_comma_cuts_no_field(
    folder: Path, table: list[list[tuple[str, str | None]]], size: int
) -> None:
    """Such a mark looks like one that closes a field, and makes up for one that is still open."""
    text = "x,y\n" + "".join(",".join(cell for cell, _ in row) + "\n" for row in table)
    of = target(folder, text.encode())
    assert read(Delimited(block_bytes=size), of) == [tuple(value for _, value in row) for row in table]


def test_a_cut_that_guesses_wrong_is_read_again_from_where_the_one_before_ended(folder: Path) -> None:
    content = b"x,y\n" + b'1,"a\n2,b\n3,c"\n' * 50
    found, again = joined(Delimited(), target(folder, content), [0, 12, 200, 407, len(content)])
    assert found == [("1", "a\n2,b\n3,c")] * 50
    assert again > 0


def test_a_cut_that_guesses_right_is_read_once_and_reads_little_more_than_itself(folder: Path) -> None:
    content = b"x,y\n" + b'1,"a"\n' * 100_000
    of = target(folder, content)
    assert joined(Delimited(), of, [0, 100_001, 100_002, 300_000, of.size]) == ([("1", "a")] * 100_000, 0)

    class Counting(io.BytesIO):
        taken = 0

        def readinto(self, buffer: Any) -> int:
            got = super().readinto(buffer)
            Counting.taken += got
            return got

    assert sum(len(block.content) for block in Blocks(Counting(content), ord(","), stop=100_000)) == 100_000
    assert Counting.taken <= 200_000


def test_a_cut_inside_one_row_has_no_rows(folder: Path) -> None:
    content = b"x,y\n1," + b"a" * 500 + b"\n2,b\n"
    found, again = joined(Delimited(), target(folder, content), [0, 100, 200, 300, len(content)])
    assert ([x for x, _ in found], again) == (["1", "2"], 0)


def test_a_header_longer_than_the_first_cut_belongs_to_it(folder: Path) -> None:
    content = b"x" * 100 + b',"y\nz"\n1,2\n'
    assert joined(Delimited(), target(folder, content), [0, 10, 104, len(content)])[0] == [("1", "2")]


def structure(text: bytes) -> list[int] | None:
    """Goes through a text byte by byte, as pyarrow does; None where text follows a closing mark."""
    found, state, at = [], "start", 0
    while at < len(text):
        byte = text[at : at + 1]
        if state == "inside" and byte == b'"':
            found.append(at)
            if text[at + 1 : at + 2] == b'"':
                at += 1
                found.append(at)
            else:
                state = "closed"
        elif state == "start" and byte == b'"':
            found.append(at)
            state = "inside"
        elif state != "inside":
            if byte not in b",\r\n" and state == "closed":
                return None
            state = "start" if byte in b",\r\n" else "bare"
        at += 1
    return found


@given(st.text(alphabet='",\n\ra', max_size=40).map(str.encode))
@example(b'"a",5""b,"c""')
@example(b'""""')
@settings(max_examples=500, deadline=None)
def test_marks_are_those_a_slow_reader_finds(text: bytes) -> None:
    padded = np.frombuffer(b"\n" + text + b"\n", np.uint8)
    expected = structure(text)
    if expected is None:
        with pytest.raises(Trouble):
            marks(padded, ord(","), 0)
    else:
        assert marks(padded, ord(","), 0).tolist() == expected


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (
            b'a,b\n1,"abc\n2,"def"\n3,x"\n',
            "line 2: a quotation mark is not closed: the next one, 1 line below",
        ),
        (b'a,b\n1,2\n1,"x"y\n', "line 3: text follows the quotation mark that closes a field"),
        (b'a,b\n1,"x\n""y\n"z\n', "line 2: a quotation mark is not closed: the next one, 2 lines below"),
        (b'a,b\n"1\n2",3\n"4\n5",6\n7\n', "line 6: expected 2 fields, found 1"),
        (b'a,b\n1,"2,3\n', "line 2: a quotation mark is not closed"),
        (b"a,b\r\n1,2\r\n\r\n3\r\n", "line 4: expected 2 fields, found 1"),
        (b"a\rb\rc\r", "line 1: its line ends with a carriage return alone"),
        (b"caf\xe9,b\n1,2\n", "its header is not UTF-8: byte 4 is 0xe9; save it as UTF-8"),
        (b"\xff\xfe\0\0a\0\0\0", "its text is UTF-32"),
        (b"a,b\n1,2\n", "its header is one column, 'a,b': it seems to be separated by commas; say so with"),
    ],
)
def test_refusals_name_the_line_of_the_file(folder: Path, content: bytes, place: str) -> None:
    of = target(folder, content, "a.tsv" if "commas" in place else "a.csv")
    with pytest.raises(DataError) as caught:
        read(formats.of(of.uri), of)
    assert f"cannot read {of.uri}: {place}" in str(caught.value)


def test_lines_are_counted_from_the_beginning_of_the_file_in_a_later_cut_too(folder: Path) -> None:
    content = b"a,b\n" + b'1,"x\ny"\n' * 100_000 + b"1\n"
    of = target(folder, content)
    cut = Cut(of, 4 + 8 * 50_000, of.size, is_exact=True)
    with pytest.raises(DataError, match="line 200002: expected 2 fields, found 1"):
        rows(Delimited(block_bytes=1000).read(cut, texts(Delimited(), of)).batches)


def test_a_guess_does_not_count_lines(folder: Path) -> None:
    of = target(folder, b"a,b\n1,2\n1,2\n1\n")
    with pytest.raises(DataError, match="after byte 12: expected 2 fields, found 1"):
        rows(
            Delimited().read(Cut(of, 5, of.size), [Column("a", Kind.BYTES), Column("b", Kind.BYTES)]).batches
        )


def test_what_looks_for_its_line_gives_empty_batches_meanwhile(folder: Path) -> None:
    of = target(folder, b"a,b\n" + b"1,2\n" * 5_000_000 + b"1\n")
    batches = Delimited().read(Cut(of, of.size - 2, of.size, is_exact=True), texts(Delimited(), of)).batches
    found: list[int] = []
    with pytest.raises(DataError, match="line 5000002"):
        found.extend(batch.num_rows for batch in batches)
    assert found == [0, 0, 0]


class TestLongRows:
    def test_a_row_as_long_as_the_limit_is_read(self, folder: Path) -> None:
        of = target(folder, b"a,b\n" + b"1,2\n" * 10 + b"x" * (ROW_BYTES - 3) + b",1\n1,2")
        assert len(read(Delimited(block_bytes=100), of)) == 12

    @pytest.mark.parametrize("content", [b"x" * (ROW_BYTES + 2) + b",1\n", b"x" * (20 << 20)])
    def test_a_longer_one_is_refused(self, folder: Path, content: bytes) -> None:
        with pytest.raises(DataError, match="line 12: a row is longer than 8 MiB"):
            read(Delimited(block_bytes=100), target(folder, b"a,b\n" + b"1,2\n" * 10 + content))

    def test_a_mark_that_swallows_too_much_is_named_by_its_own_line(self, folder: Path) -> None:
        of = target(folder, b'a,b\n1,2\n1,"2\n' + b"1,2\n" * 3_000_000)
        with pytest.raises(DataError, match="line 3: a quotation mark is not closed within 8 MiB"):
            read(Delimited(), of)

    @pytest.mark.parametrize("endless", [b'"\n",' * (3 << 20), b'"' + b'""\n' * (3 << 20)])
    def test_line_ends_inside_of_marks_cost_no_more(self, endless: bytes) -> None:
        with pytest.raises(
            Trouble, match=r"a (row is longer than|quotation mark is not closed within) 8 MiB"
        ):
            list(Blocks(io.BytesIO(endless), ord(",")))

    @pytest.mark.parametrize(
        ("header", "why"),
        [
            (b"a," * 25_000 + b"a\n", "its header has 25,001 columns, no more than 25,000 are read"),
            (b"a" * 200_000 + b"\n", "its header cannot be read (field larger than field limit"),
        ],
    )
    def test_a_header_has_limits(self, folder: Path, header: bytes, why: str) -> None:
        with pytest.raises(DataError, match=re.escape(why)):
            read(Delimited(), target(folder, header))

    def test_a_packed_line_without_end_is_not_held(self) -> None:
        class Endless(io.RawIOBase):
            taken = 0

            def readinto(self, buffer: Any) -> int:
                buffer[:] = b"x" * len(buffer)
                Endless.taken += len(buffer)
                return len(buffer)

        with pytest.raises(Trouble, match="a row is longer than 8 MiB"):
            list(Blocks(Endless(), ord(",")))
        assert Endless.taken <= ROW_BYTES + 1


class TestDialects:
    @pytest.mark.parametrize("packing", list(PACKED))
    @pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".tsv", "\t")])
    def test_names_tell_delimiter_and_packing(
        self, folder: Path, packing: str, suffix: str, delimiter: str
    ) -> None:
        content = f'a{delimiter}b\n"1{delimiter}1"{delimiter}2\n'.encode()
        of = target(folder, PACKED[packing](content), f"a{suffix}{packing}")
        assert read(formats.of(of.uri), of) == [(f"1{delimiter}1", "2")]
        assert formats.of(of.uri).weight.is_cuttable is not bool(packing)

    @pytest.mark.parametrize("packing", [".gz", ".bz2", ".zst"])
    @pytest.mark.parametrize("damage", [lambda packed: packed[: len(packed) // 2], lambda _: b"a,b\n1,2\n"])
    def test_damage_is_named(self, folder: Path, packing: str, damage: Any) -> None:
        of = target(folder, damage(PACKED[packing](b"a,b\n" + b"1,2\n" * 1000)), f"d.csv{packing}")
        with pytest.raises(
            DataError, match=re.escape(f"cannot read {of.uri}: its ") + ".* is damaged or cut off"
        ):
            read(formats.of(of.uri), of)

    def test_what_is_packed_twice_is_named(self, folder: Path) -> None:
        for packing, name in ((".gz", "gzip"), (".bz2", "bzip2"), (".zst", "Zstandard")):
            twice = PACKED[packing](PACKED[packing](b"a,b\n1,2\n"))
            of = target(folder, twice, f"t.csv{packing}")
            with pytest.raises(DataError, match=f"its text is {name}, not UTF-8"):
                read(formats.of(of.uri), of)

    def test_a_delimiter_of_ones_own(self, folder: Path) -> None:
        of = target(folder, b'a;b\n"1;1";2,2\n')
        assert read(formats.of(of.uri, Dialect(delimiter=";")), of) == [("1;1", "2,2")]

    def test_columns_without_a_header(self, folder: Path) -> None:
        of = target(folder, b"\xef\xbb\xbf1,2\n3,4\n")
        named = formats.of(of.uri, Dialect(columns=("x", "y")))
        assert [(c.name, c.kind) for c in named.header(of).columns] == [("x", Kind.INT), ("y", Kind.INT)]
        assert read(named, of) == [("1", "2"), ("3", "4")]
        with pytest.raises(DataError, match="line 1: expected 3 fields, found 2"):
            formats.of(of.uri, Dialect(columns=("x", "y", "z"))).header(of)

    def test_a_dialect_is_for_delimited_text_only(self) -> None:
        assert formats.of("a.parquet", Dialect())
        with pytest.raises(
            UsageError, match=r"a\.parquet: CSV_DELIMITER and CSV_COLUMNS are for \.csv and \.tsv"
        ):
            formats.of("a.parquet", Dialect(delimiter=";"))


class TestBlankLines:
    def test_any_number_before_the_header(self, folder: Path) -> None:
        of = target(folder, b"\r\n" * 200_000 + b"a,b\n1,2\n")
        assert read(Delimited(block_bytes=1000), of) == [("1", "2")]

    def test_so_many_that_no_header_is_in_sight_are_refused(self, folder: Path) -> None:
        of = target(folder, b"\n" * probe.HEAD_BYTES + b"a,b\n1,2\n")
        with pytest.raises(DataError, match="its first MiB is blank, there is not even a header"):
            Delimited().header(of)

    def test_between_rows_of_several_columns_they_are_nothing(self, folder: Path) -> None:
        of = target(folder, b"\n\r\na,b\n\n1,2\r\n\r\n\n3,4\n\n")
        assert read(Delimited(), of) == [("1", "2"), ("3", "4")]

    def test_only_blank_lines_are_no_rows(self, folder: Path) -> None:
        assert read(Delimited(block_bytes=1), target(folder, b"a,b\n\n\n")) == []

    def test_of_one_column_each_is_a_missing_value(self, folder: Path) -> None:
        assert read(Delimited(), target(folder, b"a\n1\n\n2\r\n\r\n")) == [("1",), (None,), ("2",), (None,)]


class TestTypes:
    def test_texts_that_repeat_are_dictionaries_and_others_are_not(self, folder: Path) -> None:
        content = b"a,b\n" + b"".join(b"x,%d-\n" % number for number in range(1000))
        of = target(folder, content)
        format_ = Delimited(block_bytes=2000)
        first, *others = (b.schema.types for b in format_.read(Cut.whole(of), texts(format_, of)).batches)
        dictionary = pa.dictionary(pa.int32(), pa.string())
        assert first == [dictionary, dictionary]
        assert others
        assert set(map(tuple, others)) == {(dictionary, pa.string())}

    @pytest.mark.parametrize(
        ("kind", "value", "why"),
        [
            (Kind.INT, b"0x1F", "column 'a' has hexadecimal values"),
            (Kind.INT, b"0X1F", "column 'a' has hexadecimal values"),
            (Kind.INT, b"1.5", "column 'a' has '1.5'"),
            (Kind.INT, b"9223372036854775808", "column 'a' has '9223372036854775808'"),
            (Kind.FLOAT, b"x" * 10_000, "column 'a' has 'xxx"),
        ],
    )
    def test_what_does_not_fit_is_a_short_misfit(
        self, folder: Path, kind: Kind, value: bytes, why: str
    ) -> None:
        of = target(folder, b"a,b\n1,0x\n" + value + b",0x\n")
        columns = [Column("a", kind), Column("b", Kind.BYTES)]
        with pytest.raises(Misfit, match=re.escape(why)) as caught:
            rows(Delimited().read(Cut.whole(of), columns).batches)
        assert len(str(caught.value)) < 1000

    def test_hexadecimals_in_texts_are_texts(self, folder: Path) -> None:
        of = target(folder, b"a,b\n1,0x1F\n")
        assert rows(Delimited().read(Cut.whole(of), Delimited().header(of).columns).batches) == [(1, "0x1F")]

    @given(st.binary(max_size=20), st.sampled_from([b"0x", b"0X", b"0y", b"x0"]), st.binary(max_size=20))
    @settings(deadline=None)
    def test_hexadecimals_are_found_wherever_they_are(
        self, before: bytes, pair: bytes, behind: bytes
    ) -> None:
        content = before + pair + behind
        assert has_hexadecimals(np.frombuffer(content, np.uint8)) == (b"0x" in content or b"0X" in content)

    def test_a_survey_counts_numbers_and_texts_and_names_the_first(self, folder: Path) -> None:
        of = target(folder, b"a,b,c,d\n1,1.5,,x\n2,,,1\nseven,nan,,\n3,1e999,,0x1F\n")
        (sight,) = Delimited().survey(Cut.whole(of)).batches
        assert sight.rows == 4
        assert [(s.kind, s.numbers, s.texts, s.first_text, s.first_row) for s in sight.seen] == [
            (Kind.BYTES, 3, 1, "seven", 2),
            (Kind.FLOAT, 3, 0, "", 0),
            (None, 0, 0, "", 0),
            (Kind.BYTES, 1, 2, "x", 0),
        ]

    @given(st.from_regex(probe.NUMBER.replace("$", r"\Z"), fullmatch=True))
    @settings(max_examples=100, deadline=None)
    def test_what_counts_as_a_number_is_read_as_one(self, number: str) -> None:
        column = pa.array([number])
        assert probe.seen(column).kind in {Kind.INT, Kind.FLOAT}
        assert probe.seen(pa.array([number, "x"])).numbers == 1


@settings(max_examples=2_000)
@given(
    st.lists(
        st.sampled_from([b'"', b'"', b",", b"\n", b"\r", b"a", b'",', b',"', b'"\n"', b'""']), max_size=14
    )
)
@example([b'"', b"a", b',"', b"a", b',"', b"a", b'"'])
def test_marks_that_seem_paired_are_unless_a_value_shows_one(parts: list[bytes]) -> None:
    """Rows of any number of fields: what pyarrow does with a mark does not depend on it."""
    text = b"".join(parts) + b"\n"
    padded = np.frombuffer(b"\n" + text + b"\n", np.uint8)
    if not seem_paired(padded, b",\n\r") or MARK in b"".join(values(text)):
        return
    found = np.flatnonzero(padded[1:-1] == MARK)
    assert marks(padded, ord(","), 0).tolist() == found.tolist()
    assert len(found) % 2 == 0


def values(text: bytes) -> list[bytes]:
    """What pyarrow reads of a text, rows that are too short or too long among it."""
    rows: list[bytes] = []
    for width in range(1, 1 + max(line.count(b",") + 1 for line in [text, *text.split(b"\n")])):
        handler = lambda _: "skip"  # noqa: E731 - pyarrow calls it
        table = pa.csv.read_csv(
            pa.BufferReader(text),
            read_options=pa.csv.ReadOptions(
                use_threads=False, column_names=[str(number) for number in range(width)]
            ),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=handler),
            convert_options=pa.csv.ConvertOptions(
                column_types={str(number): pa.binary() for number in range(width)}
            ),
        )
        rows += [value or b"" for column in table.columns for value in column.to_pylist()]
    return rows
