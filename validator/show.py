"""Show: a verdict, statistics or a schema on a terminal, for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from rich.console import Console

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.schema_pb2 import Schema
    from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

    from validator.verdict import VerdictReport


def console(stream: TextIO) -> Console:
    """Returns a console that writes to a stream, in colour when it is a terminal and NO_COLOR is not set."""
    return Console(file=stream, markup=False, emoji=False, highlight=False)


def verdict(report: VerdictReport, to: Console) -> None:
    """Prints a verdict with its findings and drift."""
    raise NotImplementedError


def statistics(content: DatasetFeatureStatisticsList, to: Console) -> None:
    """Prints statistics, one line for each feature."""
    raise NotImplementedError


def schema(content: Schema, to: Console) -> None:
    """Prints a schema, one line for each feature."""
    raise NotImplementedError
