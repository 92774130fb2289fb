"""The deployment role: all that CloudFormation calls for the pipeline, by its names, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.unit.templates import deployment
from tests.unit.templates.limits import NAMES
from tests.unit.templates.policies import DEPLOYMENT
from tests.unit.templates.replacement import LABELS, named
from tests.unit.templates.variants import Variant, variants

WRITTEN: Mapping[str, Any] = json.loads(DEPLOYMENT.read_text(encoding="utf-8"))
SECURITY = DEPLOYMENT.with_name("security.md").read_text(encoding="utf-8")

PIPELINE = [variant for variant in variants() if variant.stack == "pipeline"]


def statements() -> Iterator[Mapping[str, Any]]:
    for resource in WRITTEN["Resources"].values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            yield from resource["Properties"]["PolicyDocument"]["Statement"]


def test_it_is_up_to_date() -> None:
    assert deployment.text() == DEPLOYMENT.read_text(encoding="utf-8"), (
        "types of the pipeline changed: `make docs`"
    )


def test_it_may_do_what_is_called_for_every_type_of_the_pipeline() -> None:
    held = {action for statement in statements() for action in statement["Action"]}
    for kind, actions in deployment.called().items():
        assert actions, kind
        unexplained = {
            action
            for action in actions - held
            if not any(re.fullmatch(pattern, action) for pattern in deployment.NOT_USED)
        }
        assert unexplained == set(), kind
    assert held == deployment.needed()


def test_each_reason_to_leave_something_out_leaves_something_out() -> None:
    """A pattern that matches nothing would hide what comes next."""
    every = {action for actions in deployment.called().values() for action in actions}
    assert [
        pattern
        for pattern in deployment.NOT_USED
        if not any(re.fullmatch(pattern, action) for action in every)
    ] == []


def test_each_policy_is_as_long_as_iam_takes() -> None:
    for title, resource in WRITTEN["Resources"].items():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            document = re.sub(r"\s", "", json.dumps(resource["Properties"]["PolicyDocument"]))
            assert len(document) <= 6144, title


ARNS: Mapping[str, str] = {
    "AWS::Batch::JobQueue": "batch:{}job-queue/",
    "AWS::CloudWatch::Alarm": "cloudwatch:{}alarm:",
    "AWS::ECS::Cluster": "ecs:{}cluster/",
    "AWS::Events::Rule": "events:{}rule/",
    "AWS::Glue::Job": "glue:{}job/",
    "AWS::KMS::Alias": "kms:{}",
    "AWS::Lambda::Function": "lambda:{}function:",
    "AWS::Logs::LogGroup": "logs:{}log-group:",
    "AWS::SNS::Topic": "sns:{}",
    "AWS::SQS::Queue": "sqs:{}",
    "AWS::SageMaker::ModelPackageGroup": "sagemaker:{}model-package-group/",
    "AWS::Scheduler::Schedule": "scheduler:{}schedule/default/",
    "AWS::StepFunctions::StateMachine": "states:{}stateMachine:",
}
"""Type -> its ARN without a partition, before its name."""

BY_OTHER_MEANS = {
    "AWS::CloudWatch::Dashboard": "its ARN names no region",
    "AWS::Glue::SecurityConfiguration": "AWS knows nothing narrower",
    "AWS::StepFunctions::StateMachineAlias": "allowed by its machine",
}


@pytest.mark.parametrize("variant", PIPELINE, ids=str)
def test_every_name_of_the_pipeline_is_one_it_may_make(variant: Variant) -> None:
    here = "${AWS::Region}:${AWS::AccountId}:"
    patterns = {
        resource["Fn::Sub"].replace("${Stage}", variant.stage)
        for statement in statements()
        for resource in statement["Resource"]
        if isinstance(resource, dict)
    }
    resources = json.loads(variant.render())["Resources"]
    for title in named(resources):
        kind, properties = resources[title]["Type"], resources[title]["Properties"]
        if kind not in BY_OTHER_MEANS:
            name = next(
                properties[key] for key in properties if f"{kind}.{key}" in NAMES and key not in LABELS
            )
            arn = f"arn:${{AWS::Partition}}:{ARNS[kind].format(here)}{name}"
            assert any(fnmatchcase(arn, pattern) for pattern in patterns), title


def test_it_hands_over_the_roles_of_the_pipeline_to_those_that_take_them() -> None:
    """SageMaker takes its role from the state machine."""
    taken = {
        service
        for variant in PIPELINE
        for resource in json.loads(variant.render())["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
        for statement in resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for service in listed(statement["Principal"]["Service"])
    }
    (handing,) = (each for each in statements() if each["Action"] == ["iam:PassRole"])
    services = handing["Condition"]["StringEquals"]["iam:PassedToService"]
    assert set(services) == taken - {"sagemaker.amazonaws.com"}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_it_makes_roles_of_the_pipeline_alone_and_within_the_boundary_that_is_given() -> None:
    granting = [each for each in statements() if deployment.GRANTING & set(each["Action"])]
    assert [set(each["Action"]) for each in granting] == [deployment.GRANTING]
    (within, *_) = granting[0]["Condition"]["Fn::If"][1:]
    assert within == {"ArnEquals": {"iam:PermissionsBoundary": {"Ref": "PermissionsBoundaryArn"}}}
    for each in statements():
        if any(action.startswith("iam:") for action in each["Action"]):
            (roles,) = each["Resource"]
            assert roles["Fn::Sub"].endswith(":role/sluice-${Stage}-pipeline-*")


@pytest.mark.parametrize(
    "action",
    ["s3:DeleteObject", "s3:PutObject", "kms:ScheduleKeyDeletion", "iam:AttachRolePolicy", "iam:CreateUser"],
)
def test_it_cannot(action: str) -> None:
    assert not any(action in each["Action"] for each in statements())


def test_whatever_has_no_narrower_resource_says_so() -> None:
    for each in statements():
        assert ("*" in each["Resource"]) == (each.get("Sid") == "NothingNarrowerToName")
        assert not any("*" in action for action in each["Action"])


def test_a_type_that_is_new_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.called.cache_clear()
    monkeypatch.setattr(deployment, "kinds", lambda: ["AWS::DynamoDB::Table"])
    assert "dynamodb:CreateTable" in deployment.needed()
    deployment.called.cache_clear()


def test_the_document_tells_of_it() -> None:
    assert "(deployment-role.json)" in SECURITY
