"""The corpus itself: what it promises to hold, and that what must come out is really asked for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.functional.bad_input.catalogue import ANCHORED, CASES
from tests.functional.bad_input.expected import Accepted, Refused
from tests.functional.bad_input.inputs import Case
from tests.functional.bad_input.known import KNOWN

FORMATS = {"CSV", "TSV", "gzip", "bzip2", "zstd", "Parquet", "JSON Lines", "Arrow IPC", "ORC", "TFRecord"}


def test_the_inputs_of_the_other_tools_are_all_there() -> None:
    assert len({case.anchor for case in ANCHORED}) == len(ANCHORED) == 38


def test_there_are_enough_of_every_format() -> None:
    counts = Counter(case.form for case in CASES)
    assert len(CASES) >= 70
    assert {form for form in FORMATS if counts[form] < 3} == set()


def test_names_are_plain_and_differ() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z0-9-]+", name)] == []


def test_known_failures_are_of_inputs_there_are() -> None:
    assert KNOWN.keys() <= {case.name for case in CASES}


def patterns(case: Case) -> Iterator[str]:
    for expected in case.expected:
        if isinstance(expected, Refused):
            yield from (expected.why, expected.place, *expected.names)
        else:
            yield from (flaw.observed for flaw in expected.flaws)
            yield from (flaw.code for flaw in expected.flaws)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_something_is_asked_of_every_input(case: Case) -> None:
    assert case.expected
    for expected in case.expected:
        if isinstance(expected, Accepted):
            assert expected.columns or expected.flaws
        else:
            assert expected.why
            assert set(expected.codes) <= {64, 65, 69}
    for pattern in patterns(case):
        re.compile(pattern)
