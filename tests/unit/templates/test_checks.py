"""Every check over every variant of the templates, and each by itself on what it lets pass and what not."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from templates.batch import QUEUES
from templates.config import MOST_CHILDREN, STAGES, Config, Dataset, TaskSize
from tests.unit.templates import batch, exposure, expressions, limits, retention
from tests.unit.templates.checks import Rendered, found
from tests.unit.templates.variants import EVERY_TRIGGER, Variant, variants

PIPELINES = [variant for variant in variants() if variant.stack == "pipeline"]


@pytest.mark.parametrize("variant", PIPELINES, ids=str)
def test_no_check_finds_anything(variant: Variant) -> None:
    assert found(Rendered(variant.config)) == {}


def test_the_longest_names_still_fit(config: Config) -> None:
    longest = max(STAGES, key=len)
    name = "d" * 31
    datasets = (replace(EVERY_TRIGGER[0], name=name), Dataset(name="e" * 31, label="y"))
    stage = replace(config, stage=longest, datasets=datasets, customer_managed_key=True)
    assert list(limits.long_names(Rendered(stage).resources)) == []
    # Init's: <dataset>-<date>-<8 of a hash>.
    assert len(stage.named(f"{name}-2026-11-22-01234567")) <= 63


@pytest.mark.parametrize(
    ("kind", "key", "length", "told"),
    [
        ("AWS::StepFunctions::StateMachine", "StateMachineName", 81, "has 81 characters, of 80"),
        ("AWS::Scheduler::Schedule", "Name", 65, "has 65 characters, of 64"),
        ("AWS::Events::Rule", "Name", 65, "has 65 characters, of 64"),
        ("AWS::Glue::SecurityConfiguration", "Name", 256, "has 256 characters, of 255"),
        ("AWS::Lambda::Function", "FunctionName", 65, "has 65 characters, of 64"),
        ("AWS::SQS::Queue", "QueueName", 81, "has 81 characters, of 80"),
    ],
)
def test_a_name_that_is_too_long_is_found(kind: str, key: str, length: int, told: str) -> None:
    def resources(size: int) -> dict[str, Any]:
        return {"Thing": {"Type": kind, "Properties": {key: "x" * size}}}

    assert [mistake.endswith(told) for mistake in limits.long_names(resources(length))] == [True]
    assert list(limits.long_names(resources(length - 1))) == []


def test_a_name_whose_limit_nobody_knows_is_found() -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}}
    (told,) = limits.long_names({"Bucket": bucket})
    assert told == "Bucket: look up how long AWS::S3::Bucket.BucketName may be"
    assert list(limits.long_names({"Bucket": {**bucket, "Properties": {"BucketName": {"Ref": "B"}}}})) == []


@pytest.mark.parametrize("title", ["Two-Words", "", "x" * 256])
def test_a_title_that_is_no_logical_id_is_found(title: str) -> None:
    assert list(limits.long_names({title: {"Type": "AWS::EC2::VPC"}})) == [f"{title} is no logical id"]


@pytest.mark.parametrize(("length", "good"), [(80, True), (81, False)])
def test_a_state_with_too_long_a_name_is_found(length: int, good: bool) -> None:
    assert (list(limits.payloads({"States": {"x" * length: {"Type": "Succeed"}}})) == []) is good


def test_every_limit_of_a_name_is_needed() -> None:
    resources = [
        each for variant in variants() for each in json.loads(variant.render())["Resources"].values()
    ]
    assert limits.NAMES.keys() <= {
        f"{each['Type']}.{key}" for each in resources for key in each.get("Properties", ())
    }


def test_the_most_children_are_as_many_as_a_history_holds(config: Config) -> None:
    def most(children: int) -> Rendered:
        return Rendered(replace(config, validation=replace(config.validation, most_children=children)))

    assert found(most(MOST_CHILDREN)) == {}
    (told,) = found(most(MOST_CHILDREN + 1))["history"]
    assert told == "ProfileMissing may write 20016 events, of 25000 an execution has in all"


@pytest.mark.parametrize(("actions", "good"), [(100, True), (1000, False)])
def test_a_role_whose_policies_iam_would_not_take_is_found(actions: int, good: bool) -> None:
    statement = {"Effect": "Allow", "Action": [f"s3:Action{n}" for n in range(actions)], "Resource": "r"}
    policies = [{"PolicyName": "p", "PolicyDocument": {"Statement": [statement]}}]
    role = {"Type": "AWS::IAM::Role", "Properties": {"Policies": policies}}
    assert (list(limits.policies({"Role": role})) == []) is good


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("$states.input", True),
        ("($f := function($a) { $a & 'x' }; $f($run.label))", True),
        ('$contains($failure.cause, /"ExitCode"\\s*:\\s*69\\b/)', True),
        ("$run.label &", False),
        ("$size = 0 and (", False),
        ("$map($a, function($x) { $x )", False),
        ("'open", False),
    ],
)
def test_the_parser_tells_jsonata_from_other_text(expression: str, good: bool) -> None:
    assert (expressions.wrong(expression) == "") is good


def test_a_wrong_expression_is_named_by_its_place() -> None:
    state = {"Type": "Task", "Arguments": {"Items": [{"Key": "{% $a & %}"}, "{% $b %}", "plain {%"]}}
    (told,) = expressions.mistakes({"States": {"Accept": state}})
    assert told.startswith("Accept.Arguments.Items[0].Key: ")


@pytest.mark.parametrize("cut", [None, "bytes=0-", "bytes=0-65535", "bytes=100-200"])
def test_an_object_of_any_size_is_no_payload(definition: dict[str, Any], cut: str | None) -> None:
    assert list(limits.payloads(definition)) == []
    wrong = deepcopy(definition)
    wrong["States"]["ReadGate"]["Arguments"]["Range"] = cut
    assert [told.partition(" ")[0] for told in limits.payloads(wrong)] == ["ReadGate"]


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"DeploymentPreference": {"StateMachineVersionArn": "v", "Type": "ALL_AT_ONCE"}}, []),
        (
            {
                "DeploymentPreference": {
                    "StateMachineVersionArn": "v",
                    "Type": "LINEAR",
                    "Interval": 10,
                    "Percentage": 20,
                }
            },
            [],
        ),
        ({"RoutingConfiguration": [{"StateMachineVersionArn": "v", "Weight": 100}]}, []),
        ({}, ["exactly one"]),
        (
            {
                "DeploymentPreference": {"StateMachineVersionArn": "v", "Type": "ALL_AT_ONCE"},
                "RoutingConfiguration": [{"StateMachineVersionArn": "v", "Weight": 100}],
            },
            ["exactly one"],
        ),
        ({"RoutingConfiguration": [{"Weight": 50}, {"Weight": 40}]}, ["at most two"]),
        ({"RoutingConfiguration": [{"Weight": 50}, {"Weight": 25}, {"Weight": 25}]}, ["at most two"]),
        ({"DeploymentPreference": {"Type": "SLOWLY"}}, ["a shift of type SLOWLY", "a shift to no version"]),
        (
            {"DeploymentPreference": {"StateMachineVersionArn": "v", "Type": "CANARY", "Percentage": 100}},
            ["Interval is None", "Percentage is 100"],
        ),
        (
            {"DeploymentPreference": {"StateMachineVersionArn": "v", "Type": "ALL_AT_ONCE", "Interval": 1}},
            ["Interval says nothing"],
        ),
    ],
)
def test_an_alias_shifts_in_one_way(properties: dict[str, Any], told: list[str]) -> None:
    alias = {"Type": "AWS::StepFunctions::StateMachineAlias", "Properties": properties}
    found_ = [mistake.removeprefix("Alias: ") for mistake in retention.routing({"Alias": alias})]
    assert len(found_) == len(told)
    assert all(mistake.startswith(start) for mistake, start in zip(found_, told, strict=True))


EXIT = {"Action": "EXIT", "OnReason": "*"}
AGAIN = {"Action": "RETRY", "OnStatusReason": "Your Spot Task was interrupted*"}
CONTAINER = {
    "ResourceRequirements": [{"Type": "VCPU", "Value": "0.5"}, {"Type": "MEMORY", "Value": "1024"}],
}


def job(*rules: dict[str, str], retained: bool = True, **container: Any) -> dict[str, Any]:
    properties = {
        "RetryStrategy": {"Attempts": 3, "EvaluateOnExit": list(rules)},
        "ContainerProperties": {**CONTAINER, **container},
        "ResourceRetentionPolicy": {"SkipDeregisterOnUpdate": retained},
    }
    return {"Job": {"Type": "AWS::Batch::JobDefinition", "Properties": properties}}


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        (job(AGAIN, EXIT), []),
        (job(EXIT, AGAIN), ["what no rule matches is tried again"]),
        (job(*[AGAIN] * 5, EXIT), ["6 rules of what to do at an exit, of 5"]),
        (job({**AGAIN, "OnStatusReason": "Task (x)*"}, EXIT), ["OnStatusReason 'Task (x)*' has signs"]),
        (job(AGAIN, EXIT, Environment=[{"Name": "AWS_BATCH_X", "Value": "1"}]), ["the variable AWS_BATCH_X"]),
        (
            job(
                AGAIN,
                EXIT,
                ResourceRequirements=[{"Type": "VCPU", "Value": "1"}, {"Type": "MEMORY", "Value": "1024"}],
            ),
            ["Fargate has no task of 1 vCPU and 1024 MiB"],
        ),
    ],
)
def test_batch_stays_within_its_limits(resources: dict[str, Any], told: list[str]) -> None:
    mistakes = [mistake.removeprefix("Job: ") for mistake in batch.mistakes(resources)]
    assert len(mistakes) == len(told)
    assert all(mistake.startswith(start) for mistake, start in zip(mistakes, told, strict=True))


def test_a_job_definition_outlives_its_change() -> None:
    assert list(retention.mistakes(job(EXIT))) == []
    assert [told.partition(" ")[0] for told in retention.mistakes(job(EXIT, retained=False))] == ["Job"]


@pytest.mark.parametrize(("seconds", "good"), [(600, True), (86_400, True), (599, False), (86_401, False)])
def test_a_waiting_job_is_given_up_in_time(seconds: int, good: bool) -> None:
    assert (list(batch.mistakes(queue(*batch.REASONS, seconds=seconds))) == []) is good


def queue(*reasons: str, seconds: int = 600) -> dict[str, Any]:
    actions = [{"MaxTimeSeconds": seconds, "Reason": reason} for reason in reasons]
    return {"Queue": {"Type": "AWS::Batch::JobQueue", "Properties": {"JobStateTimeLimitActions": actions}}}


def test_a_job_waits_for_nothing_for_ever() -> None:
    capacity, largest, requirement = sorted(batch.REASONS)
    assert list(batch.mistakes(queue(capacity, requirement, "MISCONFIGURATION"))) == [
        f"Queue: a job waits for ever for {largest}",
        "Queue: MISCONFIGURATION is no reason to give a job up",
    ]


@pytest.mark.parametrize(
    ("children", "sizes", "vcpus"),
    [
        # The next size's memory comes with its vCPUs; of one size there is no next.
        (2, [(1024, 2048), (4096, 8192)], (2, 8)),
        (3, [(256, 512), (512, 1024)], (1, 2)),
        (64, [(1024, 2048)], (64, 64)),
    ],
)
def test_the_environments_have_room_for_a_days_jobs(
    config: Config, children: int, sizes: list[tuple[int, int]], vcpus: tuple[int, int]
) -> None:
    ladder = tuple(TaskSize(*each) for each in sizes)
    chosen = replace(config, validation=replace(config.validation, most_children=children, sizes=ladder))
    rendered = Rendered(chosen)
    assert found(rendered) == {}
    environments = (rendered.pipeline[f"{title}Environment"]["Properties"] for title in QUEUES)
    assert tuple(each["ComputeResources"]["MaxvCpus"] for each in environments) == vcpus


@pytest.mark.parametrize(
    ("kind", "properties", "told"),
    [
        ("AWS::EC2::SecurityGroup", {"SecurityGroupIngress": [{"CidrIp": "0.0.0.0/0"}]}, "lets everybody in"),
        ("AWS::EC2::SecurityGroup", {"SecurityGroupIngress": [{"CidrIp": "10.0.0.0/16"}]}, ""),
        ("AWS::Logs::LogGroup", {}, "is kept for ever"),
        ("AWS::Events::Rule", {"Targets": [{"Arn": {"Ref": "StateMachine"}}]}, "starts something else"),
        ("AWS::S3::Bucket", {}, "may be made public"),
        ("AWS::ECS::TaskDefinition", {"ContainerDefinitions": [{"User": "0:0"}]}, "runs as root"),
        (
            "AWS::StepFunctions::StateMachine",
            {"LoggingConfiguration": {"IncludeExecutionData": True}},
            "writes data into its log",
        ),
    ],
)
def test_what_lies_open_is_found(kind: str, properties: dict[str, Any], told: str) -> None:
    mistakes = list(exposure.mistakes({"Thing": {"Type": kind, "Properties": properties}}))
    assert any(mistake.startswith(f"Thing {told}") for mistake in mistakes) is bool(told)
