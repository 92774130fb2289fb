"""The formats data comes in: each reads an object's header, and its rows in bounded batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePosixPath

from validator.errors import UsageError
from validator.formats.delimited import Delimited
from validator.formats.header import Format, Header, Misfit, Reading, Seen

__all__ = ["FORMATS", "Format", "Header", "Misfit", "Reading", "Seen", "of"]


def _parquet() -> Format:
    # Its import starts pyarrow's file systems, S3's threads among them: only for those who need it.
    from validator.formats.parquet import Parquet  # noqa: PLC0415

    return Parquet()


FORMATS: Mapping[str, Callable[[], Format]] = {
    ".csv": Delimited,
    ".csv.gz": partial(Delimited, "gzip"),
    ".parquet": _parquet,
}
"""By the end of a name."""


def of(uri: str) -> Format:
    """Returns the format an object's name claims.

    Raises:
        UsageError: The name ends with none that is read.
    """
    name = PurePosixPath(uri).name.lower()
    for suffix, format_of in FORMATS.items():
        if name.endswith(suffix):
            return format_of()
    known = ", ".join(FORMATS)
    raise UsageError(f"cannot read {uri}", why=f"its name ends with none of {known}", remedy="take it away")
