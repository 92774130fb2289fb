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
_DAYS_BUT_ONE: Final = {**SAMPLE, "day": Figures("STRING", missing=0)}
_WITHOUT_NAME: Final = {name: SAMPLE[name] for name in ("id", "amount", "day")}
_LONG_LINE: Final = Refused(r"longer than|too long|not closed within 8 MiB", _LINE_501)
_MILLION: Final = 1_000_000


def _case(
    name: str,
    content: Callable[[], bytes],
    *expected: Expected,
    anchor: str = "",
    bounds: Bounds | None = None,
    is_slow: bool = False,
    named: str = "data.csv",
) -> Case:
    made = file(content, named)
    return Case(name, "CSV", made, expected, anchor, bounds or Bounds(), is_slow)


def _cell(row: bytes, column: int, content: bytes) -> bytes:
    cells = row.split(b",")
    cells[column] = content
    return b",".join(cells)


def _with_cell(column: int, content: bytes) -> Callable[[], bytes]:
    """Returns how the good data is made with another cell in row 500, which is line 501."""
    return lambda: with_row(_cell(lines()[499], column, content))


def _quoted_newlines() -> bytes:
    rows = lines()
    for number in range(0, 900, 3):
        rows[number] = _cell(rows[number], 1, b'"two\nlines, and ""quotes"""')
    return text(rows)


def _mixed_line_ends() -> bytes:
    return b"".join(line + (b"\r\n" if n % 2 else b"\n") for n, line in enumerate(text().splitlines()))


def _numbers_then_text() -> bytes:
    return b"v\n" + b"\n".join(b"%d" % n for n in range(1, _MILLION + 1)) + b"\nnone\n"


def _non_finite() -> bytes:
    rows = lines()
    rows[499], rows[500] = _cell(rows[499], 2, b"1e999"), _cell(rows[500], 2, b"NaN")
    return text(rows)


def _wide() -> bytes:
    header = b",".join(b"c%d" % n for n in range(20_000))
    rows = [b",".join(b"%d" % (n + row) for n in range(20_000)) for row in range(20)]
    return text(rows, header)


def _without(number: int) -> Figures:
    """The figures of amount when that of one row is missing from its mean."""
    return Figures("FLOAT", mean=(125.125 * ROWS - number / 4) / (ROWS - 1))


ANCHORED: Final = (
    _case(
        "row-too-long",
        lambda: with_row(lines()[499] + b",surplus"),
        Refused(r"[Ee]xpected 4 (columns|fields)|has 5 (fields|columns)", _LINE_501),
        anchor="row too long",
    ),
    _case(
        "row-too-short",
        lambda: with_row(b"500,n0"),
        Refused(r"[Ee]xpected 4 (columns|fields)|has 2 (fields|columns)", _LINE_501),
        anchor="row too short",
    ),
    _case(
        "unbalanced-quote",
        _with_cell(1, b'"n0'),
        Refused(r"quotation mark.*(not|never) closed", _LINE_501),
        anchor="unbalanced quote",
    ),
    _case(
        "nul-byte",
        _with_cell(1, b"n\0"),
        Accepted(ROWS, _WITHOUT_NAME, (Flaw("NUL_BYTES", "name", r"^1 value"),), NAMES),
        anchor="NUL byte",
    ),
    _case(
        "latin-1-byte",
        _with_cell(1, "café".encode("latin-1")),
        Refused("0xe9 is not UTF-8", r"line 501, byte \d+"),
        anchor="Latin-1 byte",
    ),
    _case(
        "utf-16-with-mark",
        lambda: text().decode().encode("utf-16"),
        Refused("UTF-16"),
        anchor="UTF-16 + BOM",
    ),
    _case("empty", lambda: b"", Refused("empty"), anchor="empty file"),
    _case(
        "header-only",
        lambda: text([]),
        Accepted(0, names=NAMES, flaws=(Flaw("NO_DATA"),), verdict="fail"),
        anchor="header only",
    ),
    _case(
        "duplicate-columns",
        lambda: text(header=b"id,amount,amount,day"),
        Refused("2 columns named", "'amount'"),
        anchor="duplicate columns",
    ),
    _case(
        "line-of-50-mb",
        _with_cell(1, b"x" * 50_000_000),
        _LONG_LINE,
        Accepted(ROWS, _WITHOUT_NAME, names=NAMES),
        anchor="50 MB line",
    ),
    _case(
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
    _case(
        "text-after-1m-ints",
        _numbers_then_text,
        Accepted(
            _MILLION + 1,
            {"v": Figures("STRING", missing=0)},
            (Flaw("MIXED_TYPES", "v", r"^1 text among 1,000,000 numbers.*\b1,000,001\b"),),
        ),
        anchor="text after 1M ints",
        is_slow=True,
    ),
    _case(
        "int64-overflow",
        _with_cell(0, b"9223372036854775808"),
        Accepted(
            ROWS,
            {
                **SAMPLE,
                "id": Figures("FLOAT", missing=0, minimum=1, maximum=2.0**63, mean=(500_000 + 2**63) / ROWS),
            },
            names=NAMES,
        ),
        Refused("9223372036854775808", _LINE_501),
        anchor="int64 overflow",
    ),
    _case(
        "1e999-and-nan",
        _non_finite,
        Accepted(
            ROWS,
            {**SAMPLE, "amount": Figures("FLOAT", missing=0, mean=(125_125 - 500 / 4 - 501 / 4) / 998)},
            (Flaw("NON_FINITE_VALUES", "amount", r"1 NaN, 1 infinite"),),
            NAMES,
        ),
        anchor="1e999 and NaN",
    ),
    _case(
        "quoted-newlines",
        _quoted_newlines,
        Accepted(
            ROWS,
            {
                **_WITHOUT_NAME,
                "name": Figures("STRING", 0, distinct=11, top=('two\nlines, and "quotes"', 300)),
            },
            names=NAMES,
        ),
        anchor="quoted newlines (valid)",
    ),
    _case("crlf-and-lf", _mixed_line_ends, RIGHT, anchor="CRLF mix (valid)"),
    _case(
        "impossible-date",
        _with_cell(3, b"2024-02-30"),
        Accepted(
            ROWS, _DAYS_BUT_ONE, (Flaw("INVALID_DATES|IMPOSSIBLE_DATES", "day", r"^1 .*2024-02-30"),), NAMES
        ),
        anchor="impossible date",
    ),
    _case(
        "cell-of-10-mb",
        _with_cell(1, b'"' + b"y" * 10_000_000 + b'"'),
        Accepted(ROWS, _WITHOUT_NAME, names=NAMES),
        _LONG_LINE,
        anchor="10 MB cell",
    ),
    _case(
        "cut-in-the-last-field",
        lambda: text()[:-3],
        Accepted(ROWS, _DAYS_BUT_ONE, (Flaw("NO_FINAL_LINE_END|CUT_OFF", "", ""),), NAMES),
        anchor="cut mid-row, no newline",
    ),
)

_HOSTILE_NAME: Final = b'<script>alert(1)</script>\x1b[31m"" \xc2\x85'


def _hostile_names() -> bytes:
    return text(header=b'id,"' + _HOSTILE_NAME + b'\nnext",amount,day')


def _parsed(names: bytes) -> str:
    return names.replace(b'""', b'"').decode()


OWN: Final = (
    _case("cut-between-fields", lambda: text()[:-14], Refused(r"[Ee]xpected 4|has 3", r"(line|row) 1001\b")),
    _case("no-line-end-at-the-end", lambda: text()[:-1], replace(RIGHT)),
    _case("white-space-only", lambda: b" \n\n \r\n", Refused("empty")),
    _case("no-name-in-header", lambda: text(header=b"id,,amount,day"), Refused("column 2 .*no name")),
    _case("utf-8-mark", lambda: b"\xef\xbb\xbf" + text(), RIGHT),
    _case(
        "utf-16-without-mark",
        lambda: text().decode().encode("utf-16-le"),
        Refused("NUL byte, as UTF-16 has|UTF-16"),
    ),
    _case("utf-32", lambda: text().decode().encode("utf-32"), Refused("UTF-(16|32)")),
    _case("blank-lines", lambda: text([row + b"\n" * (n % 3 == 0) for n, row in enumerate(lines())]), RIGHT),
    _case(
        "carriage-returns-only",
        lambda: text().replace(b"\n", b"\r"),
        RIGHT,
        Refused("line end|carriage return"),
    ),
    _case(
        "text-after-a-closing-quote",
        _with_cell(1, b'"n0"0'),
        Refused("quotation mark", _LINE_501),
        Accepted(ROWS, {"name": Figures("STRING", 0, distinct=11)}, names=NAMES),
    ),
    _case(
        "quote-inside-a-field",
        _with_cell(1, b'5" disk'),
        Accepted(ROWS, {**_WITHOUT_NAME, "name": Figures("STRING", 0, distinct=11)}, names=NAMES),
        Refused("quotation mark", _LINE_501),
    ),
    _case(
        "two-quotes-swallow-a-row",
        lambda: text(
            [*lines()[:499], b'500,"n0,125.00,2024-01-25', b'501,n1",125.25,2024-01-26', *lines()[501:]]
        ),
        Refused("quotation mark|[Ee]xpected 4|has 3", r"(line|row) 50[01]\b"),
        Accepted(999, {"id": Figures("INT", maximum=1000)}, names=NAMES),
    ),
    _case(
        "semicolons",
        lambda: text().replace(b",", b";"),
        Refused("separated by ';'"),
    ),
    _case(
        "na-among-numbers",
        _with_cell(2, b"NA"),
        Accepted(
            ROWS,
            {**SAMPLE, "amount": Figures("STRING", missing=0)},
            (Flaw("MIXED_TYPES", "amount", r"^1 text among 999 numbers"),),
            NAMES,
        ),
    ),
    _case(
        "missing-values",
        _with_cell(2, b""),
        Accepted(ROWS, {**SAMPLE, "amount": replace(_without(500), missing=1)}, names=NAMES),
    ),
    _case(
        "hexadecimals",
        _with_cell(0, b"0x1F"),
        Accepted(ROWS, {**SAMPLE, "id": Figures("STRING", missing=0, distinct=ROWS)}, names=NAMES),
    ),
    _case(
        "beyond-uint64",
        _with_cell(0, b"18446744073709551617"),
        Accepted(
            ROWS,
            {"id": Figures("FLOAT", 0, minimum=1, maximum=2.0**64, mean=(500_000 + 2**64) / ROWS)},
            names=NAMES,
        ),
    ),
    _case(
        "sum-beyond-the-largest-float",
        lambda: text([b"%d,n,%s,d" % (n, b"1.7e308") for n in range(1, ROWS + 1)]),
        Accepted(ROWS, {"amount": Figures("FLOAT", 0, 1.7e308, 1.7e308, 1.7e308, deviation=0)}, names=NAMES),
    ),
    _case(
        "numbers-far-from-zero",
        lambda: text([b"%d,n,%.1f,d" % (10**15 + n % 2, 1e9 + n % 2) for n in range(ROWS)]),
        Accepted(
            ROWS,
            {
                "id": Figures("INT", 0, 1e15, 1e15 + 1, 1e15 + 0.5, deviation=0.5),
                "amount": Figures("FLOAT", 0, 1e9, 1e9 + 1, 1e9 + 0.5, deviation=0.5),
            },
            names=NAMES,
        ),
    ),
    _case(
        "only-missing-values",
        lambda: text([b",,,"] * ROWS),
        Accepted(ROWS, {name: Figures(missing=ROWS) for name in NAMES}, names=NAMES),
    ),
    _case(
        "hostile-column-name",
        _hostile_names,
        Accepted(
            ROWS,
            {_parsed(_HOSTILE_NAME + b"\nnext"): replace(SAMPLE["name"])},
            names=("id", _parsed(_HOSTILE_NAME + b"\nnext"), "amount", "day"),
        ),
        Refused("header"),
    ),
    _case(
        "column-name-of-1-mb",
        lambda: text(header=b"id," + b"n" * 1_000_000 + b",amount,day"),
        Accepted(ROWS, {"id": SAMPLE["id"]}),
        Refused("header|name"),
    ),
    _case(
        "hostile-values",
        _with_cell(1, b"<script>alert(1)</script>\x1b]0;x\x07"),
        Accepted(ROWS, {**_WITHOUT_NAME, "name": Figures("STRING", 0, distinct=11)}, names=NAMES),
    ),
    _case("parquet-named-csv", lambda: b"PAR1" + bytes(400) + b"PAR1", Refused("Parquet")),
    _case("noise", lambda: bytes(range(256)) * 64, Refused("UTF-8|NUL|text")),
    _case(
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
