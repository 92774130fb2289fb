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
    sign = "\t" if delimiter == TAB else delimiter or usual
    # Of interest is the header alone: a row may hold signs that part nothing, such as decimal commas.
    parted = pyarrow.csv.ParseOptions(delimiter=sign, invalid_row_handler=lambda _: "skip")
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
    """One table: its files by their keys below a day, its label, what is not trained on, its delimiter."""

    files: Mapping[str, Path]
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
    key, first = next(iter(files.items()))
    columns = _columns(first, delimiter)
    if len(columns) == 1 and (found := _delimiter_in(columns[0])):
        raise UserError(
            f"cannot read {first}: its one column {columns[0]!r} seems to be several; "
            f"say DELIMITER='{found}' (in config.toml: delimiter = \"{found}\" of the dataset)"
        )
    dropped = tuple(name.strip() for name in (drop or "").split(",") if name.strip())
    columns += [folder.partition("=")[0] for folder in key.split("/")[:-1] if "=" in folder]
    for name in (label, *dropped):
        if name not in columns:
            raise UserError(f"cannot use column {name}: {first} has {_some(columns)}; name one of these")
    if label in dropped:
        raise UserError(f"cannot drop column {label}: it is the label; leave it out of DROP")
    return OwnData(files, label, dropped, delimiter)


def _delimiter_in(column: str) -> str | None:
    """The first delimiter that stands in a column's name."""
    return next((sign for sign in DELIMITERS if ("\t" if sign == TAB else sign) in column), None)


def _files(path: Path) -> Mapping[str, Path]:
    if not path.exists():
        raise UserError(
            f"cannot read {path}: it does not exist; DATA is a file like trips.csv, or a folder of files"
        )
    below = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    root = path if path.is_dir() else path.parent
    found = {file.relative_to(root).as_posix(): file for file in below}
    files = {key: file for key, file in found.items() if not any(map(_is_hidden, key.split("/")))}
    known = ", ".join(FORMATS)
    if not files:
        raise UserError(f"cannot read {path}: there is no file in it; name one that ends with one of {known}")
    if stray := [key for key in files if not key.lower().endswith(tuple(FORMATS))]:
        raise UserError(
            f"cannot read {files[stray[0]]}: its name ends with none of {known}; take it out: "
            "the pipeline refuses it too"
        )
    return files


def _is_hidden(part: str) -> bool:
    """Whether Init would leave out what has this in its key."""
    return part.startswith(".") or (part.startswith("_") and "=" not in part)


def _columns(path: Path, delimiter: str | None) -> list[str]:
    columns_of = next(columns for suffix, columns in FORMATS.items() if path.name.lower().endswith(suffix))
    try:
        return columns_of(path, delimiter)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}; is it a table?") from error


def _some(columns: list[str]) -> str:
    shown = ", ".join(columns[:30])
    return f"{shown} and {len(columns) - 30} more" if len(columns) > 30 else shown
