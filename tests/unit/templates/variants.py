"""The stacks whose templates are goldens and linted: as config.toml has them, and what a stage may choose.

What config.toml says is laid under no choice: an edit of it changes what is delivered, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from templates.config import STAGES, Config, Dataset, NetworkMode, Schedule, load
from templates.stacks import STACKS, render
from tests.configuration import DELIVERED, PATH, ROOT

__all__ = ["CHOICES", "EVERY_TRIGGER", "ROOT", "Variant", "variants", "write"]

EVERY_TRIGGER: Final = (
    Dataset(
        name="taxi",
        label="big_tipper",
        monitors=("taxi-data-quality",),
        alarms=("taxi-drift-fare",),
        marker="_SUCCESS",
        schedule=Schedule("cron(30 3 * * ? *)", window_minutes=15),
        days_back=1,
        time_zone="Europe/Berlin",
    ),
    Dataset(name="bikes", label="late"),
)
"""A dataset that is started by all there is, and one that is not."""


def _without_children(config: Config) -> Config:
    return replace(config, validation=replace(config.validation, most_children=1))


CHOICES: Final[Mapping[str, Callable[[Config], Config]]] = {
    "create-private": lambda config: replace(config, network=NetworkMode.CREATE_PRIVATE),
    "existing": lambda config: replace(config, network=NetworkMode.EXISTING),
    "every-trigger": lambda config: replace(config, datasets=EVERY_TRIGGER),
    "customer-managed-key": lambda config: replace(config, customer_managed_key=True),
    "one-task": _without_children,
}
"""Name of a choice -> the tests' configuration with that choice made."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A stack of a stage.

    Attributes:
        choice: What is chosen; where it is empty, nothing.
        source: The configuration: the tests' own one or, without a choice, the delivered one.
    """

    stack: str
    stage: str
    choice: str = ""
    source: Path = PATH

    def __str__(self) -> str:
        return ".".join(filter(None, (self.stack, self.stage, self.choice)))

    @property
    def config(self) -> Config:
        config = load(self.source, self.stage)
        return CHOICES[self.choice](config) if self.choice else config

    @property
    def plain(self) -> Variant:
        """The same stack and stage without the choice."""
        return replace(self, choice="")

    def render(self) -> str:
        return _rendered(self)


@cache
def _rendered(variant: Variant) -> str:
    return render(variant.stack, variant.config)


def variants() -> Iterator[Variant]:
    """Yield each stack and stage as it is delivered, then with each choice that makes a difference."""
    for stack in STACKS:
        for stage in STAGES:
            yield Variant(stack, stage, source=DELIVERED)
            plain = Variant(stack, stage)
            chosen = (replace(plain, choice=choice) for choice in CHOICES)
            yield from (variant for variant in chosen if variant.render() != plain.render())


def write(folder: Path) -> list[Path]:
    """Write every variant's template into a folder; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for variant in variants():
        path = folder / f"{variant}.json"
        path.write_text(variant.render(), encoding="utf-8")
        paths.append(path)
    return paths
