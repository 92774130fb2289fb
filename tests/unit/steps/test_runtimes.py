"""Each step parses at the lowest Python of the runtime it is shipped to."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

STEPS = Path(__file__).parents[3] / "steps"
LOWEST = {"init": (3, 11), "evaluate": (3, 11), "prepare": (3, 11), "train": (3, 9)}

SOURCES = [(path, LOWEST[step]) for step in LOWEST for path in sorted((STEPS / step).glob("*.py"))]


def test_every_step_has_a_runtime() -> None:
    assert {path.parent.name for path in STEPS.glob("*/main.py")} == LOWEST.keys()


@pytest.mark.parametrize(
    ("path", "version"), SOURCES, ids=lambda value: str(getattr(value, "name", "")) or None
)
def test_it_parses(path: Path, version: tuple[int, int]) -> None:
    assert ast.parse(path.read_text(encoding="utf-8"), feature_version=version).body


def test_newer_syntax_would_be_caught() -> None:
    with pytest.raises(SyntaxError):
        ast.parse("match x:\n    case _: pass", feature_version=(3, 9))


@pytest.mark.parametrize("step", ["prepare", "train"])
def test_a_step_shipped_as_one_file_has_no_other(step: str) -> None:
    assert {path.name for path in (STEPS / step).glob("*.py")} == {"main.py"}
