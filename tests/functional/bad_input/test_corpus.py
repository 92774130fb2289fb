"""Every input of the corpus ends as it must."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.functional.bad_input.catalogue import CASES
from tests.functional.bad_input.corpus import play
from tests.functional.bad_input.inputs import Case
from tests.functional.bad_input.known import KNOWN


def cases() -> Iterator[Any]:
    # The slow ones first: whoever runs tests side by side must not wait for one at the end.
    for case in sorted(CASES, key=lambda case: not case.is_slow):
        marks = [pytest.mark.slow] if case.is_slow else []
        if case.name in KNOWN:
            marks.append(pytest.mark.xfail(reason=KNOWN[case.name], strict=True))
        yield pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", list(cases()))
def test_an_input_ends_as_it_must(case: Case, tmp_path: Path) -> None:
    row = play(case, tmp_path / "run")
    assert not row.complaints, "\n".join((f"class {row.letter}, {row.message}", *row.complaints))
