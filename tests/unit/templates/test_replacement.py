"""No choice replaces what has a fixed name, and what keeps one for good is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.unit.templates.replacement import create_only, named, replaced, retained, settled
from tests.unit.templates.variants import Variant, variants

ARCHITECTURE = (Path(__file__).parents[3] / "ARCHITECTURE.md").read_text(encoding="utf-8")

DECIDED_ONCE = {"customer-managed-key": ["ValidatorRepository.EncryptionConfiguration"]}
"""Choice -> what it replaces: docs/security.md says that it is made before the first deploy."""


SETTLED = {
    "StateMachine.StateMachineType": "executions last for hours: only a standard machine can hold them",
    "ValidatorRepository.EncryptionConfiguration": "docs/security.md: decide before the first deploy",
}
"""What can never change, though nothing but its name is in the way -> why nobody will."""


def resources(variant: Variant) -> dict[str, Any]:
    return dict(json.loads(variant.render())["Resources"])


@pytest.mark.parametrize("choice", [each for each in variants() if each.choice], ids=str)
def test_a_choice_may_be_made_later(choice: Variant) -> None:
    known = DECIDED_ONCE.get(choice.choice, []) if choice.stack == "delivery" else []
    assert list(replaced(resources(choice.plain), resources(choice))) == known


@pytest.mark.parametrize(
    ("title", "changed", "told"),
    [
        ("TaxiModels", {"ModelPackageGroupDescription": "other"}, "ModelPackageGroupDescription"),
        ("StateMachine", {"StateMachineType": "EXPRESS"}, "StateMachineType"),
        ("SpotQueue", {"JobQueueType": "ECS_FARGATE"}, "JobQueueType"),
        ("SpotQueue", {"Priority": 2}, ""),
        # A revision more.
        ("ValidatorTask", {"Cpu": "512"}, ""),
    ],
)
def test_a_replacement_is_found(
    pipeline: Mapping[str, Any], title: str, changed: dict[str, object], told: str
) -> None:
    after = deepcopy(pipeline["Resources"])
    after[title]["Properties"].update(changed)
    assert list(replaced(pipeline["Resources"], after)) == ([f"{title}.{told}"] if told else [])


def test_what_can_never_change_is_known() -> None:
    """Who adds such a property would change it one day, a wording or a default, and find the name taken."""
    assert {each for variant in variants() for each in settled(resources(variant))} == SETTLED.keys()


def test_a_description_that_can_never_change_is_seen(pipeline: Mapping[str, Any]) -> None:
    worded = deepcopy(pipeline["Resources"])
    worded["TaxiModels"]["Properties"]["ModelPackageGroupDescription"] = "Models"
    found = set(settled(worded)) - set(settled(pipeline["Resources"]))
    assert found == {"TaxiModels.ModelPackageGroupDescription"}


def test_what_keeps_its_name_when_its_stack_is_gone_is_known() -> None:
    every = map(resources, variants())
    kept = {stack[title]["Type"] for stack in every for title in retained(stack)}
    assert kept == {"AWS::ECR::Repository", "AWS::SageMaker::ModelPackageGroup"}
    assert "retained under a fixed name (image repository, model groups)" in ARCHITECTURE


def test_each_name_that_is_fixed_is_a_reason_to_replace(pipeline: Mapping[str, Any]) -> None:
    """Were it not, the table of names would miss what cfn-lint knows."""
    titles = list(named(pipeline["Resources"]))
    assert len(titles) > 15
    for title in titles:
        resource = pipeline["Resources"][title]
        assert create_only()[resource["Type"]] & resource["Properties"].keys(), title
