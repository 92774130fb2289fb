"""The good data that inputs are made bad from: 1,000 rows of four columns, the figures of which are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from tests.functional.bad_input.expected import Accepted, Figures
from tests.functional.bad_input.inputs import Run

ROWS: Final = 1_000
NAMES: Final = ("id", "name", "amount", "day")
HEADER: Final = b"id,name,amount,day"

SAMPLE: Final = {
    "id": Figures("INT", missing=0, minimum=1, maximum=1000, mean=500.5),
    "name": Figures("STRING", missing=0, distinct=10, top=("n9", 100)),
    "amount": Figures("FLOAT", missing=0, minimum=0.25, maximum=250, mean=125.125),
    "day": Figures("STRING", missing=0, distinct=28, top=("2024-01-21", 36)),
}
RIGHT: Final = Accepted(ROWS, SAMPLE, names=NAMES)
NUMBERS: Final = Accepted(ROWS, {name: SAMPLE[name] for name in ("id", "amount")})


def lines(rows: int = ROWS, first: int = 1) -> list[bytes]:
    """Returns rows of CSV without a header and without line ends."""
    return [
        f"{n},n{n % 10},{n / 4:.2f},2024-01-{n % 28 + 1:02d}".encode() for n in range(first, first + rows)
    ]


def text(rows: Sequence[bytes] | None = None, header: bytes = HEADER) -> bytes:
    """Returns CSV with a header, the good rows unless others are given."""
    return b"\n".join([header, *(lines() if rows is None else rows), b""])


def with_row(row: bytes, number: int = 500) -> bytes:
    """Returns CSV whose row of this number (from 1, so it is in line number + 1) is another."""
    rows = lines()
    rows[number - 1] = row
    return text(rows)


def table(rows: int = ROWS, first: int = 1) -> Any:
    """Returns the good data as an Arrow table."""
    numbers = range(first, first + rows)
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "name": pa.array([f"n{n % 10}" for n in numbers], pa.string()),
            "amount": pa.array([n / 4 for n in numbers], pa.float64()),
            "day": pa.array([f"2024-01-{n % 28 + 1:02d}" for n in numbers], pa.string()),
        }
    )


def file(content: Callable[[], bytes], name: str = "data.csv", *options: str) -> Callable[[Path], Run]:
    """Returns how an input is made that is one file; the content is made only when it is asked for."""

    def make(folder: Path) -> Run:
        path = folder / name
        path.write_bytes(content())
        return Run(path, options)

    return make


def folder_of(parts: Callable[[], dict[str, bytes]]) -> Callable[[Path], Run]:
    """Returns how an input is made that is a folder of files."""

    def make(folder: Path) -> Run:
        for name, content in parts().items():
            path = folder / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return Run(folder / "data")

    return make
