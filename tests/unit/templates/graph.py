"""The graph of states, checked for what no linter sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

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


def every(machine: Definition) -> Iterator[tuple[str, Definition]]:
    """Yield the states of a machine by name, and those within its Map states."""
    for name, state in machine["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from every(state["ItemProcessor"])


def mistakes(machine: Definition) -> Iterator[str]:
    """Yield what is wrong with a definition, one line each."""
    yield from _of_graph(machine)
    for name, state in machine["States"].items():
        # It reads the machine's variables and assigns none of its own.
        for mistake in _of_graph(state["ItemProcessor"]) if "ItemProcessor" in state else ():
            yield f"{name}: {mistake}"
    yield from unassigned(machine)


def _of_graph(machine: Definition) -> Iterator[str]:
    states = machine["States"]
    for name, state in states.items():
        yield from (f"{name} leads to {to}, which is no state" for to, _ in ways(state) if to not in states)
        yield from (f"{name}: {mistake}" for mistake in alone(state))
    reached = reachable(machine)
    yield from (f"{name} cannot be reached" for name in states if name not in reached)
    yield from (f"{name} never ends" for name in reached if not ends(states, name))


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


def careless_retries(machine: Definition) -> Iterator[str]:
    """Yield retries of more than throttling and passing failures, or all at the same moment."""
    for name, state in every(machine):
        for retry in state.get("Retry", ()):
            if blind := BLIND & set(retry["ErrorEquals"]):
                yield f"{name} tries again whatever went wrong: {', '.join(sorted(blind))}"
            patience = 900 if retry["ErrorEquals"] == ["Busy"] else 60
            if retry.get("JitterStrategy") != "FULL" or retry.get("MaxDelaySeconds", 86_400) > patience:
                yield f"{name} tries again without full jitter, or late"
        if state["Type"] == "Wait" and "$random()" not in str(state.get("Seconds")):
            yield f"{name} waits as long as everybody else"


BLIND = {"States.ALL", "States.TaskFailed", "States.Timeout"}


def open_doors(machine: Definition) -> Iterator[str]:
    """Yield ways to training that go round the gate, and failures that lead there."""
    walled = {
        **machine,
        "States": {name: state for name, state in machine["States"].items() if name != "Gate"},
    }
    yield from (f"{name} is reached without the gate" for name in sorted(BEHIND & reachable(walled)))
    for name, state in machine["States"].items():
        for catch in state.get("Catch", ()):
            if name not in UNTOLD and catch["Next"] != "Classify":
                beyond = reachable({"StartAt": catch["Next"], "States": machine["States"]})
                yield from (f"a failure of {name} leads to {end}" for end in sorted(BEHIND & beyond))


BEHIND = {"Accept", "Prepare", "Train", "Register"}
UNTOLD = {"NotifyWarning", "ProfileShards"}
"""Their own failure hides no verdict: the day passed, or what children left undone is named by the merge."""
