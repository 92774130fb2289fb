"""docs/roles.md is what the templates allow; docs/security.md speaks of every role, and is true."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from templates.config import Config, load
from templates.roles import named, page
from tests.configuration import DELIVERED
from tests.unit.templates.variants import Variant, variants

ROOT = Path(__file__).parents[3]
WRITTEN = (ROOT / "docs/roles.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "docs/security.md").read_text(encoding="utf-8")

Template = dict[str, Any]


def roles(template: Template) -> dict[str, dict[str, Any]]:
    return {
        title: each["Properties"]
        for title, each in template["Resources"].items()
        if each["Type"] == "AWS::IAM::Role"
    }


def allowed(role: dict[str, Any]) -> set[str]:
    (policy,) = role["Policies"]
    return {action for each in policy["PolicyDocument"]["Statement"] for action in each["Action"]}


def test_the_page_is_up_to_date() -> None:
    assert page(load(DELIVERED, "dev")) == WRITTEN, "the templates' roles have changed: `make docs`"


def test_every_action_of_every_role_is_on_the_page(
    config: Config, pipeline: Template, delivery: Template
) -> None:
    parts = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", page(config), re.MULTILINE | re.DOTALL))
    for template in (pipeline, delivery):
        for title, role in roles(template).items():
            assert allowed(role) <= set(re.findall(r"`([a-z]+[\w-]*:[A-Z]\w+)`", parts[title])), title


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"Ref": "Topic"}, "<Topic>"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "<Queue>"),
        ({"Fn::Sub": "arn:${AWS::Partition}:s3:::${PipelineBucket}/data/*"}, "s3:::<PipelineBucket>/data/*"),
        ({"Fn::Sub": ["arn:${AWS::Partition}:x:${A}", {"A": 1}]}, "x:<A>"),
        ({"Fn::If": ["Given", {"Ref": "Own"}, {"Ref": "Theirs"}]}, "<Own> or <Theirs>"),
        ("*", "*"),
    ],
)
def test_a_resource_is_named_as_people_read_it(value: Any, text: str) -> None:
    assert named(value) == text


def stolen() -> dict[str, str]:
    """The table of docs/security.md: role -> its row."""
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", SECURITY, re.MULTILINE))


def every_role() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the roles of all variants, by name."""
    for variant in variants():
        yield from roles(json.loads(variant.render())).items()


def test_the_document_speaks_of_every_role_and_of_no_other() -> None:
    assert {title for title in stolen() if title.endswith("Role")} == {title for title, _ in every_role()}


def test_no_role_can_make_or_change_permissions() -> None:
    for title, role in every_role():
        iam = {action for action in allowed(role) if action.partition(":")[0] in ("iam", "sts")}
        assert iam <= {"iam:PassRole"}, title


def test_only_two_roles_hand_roles_over_each_to_one_service() -> None:
    handing = set()
    for title, role in every_role():
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"]:
            if "iam:PassRole" in statement["Action"]:
                handing.add(title)
                assert isinstance(statement["Condition"]["StringEquals"]["iam:PassedToService"], str), title
    assert handing == {"StateMachineRole", "ReleaseBuildRole"}


def test_who_deletes_objects_does_so_below_its_own_prefix_only() -> None:
    deleting = {
        (title, *map(named, statement["Resource"]))
        for title, role in every_role()
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"]
        if {"s3:DeleteObject", "s3:DeleteObjectVersion"} & set(statement["Action"])
    }
    assert deleting == {
        ("PrepareRole", "s3:::<PipelineBucket>/prepared*"),
        ("TaskRole", "s3:::<PipelineBucket>/validation/*"),
    }


def readers(key: str) -> set[str]:
    """Return the roles that may read an object of the pipeline's bucket."""
    target = f"s3:::<PipelineBucket>/{key}"
    return {
        title
        for title, role in every_role()
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"]
        if "s3:GetObject" in statement["Action"]
        if any(fnmatchcase(target, named(resource)) for resource in statement["Resource"])
    }


@pytest.mark.parametrize(
    ("key", "who"),
    [
        ("data/taxi/2026-11-22/part-0.csv", {"TaskRole", "PrepareRole"}),
        ("accepted/taxi/2026-11-22.json", {"InitRole"}),
        (
            "training/2026-11-22/id/job/output/model.tar.gz",
            {"EvaluateRole", "TrainingRole"},
        ),
        ("prepared/2026-11-22/id/train/part-0.parquet", {"PrepareRole", "TrainingRole"}),
        ("validation/2026-11-22/id/gate.json", {"TaskRole", "PrepareRole", "StateMachineRole"}),
        ("states/2026-11-22/id/a.state", {"TaskRole"}),
        ("elsewhere/x", set()),
    ],
)
def test_each_place_is_read_by_those_the_document_names(key: str, who: set[str]) -> None:
    assert readers(key) == who


@pytest.mark.parametrize(
    ("action", "who"),
    [
        ("sagemaker:CreateModelPackage", {"StateMachineRole"}),
        ("states:StartExecution", {"TriggerRole", "ScheduleRole"}),
        ("ecs:RunTask", {"StateMachineRole"}),
        ("ecs:RegisterTaskDefinition", set()),
        ("cloudformation:ExecuteChangeSet", {"ReleaseBuildRole"}),
        ("ecr:PutImage", {"ReleaseBuildRole"}),
        ("kms:ScheduleKeyDeletion", set()),
    ],
)
def test_each_power_is_held_by_those_the_document_names(action: str, who: set[str]) -> None:
    assert {title for title, role in every_role() if action in allowed(role)} == who


def test_services_take_roles_for_this_account_only_where_they_promise_to_name_it() -> None:
    for title, role in every_role():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        promised = trust["Principal"]["Service"] not in (["lambda.amazonaws.com"], ["glue.amazonaws.com"])
        account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        assert trust.get("Condition") == (account if promised else None), title


def test_no_role_deletes_what_is_replaced() -> None:
    assert not any("s3:DeleteObjectVersion" in allowed(role) for _, role in every_role())


@pytest.mark.parametrize("variant", list(variants()), ids=str)
def test_what_is_kept_when_a_stack_goes_is_what_the_document_says(variant: Variant) -> None:
    said = dict(re.findall(r"^\| `(AWS::[\w:]+)` \|.*\| `(\w+)` \|$", SECURITY, re.MULTILINE))
    template = json.loads(variant.render())
    kept = {
        each["Type"]: each["DeletionPolicy"]
        for each in template["Resources"].values()
        if "DeletionPolicy" in each
    }
    assert kept.items() <= said.items()
    for title, each in template["Resources"].items():
        if each["Type"] in said:
            assert each.get("DeletionPolicy") == said[each["Type"]], title
            assert each.get("UpdateReplacePolicy") == "Retain", title
