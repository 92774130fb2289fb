"""The tests' own configuration: only what judges the delivered one reads config.toml.

Whoever edits config.toml renders goldens and docs of it anew (`make golden docs`), and no other test changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from templates.config import Config, load

ROOT: Final = Path(__file__).parents[1]
PATH: Final = ROOT / "tests/data/config.toml"
DELIVERED: Final = ROOT / "config.toml"


def configuration(stage: str = "dev") -> Config:
    """Return the tests' configuration of a stage."""
    return load(PATH, stage)
