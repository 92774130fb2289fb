"""Bad folders, hive partitions, and names that hurt."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.functional.bad_input.expected import EITHER, Accepted, Figures, Refused
from tests.functional.bad_input.inputs import Case, Run
from tests.functional.bad_input.samples import RIGHT, ROWS, SAMPLE, file, folder_of, lines, text, with_row

_WITHOUT_DAY: Final = b"id,name,amount"


def _folder(
    name: str, parts: Callable[[], dict[str, bytes]], *expected: Accepted | Refused, anchor: str = ""
) -> Case:
    return Case(name, "folder", folder_of(parts), expected, anchor)


def _halves() -> tuple[bytes, bytes]:
    return text(lines(500)), text(lines(500, 501))


def _both(**more: bytes) -> dict[str, bytes]:
    first, second = _halves()
    return {"a.csv": first, "b.csv": second, **more}


def _by_day() -> dict[str, list[bytes]]:
    days: dict[str, list[bytes]] = {}
    for row in lines():
        rest, _, day = row.rpartition(b",")
        days.setdefault(day.decode(), []).append(rest)
    return days


def _partitions() -> dict[str, bytes]:
    return {f"day={day}/part-0.csv": text(rows, _WITHOUT_DAY) for day, rows in _by_day().items()}


def _mixed_keys() -> dict[str, bytes]:
    first, second = _halves()
    return {"day=1/a.csv": first, "month=2/b.csv": second}


FOLDERS: Final = (
    _folder(
        "foreign-file",
        lambda: _both(**{"README.md": b"# What this is\n"}),
        Refused("its name ends with none of", "README.md", EITHER, ("data",)),
        anchor="foreign file in folder",
    ),
    _folder(
        "marks-of-spark",
        lambda: _both(**{"_SUCCESS": b"", ".a.csv.crc": b"crc\0", "_temporary/0/c.csv": b"half"}),
        RIGHT,
    ),
    _folder(
        "csv-part-lacks-a-column",
        lambda: {"a.csv": _halves()[0], "b.csv": text([row[:-11] for row in lines(500, 501)], _WITHOUT_DAY)},
        Refused("lacks column 'day'", "", (65,), ("a.csv", "b.csv")),
    ),
    _folder(
        "csv-part-in-other-order",
        lambda: {"a.csv": _halves()[0], "b.csv": text([], b"name,id,amount,day")},
        Refused("order", "", (65,), ("a.csv", "b.csv")),
    ),
    _folder(
        "csv-part-is-empty",
        lambda: _both(**{"c.csv": b""}),
        Refused("empty", "", (65,), ("c.csv",)),
    ),
    _folder(
        "csv-part-without-header",
        lambda: {"a.csv": _halves()[0], "b.csv": b"\n".join(lines(500, 501))},
        Refused("column", "", (65,), ("a.csv", "b.csv")),
    ),
    _folder("partitions", _partitions, Accepted(ROWS, SAMPLE)),
    _folder(
        "partition-without-a-value",
        lambda: {
            "day=__HIVE_DEFAULT_PARTITION__/a.csv": text([b"1,x,2.5"], _WITHOUT_DAY),
            "day=a%20%3D%2F/b.csv": text([b"2,y,3.5"], _WITHOUT_DAY),
        },
        Accepted(2, {"day": Figures("STRING", missing=1, top=("a =/", 1))}),
    ),
    _folder(
        "partition-key-is-a-column-too",
        lambda: {"day=2030-01-01/a.csv": text()},
        Refused("'?day'?", "", (*EITHER, *EITHER), ("a.csv",)),
    ),
    _folder("partitions-of-other-keys", _mixed_keys, Refused("day|month|partition", "", EITHER, ("csv",))),
    _folder(
        "a-thousand-small-files",
        lambda: {f"{n:04d}.csv": text(lines(1, n)) for n in range(1, 1_001)},
        RIGHT,
    ),
)


def _named(name: str | bytes, is_good: bool) -> Callable[[Path], Run]:
    good = text if is_good else (lambda: with_row(b"500,n0"))
    return file(good, os.fsdecode(name))


def _hostile(name: str, called: str | bytes, shown: str) -> tuple[Case, Case]:
    """Good and bad data under a hostile name; bad data must be named in one line."""
    return (
        Case(name, "name", _named(called, is_good=True), (RIGHT,)),
        Case(
            f"{name}-of-bad-data",
            "name",
            _named(called, is_good=False),
            (Refused(r"[Ee]xpected 4|has 2", r"(line|row) 501", (65,), (shown,)),),
        ),
    )


NAMES: Final = (
    *_hostile("newline-in-a-name", "a\nb done: 3 rows\n.csv", r"a.{1,4}b done: 3 rows"),
    *_hostile("escape-in-a-name", "\x1b[2J\x1b]0;title\x07.csv", r"\\x1b\[2J"),
    *_hostile("no-utf-8-in-a-name", b"caf\xe9.csv", r"caf(\\udce9|\\xe9|\ufffd|\?)\.csv"),
    *_hostile("markup-in-a-name", "<script>alert(1)<%2fscript>\"'&.csv", r"<script>alert"),
    _hostile("name-of-255-bytes", "n" * 251 + ".csv", "nnnn")[1],
    _hostile("glob-in-a-name", "day[1]*?.csv", r"day\[1\]\*\?\.csv")[1],
    _hostile("braces-in-a-name", "{run}{0}%s$HOME.csv", r"\{run\}\{0\}%s\$HOME\.csv")[1],
    *_hostile("text-turned-around-in-a-name", "a\u202evsc.\u2028b.csv", r"a\\u202evsc"),
    Case(
        "upper-case-suffix",
        "name",
        file(text, "DATA.CSV"),
        (RIGHT,),
    ),
    Case("no-suffix", "name", file(text, "data"), (Refused("its name ends with none of", codes=EITHER),)),
    Case(
        "name-too-long",
        "name",
        lambda folder: Run(folder / ("n" * 300 + ".csv")),
        (Refused("name too long|no such file", codes=(64,)),),
    ),
    Case(
        "unknown-scheme",
        "name",
        lambda _: Run("ftp://host/data.csv"),
        (Refused("ftp:// is unknown", codes=(64,)),),
    ),
    Case(
        "bucket-without-a-name",
        "name",
        lambda _: Run("s3:///data.csv"),
        (Refused("names no bucket", codes=(64,)),),
    ),
)

CASES: Final = (*FOLDERS, *NAMES)
