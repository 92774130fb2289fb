"""The formats data comes in: each reads an object's header, and its rows in bounded batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePosixPath

from validator.errors import UsageError
from validator.formats.delimited.dialect import Dialect
from validator.formats.delimited.reader import Delimited
from validator.formats.header import Format, Header, Misfit, Reading, Seen, Sight, Sights

__all__ = [
    "FORMATS",
    "Delimited",
    "Dialect",
    "Format",
    "Header",
    "Misfit",
    "Reading",
    "Seen",
    "Sight",
    "Sights",
    "of",
]

_PACKINGS = {"": None, ".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def _parquet() -> Format:
    # Its import starts pyarrow's file systems, S3's threads among them: only for those who need it.
    from validator.formats.columnar.parquet import Parquet  # noqa: PLC0415

    return Parquet()


def _arrow(*, is_cuttable: bool) -> Format:
    from validator.formats.columnar.arrow import Arrow  # noqa: PLC0415

    return Arrow(is_cuttable=is_cuttable)


def _orc() -> Format:
    from validator.formats.columnar.orc import Orc  # noqa: PLC0415

    return Orc()


def _json_lines(packing: str | None) -> Format:
    from validator.formats.jsonlines.reader import JsonLines  # noqa: PLC0415

    return JsonLines(packing)


def _tf_record(packing: str | None) -> Format:
    from validator.formats.tfrecord.reader import TfRecord  # noqa: PLC0415

    return TfRecord(packing)


DELIMITED: Mapping[str, Callable[[Dialect], Format]] = {
    suffix + end: partial(Delimited, delimiter=delimiter, packing=packing)
    for suffix, delimiter in _DELIMITERS.items()
    for end, packing in _PACKINGS.items()
}
"""What a dialect is for, by the end of a name."""

FORMATS: Mapping[str, Callable[[], Format]] = {
    ".parquet": _parquet,
    ".orc": _orc,
    **dict.fromkeys((".arrow", ".feather", ".ipc"), partial(_arrow, is_cuttable=True)),
    ".arrows": partial(_arrow, is_cuttable=False),
    **{
        suffix + end: partial(_json_lines, packing)
        for suffix in (".jsonl", ".ndjson")
        for end, packing in _PACKINGS.items()
    },
    **{
        suffix + end: partial(_tf_record, packing)
        for suffix in (".tfrecord", ".tfrecords")
        for end, packing in (("", None), (".gz", "gzip"))
    },
}
"""What tells all about itself, by the end of a name."""


def of(uri: str, dialect: Dialect = Dialect()) -> Format:  # noqa: B008 - frozen
    """Returns the format an object's name claims.

    Args:
        uri: Where it lies.
        dialect: What is known of delimited text.

    Raises:
        UsageError: The name ends with none that is read, or with one that a dialect is not for.
    """
    name = PurePosixPath(uri).name.lower()
    for suffix, delimited in DELIMITED.items():
        if name.endswith(suffix):
            return delimited(dialect)
    for suffix, format_of in FORMATS.items():
        if name.endswith(suffix):
            if dialect:
                why = "CSV_DELIMITER and CSV_COLUMNS are for .csv and .tsv"
                raise UsageError(f"cannot read {uri}", why=why, remedy="leave them unset")
            return format_of()
    known = ", ".join((*DELIMITED, *FORMATS))
    raise UsageError(f"cannot read {uri}", why=f"its name ends with none of {known}", remedy="take it away")
