"""The options that every command shares: which configuration, and which stage of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

ROOT: Final = Path(__file__).resolve().parent.parent
"""The repository: steps/, validator/, schema/, the Dockerfile, the environments."""


def configured(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that every one has."""
    stage = click.option("--stage", default="dev", show_default=True, help="Stage of the configuration.")
    path = click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        default=ROOT / "config.toml",
        help="Configuration file  [default: config.toml]",
    )
    return stage(path(command))
