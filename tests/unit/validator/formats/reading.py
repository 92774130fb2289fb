"""Profiles what a test wrote down, the way a run would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from validator import dataset, formats, profiling, store
from validator.crew import Crew
from validator.cuts import Cut
from validator.errors import DataError
from validator.interruption import Interruption
from validator.profile import Kind, NumericSummary, Summary, TextSummary


def summary(path: Path) -> Summary:
    """Profiles what lies at a path."""
    described = dataset.describe(store.at("").list(str(path)))
    states_uri = str(path.parent / f"states-{path.name}")
    return profiling.profile(described, states_uri, Crew(Interruption()), lambda _: None).profile.finish()


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        summary(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def kinds(read: Summary) -> Mapping[str, Kind]:
    return {c.column.name: c.column.kind for c in read.columns}


def numeric(read: Summary, index: int = 0) -> NumericSummary:
    column = read.columns[index]
    assert isinstance(column, NumericSummary)
    return column


def text(read: Summary, index: int = 0) -> TextSummary:
    column = read.columns[index]
    assert isinstance(column, TextSummary)
    return column


def read_in_cuts(path: Path, borders: Iterable[int]) -> list[list[Any]]:
    """Reads the first column of an object, cut at these borders: the values of each cut."""
    [target] = store.at("").list(str(path))
    columns = dataset.describe([target]).columns
    inner = {border for border in borders if 0 < border < target.size}
    cuts = [Cut(target, *pair) for pair in pairwise(sorted({0, *inner, target.size}))]
    readings = [formats.of(cut.target.uri).read(cut, columns) for cut in cuts]
    return [[value for batch in r.batches for value in batch.column(0).to_pylist()] for r in readings]
