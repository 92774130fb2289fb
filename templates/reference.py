"""The stacks' parameters and outputs as a page for people, made from the templates themselves.

python -m templates.reference > docs/parameters.md      (make docs)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from templates.command import refusing
from templates.config import STAGES, Config, NetworkMode, load
from templates.stacks import STACKS

INTRODUCTION: Final = """\
# Parameters and outputs

Made from the templates by `make docs`; a test keeps it up to date. `make deploy` fills in what the pipeline
has under "Release" and carries the outputs of the delivery stack over to it. All others are given by hand,
and kept from one deployment to the next:

```console
$ make deploy IMAGE=… PARAMETERS="NotificationEmail=data@example.com TrainingInstanceType=ml.m5.large"
```

What is not a parameter is decided when the templates are rendered: `config.toml`.
"""

CHOICES: Final[Mapping[str, Callable[[Config], Config]]] = {
    'mode = "existing"': lambda config: replace(config, network=NetworkMode.EXISTING),
    "customer_managed_key = true": lambda config: replace(config, customer_managed_key=True),
}
"""Line of config.toml -> the configuration it makes."""


@dataclass(slots=True)
class Entry:
    """A parameter or an output as the stages have it.

    Attributes:
        name: Its name.
        group: Group of a parameter.
        by_stage: Stage -> what the template says of it.
        only_with: The line of config.toml without which it is not there, "" when it always is.
    """

    name: str
    group: str = ""
    by_stage: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    only_with: str = ""

    @property
    def said(self) -> Mapping[str, Any]:
        """What the first stage's template says of it."""
        return next(iter(self.by_stage.values()))


def page(configs: Mapping[str, Config]) -> str:
    """Return the page in Markdown.

    Args:
        configs: Stage -> its configuration.
    """
    return "\n".join([INTRODUCTION, *(line for stack in STACKS for line in _stack(stack, configs))])


def _stack(stack: str, configs: Mapping[str, Config]) -> Iterator[str]:
    parameters, outputs = _entries(stack, configs)
    yield f"## The {stack} stack\n"
    for group in dict.fromkeys(entry.group for entry in parameters):
        yield f"### {group}\n"
        yield "| parameter | default | allowed | what it means |\n|---|---|---|---|"
        yield from (_parameter(entry) for entry in parameters if entry.group == group)
        yield ""
    yield "### Outputs\n"
    yield "| output | what it is | exported as |\n|---|---|---|"
    yield from map(_output, outputs)
    yield ""


def _entries(stack: str, configs: Mapping[str, Config]) -> tuple[list[Entry], list[Entry]]:
    """Return parameters and outputs of all stages and choices, those that always are there first."""
    parameters: dict[str, Entry] = {}
    outputs: dict[str, Entry] = {}
    for line, choose in {"": _as_it_is, **CHOICES}.items():
        for stage, config in configs.items():
            template = STACKS[stack](choose(config)).to_dict()
            groups = _groups(template)
            for name, said in template["Parameters"].items():
                entry = parameters.setdefault(name, Entry(name, groups[name], only_with=line))
                entry.by_stage.setdefault(stage, said)
            for name, said in template["Outputs"].items():
                outputs.setdefault(name, Entry(name, only_with=line)).by_stage.setdefault(stage, said)
    return list(parameters.values()), list(outputs.values())


def _as_it_is(config: Config) -> Config:
    return config


def _groups(template: Mapping[str, Any]) -> dict[str, str]:
    """Return the group of each parameter."""
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    return {
        name: group["Label"]["default"]
        for group in interface["ParameterGroups"]
        for name in group["Parameters"]
    }


def _parameter(entry: Entry) -> str:
    return _row(f"`{entry.name}`", _default(entry), _allowed(entry.said), _meaning(entry))


def _output(entry: Entry) -> str:
    exported = entry.said["Export"]["Name"]["Fn::Sub"].replace("${AWS::StackName}", "<stack>")
    return _row(f"`{entry.name}`", _meaning(entry), f"`{exported}`")


def _meaning(entry: Entry) -> str:
    description = str(entry.said["Description"])
    return f"{description} (only with `{entry.only_with}`)" if entry.only_with else description


def _default(entry: Entry) -> str:
    """Return the default, stage by stage where they differ."""
    defaults = {stage: _shown(said) for stage, said in entry.by_stage.items()}
    if len(set(defaults.values())) == 1:
        return next(iter(defaults.values()))
    return ", ".join(f"{shown} ({stage})" for stage, shown in defaults.items())


def _shown(said: Mapping[str, Any]) -> str:
    if "Default" not in said:
        return "none"
    return f"`{said['Default']}`" if said["Default"] else "empty"


def _allowed(said: Mapping[str, Any]) -> str:
    if values := said.get("AllowedValues"):
        return ", ".join(f"`{value}`" for value in values)
    if pattern := said.get("AllowedPattern"):
        means = said.get("ConstraintDescription")
        return f"{means}: `{pattern}`" if means else f"`{pattern}`"
    return f"`{said['Type']}`"


def _row(*cells: str) -> str:
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _stages(path: Path, stages: Iterable[str]) -> dict[str, Config]:
    return {stage: load(path, stage) for stage in stages}


if __name__ == "__main__":
    with refusing():
        sys.stdout.write(page(_stages(Path("config.toml"), STAGES)))
