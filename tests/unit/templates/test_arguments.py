"""Every call of a service by a state: each check of it is proven by a planted mistake."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.unit.templates.arguments import MisspeltError, mistakes, operation
from tests.unit.templates.graph import every


@pytest.mark.parametrize(
    ("resource", "called"),
    [
        ("arn:aws:states:::ecs:runTask.sync", "ecs.RunTask"),
        ("arn:aws:states:::lambda:invoke", "lambda.Invoke"),
        ("arn:aws:states:::aws-sdk:s3:getObject", "s3.GetObject"),
        ("arn:aws:states:::aws-sdk:sagemaker:createModelPackage", "sagemaker.CreateModelPackage"),
        ("arn:aws:states:::states:startExecution.sync:2", "stepfunctions.StartExecution"),
    ],
)
def test_an_integration_names_an_operation(resource: str, called: str) -> None:
    assert str(operation(resource)) == called


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        ("arn:aws:states:::ecs:runtask.sync", "ecs:runtask is no optimized integration"),
        ("arn:aws:states:::ecs:runTask.Sync", "cannot be waited for by .Sync"),
        ("arn:aws:states:::glue:startJobRun.sync:2", "cannot be waited for by .sync:2"),
        ("arn:aws:states:::lambda:invoke.sync", "cannot be waited for by .sync"),
        ("arn:aws:states:::aws-sdk:s3:getObjekt", "aws-sdk has no s3:getObjekt"),
        ("arn:aws:states:::aws-sdk:s3:GetObject", "not how an action is spelt"),
        ("arn:aws:states:::aws-sdk:s33:getObject", "aws-sdk has no s33:getObject"),
        ("arn:aws:states:::aws-sdk:s3:getObject.sync", "not how an action is spelt"),
        ("arn:aws:states::123456789012:ecs:runTask", "is no integration's ARN"),
        ("arn:aws:lambda:us-east-1:1:function:init", "is no integration's ARN"),
    ],
)
def test_a_misspelt_integration_is_found(resource: str, told: str) -> None:
    with pytest.raises(MisspeltError, match=told):
        operation(resource)


@pytest.mark.parametrize(
    ("name", "path", "value", "told"),
    [
        ("Register", ["InferenceSpecification", "Containers"], [{"Image": "i"}], ".InferenceSpecification"),
        ("Register", ["ClientToken"], "x" * 37, ".ClientToken has a length of 37, not within 1 to 36"),
        ("Register", ["ModelApprovalStatus"], "Aproved", ".ModelApprovalStatus is 'Aproved', not one of"),
        ("Train", ["RoleArn"], None, ".RoleArn is missing"),
        ("Train", ["RoleArn"], "role", ".RoleArn has a length of 4, not within 20 to 2048"),
        ("Train", ["InputDataConfig"], [], ".InputDataConfig has a length of 0, not within 1 to 20"),
        (
            "Train",
            ["AlgorithmSpecification", "TrainingInputMode"],
            "Flie",
            ".AlgorithmSpecification.TrainingInputMode is 'Flie', not one of",
        ),
        (
            "Train",
            ["ResourceConfig", "VolumeSizeInGB"],
            "30",
            ".ResourceConfig.VolumeSizeInGB is '30', not a",
        ),
        (
            "Train",
            ["StoppingCondition", "MaxRuntimeInSeconds"],
            0,
            ".StoppingCondition.MaxRuntimeInSeconds is 0",
        ),
        (
            "Train",
            ["StoppingCondition", "MaxWaitTimeInSeconds"],
            60,
            ".StoppingCondition waits 60 s for Spot",
        ),
        (
            "Validate",
            ["Overrides", "ContainerOverrides"],
            {},
            ".Overrides.ContainerOverrides is {}, not a list",
        ),
        ("Validate", ["LaunchTyp"], "x", ".LaunchTyp is not known"),
        (
            "Validate",
            ["Overrides", "ContainerOverrides"],
            [{"Name": "v", "Cpu": 1}],
            ".Overrides.ContainerOverrides has",
        ),
        ("Validate", ["NetworkConfiguration"], {}, ".NetworkConfiguration names no subnets"),
        ("ReadGate", ["Range"], None, ".Range is missing"),
        ("Init", ["Payload"], None, ".Payload is missing"),
        ("Prepare", ["Arguments", "--label"], 1, ".Arguments.--label is 1, not a string"),
        ("NotifyFailure", ["Topic"], "x", ".Topic is not known"),
        ("ProfileShards", ["ArrayProperties", "Size"], "8", ".ArrayProperties.Size is '8', not a"),
        ("ProfileShard", ["JobQueue"], None, ".JobQueue is missing"),
        ("ProfileShard", ["EcsPropertiesOverride"], {}, ".EcsPropertiesOverride is refused"),
    ],
)
def test_a_planted_mistake_is_found(
    definition: dict[str, Any], name: str, path: list[str], value: Any, told: str
) -> None:
    state = deepcopy(dict(every(definition))[name])
    *above, last = path
    target = state["Arguments"]
    for key in above:
        target = target[key]
    if value is None:
        del target[last]
    else:
        target[last] = value
    assert any(mistake.startswith(told) for mistake in mistakes(state)), list(mistakes(state))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, []),
        ({"ArrayProperties": {"Size": 10_001}}, [".ArrayProperties.Size is 10001, not within 2 to 10000"]),
        ({"ArrayProperties": {"Size": 1}}, [".ArrayProperties.Size is 1, not within 2 to 10000"]),
        ({"ArrayProperties": {"Size": "{% $run.shards %}"}}, []),
        (
            {"ContainerOverrides": {"Environment": [{"Name": "AWS_BATCH_X", "Value": "1"}]}},
            [".ContainerOverrides.Environment names AWS_BATCH_X: AWS_BATCH is Batch's own"],
        ),
    ],
)
def test_array_jobs_stay_within_batchs_limits(more: dict[str, Any], told: list[str]) -> None:
    asked = {"JobName": "j", "JobQueue": "q", "JobDefinition": "d", **more}
    state = {"Resource": "arn:aws:states:::batch:submitJob.sync", "Arguments": asked}
    assert list(mistakes(state)) == told


def test_a_state_outlasts_what_it_waits_for(definition: dict[str, Any]) -> None:
    train = definition["States"]["Train"]
    assert train["TimeoutSeconds"] > train["Arguments"]["StoppingCondition"]["MaxWaitTimeInSeconds"]
