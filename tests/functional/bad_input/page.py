"""The parts of docs/reliability.md that are made from what came of the inputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.functional.bad_input import table
from tests.functional.bad_input.corpus import Row
from tests.functional.bad_input.process import ROOT

PAGE: Final = ROOT / "docs" / "reliability.md"


def rewritten(page: str, rows: Sequence[Row]) -> str:
    """Returns the page with its tables made anew; each stands between two comments of its name."""
    parts = {"classes": table.classes(rows), "costs": table.costs(rows), "inputs": table.inputs(rows)}
    for name, content in parts.items():
        page = _replaced(page, name, content)
    return page


def rewrite(rows: Sequence[Row], path: Path = PAGE) -> None:
    """Makes the tables of the page anew."""
    path.write_text(rewritten(path.read_text(encoding="utf-8"), rows), encoding="utf-8")


def _replaced(page: str, name: str, content: str) -> str:
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    made, times = re.subn(
        f"{begin}.*?{end}", lambda _: f"{begin}\n\n{content}\n\n{end}", page, count=1, flags=re.DOTALL
    )
    if times != 1:
        raise ValueError(f"the page has no place for its {name}")
    return made
