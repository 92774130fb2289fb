"""All inputs, those of the table of other tools first."""

from __future__ import annotations

from typing import Final

from tests.functional.bad_input import (
    arrows,
    delimited,
    documents,
    folders,
    json_lines,
    packed,
    parquets,
    places,
    records,
    values,
)
from tests.functional.bad_input.inputs import Case

_ALL: Final = (
    *delimited.CASES,
    *values.CASES,
    *packed.CASES,
    *folders.CASES,
    *places.CASES,
    *parquets.CASES,
    *json_lines.CASES,
    *arrows.CASES,
    *records.CASES,
    *documents.CASES,
)

ANCHORED: Final[tuple[Case, ...]] = tuple(case for case in _ALL if case.anchor)
"""The inputs whose outcome in other tools was measured."""

OWN: Final[tuple[Case, ...]] = tuple(case for case in _ALL if not case.anchor)

CASES: Final[tuple[Case, ...]] = (*ANCHORED, *OWN)
