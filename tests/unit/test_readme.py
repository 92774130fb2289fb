"""The README's picture, scenarios and commands are those of the code."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from build.rehearsal.scenario import SCENARIOS
from templates.stacks import render
from tests.configuration import configuration

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

Graph = Mapping[str, set[str]]


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    template = json.loads(render("pipeline", configuration()))
    (machine,) = (
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    )
    return dict(machine["Definition"])


def targets(state: Mapping[str, Any]) -> Iterator[str]:
    """Names of the states that may follow a state."""
    for each in (state, *state.get("Choices", []), *state.get("Catch", [])):
        yield from (each[key] for key in ("Next", "Default") if key in each)


def picture(text: str) -> set[tuple[str, str]]:
    """The arrows of the first Mermaid flowchart."""
    block = re.search(r"```mermaid\n(.*?)```", text, re.DOTALL)
    assert block
    arrows: set[tuple[str, str]] = set()
    for line in block[1].splitlines()[1:]:
        names = [part.strip() for part in re.split(r"-->|-- .*? -->", re.sub(r"[\[({].*?[\])}]+", "", line))]
        arrows |= set(pairwise(names))
    return arrows


def leads_to(graph: Graph, start: str, end: str, drawn: set[str]) -> bool:
    """Whether a path leads from start to end through nothing that is drawn itself."""
    seen, waiting = set(), list(graph[start])
    while waiting:
        name = waiting.pop()
        if name == end:
            return True
        if name not in drawn and name not in seen:
            seen.add(name)
            waiting += graph[name]
    return False


def wrong(arrows: set[tuple[str, str]], graph: Graph) -> list[str]:
    drawn = {name for arrow in arrows for name in arrow}
    unknown = [f"{name} is no state" for name in sorted(drawn - graph.keys())]
    return unknown or [f"{a} -> {b}" for a, b in sorted(arrows) if not leads_to(graph, a, b, drawn)]


def test_the_picture_is_the_definition(definition: dict[str, Any]) -> None:
    graph = {name: set(targets(state)) for name, state in definition["States"].items()}
    arrows = picture(README)
    assert wrong(arrows, graph) == []
    ends = {name for name, state in definition["States"].items() if state["Type"] in {"Succeed", "Fail"}}
    assert ends <= {end for _, end in arrows}
    assert wrong({*arrows, ("Prepare", "Validate")}, graph) == ["Prepare -> Validate"]
    assert wrong({*arrows, ("Prepare", "Polish")}, graph) == ["Polish is no state"]


def test_the_scenarios_are_all_told_in_their_own_words() -> None:
    told = set(re.findall(r"SCENARIO=([a-z-]+)", README))
    assert told == {*SCENARIOS, "step-crash"} - {"happy"}
    assert SCENARIOS["happy"].shows in README


def test_the_help_is_a_table() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    rows = [row for line in shown.splitlines() if (row := re.match(r"  [a-z-]+ +(?=\S)", line))]
    assert len(rows) == len(re.findall(r"^[a-z-]+:.*## ", MAKEFILE, re.MULTILINE))
    assert len({row.end() for row in rows}) == 1


def test_every_make_target_that_is_named_exists() -> None:
    documents = [path.read_text(encoding="utf-8") for path in ROOT.glob("*.md")]
    named = {target for text in documents for target in re.findall(r"(?:`|\$ )make ([a-z-]+)", text)}
    declared = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    assert {"rehearse", "test", "deploy"} <= named
    assert named <= declared
