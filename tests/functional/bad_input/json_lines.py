"""Bad JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from tests.functional.bad_input.expected import Accepted, Bounds, Expected, Figures, Flaw, Refused
from tests.functional.bad_input.inputs import Case
from tests.functional.bad_input.packed import repeated
from tests.functional.bad_input.samples import NAMES, RIGHT, ROWS, SAMPLE, file

_LINE_500: Final = r"\b(line|row) 500\b"
_SMALL: Final = Bounds(cpu_seconds=10, peak_mb=400)
_WITHOUT_NAME: Final = {name: SAMPLE[name] for name in ("id", "amount", "day")}


def _case(
    name: str,
    content: Callable[[], bytes],
    *expected: Expected,
    anchor: str = "",
    bounds: Bounds | None = None,
) -> Case:
    return Case(name, "JSON Lines", file(content, "data.jsonl"), expected, anchor, bounds or Bounds())


def _rows() -> list[bytes]:
    return [
        json.dumps(
            {"id": n, "name": f"n{n % 10}", "amount": n / 4, "day": f"2024-01-{n % 28 + 1:02d}"}
        ).encode()
        for n in range(1, ROWS + 1)
    ]


def _text() -> bytes:
    return b"\n".join([*_rows(), b""])


def _with(line: bytes, number: int = 500) -> Callable[[], bytes]:
    def content() -> bytes:
        rows = _rows()
        rows[number - 1] = line
        return b"\n".join([*rows, b""])

    return content


def _row_500(**values: str) -> bytes:
    """Returns a row in which some values are written otherwise."""
    row = {"id": "500", "name": '"n0"', "amount": "125.0", "day": '"2024-01-25"', **values}
    return ("{" + ", ".join(f'"{name}": {value}' for name, value in row.items()) + "}").encode()


CASES: Final = (
    _case("jsonl", _text, RIGHT),
    _case(
        "jsonl-broken-line",
        _with(b'{"id": 500, "name": "n0", "amount": 125.0 "day"'),
        Refused("json|parse|expected|invalid|missing", _LINE_500),
        anchor="JSONL broken line",
    ),
    _case(
        "jsonl-last-line-cut",
        lambda: _text()[:-15],
        Refused("json|parse|expected|invalid|missing|cut|trunc", r"\b(line|row) 1,?000\b"),
        anchor="JSONL last line cut",
    ),
    _case(
        "jsonl-nested-100000-deep",
        _with(_row_500(name='{"a":' * 100_000 + "1" + "}" * 100_000)),
        Refused("nest|deep|depth|recursion", _LINE_500),
        bounds=_SMALL,
    ),
    _case(
        "jsonl-brackets-100000-deep",
        lambda: b"[" * 100_000 + b"\n",
        Refused("nest|deep|depth|recursion|object|array", r"\b(line|row) 1\b"),
        bounds=_SMALL,
    ),
    _case("jsonl-array-line", _with(b"[1, 2]"), Refused("object|array", _LINE_500)),
    _case("jsonl-number-line", _with(b"7"), Refused("object|number|invalid", _LINE_500)),
    _case(
        "json-array-named-jsonl",
        lambda: b"[" + b",\n".join(_rows()) + b"]",
        Refused("object|array|json", r"\b(line|row) 1\b"),
    ),
    _case(
        "jsonl-two-objects-in-a-line",
        lambda: _text().replace(b"\n", b" ", 1),
        RIGHT,
        Refused("json|object"),
    ),
    _case(
        "jsonl-key-twice",
        _with(_row_500()[:-1] + b', "id": 501}'),
        Refused("twice|duplicate|two", _LINE_500),
    ),
    _case(
        "jsonl-text-among-numbers",
        _with(_row_500(id='"none"')),
        Accepted(
            ROWS,
            {**SAMPLE, "id": Figures("STRING", missing=0)},
            (Flaw("MIXED_TYPES", "id", r"^1 text among 999 numbers.*\b500\b"),),
        ),
        Refused("'id'", _LINE_500),
    ),
    _case(
        "jsonl-object-among-numbers",
        _with(_row_500(id='{"a": 1}')),
        Refused("'id'|object", _LINE_500),
    ),
    _case(
        "jsonl-beyond-int64",
        _with(_row_500(id=str(2**63))),
        Accepted(ROWS, {"id": Figures("FLOAT", 0, 1, 2.0**63, (500_000 + 2**63) / ROWS)}, names=NAMES),
        Refused("9223372036854775808|'id'", _LINE_500),
    ),
    _case(
        "jsonl-number-of-5000-digits",
        _with(_row_500(id="9" * 5_000)),
        Refused("'id'|number|digits", _LINE_500),
        Accepted(
            ROWS, _WITHOUT_NAME | {"id": Figures("FLOAT")}, (Flaw("NON_FINITE_VALUES", "id", "1 infinite"),)
        ),
        Accepted(ROWS, _WITHOUT_NAME | {"id": Figures("STRING")}, (Flaw("MIXED_TYPES", "id", "1 text"),)),
    ),
    _case(
        "jsonl-nan-and-1e999",
        _with(_row_500(amount="1e999")),
        Accepted(
            ROWS,
            {**SAMPLE, "amount": Figures("FLOAT", 0, mean=(125_125 - 125) / 999)},
            (Flaw("NON_FINITE_VALUES", "amount", "1 infinite"),),
        ),
        Refused("1e999|'amount'|number", _LINE_500),
    ),
    _case(
        "jsonl-lone-surrogate",
        _with(_row_500(name=r'"\ud800"')),
        Refused("surrogate|utf|unicode", _LINE_500),
        Accepted(ROWS, _WITHOUT_NAME, (Flaw("INVALID_UTF8", "name", "^1 value"),)),
    ),
    _case(
        "jsonl-latin-1",
        _with(b'{"id": 500, "name": "caf\xe9", "amount": 125.0, "day": "2024-01-25"}'),
        Refused("utf-?8", _LINE_500),
    ),
    _case("jsonl-utf-16", lambda: _text().decode().encode("utf-16"), Refused("UTF-16")),
    _case(
        "jsonl-nul",
        _with(_row_500(name=r'"n\u0000"')),
        Accepted(ROWS, _WITHOUT_NAME, (Flaw("NUL_BYTES", "name", "^1 value"),)),
    ),
    _case(
        "jsonl-key-only-in-the-last-line",
        _with(_row_500()[:-1].replace(b"500", b"1000") + b', "late": 1}', 1000),
        Accepted(ROWS, {"late": Figures(missing=999)}),
        Refused("'late'", r"\b(line|row) 1,?000\b"),
    ),
    _case(
        "jsonl-missing-keys-and-nulls",
        _with(b'{"id": 500, "amount": null, "day": "2024-01-25"}'),
        Accepted(ROWS, {"name": Figures("STRING", 1), "amount": Figures("FLOAT", 1, 0.25, 250)}, names=NAMES),
    ),
    _case(
        "jsonl-empty-file",
        lambda: b"",
        Accepted(0, {}, (Flaw("NO_DATA"),), verdict="fail"),
        Refused("empty"),
    ),
    _case("jsonl-blank-lines", lambda: _text().replace(b"\n", b"\n\n"), RIGHT),
    Case(
        "jsonl-line-of-200-mb-in-gzip",
        "JSON Lines",
        file(lambda: repeated(b'{"id": 1, "name": "', b"x" * 1_000_000, 200, b'"}\n'), "data.jsonl.gz"),
        (Refused("longer than|too long|beyond", r"\b(line|row) 1\b"),),
        bounds=_SMALL,
    ),
)
