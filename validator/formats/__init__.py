"""The formats data comes in: each reads an object's header, and its rows in bounded batches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from validator.errors import UsageError
from validator.formats.delimited import Delimited
from validator.formats.header import Format, Header, Misfit
from validator.formats.parquet import Parquet

__all__ = ["FORMATS", "Format", "Header", "Misfit", "of"]

FORMATS: Mapping[str, Format] = {".csv": Delimited(), ".csv.gz": Delimited("gzip"), ".parquet": Parquet()}
"""By the end of a name."""


def of(uri: str) -> Format:
    """Returns the format an object's name claims.

    Raises:
        UsageError: The name ends with none that is read.
    """
    name = PurePosixPath(uri).name.lower()
    for suffix, read in FORMATS.items():
        if name.endswith(suffix):
            return read
    known = ", ".join(FORMATS)
    raise UsageError(f"cannot read {uri}", why=f"its name ends with none of {known}", remedy="take it away")
