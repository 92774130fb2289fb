"""What is wrong with data that could be read all the same, and that TFDV's statistics have no words for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from validator import text
from validator.profile import ColumnSummary, NumericSummary, StructSummary, Summary, TextSummary
from validator.survey import Mixture

_VALUE: Final = re.compile(r"-[0-9]+|[+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?")
"""A negative or a broken number."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing wrong."""

    code: str
    """Stable; `findings` knows its severity."""
    feature: str
    """Steps of a nested one joined by dots; empty for the dataset as a whole."""
    detail: str


def of_values(summary: Summary) -> Iterator[Defect]:
    """Yields what is wrong with values, in the order of columns."""
    for column in summary.columns:
        yield from _of_column(column, "")


def of_mixtures(mixtures: Sequence[Mixture]) -> Iterator[Defect]:
    """Yields the columns of numbers that have texts among them."""
    for mixture in mixtures:
        yield Defect(
            "MIXED_TYPES",
            mixture.column,
            f"{text.count(mixture.texts, 'text')} among {text.count(mixture.numbers, 'number')}, "
            f"the first is {text.quoted(mixture.first)} in row {mixture.row:,} of {mixture.uri}",
        )


def of_first_line(names: Sequence[str]) -> Iterator[Defect]:
    """Yields one defect for all names that look like values; whole numbers and days may be names."""
    if values := [text.quoted(name) for name in names if _VALUE.fullmatch(name)]:
        remedy = "if that is a row, name the columns with --columns"
        yield Defect("HEADER_OF_VALUES", "", f"there is {text.listed(values)}; {remedy}")


def of_ends(uris: Sequence[str]) -> Iterator[Defect]:
    """Yields one defect for all objects whose last row has no line end."""
    if uris:
        more = f" and {len(uris) - 1:,} more" if len(uris) > 1 else ""
        yield Defect("NO_FINAL_LINE_END", "", f"the last row of {uris[0]}{more} has none, it may be cut off")


def _of_column(column: ColumnSummary, above: str) -> Iterator[Defect]:
    name = above + column.column.name
    if isinstance(column, StructSummary):
        for field in column.fields:
            yield from _of_column(field, f"{name}.")
    elif isinstance(column, TextSummary):
        yield from _of_texts(column, name)
    else:
        yield from _of_numbers(column, name)


def _of_numbers(column: NumericSummary, name: str) -> Iterator[Defect]:
    infinities = column.negative_infinities + column.positive_infinities
    if column.nan + infinities:
        yield Defect("NON_FINITE_VALUES", name, f"{column.nan:,} NaN, {infinities:,} infinite")


def _of_texts(column: TextSummary, name: str) -> Iterator[Defect]:
    if column.invalid_utf8:
        yield Defect("INVALID_UTF8", name, f"{text.count(column.invalid_utf8, 'value')} not UTF-8 text")
    if column.with_nul:
        yield Defect("NUL_BYTES", name, f"{text.count(column.with_nul, 'value')} with a NUL byte")
    if column.dates.invalid:
        many = text.count(column.dates.invalid, "value")
        yield Defect("INVALID_DATES", name, f"{many} on no calendar, as {text.quoted(column.dates.example)}")
