"""What AWS would ask IAM for on our behalf, held against the table of the integrations."""

from __future__ import annotations

from typing import Any

import pytest

from build.rehearsal.emulator import needs
from build.rehearsal.emulator.needs import Account, Request
from tests.needed import NEEDED

CLUSTER = "arn:aws:ecs:us-east-1:000000000000:cluster/sluice-dev-cluster"
DEFINITION = "arn:aws:ecs:us-east-1:000000000000:task-definition/sluice-dev-validator:1"
ROLES = ["arn:aws:iam::000000000000:role/task", "arn:aws:iam::000000000000:role/agent"]
HERE = Account("us-east-1", "000000000000", lambda definition: ROLES if definition == DEFINITION else [])
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"

ASKED: dict[str, dict[str, Any]] = {
    "lambda:invoke": {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:sluice-dev-init:1"},
    "batch:submitJob.sync": {
        "JobDefinition": "arn:aws:batch:us-east-1:000000000000:job-definition/d:1",
        "JobQueue": "arn:aws:batch:us-east-1:000000000000:job-queue/q",
    },
    "ecs:runTask.sync": {
        "Cluster": CLUSTER,
        "TaskDefinition": DEFINITION,
        "PropagateTags": "TASK_DEFINITION",
    },
    "aws-sdk:s3:getObject": {"Bucket": "b", "Key": "runs/x/gate.json"},
    "aws-sdk:s3:putObject": {"Bucket": "b", "Key": "accepted/taxi/2026-03-03.json"},
    "glue:startJobRun.sync": {"JobName": "sluice-dev-prepare"},
    "sagemaker:createTrainingJob.sync": {"TrainingJobName": "taxi-1", "RoleArn": ROLES[0]},
    "aws-sdk:sagemaker:createModelPackage": {"ModelPackageGroupName": "sluice-dev-models"},
    "sns:publish": {"TopicArn": "arn:aws:sns:us-east-1:000000000000:sluice-dev-notifications"},
}

SELDOM = {
    "arn:aws:states:::aws-sdk:s3:getObject": {"s3:GetObjectVersion", "s3:ListBucket"},
}
"""What is asked for only when a version is named, or when the object is not there."""


def every(name: str, **changes: Any) -> list[Request]:
    return needs.of_state(f"arn:aws:states:::{name}", {**ASKED[name], **changes}, HERE)


def asked(name: str, **changes: Any) -> set[str]:
    return {request.action for request in every(name, **changes)}


def on_what(name: str, action: str) -> set[str]:
    """The resources, without this account's part, that one action is asked for."""
    arns = (request.resource for request in every(name) if request.action == action)
    return {arn.partition("us-east-1:000000000000:")[2] for arn in arns}


def test_every_integration_is_known() -> None:
    assert {f"arn:aws:states:::{name}" for name in ASKED} == set(NEEDED)


@pytest.mark.parametrize("name", ASKED)
def test_an_integration_asks_for_what_the_table_says(name: str) -> None:
    resource = f"arn:aws:states:::{name}"
    assert asked(name) == NEEDED[resource] - SELDOM.get(resource, set())


ON_SEVERAL = {
    ("batch:submitJob.sync", "batch:SubmitJob"): {"job-definition/d:1", "job-queue/q", f"job/{'0' * 32}"},
    ("aws-sdk:sagemaker:createModelPackage", "sagemaker:CreateModelPackage"): {
        "model-package-group/sluice-dev-models",
        "model-package/sluice-dev-models/1",
    },
}
"""What one action is asked for more than once: each type of resource that AWS says is required."""


@pytest.mark.parametrize(("name", "action"), ON_SEVERAL)
def test_an_action_is_asked_for_on_each_resource_that_aws_requires(name: str, action: str) -> None:
    assert on_what(name, action) == ON_SEVERAL[name, action]


@pytest.mark.parametrize("name", ASKED)
def test_no_other_action_is_asked_for_on_several(name: str) -> None:
    requests = [(name, request.action) for request in every(name) if request.action != "iam:PassRole"]
    assert {pair for pair in requests if requests.count(pair) > 1} == ON_SEVERAL.keys() & set(requests)


def test_ending_a_job_is_asked_for_on_jobs_only() -> None:
    assert on_what("batch:submitJob.sync", "batch:TerminateJob") == {f"job/{'0' * 32}"}


def test_a_version_of_an_object_is_another_permission() -> None:
    assert asked("aws-sdk:s3:getObject", VersionId="1") == {"s3:GetObjectVersion"}


def test_without_sync_nothing_is_awaited() -> None:
    of_state = needs.of_state("arn:aws:states:::ecs:runTask", ASKED["ecs:runTask.sync"], HERE)
    assert {request.action for request in of_state} == {"ecs:RunTask", "iam:PassRole", "ecs:TagResource"}


def test_an_integration_nobody_has_looked_into_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"does not say what arn:aws:states:::sqs:sendMessage needs"):
        needs.of_state("arn:aws:states:::sqs:sendMessage", {}, HERE)


def test_a_task_hands_both_roles_over_and_names_its_cluster() -> None:
    found = every("ecs:runTask.sync")
    passed = [request for request in found if request.action == "iam:PassRole"]
    assert [request.resource for request in passed] == ROLES
    assert {request.context["iam:PassedToService"] for request in passed} == {"ecs-tasks.amazonaws.com"}
    assert Request("ecs:RunTask", DEFINITION, {"ecs:cluster": CLUSTER}) in found
    assert on_what("ecs:runTask.sync", "ecs:StopTask") == {f"task/sluice-dev-cluster/{'0' * 32}"}
    assert "ecs:TagResource" not in asked("ecs:runTask.sync", PropagateTags=None)


def test_an_alias_is_a_condition_on_the_machine() -> None:
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:sluice-dev-pipeline"
    assert needs.of_start(f"{machine}:live").resource == machine
    assert needs.of_start(f"{machine}:live").context == {"states:StateMachineQualifier": ["live"]}
    assert needs.of_start(machine) == Request("states:StartExecution", machine)


def definition(image: str, **more: Any) -> dict[str, Any]:
    options = {"awslogs-group": "/sluice/dev/validator", "awslogs-stream-prefix": "validator"}
    container = {"name": "validator", "image": image, "logConfiguration": {"options": options}, **more}
    return {"containerDefinitions": [container]}


def test_the_agent_pulls_from_the_images_own_registry_and_writes_the_log() -> None:
    found = {request.action: request.resource for request in needs.of_agent(definition(IMAGE), HERE)}
    assert found == {
        "ecr:GetAuthorizationToken": "*",
        **{
            f"ecr:{action}": "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-xgboost"
            for action in ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")
        },
        **{
            f"logs:{action}": "arn:aws:logs:us-east-1:000000000000:log-group:/sluice/dev/validator"
            f":log-stream:validator/validator/{'0' * 32}"
            for action in ("CreateLogStream", "PutLogEvents")
        },
    }


def test_a_public_image_asks_ecr_for_nothing() -> None:
    actions = {request.action for request in needs.of_agent(definition("docker.io/library/python"), HERE)}
    assert actions == {"logs:CreateLogStream", "logs:PutLogEvents"}


@pytest.mark.parametrize(
    ("given", "request_"),
    [
        (
            "arn:aws:ssm:us-east-1:1:parameter/k",
            Request("ssm:GetParameters", "arn:aws:ssm:us-east-1:1:parameter/k"),
        ),
        (
            "arn:aws:secretsmanager:us-east-1:1:secret:key-AbCdEf:field::",
            Request("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:1:secret:key-AbCdEf"),
        ),
    ],
)
def test_a_secret_is_read_by_the_agent(given: str, request_: Request) -> None:
    secrets = [{"name": "PRIVACY_KEY", "valueFrom": given}]
    assert request_ in list(needs.of_agent(definition("python", secrets=secrets), HERE))


@pytest.mark.parametrize(
    ("logging", "asks"),
    [({"level": "ALL"}, True), ({"Level": "ALL"}, True), ({"level": "OFF"}, False), ({}, False)],
)
def test_a_machine_without_log_asks_for_nothing(logging: dict[str, str], asks: bool) -> None:
    actions = {request.action for request in needs.of_machine({"loggingConfiguration": logging}, HERE)}
    assert actions == (set(needs.LOG_DELIVERY) if asks else set())


def test_a_function_writes_to_the_group_it_was_given() -> None:
    def groups(**configuration: Any) -> set[str]:
        asked_for = needs.of_function({"FunctionName": "f", **configuration}, HERE)
        return {request.resource.split("log-group:")[-1].split(":")[0] for request in asked_for}

    assert groups() == {"/aws/lambda/f"}
    assert groups(LoggingConfig={"LogGroup": "/other"}) == {"/other"}
    traced = needs.of_function({"FunctionName": "f", "TracingConfig": {"Mode": "Active"}}, HERE)
    assert {"xray:PutTraceSegments"} < {request.action for request in traced}


def test_a_build_writes_its_log_and_reads_its_source() -> None:
    connection = "arn:aws:codeconnections:us-east-1:000000000000:connection/1"
    source = {"type": "GITHUB", "auth": {"type": "CODECONNECTIONS", "resource": connection}}

    def build(**more: Any) -> set[tuple[str, str]]:
        asked_for = needs.of_build({"name": "check", "source": source, **more}, HERE)
        return {(request.action, request.resource.partition("log-group:")[2]) for request in asked_for}

    reads = {("codeconnections:GetConnection", ""), ("codeconnections:GetConnectionToken", "")}
    stream = "/aws/codebuild/check:log-stream:build"
    assert build() == {("logs:CreateLogStream", stream), ("logs:PutLogEvents", stream), *reads}
    other = {"cloudWatchLogs": {"groupName": "/other"}}
    assert ("logs:PutLogEvents", "/other:log-stream:build") in build(logsConfig=other)
    assert ("logs:PutLogEvents", stream) in build(source={"type": "NO_SOURCE"})


def test_who_hands_a_template_and_a_role_over_must_be_allowed_to() -> None:
    handed = {"RoleARN": ROLES[0], "TemplateURL": "https://s3.us-east-1.amazonaws.com/b/templates/a%20b.json"}
    assert list(needs.of_change_set(handed)) == [
        Request("iam:PassRole", ROLES[0], {"iam:PassedToService": "cloudformation.amazonaws.com"}),
        Request("s3:GetObject", "arn:aws:s3:::b/templates/a b.json"),
    ]
    assert list(needs.of_change_set({"TemplateBody": "{}"})) == []


def test_the_registry_is_asked_for_the_thing_that_is_named() -> None:
    package = "arn:aws:sagemaker:us-east-1:000000000000:model-package/m/1"
    described = needs.of_registry("DescribeModelPackage", {"ModelPackageName": package}, HERE)
    assert described == Request("sagemaker:DescribeModelPackage", package)
    assert needs.of_registry("ListModelPackages", {}, HERE) == Request("sagemaker:ListModelPackages")


def test_a_call_of_the_registry_that_nobody_has_looked_into_is_an_error() -> None:
    with pytest.raises(LookupError, match="does not say what sagemaker:ListTags needs"):
        needs.of_registry("ListTags", {"ResourceArn": "arn:aws:sagemaker:::x"}, HERE)
