"""Bad CSV and TSV."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from tests.functional.bad_input.expected import Accepted, Bounds, Expected, Figures, Flaw, Refused
from tests.functional.bad_input.inputs import Case, Run
from tests.functional.bad_input.samples import NAMES, RIGHT, ROWS, SAMPLE, file, lines, text, with_row

_LINE_501: Final = r"\b(line|row) 501\b"
DAYS_BUT_ONE: Final = {**SAMPLE, "day": Figures("STRING", missing=0)}
WITHOUT_NAME: Final = {name: SAMPLE[name] for name in ("id", "amount", "day")}
_LONG_LINE: Final = Refused(r"longer than|too long|not closed within 8 MiB", _LINE_501)


def csv(
    name: str,
    content: Callable[[], bytes],
    *expected: Expected,
    anchor: str = "",
    bounds: Bounds | None = None,
    is_slow: bool = False,
) -> Case:
    """Returns an input that is one CSV."""
    return Case(name, "CSV", file(content), expected, anchor, bounds or Bounds(), is_slow)


def cell(row: bytes, column: int, content: bytes) -> bytes:
    """Returns a row with another cell."""
    cells = row.split(b",")
    cells[column] = content
    return b",".join(cells)


def with_cell(column: int, content: bytes) -> Callable[[], bytes]:
    """Returns how the good data is made with another cell in row 500, which is line 501."""
    return lambda: with_row(cell(lines()[499], column, content))


def _quoted_newlines() -> bytes:
    rows = lines()
    for number in range(0, 900, 3):
        rows[number] = cell(rows[number], 1, b'"two\nlines, and ""quotes"""')
    return text(rows)


def _mixed_line_ends() -> bytes:
    return b"".join(line + (b"\r\n" if n % 2 else b"\n") for n, line in enumerate(text().splitlines()))


def _wide() -> bytes:
    header = b",".join(b"c%d" % n for n in range(20_000))
    rows = [b",".join(b"%d" % (n + row) for n in range(20_000)) for row in range(20)]
    return text(rows, header)


ANCHORED: Final = (
    csv(
        "row-too-long",
        lambda: with_row(lines()[499] + b",surplus"),
        Refused(r"[Ee]xpected 4 (columns|fields)|has 5 (fields|columns)", _LINE_501),
        anchor="row too long",
    ),
    csv(
        "row-too-short",
        lambda: with_row(b"500,n0"),
        Refused(r"[Ee]xpected 4 (columns|fields)|has 2 (fields|columns)", _LINE_501),
        anchor="row too short",
    ),
    csv(
        "unbalanced-quote",
        with_cell(1, b'"n0'),
        Refused(r"quotation mark.*(not|never) closed", _LINE_501),
        anchor="unbalanced quote",
    ),
    csv(
        "latin-1-byte",
        with_cell(1, "café".encode("latin-1")),
        Refused("0xe9 is not UTF-8", r"line 501, byte \d+"),
        anchor="Latin-1 byte",
    ),
    csv(
        "utf-16-with-mark",
        lambda: text().decode().encode("utf-16"),
        Refused("UTF-16"),
        anchor="UTF-16 + BOM",
    ),
    csv("empty", lambda: b"", Refused("empty"), anchor="empty file"),
    csv(
        "header-only",
        lambda: text([]),
        Accepted(0, names=NAMES, flaws=(Flaw("NO_DATA"),), verdict="fail"),
        anchor="header only",
    ),
    csv(
        "duplicate-columns",
        lambda: text(header=b"id,amount,amount,day"),
        Refused("2 columns named", "'amount'"),
        anchor="duplicate columns",
    ),
    csv(
        "line-of-50-mb",
        with_cell(1, b"x" * 50_000_000),
        _LONG_LINE,
        Accepted(ROWS, WITHOUT_NAME, names=NAMES),
        anchor="50 MB line",
    ),
    csv(
        "20000-columns",
        _wide,
        Accepted(
            20,
            {
                f"c{n}": Figures("INT", missing=0, minimum=n, maximum=n + 19, mean=n + 9.5)
                for n in (0, 9_999, 19_999)
            },
        ),
        anchor="20,000 columns",
        bounds=Bounds(cpu_seconds=40, peak_mb=1_000, wall_seconds=300),
        is_slow=True,
    ),
    csv(
        "quoted-newlines",
        _quoted_newlines,
        Accepted(
            ROWS,
            {
                **WITHOUT_NAME,
                "name": Figures("STRING", 0, distinct=11, top=('two\nlines, and "quotes"', 300)),
            },
            names=NAMES,
        ),
        anchor="quoted newlines (valid)",
    ),
    csv("crlf-and-lf", _mixed_line_ends, RIGHT, anchor="CRLF mix (valid)"),
    csv(
        "cell-of-10-mb",
        with_cell(1, b'"' + b"y" * 10_000_000 + b'"'),
        Accepted(ROWS, WITHOUT_NAME, names=NAMES),
        _LONG_LINE,
        anchor="10 MB cell",
    ),
    csv(
        "cut-in-the-last-field",
        lambda: text()[:-3],
        Accepted(ROWS, DAYS_BUT_ONE, (Flaw("NO_FINAL_LINE_END|CUT_OFF", "", ""),), NAMES),
        anchor="cut mid-row, no newline",
    ),
)

_HOSTILE_NAME: Final = b'<script>alert(1)</script>\x1b[31m"" \xc2\x85'


def _hostile_names() -> bytes:
    return text(header=b'id,"' + _HOSTILE_NAME + b'\nnext",amount,day')


def _parsed(names: bytes) -> str:
    return names.replace(b'""', b'"').decode()


OWN: Final = (
    csv("cut-between-fields", lambda: text()[:-14], Refused(r"[Ee]xpected 4|has 3", r"(line|row) 1001\b")),
    csv("no-line-end-at-the-end", lambda: text()[:-1], replace(RIGHT)),
    csv("white-space-only", lambda: b" \n\n \r\n", Refused("empty")),
    csv("no-name-in-header", lambda: text(header=b"id,,amount,day"), Refused("column 2 .*no name")),
    csv("utf-8-mark", lambda: b"\xef\xbb\xbf" + text(), RIGHT),
    csv(
        "utf-16-without-mark",
        lambda: text().decode().encode("utf-16-le"),
        Refused("NUL byte, as UTF-16 has|UTF-16"),
    ),
    csv("utf-32", lambda: text().decode().encode("utf-32"), Refused("UTF-(16|32)")),
    csv("blank-lines", lambda: text([row + b"\n" * (n % 3 == 0) for n, row in enumerate(lines())]), RIGHT),
    csv(
        "carriage-returns-only",
        lambda: text().replace(b"\n", b"\r"),
        RIGHT,
        Refused("line end|carriage return"),
    ),
    csv(
        "text-after-a-closing-quote",
        with_cell(1, b'"n0"0'),
        Refused("quotation mark", _LINE_501),
        Accepted(ROWS, {"name": Figures("STRING", 0, distinct=11)}, names=NAMES),
    ),
    csv(
        "quote-inside-a-field",
        with_cell(1, b'5" disk'),
        Accepted(ROWS, {**WITHOUT_NAME, "name": Figures("STRING", 0, distinct=11)}, names=NAMES),
        Refused("quotation mark", _LINE_501),
    ),
    csv(
        "two-quotes-swallow-a-row",
        lambda: text(
            [*lines()[:499], b'500,"n0,125.00,2024-01-25', b'501,n1",125.25,2024-01-26', *lines()[501:]]
        ),
        Refused("quotation mark|[Ee]xpected 4|has 3", r"(line|row) 50[01]\b"),
        Accepted(999, {"id": Figures("INT", maximum=1000)}, names=NAMES),
    ),
    csv(
        "semicolons",
        lambda: text().replace(b",", b";"),
        Refused("separated by ';'"),
    ),
    csv(
        "hostile-column-name",
        _hostile_names,
        Accepted(
            ROWS,
            {_parsed(_HOSTILE_NAME + b"\nnext"): replace(SAMPLE["name"])},
            names=("id", _parsed(_HOSTILE_NAME + b"\nnext"), "amount", "day"),
        ),
        Refused("header"),
    ),
    csv(
        "column-name-of-1-mb",
        lambda: text(header=b"id," + b"n" * 1_000_000 + b",amount,day"),
        Accepted(ROWS, {"id": SAMPLE["id"]}),
        Refused("header|name"),
    ),
    csv("parquet-named-csv", lambda: b"PAR1" + bytes(400) + b"PAR1", Refused("Parquet")),
    csv("noise", lambda: bytes(range(256)) * 64, Refused("UTF-8|NUL|text")),
    csv(
        "a-million-empty-fields",
        lambda: text([b"," * 1_000_000]),
        Refused(r"[Ee]xpected 4|has 1,?000,?001", r"(line|row) 2\b"),
    ),
)


def _make_tsv(content: Callable[[], bytes], folder: Path) -> Run:
    return file(lambda: content().replace(b",", b"\t"), "data.tsv")(folder)


TSV: Final = (
    Case("tsv", "TSV", partial(_make_tsv, text), (RIGHT,)),
    Case(
        "tsv-row-too-long",
        "TSV",
        partial(_make_tsv, lambda: with_row(lines()[499] + b",surplus")),
        (Refused(r"[Ee]xpected 4|has 5", _LINE_501),),
    ),
    Case(
        "tsv-with-commas",
        "TSV",
        file(text, "data.tsv"),
        (Refused("separated by ','|separated by commas"),),
    ),
)

CASES: Final = (*ANCHORED, *OWN, *TSV)
