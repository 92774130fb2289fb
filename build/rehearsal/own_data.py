"""People's own data, looked at before anything is started: does it exist, and has it these columns?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.orc
import pyarrow.parquet

from build.errors import UserError
from templates.config import DELIMITERS

TAB: Final = "tab"
"""What stands for a tab where delimiters are named."""

_HEAD_BYTES: Final = 1 << 20


def _of_text(path: Path, delimiter: str | None, usual: str) -> list[str]:
    parted = pyarrow.csv.ParseOptions(delimiter="\t" if delimiter == TAB else delimiter or usual)
    with pyarrow.csv.open_csv(path, parse_options=parted) as reader:
        return list(reader.schema.names)


def _of_json_lines(path: Path, _: str | None) -> list[str]:
    with pa.input_stream(str(path), compression="detect") as source:
        head = source.read(_HEAD_BYTES)
    whole = head if len(head) < _HEAD_BYTES else head[: head.rfind(b"\n") + 1]
    return list(pyarrow.json.read_json(pa.BufferReader(whole)).column_names)


Columns = Callable[[Path, str | None], list[str]]
"""Names of a file's columns, given the delimiter when it is not that of the suffix."""

_TEXTS: Final[Mapping[str, Columns]] = {
    ".csv": partial(_of_text, usual=","),
    ".tsv": partial(_of_text, usual="\t"),
    ".jsonl": _of_json_lines,
    ".ndjson": _of_json_lines,
}

FORMATS: Final[Mapping[str, Columns]] = {
    ".parquet": lambda path, _: list(pyarrow.parquet.read_schema(path).names),
    ".orc": lambda path, _: list(pyarrow.orc.ORCFile(path).schema.names),
    **{suffix + packing: columns for suffix, columns in _TEXTS.items() for packing in ("", ".gz", ".bz2")},
}
"""What Prepare reads, by the end of a name, and how its columns are found."""


@dataclass(frozen=True, slots=True)
class OwnData:
    """Files of one table, its label, the columns kept out of training, and the delimiter if it is named."""

    files: tuple[Path, ...]
    label: str
    drop: tuple[str, ...]
    delimiter: str | None = None


def look(data: str, label: str | None, drop: str | None, delimiter: str | None = None) -> OwnData:
    """Find the files and check that label and dropped columns are columns of the first one.

    Raises:
        UserError: no such path, no data file in it, no label given, or no such column.
    """
    files = _files(Path(data))
    if not label:
        raise UserError(f"cannot train on {data}: no label is named; say LABEL=column")
    columns = _columns(files[0], delimiter)
    if len(columns) == 1 and (found := _delimiter_in(columns[0])):
        raise UserError(
            f"cannot read {files[0]}: its one column {columns[0]!r} seems to be several; "
            f"say DELIMITER='{found}' (in config.toml: delimiter = \"{found}\" of the dataset)"
        )
    dropped = tuple(name.strip() for name in (drop or "").split(",") if name.strip())
    for name in (label, *dropped):
        if name not in columns:
            raise UserError(f"cannot use column {name}: {files[0]} has {_some(columns)}; name one of these")
    if label in dropped:
        raise UserError(f"cannot drop column {label}: it is the label; leave it out of DROP")
    return OwnData(files, label, dropped, delimiter)


def _delimiter_in(column: str) -> str | None:
    """The first delimiter that stands in a column's name."""
    return next((sign for sign in DELIMITERS if ("\t" if sign == TAB else sign) in column), None)


def _files(path: Path) -> tuple[Path, ...]:
    if not path.exists():
        raise UserError(
            f"cannot read {path}: it does not exist; DATA is a file like trips.csv, or a folder of files"
        )
    found = sorted(path.iterdir()) if path.is_dir() else [path]
    files = tuple(file for file in found if file.is_file() and _is_data(file.name))
    if not files:
        known = ", ".join(FORMATS)
        raise UserError(
            f"cannot read {path}: there is no file whose name ends with one of {known}; name the data itself"
        )
    return files


def _is_data(name: str) -> bool:
    """Whether Init would put an object of this name on the manifest."""
    return name.lower().endswith(tuple(FORMATS)) and not name.startswith(("_", "."))


def _columns(path: Path, delimiter: str | None) -> list[str]:
    columns_of = next(columns for suffix, columns in FORMATS.items() if path.name.lower().endswith(suffix))
    try:
        return columns_of(path, delimiter)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}; is it a table?") from error


def _some(columns: list[str]) -> str:
    shown = ", ".join(columns[:30])
    return f"{shown} and {len(columns) - 30} more" if len(columns) > 30 else shown
