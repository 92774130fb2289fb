"""The graph of states: each check of it is proven by a planted mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from templates.asl import Name
from tests.unit.templates.checks import Rendered
from tests.unit.templates.graph import ENDS, careless_retries, every, mistakes, open_doors
from tests.unit.templates.variants import Variant

Definition = dict[str, Any]


def test_the_ends_are_those_designed(definition: Definition) -> None:
    for kind, names in ENDS.items():
        assert {name for name, state in definition["States"].items() if state["Type"] == kind} == names


def test_every_name_is_a_state_and_every_state_has_a_name(definition: Definition) -> None:
    assert {name for name, _ in every(definition)} == set(Name)


def test_without_children_the_machine_knows_nothing_of_batch() -> None:
    alone = Rendered(Variant("pipeline", "dev", "one-task").config).definition
    shared = {
        *(Name.PROFILE_SHARDS, Name.SHARDS_TRIED, Name.READ_MISSING, Name.PROFILE_MISSING),
        *(Name.PROFILE_SHARD, Name.SHARD_TRIED, Name.TRIED, Name.NEVER_RAN),
    }
    assert {name for name, _ in every(alone)} == set(Name) - shared
    (container,) = alone["States"]["Validate"]["Arguments"]["Overrides"]["ContainerOverrides"]
    # The task's own command validates; nothing is merged, so nothing can be missing.
    assert "Command" not in container
    assert "66" not in json.dumps(alone["States"]["Classify"])


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


PLANTED: dict[str, tuple[Callable[[Definition], object], str]] = {
    "unknown default": (lambda s: s["Gate"].update(Default="Nowhere"), "Gate leads to Nowhere"),
    "unknown catch": (lambda s: s["Train"]["Catch"][0].update(Next="Nowhere"), "Train leads to Nowhere"),
    "endless": (lambda s: s["Accept"].update(Next="Accept", Catch=[]), "Accept never ends"),
    "all not alone": (
        lambda s: s["Init"]["Catch"][0]["ErrorEquals"].append("X"),
        "Init: States.ALL is not alone and last",
    ),
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
    "late retry": (lambda s: s["Train"]["Retry"][0].pop("MaxDelaySeconds"), "Train tries again without full"),
    "failure trained": (
        lambda s: s["ReadGate"]["Catch"][0].update(Next="Accept"),
        "a failure of ReadGate leads to Train",
    ),
    "within a map": (
        lambda s: s["ProfileMissing"]["ItemProcessor"]["States"]["ProfileShard"].update(Next="Nowhere"),
        "ProfileMissing: ProfileShard leads to Nowhere",
    ),
    "misspelt within a map": (
        lambda s: s["ProfileMissing"]["ItemProcessor"]["States"]["ProfileShard"]["Arguments"].update(
            JobName="{% $runn.job_name %}"
        ),
        "ProfileMissing reads $runn",
    ),
}


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_planted_mistake_is_found(definition: Definition, mistake: str) -> None:
    plant, told = PLANTED[mistake]
    wrong = deepcopy(definition)
    plant(wrong["States"])
    found = [*mistakes(wrong), *careless_retries(wrong), *open_doors(wrong)]
    assert any(each.startswith(told) for each in found), found
