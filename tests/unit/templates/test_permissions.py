"""Who may do what: what a state hands over, which role writes where, who starts the pipeline."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from troposphere import encode_to_dict

from templates.access import BOUNDARY, HAS_BOUNDARY
from templates.asl import State
from tests.unit.templates.checks import permissions
from tests.unit.templates.variants import Variant, variants

PASSED = {
    "Validate": {(f"{role}.Arn", "ecs-tasks.amazonaws.com") for role in ("TaskRole", "ExecutionRole")},
    "Train": {("TrainingRole.Arn", "sagemaker.amazonaws.com")},
}

Statement = dict[str, Any]


def plain(value: Any) -> Any:
    """Return a policy with names in the place of CloudFormation's functions."""
    match value:
        case {"Ref": name} | {"Fn::Sub": [name, _]} | {"Fn::Sub": name}:
            return name
        case {"Fn::GetAtt": names}:
            return ".".join(names)
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def passed(state: State) -> set[tuple[str, str]]:
    statements = [plain(encode_to_dict(each)) for each in state.statements]
    return {
        (role, each["Condition"]["StringEquals"]["iam:PassedToService"])
        for each in statements
        if each["Action"] == ["iam:PassRole"]
        for role in each["Resource"]
    }


def roles(template: dict[str, Any]) -> Iterator[tuple[str, list[Statement]]]:
    for title, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            assert "ManagedPolicyArns" not in resource["Properties"], title
            (policy,) = resource["Properties"]["Policies"]
            yield title, plain(policy["PolicyDocument"]["Statement"])


def test_each_state_passes_its_roles_to_their_service(states: tuple[State, ...]) -> None:
    assert {state.name: passed(state) for state in states if passed(state)} == PASSED


def test_a_statement_that_is_removed_is_missed(states: tuple[State, ...]) -> None:
    for state in states:
        for index in range(len(state.statements)):
            poorer = replace(state, statements=state.statements[:index] + state.statements[index + 1 :])
            missed = list(permissions(poorer)) or passed(poorer) != PASSED[state.name]
            assert missed, (state.name, index)


def test_the_machines_role_is_the_sum_of_its_states(
    states: tuple[State, ...], pipeline: dict[str, Any]
) -> None:
    held = dict(roles(pipeline))["StateMachineRole"]
    for state in states:
        for statement in state.statements:
            assert plain(encode_to_dict(statement)) in held, state.name
    beyond = {each.get("Sid") for each in held} - {None}
    assert beyond == {"LogDeliveryHasNoResource", "TracesHaveNoResource", "DescribingJobsHasNoResource"}


def test_each_part_has_a_role_of_its_own(pipeline: dict[str, Any], delivery: dict[str, Any]) -> None:
    assert {title for title, _ in roles(pipeline)} == {
        "StateMachineRole",
        "InitRole",
        "EvaluateRole",
        "TaskRole",
        "ExecutionRole",
        "PrepareRole",
        "TrainingRole",
        "TriggerRole",
        "FlowLogRole",
    }
    assert {title for title, _ in roles(delivery)} == {"CheckBuildRole", "ReleaseBuildRole"}


Grants = list[tuple[str, str]]


def grants(template: dict[str, Any]) -> Grants:
    """Return role and resource of whatever may be written."""
    return [
        (title, resource.replace("[", "[[]"))
        for title, statements in roles(template)
        for each in statements
        if {"s3:PutObject", "s3:DeleteObject"} & set(each["Action"])
        for resource in each["Resource"]
    ]


def writers(granted: Grants, key: str) -> set[str]:
    """Return the roles that may write an object of the pipeline's bucket."""
    target = f"arn:${{AWS::Partition}}:s3:::${{PipelineBucket}}/{key}"
    return {title for title, resource in granted if fnmatchcase(target, resource)}


@pytest.mark.parametrize(
    ("key", "who"),
    [
        ("accepted/taxi/2026-11-22.json", {"StateMachineRole"}),
        ("data/taxi/2026-11-22/part-0.csv", set()),
        ("triggers/taxi/id", {"InitRole"}),
        ("locks/taxi/2026-11-22", {"InitRole"}),
        ("runs/2026-11-22/id/manifest.json", {"InitRole"}),
        ("validation/2026-11-22/id/gate.json", {"TaskRole"}),
        ("states/2026-11-22/id/a.state", {"TaskRole"}),
        ("prepared/2026-11-22/id/train/part-0.parquet", {"PrepareRole"}),
        ("prepared_$folder$", {"PrepareRole"}),
        ("training/2026-11-22/id/job/output/model.tar.gz", {"TrainingRole"}),
        ("", set()),
        ("elsewhere", set()),
    ],
)
def test_each_place_has_one_writer(pipeline: dict[str, Any], key: str, who: set[str]) -> None:
    assert writers(grants(pipeline), key) == who


WRITERS: Mapping[str, set[str]] = {
    "data": set(),
    "runs": {"InitRole"},
    "validation": {"TaskRole"},
    "prepared": {"PrepareRole"},
    "training": {"TrainingRole"},
    "accepted": {"StateMachineRole"},
    "withdrawn": set(),
    "triggers": {"InitRole"},
    "locks": {"InitRole"},
}
"""Prefix of the pipeline's bucket -> who may write below it."""

NAMES = (
    *WRITERS,
    "prepared-1",
    "validation-1",
    "manifest.json",
    "gate.json",
    "verdict.json",
    "_SUCCESS",
    "*",
)
"""What runs, days' folders and files may be called: whoever starts an execution chooses its name."""


@pytest.mark.parametrize("variant", [each for each in variants() if each.stack == "pipeline"], ids=str)
def test_nobody_writes_below_anothers_prefix_whatever_is_called_how(variant: Variant) -> None:
    granted = grants(json.loads(variant.render()))
    for prefix, name, inner in product(WRITERS, NAMES, NAMES):
        keys = (f"{prefix}/{name}/{inner}", f"{prefix}/2026-11-22/{name}/{inner}/part-0.parquet")
        for key in keys:
            assert writers(granted, key) <= WRITERS[prefix], key
    used = {prefix: writers(granted, f"{prefix}/2026-11-22/run/manifest.json") for prefix in WRITERS}
    assert used == WRITERS


def test_a_prefix_that_spans_others_is_seen(pipeline: dict[str, Any]) -> None:
    """Such a grant was here once: it takes in the split that Prepare holds out."""
    wide = deepcopy(pipeline)
    (policy,) = wide["Resources"]["TaskRole"]["Properties"]["Policies"]
    everybodys = {"Fn::Sub": "arn:${AWS::Partition}:s3:::${PipelineBucket}/*/validation/*"}
    policy["PolicyDocument"]["Statement"].append({"Action": ["s3:PutObject"], "Resource": [everybodys]})
    assert writers(grants(wide), "prepared/2026-11-22/run/validation/part-0.parquet") == {
        "PrepareRole",
        "TaskRole",
    }


def test_accepted_days_are_closed_to_everyone_else(pipeline: dict[str, Any]) -> None:
    policy = plain(pipeline["Resources"]["PipelineBucketPolicy"]["Properties"]["PolicyDocument"])
    (closed,) = (each for each in policy["Statement"] if each["Sid"] == "OnlyTheStateMachineAccepts")
    assert closed["Effect"] == "Deny"
    assert closed["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": "StateMachineRole.Arn"}}


@pytest.mark.parametrize("variant", list(variants()), ids=str)
def test_no_role_escapes_the_boundary(variant: Variant) -> None:
    template = json.loads(variant.render())
    found = [title for title, _ in roles(template)]
    assert found
    assert [title for title in found if not bounded(template["Resources"][title])] == []
    assert template["Conditions"][HAS_BOUNDARY] == {"Fn::Not": [{"Fn::Equals": [{"Ref": BOUNDARY}, ""]}]}
    # Permissions come in by roles alone.
    kinds = {each["Type"] for each in template["Resources"].values() if each["Type"].startswith("AWS::IAM::")}
    assert kinds == {"AWS::IAM::Role"}


@pytest.mark.parametrize(
    "properties",
    [{}, {"PermissionsBoundary": {"Ref": BOUNDARY}}, {"PermissionsBoundary": {"Ref": "AWS::NoValue"}}],
)
def test_a_role_without_the_boundary_is_seen(properties: dict[str, Any]) -> None:
    assert not bounded({"Properties": properties})


def bounded(role: dict[str, Any]) -> bool:
    """Whether a role is within the boundary where one is given, and made without one where none is."""
    given = {"Fn::If": [HAS_BOUNDARY, {"Ref": BOUNDARY}, {"Ref": "AWS::NoValue"}]}
    return bool(role["Properties"].get("PermissionsBoundary") == given)


def test_the_check_of_pull_requests_touches_nothing(delivery: dict[str, Any]) -> None:
    allowed = {action for each in dict(roles(delivery))["CheckBuildRole"] for action in each["Action"]}
    assert allowed == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "codeconnections:GetConnection",
        "codeconnections:GetConnectionToken",
    }


def test_who_may_only_push_branches_runs_no_code_before_a_maintainer_says_so(
    delivery: dict[str, Any],
) -> None:
    policy = delivery["Resources"]["CheckProject"]["Properties"]["Triggers"]["PullRequestBuildPolicy"]
    assert policy["RequiresCommentApproval"] == "ALL_PULL_REQUESTS"
    # Pull requests of those who may approve are built at once.
    assert set(policy["ApproverRoles"]) == {"GITHUB_MAINTAIN", "GITHUB_ADMIN"}
    shapes = ServiceModel(Loader().load_service_model("codebuild", "service-2"), "codebuild")
    known = shapes.shape_for("PullRequestBuildPolicy").members
    assert policy["RequiresCommentApproval"] in known["requiresCommentApproval"].enum
    assert set(policy["ApproverRoles"]) <= set(known["approverRoles"].member.enum)


def test_the_check_can_have_a_connection_of_its_own(delivery: dict[str, Any]) -> None:
    own = {"Fn::If": ["HasCheckConnection", {"Ref": "CheckConnectionArn"}, {"Ref": "ConnectionArn"}]}
    for build, connection in (("Check", own), ("Release", {"Ref": "ConnectionArn"})):
        source = delivery["Resources"][f"{build}Project"]["Properties"]["Source"]
        assert source["Auth"]["Resource"] == connection
        (policy,) = delivery["Resources"][f"{build}BuildRole"]["Properties"]["Policies"]
        used = [
            each["Resource"]
            for each in policy["PolicyDocument"]["Statement"]
            if "codeconnections:GetConnectionToken" in each["Action"]
        ]
        assert used == [[connection]]


@pytest.mark.parametrize("branch", ["main", "release/1.0", "a.b.c-d_e"])
def test_a_branch_releases_itself_and_no_other(delivery: dict[str, Any], branch: str) -> None:
    parameter = delivery["Parameters"]["Branch"]["AllowedPattern"]
    assert re.fullmatch(parameter, branch)
    assert not any(re.fullmatch(parameter, f"{branch}{sign}") for sign in r"*+?()[]{}|^$\ ")
    (pushed,) = delivery["Resources"]["ReleaseProject"]["Properties"]["Triggers"]["FilterGroups"]
    (ref,) = (each["Pattern"] for each in pushed if each["Type"] == "HEAD_REF")
    (text, names) = ref["Fn::Sub"]
    (joint, parts) = names["Name"]["Fn::Join"]
    assert parts == {"Fn::Split": [".", {"Ref": "Branch"}]}
    pattern = text.replace("${Name}", joint.join(branch.split(".")))
    assert re.search(pattern, f"refs/heads/{branch}")
    for other in (branch.replace(".", "x"), f"{branch}x", f"x/{branch}"):
        assert other == branch or not re.search(pattern, f"refs/heads/{other}")


def test_a_release_does_not_execute_changes_of_its_own_stack(delivery: dict[str, Any]) -> None:
    for statement in dict(roles(delivery))["ReleaseBuildRole"]:
        if "cloudformation:ExecuteChangeSet" in statement["Action"]:
            assert all("-pipeline/*" in resource for resource in statement["Resource"])
            break
    else:
        pytest.fail("nothing is released")


def test_the_rules_start_the_pipeline_by_its_alias_only(pipeline: dict[str, Any]) -> None:
    (statement,) = dict(roles(pipeline))["TriggerRole"]
    assert statement["Resource"] == ["StateMachine"]
    assert statement["Condition"] == {"ForAnyValue:StringEquals": {"states:StateMachineQualifier": ["live"]}}


def test_the_schedules_start_the_pipeline_by_its_alias_only() -> None:
    timed = json.loads(Variant("pipeline", "dev", "every-trigger").render())
    start, keep = dict(roles(timed))["ScheduleRole"]
    assert (start["Action"], start["Resource"]) == (["states:StartExecution"], ["StateMachine"])
    assert start["Condition"] == {"ForAnyValue:StringEquals": {"states:StateMachineQualifier": ["live"]}}
    assert (keep["Action"], keep["Resource"]) == (["sqs:SendMessage"], ["DeadLetters.Arn"])
