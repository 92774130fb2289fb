"""The stacks as others see them: parsed JSON, with CloudFormation's functions resolved to readable names."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from templates.asl import State
from templates.config import Config
from templates.stacks import pipeline_parts, render
from templates.workflow import graph
from tests.configuration import configuration

ROOT = Path(__file__).parents[3]

Play = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def config() -> Config:
    return configuration()


@pytest.fixture(scope="session")
def pipeline(config: Config) -> dict[str, Any]:
    return dict(json.loads(render("pipeline", config)))


@pytest.fixture(scope="session")
def delivery(config: Config) -> dict[str, Any]:
    return dict(json.loads(render("delivery", config)))


@pytest.fixture(scope="session")
def definition(pipeline: dict[str, Any]) -> dict[str, Any]:
    """The state machine's definition, with names in the place of CloudFormation's functions."""
    return dict(resolved(pipeline["Resources"]["StateMachine"]["Properties"]["Definition"]))


@pytest.fixture(scope="session")
def states(config: Config) -> tuple[State, ...]:
    return graph(config, pipeline_parts(config))


@pytest.fixture(scope="session")
def play(definition: dict[str, Any]) -> Iterator[Play]:
    """Play the definition with scripted services, in the emulator's own Python."""
    python, player = ROOT / ".venv-emulator/bin/python", Path(__file__).parent / "player.py"
    assert python.exists(), "no .venv-emulator: run `make setup`"
    with subprocess.Popen([python, player], stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        told, said = process.stdin, process.stdout
        told.write(json.dumps(definition) + "\n")

        def played(answers: dict[str, Any], given: object = None, arn: str = "") -> dict[str, Any]:
            order = {"input": given if given is not None else {"dataset": "taxi"}, "answers": answers}
            order |= {"arn": arn}
            told.write(json.dumps(order) + "\n")
            told.flush()
            return dict(json.loads(said.readline()))

        yield played
        told.close()


class Reference(str):
    """The name of what only a deployment knows: nothing can be said of its value."""

    __slots__ = ()


def resolved(value: Any) -> Any:
    """Replace CloudFormation's functions by names."""
    match value:
        case list():
            value = [resolved(item) for item in value]
        case {"Fn::GetAtt": names}:
            value = Reference(".".join(names))
        case {"Ref": name} | {"Fn::Sub": [name, _]} | {"Fn::Sub": name}:
            value = Reference(name)
        case {"Fn::If": [_, _, otherwise]}:
            value = resolved(otherwise)
        case dict():
            value = {key: resolved(item) for key, item in value.items()}
    return value
