"""`python -m build run` as people run it: a process of its own, a deployed state machine, its alias."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen, run
from typing import Any

import pytest

from tests.configuration import PATH, ROOT

pytestmark = pytest.mark.xdist_group("build_run")

STACK = "sluice-dev-pipeline"

BY_DATE = "{% $states.input.run_date = "
DEFINITION = {
    "QueryLanguage": "JSONata",
    "StartAt": "Day",
    "States": {
        "Day": {
            "Type": "Choice",
            "Choices": [
                {"Condition": f"{BY_DATE}'2026-11-03' %}}", "Next": "DataRejected"},
                {"Condition": f"{BY_DATE}'2026-11-05' %}}", "Next": "Duplicate"},
                {"Condition": f"{BY_DATE}'2026-12-24' %}}", "Next": "Long"},
            ],
            "Default": "Short",
        },
        # The emulator waits a twentieth of it.
        "Short": {"Type": "Wait", "Seconds": 20, "Next": "NotPromoted"},
        "Long": {"Type": "Wait", "Seconds": 3600, "Next": "NotPromoted"},
        "NotPromoted": {"Type": "Pass", "Output": {"status": "NotPromoted"}, "End": True},
        "Duplicate": {"Type": "Pass", "Output": {"status": "Duplicate"}, "End": True},
        "DataRejected": {"Type": "Fail", "Error": "DataRejected", "Cause": "3 errors:\nNO_DATA"},
    },
}


def template() -> str:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = {"Version": "2012-10-17", "Statement": [trust]}
    machine = {"StateMachineName": "backfill", "Definition": DEFINITION}
    version = {
        "StateMachineArn": {"Ref": "Machine"},
        "StateMachineRevisionId": {"Fn::GetAtt": ["Machine", "StateMachineRevisionId"]},
    }
    preference = {"StateMachineVersionArn": {"Ref": "Version"}, "Type": "ALL_AT_ONCE"}
    resources: dict[str, Any] = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}},
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {**machine, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}},
        },
        "Version": {"Type": "AWS::StepFunctions::StateMachineVersion", "Properties": version},
        "Alias": {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {"Name": "live", "DeploymentPreference": preference},
        },
    }
    outputs = {"StateMachineAliasArn": "Alias", "StateMachineArn": "Machine"}
    named = {name: {"Value": {"Ref": resource}} for name, resource in outputs.items()}
    return json.dumps({"Resources": resources, "Outputs": named})


@pytest.fixture(scope="module")
def machine(aws_clients: Mapping[str, Any]) -> Iterator[str]:
    """The ARN of a state machine that plays the pipeline, deployed under the pipeline's name."""
    stacks = aws_clients["cloudformation"]
    stacks.create_stack(StackName=STACK, TemplateBody=template(), Capabilities=["CAPABILITY_IAM"])
    stacks.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    outputs = stacks.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    yield next(each["OutputValue"] for each in outputs if each["OutputKey"] == "StateMachineArn")
    stacks.delete_stack(StackName=STACK)
    stacks.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


@pytest.fixture
def environment(aws_environment: Mapping[str, str], tmp_path: Path) -> dict[str, str]:
    return {**aws_environment, "PATH": os.environ["PATH"], "HOME": str(tmp_path), "COLUMNS": "200"}


def command(environment: Mapping[str, str], *arguments: str) -> CompletedProcess[str]:
    return run(
        [sys.executable, "-m", "build", "run", "--config", str(PATH), *arguments],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_is_asked_of_aws_when_the_order_is_none(environment: dict[str, str]) -> None:
    nowhere = {**environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    for arguments, told in (
        (("--date", "2026-11-31"), "'2026-11-31' is no date"),
        (("--date", "20261101"), "'20261101' is no date"),
        (("--date", "2026-11-01/../x"), "is no date"),
        (("--date", ""), "is no date"),
        ((), "Missing option '--date'"),
        (("--date", "2026-11-02", "--to", "2026-11-01"), "before it begins"),
        (("--date", "2026-11-02", "--to", "2028-11-01"), "at most 366"),
        (
            ("--date", "2026-11-02", "--dataset", "../taxi"),
            "unknown dataset '../taxi': the configuration has taxi",
        ),
        (("--date", "2026-11-02", "--parallel", "0"), "0 is not in the range"),
    ):
        refused = command(nowhere, *arguments)
        assert (refused.returncode, refused.stdout) == (64, ""), refused.stderr
        assert told in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_a_pipeline_that_is_not_deployed_is_one_line(environment: dict[str, str]) -> None:
    refused = command(environment, "--stage", "prod", "--date", "2026-11-01")
    assert (refused.returncode, refused.stdout) == (64, "")
    assert (
        "sluice-prod-pipeline is not deployed: "
        "run make deploy STAGE=prod (python -m build deploy --stage prod) first" in refused.stderr
    )


def test_a_day_runs_by_the_alias_and_is_told_on_one_line(
    environment: dict[str, str], machine: str, aws_clients: Mapping[str, Any]
) -> None:
    ended = command(environment, "--date", "2026-10-01", "--dataset", "taxi")
    assert ended.returncode == 0, ended.stderr
    (line,) = ended.stdout.splitlines()
    day, state, _, _, execution = line.split()
    assert (day, state) == ("2026-10-01", "NotPromoted")
    found = aws_clients["stepfunctions"].describe_execution(executionArn=execution)
    assert json.loads(found["input"]) == {"dataset": "taxi", "run_date": "2026-10-01"}
    assert found["stateMachineAliasArn"] == f"{machine}:live"
    assert "2026-10-01 started: " in ended.stderr
    assert "2026-10-01 ended SUCCEEDED at NotPromoted" in ended.stderr


def test_a_range_runs_in_date_order_two_at_a_time_and_goes_on_after_a_bad_day(
    environment: dict[str, str], machine: str, aws_clients: Mapping[str, Any]
) -> None:
    ended = command(environment, "--date", "2026-11-01", "--to", "2026-11-06", "--parallel", "2")
    assert ended.returncode == 1, "two days did not end as designed"
    told = [line.split() for line in ended.stdout.splitlines()]
    assert [(day, state) for day, state, *_ in told] == [
        ("2026-11-01", "NotPromoted"),
        ("2026-11-02", "NotPromoted"),
        ("2026-11-03", "DataRejected"),
        ("2026-11-04", "NotPromoted"),
        ("2026-11-05", "Duplicate"),
        ("2026-11-06", "NotPromoted"),
    ]
    assert ended.stdout.splitlines()[2].endswith("3 errors: NO_DATA")
    found = [aws_clients["stepfunctions"].describe_execution(executionArn=line[4]) for line in told]
    starts = [each["startDate"] for each in found]
    assert starts == sorted(starts)
    for start in starts:
        assert sum(each["startDate"] <= start < each["stopDate"] for each in found) <= 2
    assert found[1]["startDate"] < found[0]["stopDate"], "two at a time"


def test_ctrl_c_leaves_what_runs_running_and_says_so(
    environment: dict[str, str], machine: str, aws_clients: Mapping[str, Any]
) -> None:
    # A shell makes what it starts in the background ignore SIGINT, and that is handed down.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments = ("--date", "2026-12-24", "--to", "2026-12-25")
    with Popen(
        [sys.executable, "-m", "build", "run", "--config", str(PATH), *arguments],
        cwd=ROOT,
        env=environment,
        stdout=PIPE,
        stderr=PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("2026-12-24 started: ")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    running, waiting = out.splitlines()
    assert running.startswith("2026-12-24  goes on in AWS  arn:")
    assert waiting == "2026-12-25  not started"
    # An end of line after what the terminal shows of the key.
    assert err == "\nbuild: stopped; what AWS has begun goes on: make status shows it\n"
    execution = running.split()[-1]
    assert aws_clients["stepfunctions"].describe_execution(executionArn=execution)["status"] == "RUNNING"
    aws_clients["stepfunctions"].stop_execution(executionArn=execution)
