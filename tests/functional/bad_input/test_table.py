"""The tables, from rows that were made up, and the page they stand in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.bad_input import page, table
from tests.functional.bad_input.catalogue import CASES
from tests.functional.bad_input.corpus import Row
from tests.functional.bad_input.judge import Letter


def row(name: str, letter: Letter, *complaints: str, anchor: str = "", message: str = "said") -> Row:
    return Row(name, "CSV", anchor, letter, 65, message, 1.25, 90.4, complaints)


ROWS = [
    row("a", Letter.A, anchor="row too long", message="<script>|x"),
    row("b", Letter.R),
    row("c", Letter.W, "mean of 'id' is 2"),
]


def test_classes_are_counted_of_the_anchored_and_of_all() -> None:
    counted = table.classes(ROWS).splitlines()
    assert counted[-2:] == [
        "| this validator, the same 1 | 0 | 1 | 0 | 0 | 0 | 0 | 0 | 0 |",
        "| this validator, all 3 | 1 | 1 | 0 | 0 | 0 | 1 | 0 | 0 |",
    ]


def test_every_other_tool_was_given_38() -> None:
    assert {tool: sum(counts) for tool, counts in table.OTHER_TOOLS.items() if sum(counts) != 38} == {}


def test_a_line_cannot_break_the_table() -> None:
    assert table.inputs(ROWS).splitlines()[2] == "| row too long | CSV | A | 65 | &lt;script>\\|x |"


def test_only_what_is_wrong_is_a_failure() -> None:
    assert table.failures(ROWS).splitlines() == ["CSV: c: class W, exit 65, said", "    - mean of 'id' is 2"]
    assert table.failures(ROWS[:2]) == ""


def test_the_dearest_are_named() -> None:
    assert "took 4 CPU s" in table.costs(ROWS)


def test_the_page_has_a_place_for_every_table(tmp_path: Path) -> None:
    copy = tmp_path / "reliability.md"
    copy.write_text(page.PAGE.read_text())
    page.rewrite(ROWS, copy)
    once = copy.read_text()
    page.rewrite(ROWS, copy)
    assert copy.read_text() == once
    assert "| this validator, all 3 |" in once
    with pytest.raises(ValueError, match="no place for its classes"):
        page.rewritten("", ROWS)


def test_the_page_lists_the_inputs_there_are() -> None:
    shown = page.PAGE.read_text()
    absent = [case.name for case in CASES if f"\n| {case.anchor or case.name} | {case.form} |" not in shown]
    assert absent == [], "make it anew: python -m tests.functional.bad_input --write"
