"""CSV whose rows are whole and whose values hurt."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tests.functional.bad_input.delimited import DAYS_BUT_ONE, WITHOUT_NAME, cell, csv, with_cell
from tests.functional.bad_input.expected import Accepted, Figures, Flaw, Refused
from tests.functional.bad_input.samples import NAMES, ROWS, SAMPLE, lines, text

_LINE_501: Final = r"\b(line|row) 501\b"
_MILLION: Final = 1_000_000


def _numbers_then_text() -> bytes:
    return b"v\n" + b"\n".join(b"%d" % n for n in range(1, _MILLION + 1)) + b"\nnone\n"


def _non_finite() -> bytes:
    rows = lines()
    rows[499], rows[500] = cell(rows[499], 2, b"1e999"), cell(rows[500], 2, b"NaN")
    return text(rows)


def _without(number: int) -> Figures:
    """The figures of amount when that of one row is missing from its mean."""
    return Figures("FLOAT", mean=(125.125 * ROWS - number / 4) / (ROWS - 1))


CASES: Final = (
    csv(
        "nul-byte",
        with_cell(1, b"n\0"),
        Accepted(ROWS, WITHOUT_NAME, (Flaw("NUL_BYTES", "name", r"^1 value"),), NAMES),
        anchor="NUL byte",
    ),
    csv(
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
    csv(
        "int64-overflow",
        with_cell(0, b"9223372036854775808"),
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
    csv(
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
    csv(
        "impossible-date",
        with_cell(3, b"2024-02-30"),
        Accepted(
            ROWS, DAYS_BUT_ONE, (Flaw("INVALID_DATES|IMPOSSIBLE_DATES", "day", r"^1 .*2024-02-30"),), NAMES
        ),
        anchor="impossible date",
    ),
    csv(
        "na-among-numbers",
        with_cell(2, b"NA"),
        Accepted(
            ROWS,
            {**SAMPLE, "amount": Figures("STRING", missing=0)},
            (Flaw("MIXED_TYPES", "amount", r"^1 text among 999 numbers"),),
            NAMES,
        ),
    ),
    csv(
        "missing-values",
        with_cell(2, b""),
        Accepted(ROWS, {**SAMPLE, "amount": replace(_without(500), missing=1)}, names=NAMES),
    ),
    csv(
        "hexadecimals",
        with_cell(0, b"0x1F"),
        Accepted(ROWS, {**SAMPLE, "id": Figures("STRING", missing=0, distinct=ROWS)}, names=NAMES),
    ),
    csv(
        "beyond-uint64",
        with_cell(0, b"18446744073709551617"),
        Accepted(
            ROWS,
            {"id": Figures("FLOAT", 0, minimum=1, maximum=2.0**64, mean=(500_000 + 2**64) / ROWS)},
            names=NAMES,
        ),
    ),
    csv(
        "sum-beyond-the-largest-float",
        lambda: text([b"%d,n,%s,d" % (n, b"1.7e308") for n in range(1, ROWS + 1)]),
        Accepted(ROWS, {"amount": Figures("FLOAT", 0, 1.7e308, 1.7e308, 1.7e308, deviation=0)}, names=NAMES),
    ),
    csv(
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
    csv(
        "only-missing-values",
        lambda: text([b",,,"] * ROWS),
        Accepted(ROWS, {name: Figures(missing=ROWS) for name in NAMES}, names=NAMES),
    ),
    csv(
        "hostile-values",
        with_cell(1, b"<script>alert(1)</script>\x1b]0;x\x07"),
        Accepted(ROWS, {**WITHOUT_NAME, "name": Figures("STRING", 0, distinct=11)}, names=NAMES),
    ),
)
