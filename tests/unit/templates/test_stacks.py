"""The stacks as bytes: the same for the same configuration, without secrets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from steps.init import event, schedule, settings
from templates.config import Config, ConfigError, Dataset, Schedule
from templates.stacks import STACKS, render
from tests.configuration import PATH, ROOT, configuration
from tests.unit.templates import limits

HERE = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
DIGEST = f"sha256:{'0' * 64}"
CASES = [(stack, stage) for stack in STACKS for stage in ("dev", "prod")]


@pytest.mark.parametrize(("stack", "stage"), CASES)
def test_the_same_configuration_gives_the_same_bytes(stack: str, stage: str) -> None:
    here = render(stack, configuration(stage))
    assert render(stack, configuration(stage)) == here
    command = [sys.executable, "-m", "templates", stack, "--stage", stage, "--config", str(PATH)]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    there = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    assert there.stdout.decode() == here


@pytest.mark.parametrize(("stack", "stage"), CASES)
def test_a_template_fits_and_every_line_is_plain(stack: str, stage: str) -> None:
    text = render(stack, configuration(stage))
    assert text.isascii()
    assert text.endswith("}\n")
    assert len(text) < 1_000_000
    assert "null" not in re.findall(r"\bnull\b(?=[,\s\]}])", re.sub(r'"(?:\\.|[^"\\])*"', '""', text))


@pytest.mark.parametrize("customer_managed_key", [False, True])
def test_the_delivery_stack_goes_inline(config: Config, customer_managed_key: bool) -> None:
    chosen = replace(config, customer_managed_key=customer_managed_key)
    assert len(render("delivery", chosen)) <= 51_200


@pytest.mark.parametrize(("stack", "stage"), CASES)
def test_no_secret_stands_in_a_template(stack: str, stage: str) -> None:
    text = render(stack, configuration(stage))
    assert not re.findall(r"AKIA[0-9A-Z]{16}|(?i:password|secret|privacy_key|api[_-]?key)", text)


def test_parameters_come_in_order_each_explained_checked_and_grouped(pipeline: dict[str, Any]) -> None:
    parameters = pipeline["Parameters"]
    assert list(parameters)[:2] == ["ValidatorImageURI", "ArtifactBucketName"]
    for name, parameter in parameters.items():
        assert parameter["Description"], name
        assert {"AllowedPattern", "AllowedValues"} & parameter.keys(), name
        assert "Default" not in parameter or not parameter["Default"].startswith("arn:"), name
    groups = pipeline["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [name for group in groups for name in group["Parameters"]] == list(parameters)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ValidatorImageURI", f"{HERE}/sluice-dev-validator@{DIGEST}", f"{HERE}/sluice-dev-validator:latest"),
        # The execution role may pull from that repository alone.
        (
            "ValidatorImageURI",
            f"{HERE}/sluice-dev-validator@{DIGEST}",
            f"{HERE}/sluice-prod-validator@{DIGEST}",
        ),
        ("ValidatorImageURI", f"{HERE}.cn/sluice-dev-validator@{DIGEST}", f"docker.io/validator@{DIGEST}"),
        ("TrainingImageURI", "", f"{HERE}/my-xgb:1"),
        ("TrainingImageURI", f"{HERE}/sluice-dev-training:1.7-1", f"{HERE}/sluice-dev-training"),
        ("TrainingImageURI", f"{HERE}/sagemaker-xgboost@{DIGEST}", "sagemaker-xgboost:1.7-1"),
        ("ArtifactBucketName", "sluice-dev-delivery-artifactbucket-1x2y", "Bucket/../x"),
        ("InitPackageKey", "packages/init-0123456789abcdef.zip", "packages/init.zip"),
        (
            "TrainPackageKey",
            "packages/train-0123456789abcdef.tar.gz",
            "packages/train-0123456789abcdefxtgz",
        ),
        ("SchemasPrefix", "schemas/0123456789abcdef", "../schemas"),
        ("NotificationEmail", "", "nobody"),
        ("NotificationEmail", "a@example.com", "a@b"),
        ("PermissionsBoundaryArn", "", "arn:aws:iam::123456789012:role/r"),
        (
            "PermissionsBoundaryArn",
            "arn:aws:iam::123456789012:policy/team/boundary",
            "arn:aws:iam::1:policy/p",
        ),
        ("PermissionsBoundaryArn", "arn:aws:iam::aws:policy/PowerUserAccess", "PowerUserAccess"),
    ],
)
def test_a_parameter_takes_what_it_says(pipeline: dict[str, Any], name: str, good: str, bad: str) -> None:
    pattern = pipeline["Parameters"][name]["AllowedPattern"]
    assert re.fullmatch(pattern, good)
    assert not re.fullmatch(pattern, bad)


def test_outputs_of_delivery_are_parameters_of_the_pipeline_and_all_are_exported(
    pipeline: dict[str, Any], delivery: dict[str, Any]
) -> None:
    assert set(delivery["Outputs"]) == {"ArtifactBucketName", "ValidatorRepositoryUri"}
    assert "ArtifactBucketName" in pipeline["Parameters"]
    assert set(pipeline["Outputs"]) == {
        "PipelineBucketName",
        "StateMachineAliasArn",
        "StateMachineArn",
        "NotificationTopicArn",
        "ModelPackageGroupNames",
        "ClusterName",
        "EventBusName",
    }
    for output in (*pipeline["Outputs"].values(), *delivery["Outputs"].values()):
        assert output["Description"]
        assert output["Export"]["Name"]["Fn::Sub"].startswith("${AWS::StackName}-")


def test_a_function_is_published_anew_when_and_only_when_it_changes(config: Config) -> None:
    def descriptions(changed: Config, name: str) -> tuple[str, str]:
        resources = json.loads(render("pipeline", changed))["Resources"]
        return tuple(resources[f"{name}{kind}"]["Properties"]["Description"]["Fn::Sub"] for kind in KINDS)

    before, version = descriptions(config, "Init")
    assert before == version
    assert {"${InitPackageKey}", "${SchemasPrefix}"} <= set(before.split())
    other = replace(config, datasets=(*config.datasets, Dataset(name="other", label="y")))
    assert descriptions(other, "Init")[0] != before
    assert descriptions(other, "Evaluate") == descriptions(config, "Evaluate")


KINDS = ("Function", "Version")


def test_the_task_takes_its_size_from_the_run_and_writes_to_a_volume_alone(pipeline: dict[str, Any]) -> None:
    task = pipeline["Resources"]["ValidatorTask"]["Properties"]
    (container,) = task["ContainerDefinitions"]
    # A size of the container's own would hold beside the run's.
    assert not {"Cpu", "Memory", "Secrets"} & container.keys()
    assert [volume["Name"] for volume in task["Volumes"]] == ["tmp"]
    assert "Host" not in task["Volumes"][0]
    assert task["RuntimePlatform"] == {"CpuArchitecture": "X86_64", "OperatingSystemFamily": "LINUX"}


def test_copies_of_the_data_expire_and_nothing_that_later_days_need(pipeline: dict[str, Any]) -> None:
    rules = pipeline["Resources"]["PipelineBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expires = {rule.get("Prefix"): rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    # Statistics of accepted days lie below validation/, models below training/.
    assert expires == {"triggers/": 90, "prepared/": 14, "states/": 7}


def test_a_monitored_dataset_has_a_rule_and_init_may_ask(config: Config) -> None:
    watched = replace(config, datasets=(replace(config.datasets[0], monitors=("taxi-quality",)),))
    resources = json.loads(render("pipeline", watched))["Resources"]
    assert "MonitorRule" in resources
    assert "sagemaker:DescribeProcessingJob" in json.dumps(resources["InitRole"])
    sources = resources["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]["Condition"]
    rules = {title for title, each in resources.items() if each["Type"] == "AWS::Events::Rule"}
    assert {each["Fn::GetAtt"][0] for each in sources["ArnEquals"]["aws:SourceArn"]} == rules
    assert "MonitorRule" not in json.loads(render("pipeline", config))["Resources"]


def test_a_dataset_with_alarms_has_a_rule_for_them_alone(config: Config) -> None:
    first = replace(config.datasets[0], alarms=("drift of fare",))
    watched = replace(config, datasets=(first, replace(first, name="bikes", alarms=("drift-2",))))
    resources = json.loads(render("pipeline", watched))["Resources"]
    assert resources["AlarmRule"]["Properties"]["EventPattern"] == {
        "account": [{"Ref": "AWS::AccountId"}],
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": ["drift of fare", "drift-2"], "state": {"value": ["ALARM"]}},
    }
    assert "AlarmRule" not in json.loads(render("pipeline", config))["Resources"]


def test_forty_datasets_fit_and_more_than_a_function_can_be_told_of_are_refused(config: Config) -> None:
    def many(count: int) -> Config:
        first = replace(config.datasets[0], label="tipped", drop=())
        named = tuple(replace(first, name=f"taxi-{number}") for number in range(count))
        return replace(config, source="my.toml", datasets=named)

    assert render("pipeline", many(40))
    with pytest.raises(
        ConfigError, match=r"^my\.toml: datasets take too much room: .* init are [4-9],\d{3} bytes"
    ):
        render("pipeline", many(50))


def test_variables_are_refused_where_lambda_would_refuse_them(config: Config) -> None:
    """Lambda measures the whole map as JSON text: a quotation mark within a value is two bytes."""

    def measured(label: str) -> int:
        told = replace(config, datasets=(Dataset(name="taxi", label=label),))
        variables = json.loads(render("pipeline", told))["Resources"]["InitFunction"]["Properties"]
        return limits.room(variables["Environment"]["Variables"])

    most = 1 + limits.VARIABLES - measured("y")
    assert measured("y" * most) == limits.VARIABLES
    with pytest.raises(ConfigError, match="init are 4,097 bytes, of 4,096;"):
        measured("y" * (most + 1))
    with pytest.raises(ConfigError, match="init are 4,100 bytes, of 4,096;"):
        measured('"' + "y" * most)


def test_events_go_to_the_alias_as_they_are_and_what_fails_is_kept(pipeline: dict[str, Any]) -> None:
    rule = pipeline["Resources"]["DriftRule"]["Properties"]
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Ref": "StateMachineAlias"}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
    assert not {"Input", "InputPath", "InputTransformer"} & target.keys()
    assert rule["EventPattern"] == {
        "account": [{"Ref": "AWS::AccountId"}],
        "source": ["sluice.drift"],
        "detail-type": ["ModelDriftDetected"],
        "detail": {"stage": ["dev"], "dataset": ["taxi"]},
    }


def test_new_data_start_a_day_when_its_marker_comes(config: Config) -> None:
    first = replace(config.datasets[0], marker="_DONE")
    marked = replace(config, datasets=(first, replace(first, name="bikes", marker=None)))
    resources = json.loads(render("pipeline", marked))["Resources"]
    assert resources["ArrivalRule"]["Properties"]["EventPattern"]["detail"] == {
        "bucket": {"name": [{"Ref": "PipelineBucket"}]},
        "object": {"key": [{"wildcard": "data/taxi/*/_DONE"}]},
    }
    unmarked = replace(config, datasets=(replace(first, marker=None),))
    assert "ArrivalRule" not in json.loads(render("pipeline", unmarked))["Resources"]


def test_a_schedule_calls_the_alias_and_leaves_the_day_to_init(config: Config) -> None:
    when = Schedule("cron(30 3 * * ? *)", window_minutes=15)
    on_time = replace(when, window_minutes=0)
    first = replace(config.datasets[0], schedule=when, time_zone="Europe/Berlin")
    names = ("a-1", "a1", "ax1")
    others = [replace(first, name=name, schedule=on_time) for name in names]
    resources = json.loads(render("pipeline", replace(config, datasets=(first, *others))))["Resources"]
    timed = resources["TaxiSchedule"]["Properties"]
    assert (timed["ScheduleExpression"], timed["ScheduleExpressionTimezone"]) == (
        "cron(30 3 * * ? *)",
        "Europe/Berlin",
    )
    assert timed["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert timed["Target"]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
    call, known = timed["Target"]["Input"]["Fn::Sub"]
    assert known == {"Alias": {"Ref": "StateMachineAlias"}}
    asked = json.loads(call)
    assert asked.keys() == {"StateMachineArn", "Input"}
    assert json.loads(asked["Input"])["detail"] == {"dataset": "taxi"}
    for title in ("AX1Schedule", "A1Schedule", "Ax1Schedule"):
        assert resources[title]["Properties"]["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert not any("Schedule" in title for title in json.loads(render("pipeline", config))["Resources"])


def test_what_a_schedule_sends_is_read_by_init(config: Config) -> None:
    when = Schedule("cron(30 3 * * ? *)", window_minutes=0)
    berlin = replace(config.datasets[0], schedule=when, days_back=1, time_zone="Europe/Berlin")
    timed = replace(config, datasets=(berlin,))
    resources = json.loads(render("pipeline", timed))["Resources"]
    call = resources["TaxiSchedule"]["Properties"]["Target"]["Input"]["Fn::Sub"][0]
    # As Scheduler fills it in: in the text, whatever that is.
    for keyword, value in (("execution-id", "d32c5k"), ("scheduled-time", "2026-11-23T02:30:00Z")):
        assert call.count(f"<aws.scheduler.{keyword}>") == 1
        call = call.replace(f"<aws.scheduler.{keyword}>", value)
    scheduled = event.parse(json.loads(json.loads(call)["Input"]), {"taxi"}, "n")
    assert isinstance(scheduled, event.ScheduledRun)
    told = json.loads(resources["InitFunction"]["Properties"]["Environment"]["Variables"]["DATASETS"])
    datasets = {each["name"]: settings.Dataset.parse(each) for each in told}
    assert schedule.resolve(scheduled, datasets).run_date.isoformat() == "2026-11-22"


def test_alarms_that_do_not_fit_into_a_pattern_are_refused(config: Config) -> None:
    long = tuple(f"{number}{'x' * 200}" for number in range(10))
    many = replace(config, source="my.toml", datasets=(replace(config.datasets[0], alarms=long),))
    with pytest.raises(ConfigError, match=r"^my\.toml: datasets take .* pattern of the rule alarm has 2,"):
        render("pipeline", many)


def test_alarms_of_this_stage_alone_may_tell_the_topic(pipeline: dict[str, Any]) -> None:
    statements = pipeline["Resources"]["NotificationTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (publish,) = (each for each in statements if each["Effect"] == "Allow")
    assert publish["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    (source,) = publish["Condition"]["ArnLike"].values()
    assert source["Fn::Sub"].endswith(":alarm:sluice-dev-*")
    for resource in pipeline["Resources"].values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            assert resource["Properties"]["AlarmName"].startswith("sluice-dev-")


def test_an_image_may_come_from_where_its_role_may_pull_and_nowhere_else(pipeline: dict[str, Any]) -> None:
    for parameter, role, tag in (
        ("ValidatorImageURI", "ExecutionRole", f"@{DIGEST}"),
        ("TrainingImageURI", "TrainingRole", ":1"),
    ):
        (policy,) = pipeline["Resources"][role]["Properties"]["Policies"]
        pulled = re.findall(r":repository/([\w-]+)", json.dumps(policy))
        assert pulled, role
        for name in pulled:
            assert re.fullmatch(pipeline["Parameters"][parameter]["AllowedPattern"], f"{HERE}/{name}{tag}"), (
                name
            )
