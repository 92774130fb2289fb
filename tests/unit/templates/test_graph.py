"""The graph of states, checked for what no linter sees; each check is proven by a planted mistake."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from templates.asl import Name

Definition = dict[str, Any]

ENDS = {
    "Succeed": {"Registered", "NotPromoted", "NoViolation", "Duplicate", "Incomplete"},
    "Fail": {"DataRejected", "Failed"},
}
CALLS = re.compile(r"\$([a-z_]+)\b(?!\()")
"""Variables of an expression; functions are followed by a parenthesis."""


def ways(state: Definition) -> Iterator[tuple[str, set[str]]]:
    """Yield where a state leads, and the variables that are assigned on the way."""
    always = set() if state["Type"] == "Choice" else set(state.get("Assign", {}))
    if "Next" in state:
        yield state["Next"], always
    if "Default" in state:
        yield state["Default"], set(state.get("Assign", {}))
    for way in (*state.get("Choices", ()), *state.get("Catch", ())):
        yield way["Next"], set(way.get("Assign", {}))


def mistakes(machine: Definition) -> Iterator[str]:
    """Yield what is wrong with a definition, one line each."""
    states = machine["States"]
    for name, state in states.items():
        yield from (f"{name} leads to {to}, which is no state" for to, _ in ways(state) if to not in states)
        yield from (f"{name}: {mistake}" for mistake in alone(state))
    reached = reachable(machine)
    yield from (f"{name} cannot be reached" for name in states if name not in reached)
    yield from (f"{name} never ends" for name in reached if not ends(states, name))
    yield from unassigned(machine)


def alone(state: Definition) -> Iterator[str]:
    """Yield what is wrong with a state by itself."""
    kind = state["Type"]
    for handlers in (state.get("Retry", []), state.get("Catch", [])):
        for index, handler in enumerate(handlers):
            if "States.ALL" in handler["ErrorEquals"] and (
                len(handler["ErrorEquals"]) > 1 or index + 1 < len(handlers)
            ):
                yield "States.ALL is not alone and last"
    if kind == "Task":
        yield from (f"a task without {key}" for key in TASK_KEYS if not state.get(key))
        if state.get("Catch") and state["Catch"][-1]["ErrorEquals"] != ["States.ALL"]:
            yield "something is not caught"
    if kind == "Choice" and "Default" not in state:
        yield "a choice without a default"
    if kind not in ENDS and not list(ways(state)):
        yield "leads nowhere"
    for text in strings(state):
        if ("{%" in text or "%}" in text) and not re.fullmatch(r"\{%(?:(?!\{%|%\}).)+%\}", text, re.DOTALL):
            yield f"broken delimiters in {text!r}"


TASK_KEYS = ("TimeoutSeconds", "Retry", "Catch", "Next")


def reachable(machine: Definition) -> set[str]:
    found, ahead = set(), [machine["StartAt"]]
    while ahead:
        name = ahead.pop()
        if name in found or name not in machine["States"]:
            continue
        found.add(name)
        ahead += [to for to, _ in ways(machine["States"][name])]
    return found


def ends(states: Definition, start: str) -> bool:
    return any(states[name]["Type"] in ENDS for name in reachable({"StartAt": start, "States": states}))


def unassigned(machine: Definition) -> Iterator[str]:
    """Yield variables that are read on some way before any state has assigned them."""
    states = machine["States"]
    known: dict[str, set[str]] = {machine["StartAt"]: set()}
    ahead = [machine["StartAt"]]
    while ahead:
        name = ahead.pop()
        for to, assigned in ways(states.get(name, {"Type": "Fail"})):
            before = known[name] | assigned
            after = known[to] & before if to in known else before
            if known.get(to) != after:
                known[to] = after
                ahead.append(to)
    for name, variables in known.items():
        for variable in sorted(read(states.get(name, {})) - variables):
            yield f"{name} reads ${variable}, which may not be assigned yet"


def read(state: Definition) -> set[str]:
    """Return the variables a state reads; those its expressions bind themselves are not the machine's."""
    found: set[str] = set()
    for text in strings(state):
        bound = set(re.findall(r"\$([a-z_]+)\s*:=", text))
        for parameters in re.findall(r"function\(([^)]*)\)", text):
            bound |= set(re.findall(r"\$([a-z_]+)", parameters))
        found |= set(CALLS.findall(text)) - bound - {"states"} if text.startswith("{%") else set()
    return found


def strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from strings(item)
        case list():
            for item in value:
                yield from strings(item)


def test_nothing_is_wrong(definition: Definition) -> None:
    assert list(mistakes(definition)) == []


def test_the_ends_are_those_designed(definition: Definition) -> None:
    for kind, names in ENDS.items():
        assert {name for name, state in definition["States"].items() if state["Type"] == kind} == names


def test_every_name_is_a_state_and_every_state_has_a_name(definition: Definition) -> None:
    assert set(definition["States"]) == set(Name)


def test_expressions_are_jsonata_throughout(definition: Definition) -> None:
    assert definition["QueryLanguage"] == "JSONata"
    keys = {key for state in definition["States"].values() for key in state}
    assert not keys & {
        "Parameters",
        "ResultPath",
        "InputPath",
        "OutputPath",
        "ResultSelector",
        "QueryLanguage",
    }


def test_waits_are_random(definition: Definition) -> None:
    waits = [state for state in definition["States"].values() if state["Type"] == "Wait"]
    assert len(waits) == 2
    assert all("$random()" in state["Seconds"] for state in waits)


def test_what_is_tried_again_is_throttling_with_full_jitter(definition: Definition) -> None:
    for name, state in definition["States"].items():
        for retry in state.get("Retry", ()):
            assert retry["JitterStrategy"] == "FULL", name
            assert retry["MaxDelaySeconds"] <= 60, name
            assert not {"States.ALL", "States.TaskFailed", "States.Timeout"} & set(retry["ErrorEquals"]), name


def test_no_failure_leads_to_training(definition: Definition) -> None:
    states = definition["States"]
    for name, state in states.items():
        for catch in state.get("Catch", ()):
            if name != Name.NOTIFY_WARNING and catch["Next"] != Name.CLASSIFY:
                beyond = reachable({"StartAt": catch["Next"], "States": states})
                assert not beyond & {Name.PREPARE, Name.TRAIN, Name.REGISTER}, name


def test_training_lies_behind_the_gate(definition: Definition) -> None:
    walled = deepcopy(definition)
    del walled["States"]["Gate"]
    assert not reachable(walled) & {"Accept", "Prepare", "Train", "Register"}


PLANTED: dict[str, tuple[Callable[[Definition], object], str]] = {
    "unknown next": (
        lambda s: s["Accept"].update(Next="Prepair"),
        "Accept leads to Prepair, which is no",
    ),
    "unknown default": (lambda s: s["Gate"].update(Default="Nowhere"), "Gate leads to Nowhere"),
    "unknown catch": (lambda s: s["Train"]["Catch"][0].update(Next="Nowhere"), "Train leads to Nowhere"),
    "unreachable": (lambda s: s["Accept"].update(Next="Train"), "Prepare cannot be reached"),
    "endless": (lambda s: s["Accept"].update(Next="Accept", Catch=[]), "Accept never ends"),
    "all not last": (
        lambda s: s["Init"]["Catch"].append({"ErrorEquals": ["X"], "Next": "Failed"}),
        "Init: States.ALL is not alone and last",
    ),
    "all not alone": (
        lambda s: s["Init"]["Catch"][0]["ErrorEquals"].append("X"),
        "Init: States.ALL is not alone and last",
    ),
    "no timeout": (lambda s: s["Prepare"].pop("TimeoutSeconds"), "Prepare: a task without TimeoutSeconds"),
    "no retry": (lambda s: s["Prepare"].pop("Retry"), "Prepare: a task without Retry"),
    "no catch": (lambda s: s["NotifyFailure"].pop("Catch"), "NotifyFailure: a task without Catch"),
    "half a catch": (
        lambda s: s["Train"]["Catch"][0].update(ErrorEquals=["States.Timeout"]),
        "Train: something is not caught",
    ),
    "no default": (lambda s: s["Gate"].pop("Default"), "Gate: a choice without a default"),
    "dead end": (lambda s: s["WaitForStorage"].pop("Next"), "WaitForStorage: leads nowhere"),
    "delimiter": (
        lambda s: s["Accept"]["Arguments"].update(Key="{% 'accepted/' & $run.dataset }"),
        "Accept: broken delimiters in",
    ),
    "not assigned": (lambda s: s["Init"]["Assign"].pop("capacity"), "Validate reads $capacity"),
    "assigned on one way only": (
        lambda s: s["Gate"].pop("Assign"),
        "NotifyFailure reads $failure, which may not be assigned yet",
    ),
    "misspelt": (
        lambda s: s["Evaluate"]["Arguments"]["Payload"].update(run_id="{% $runn.run_id %}"),
        "Evaluate reads $runn",
    ),
}


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_planted_mistake_is_found(definition: Definition, mistake: str) -> None:
    plant, told = PLANTED[mistake]
    wrong = deepcopy(definition)
    plant(wrong["States"])
    assert any(found.startswith(told) for found in mistakes(wrong)), list(mistakes(wrong))
