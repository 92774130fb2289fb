"""cfn-lint over both stacks of both stages with every choice, without findings."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from templates.config import load
from templates.stacks import render
from tests.unit.templates.variants import write

ROOT = Path(__file__).parents[3]
LINTER = ROOT / ".venv-linters/bin/cfn-lint"


def planted(folder: Path) -> Path:
    """Return a template with a mistake, so that silence about the others says something."""
    template = json.loads(render("delivery", load(ROOT / "config.toml", "dev")))
    template["Resources"]["ValidatorRepository"]["Properties"]["ImageTagMutability"] = "SOMETIMES"
    path = folder / "planted.json"
    path.write_text(json.dumps(template), encoding="utf-8")
    return path


def test_cfn_lint_finds_the_planted_mistake_and_nothing_else(tmp_path: Path) -> None:
    if not LINTER.exists():
        pytest.fail("no .venv-linters: run `make setup`")
    command = [
        str(LINTER),
        "--format",
        "json",
        *map(str, write(tmp_path / "rendered")),
        str(planted(tmp_path)),
    ]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert [(Path(each["Filename"]).name, each["Level"]) for each in found] == [("planted.json", "Error")], (
        found
    )
