"""Bad input by bad input: refused with file and place, or read with the right figures."""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.validator.formats.reading import kinds, numeric, refusal, summary, text
from validator.errors import DataError, UsageError
from validator.profile import Kind


def csv(folder: Path, content: bytes, name: str = "a.csv") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


ROWS = b"1,2\n" * 1000


class TestRefusedText:
    @pytest.mark.parametrize(
        ("content", "place"),
        [
            (b"a,b\n1,2\n1,2,3\n", "line 3: expected 2 fields, found 3"),
            (b"a,b\n1,2\n1\n", "line 3: expected 2 fields, found 1"),
            (b"a,b\n" + ROWS * 500 + b"1\n", "line 500002: expected 2 fields, found 1"),
            (b'a,b\n1,2\n1,"2\n3,4\n', "line 3: a quotation mark is not closed"),
            (b'a,b\n1,2\n1,"2', "line 3: a quotation mark is not closed"),
            (b'a,b\n1,"2\n3,"4"\n5,"6\n7,"8"\n', "line 2: a quotation mark is not closed"),
            (b'a,b\n1,"2\n3,4\n5,"6\n7,8\n', "line 2: a quotation mark is not closed"),
            (b"a,b\n1,UTF8 straddling,2\n", "line 2: expected 2 fields, found 3"),
            (b"a,b\n1,CSV conversion error to int64: ,2\n", "line 2: expected 2 fields, found 3"),
            (b",b\n1,2\n", "column 1 of its header has no name"),
            ("a,b\n1,2\n".encode("utf-16-le"), "its header has a NUL byte"),
            (b"\xef\xbb\xbf", "empty"),
            (b"a,b\n1,2\n1,caf\xe9\n", "line 3, byte 6: 0xe9 is not UTF-8"),
            (b"a,b\n" + ROWS * 500 + b"1,caf\xe9\n", "line 500002, byte 6: 0xe9 is not UTF-8"),
            ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
            ("a,b\n1,2\n".encode("utf-16-be"), "NUL"),
            (b"", "empty"),
            (b"\n\n  \n", "empty"),
            (b"a,b,a\n1,2,3\n", "2 columns named 'a'"),
            (b"PAR1\x00\x00", "Parquet"),
            (gzip.compress(b"a\n1\n", mtime=0), "gzip"),
        ],
    )
    def test_with_its_place(self, tmp_path: Path, content: bytes, place: str) -> None:
        assert place in refusal(csv(tmp_path, content))

    @pytest.mark.parametrize(
        ("header", "shown", "separator"),
        [
            (b"a;b;c", "'a;b;c'", "';'"),
            (b"a\tb", r"'a\tb'", "tabs"),
            (b"\xef\xbb\xbf\r\na|b;c|d", "'a|b;c|d'", "'|'"),
            (b'"a";"b, c"', """'"a";"b, c"'""", "';'"),
        ],
    )
    @pytest.mark.parametrize("rows", [b"1;2;3\n", b"1,5;2,5;3\n", b""])
    def test_one_column_that_is_several(
        self, tmp_path: Path, header: bytes, shown: str, separator: str, rows: bytes
    ) -> None:
        option = "tab" if separator == "tabs" else separator
        assert refusal(csv(tmp_path, header + b"\n" + rows)) == (
            f"cannot read {tmp_path}/a.csv: its header is one column, {shown}: it seems to be separated by "
            f"{separator}; say so with --delimiter {option}, or put the name into quotation marks"
        )

    @pytest.mark.parametrize(
        ("content", "place"),
        [
            (gzip.compress(b"a,b\n" + os.urandom(3000).hex().encode() + b",1\n")[:-900], "runcated"),
            (gzip.compress(gzip.compress(b"a,b\n1,2\n", mtime=0), mtime=0), "its text is gzip"),
            (b"a,b\n1,2\n", "gz"),
            (b"", "empty"),
        ],
    )
    def test_compressed(self, tmp_path: Path, content: bytes, place: str) -> None:
        assert place in refusal(csv(tmp_path, content, "a.csv.gz"))


class TestReadText:
    def test_quoted_line_breaks_commas_and_quotes(self, tmp_path: Path) -> None:
        read = summary(csv(tmp_path, b'a,b\n"x\ny",1\r\n"p,q",2\n"say ""so""",3\n'))
        assert read.rows == 3
        assert dict(text(read).ranked) == {"x\ny": 1, "p,q": 1, 'say "so"': 1}

    def test_a_lone_quote_inside_a_field_is_text(self, tmp_path: Path) -> None:
        assert text(summary(csv(tmp_path, b'a,b\n5" pipe,1\n'))).ranked == (('5" pipe', 1),)

    def test_line_ends_may_mix_and_the_last_may_lack(self, tmp_path: Path) -> None:
        read = summary(csv(tmp_path, b"a,b\r\n1,x\n2,y\r\n\n3,z"))
        assert (read.rows, numeric(read).maximum) == (3, 3.0)

    def test_a_byte_order_mark_is_no_part_of_a_name(self, tmp_path: Path) -> None:
        assert list(kinds(summary(csv(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n")))) == ["a", "b"]

    def test_a_header_alone_has_all_its_columns(self, tmp_path: Path) -> None:
        read = summary(csv(tmp_path, b"a,b,c\n"))
        assert (read.rows, [c.column.name for c in read.columns]) == (0, ["a", "b", "c"])

    def test_a_header_may_lack_its_line_end(self, tmp_path: Path) -> None:
        assert list(kinds(summary(csv(tmp_path, b"a,b")))) == ["a", "b"]

    @pytest.mark.parametrize(
        ("header", "names"),
        [
            (b'"a;b"', ["a;b"]),
            (b'"a ""|"" b"', ['a "|" b']),
            (b'"a;\nb"', ["a;\nb"]),
            (b"a;b,c", ["a;b", "c"]),
        ],
    )
    def test_a_name_may_hold_what_separates_elsewhere(
        self, tmp_path: Path, header: bytes, names: Sequence[str]
    ) -> None:
        assert list(kinds(summary(csv(tmp_path, header + b"\n")))) == names

    def test_quoted_fields_at_all_places_are_no_open_quotes(self, tmp_path: Path) -> None:
        read = summary(csv(tmp_path, b'"a","b"\r\n"","x,""y"""\r\n"1","\n"'))
        assert (read.rows, dict(text(read, 1).ranked)) == (2, {'x,"y"': 1, "\n": 1})

    def test_a_late_hexadecimal_is_no_number(self, tmp_path: Path) -> None:
        read = summary(csv(tmp_path, b"a\n" + b"1\n" * 600_000 + b"0x1F\n"))
        assert dict(text(read).ranked) == {"1": 600_000, "0x1F": 1}

    def test_gzip(self, tmp_path: Path) -> None:
        assert summary(csv(tmp_path, gzip.compress(b"a\n1\n2\n"), "a.CSV.GZ")).rows == 2

    def test_only_an_empty_field_is_missing(self, tmp_path: Path) -> None:
        read = summary(csv(tmp_path, b'a,b\nNA,1\nnull,\n,2\n"",3\n'))
        assert dict(text(read).ranked) == {"NA": 1, "null": 1}
        assert [c.presence.missing for c in read.columns] == [2, 1]

    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            ([b"1", b"-2", b" 3"], Kind.INT),
            ([b"9223372036854775807"], Kind.INT),
            ([b"9223372036854775808"], Kind.FLOAT),
            ([b"1", b"2.5"], Kind.FLOAT),
            ([b"1e999", b"nan"], Kind.FLOAT),
            ([b"0x1F", b"2"], Kind.BYTES),
            ([b"true", b"false"], Kind.BYTES),
            ([b"2026-01-01"], Kind.BYTES),
            ([b"1", b"x"], Kind.BYTES),
            ([b"", b""], Kind.BYTES),
        ],
    )
    def test_kinds_are_those_of_tfdv(self, tmp_path: Path, values: Sequence[bytes], kind: Kind) -> None:
        rows = b"".join(value + b",1\n" for value in values)
        assert kinds(summary(csv(tmp_path, b"a,b\n" + rows)))["a"] is kind

    def test_text_after_many_integers_makes_text_of_all(self, tmp_path: Path) -> None:
        read = summary(csv(tmp_path, b"a\n" + b"7\n" * 1_000_000 + b"seven\n"))
        assert text(read).ranked == (("7", 1_000_000), ("seven", 1))

    def test_several_columns_are_widened_at_once(self, tmp_path: Path) -> None:
        head = b"1,1,1,1\n" * 200_000
        read = summary(csv(tmp_path, b"a,b,c,d\n" + head + b"2.5,x,9223372036854775808,2\n"))
        assert list(kinds(read).values()) == [Kind.FLOAT, Kind.BYTES, Kind.FLOAT, Kind.INT]
        assert numeric(read, 2).maximum == 2.0**63

    def test_a_column_empty_at_first_gets_its_kind_later(self, tmp_path: Path) -> None:
        read = summary(csv(tmp_path, b"a,b\n" + b",1\n" * 300_000 + b"late,1\n"))
        assert (text(read).ranked, text(read).presence.missing) == ((("late", 1),), 300_000)

    def test_what_is_not_finite_is_counted_and_left_out_of_the_mean(self, tmp_path: Path) -> None:
        column = numeric(summary(csv(tmp_path, b"a\n1.5\n2.5\n1e999\n-inf\nNaN\n")))
        counted = (column.nan, column.positive_infinities, column.negative_infinities)
        assert (counted, column.mean, column.maximum) == ((1, 1, 1), 2.0, 2.5)

    def test_nul_bytes_are_flagged(self, tmp_path: Path) -> None:
        assert text(summary(csv(tmp_path, b"a,b\nx\0y,1\nz,2\n"))).with_nul == 1


class TestFolders:
    def test_parts_are_one_dataset(self, tmp_path: Path) -> None:
        (tmp_path / "d").mkdir()
        csv(tmp_path / "d", b"a\n1\n", "1.csv")
        csv(tmp_path / "d", b"a\nx\n", "2.csv")
        csv(tmp_path / "d", b"ignored", "_SUCCESS")
        assert text(summary(tmp_path / "d")).ranked == (("x", 1), ("1", 1))

    def test_a_foreign_file_is_named(self, tmp_path: Path) -> None:
        csv(tmp_path, b"a\n1\n")
        csv(tmp_path, b"# Read me", "README.md")
        with pytest.raises(UsageError, match=r"README\.md: its name ends with none of"):
            summary(tmp_path)

    @pytest.mark.parametrize(
        ("other", "difference"),
        [
            (b"a\n1\n", "lacks column 'b'"),
            (b"a,b,c\n1,2,3\n", "a column more, 'c'"),
            (b"b,a\n1,2\n", "different order"),
        ],
    )
    def test_parts_that_differ_are_both_named(self, tmp_path: Path, other: bytes, difference: str) -> None:
        csv(tmp_path, b"a,b\n1,2\n", "1.csv")
        csv(tmp_path, other, "2.csv")
        with pytest.raises(DataError, match=difference) as caught:
            summary(tmp_path)
        assert "1.csv" in str(caught.value)
        assert "2.csv" in str(caught.value)
