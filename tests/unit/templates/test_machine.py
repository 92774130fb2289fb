"""The state machine played with scripted services, each expression evaluated by a JSONata engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from steps.init.errors import Busy

Play = Callable[..., dict[str, Any]]

RUN_ID = "11111111-2222-3333-4444-555555555555"
DAY = f"2026-11-22/{RUN_ID}"
FOUND = f"s3://bucket/validation/{DAY}"
PREPARED = f"s3://bucket/prepared/{DAY}"
TRAINED = f"s3://bucket/training/{DAY}"
EXECUTION = f"arn:aws:states:us-east-1:000000000000:execution:sluice-dev-pipeline:{RUN_ID}"
CONSOLE = "https://us-east-1.console.aws.amazon.com"
SMALL, LARGE = {"Cpu": "1024", "Memory": "2048"}, {"Cpu": "2048", "Memory": "4096"}

RUN: dict[str, Any] = {
    "status": "Planned",
    "dataset": "taxi",
    "run_date": "2026-11-22",
    "run_id": RUN_ID,
    "label": "big_tipper",
    "drop": "trip_id,taxi_id",
    "delimiter": ";",
    "data_uri": "s3://bucket/data/taxi/2026-11-22/",
    "manifest_uri": f"s3://bucket/runs/{DAY}/manifest.json",
    "output_uri": FOUND,
    "states_uri": f"s3://bucket/states/{DAY}",
    "prepared_uri": PREPARED,
    "training_uri": TRAINED,
    "schema_uri": "",
    "baseline_uri": "",
    "baseline_sha256": "",
    "model_package_group": "sluice-dev-models-taxi",
    "champion": {"model_data_url": "", "model_package_arn": "", "run_date": ""},
    "sizes": [SMALL, LARGE],
    "children": 1,
    "job_name": "sluice-dev-taxi-2026-11-22-01234567",
}

GATE: dict[str, Any] = {
    "version": 1,
    "run_id": RUN_ID,
    "run_date": "2026-11-22",
    "dataset": "taxi",
    "verdict": "pass",
    "statistics_sha256": "a" * 64,
    "counts": {"error": 1, "warning": 2, "info": 0},
    "findings": [
        {"code": "NO_DATA", "severity": "error", "feature": "", "message": "no rows"},
        {"code": "DRIFT", "severity": "warning", "feature": "fare", "message": "0.4 > 0.3"},
    ],
    "uris": {},
}

EVALUATION = {
    "better": True,
    "metric": "auc",
    "value": 0.83,
    "champion": "none",
    "champion_value": None,
    "margin": 0.0,
    "reason": "no champion yet",
}


def result(value: object) -> list[dict[str, Any]]:
    return [{"result": value}]


def answers(**changes: Any) -> dict[str, Any]:
    """Return answers by which all goes well, but for those given."""
    trained = {
        "TrainingJobStatus": "Completed",
        "ModelArtifacts": {"S3ModelArtifacts": f"{TRAINED}/model.tar.gz"},
    }
    return {
        "Init": result({"Payload": RUN}),
        "ReadGate": gate(),
        "Train": result(trained),
        "Evaluate": result({"Payload": EVALUATION}),
        "Register": result({"ModelPackageArn": "arn:aws:sagemaker:::model-package/sluice-dev-models-taxi/1"}),
        **changes,
    }


def gate(**changes: Any) -> list[dict[str, Any]]:
    return result({"Body": json.dumps({**GATE, **changes}), "ContentLength": 512})


def stopped(**task: Any) -> dict[str, Any]:
    """Return the failure of a task, as Step Functions tells it."""
    return {"error": "States.TaskFailed", "cause": json.dumps(task)}


def exited(code: int, **more: Any) -> dict[str, Any]:
    reason = "Essential container in task exited"
    containers = [{"ExitCode": code, "Name": "validator", **more}]
    return stopped(Containers=containers, StopCode="EssentialContainerExited", StoppedReason=reason)


def calls(played: dict[str, Any], state: str) -> list[dict[str, Any]]:
    return [call["arguments"] for call in played["calls"] if call["state"] == state]


def attempts(played: dict[str, Any]) -> list[tuple[str, str]]:
    """Return capacity and memory of each of the validator's tasks."""
    return [
        (call["CapacityProviderStrategy"][0]["CapacityProvider"], call["Overrides"]["Memory"])
        for call in calls(played, "Validate")
    ]


def test_a_day_that_passes_gives_a_registered_model(play: Play) -> None:
    played = play(answers())
    assert played["status"] == "SUCCEEDED"
    assert played["path"] == [
        *("Init", "Planned", "Validate", "ReadGate", "Gate", "Accept", "Latest"),
        *("Prepare", "Train", "Trained"),
        *("Evaluate", "Better", "Register", "NotifyRegistered", "Registered"),
    ]
    assert played["output"] == {
        "status": "Registered",
        "dataset": "taxi",
        "run_date": "2026-11-22",
        "run_id": RUN_ID,
        "verdict": "pass",
        "report_uri": f"{FOUND}/report.html",
        "evaluation": EVALUATION,
        "model_package_arn": "arn:aws:sagemaker:::model-package/sluice-dev-models-taxi/1",
    }


@pytest.mark.parametrize(
    ("champion", "kind"),
    [("none", "first model"), ("scored", "better model"), ("unusable", "new model, not compared")],
)
def test_the_notice_says_what_a_model_was_compared_with(play: Play, champion: str, kind: str) -> None:
    evaluation = {**EVALUATION, "champion": champion, "reason": "the data lack its column 'tips'"}
    played = play(answers(Evaluate=result({"Payload": evaluation})))
    (notice,) = calls(played, "NotifyRegistered")
    assert notice["Subject"] == f"Sluice dev: taxi of 2026-11-22 gave a {kind}"
    assert "Why: the data lack its column 'tips'" in notice["Message"].splitlines()
    assert "somebody approves" not in notice["Message"]
    assert played["output"]["evaluation"] == evaluation


BUSY = {"error": "Busy", "cause": '{"errorMessage": "locks/taxi/2026-11-22 is held by arn:1: wait"}'}


def test_a_day_that_is_running_is_waited_for(play: Play) -> None:
    played = play(answers(Init=[BUSY, BUSY, BUSY, *result({"Payload": RUN})]))
    assert len(calls(played, "Init")) == 4
    assert played["path"][:3] == ["Init", "Planned", "Validate"]
    assert played["status"] == "SUCCEEDED"


def test_a_day_that_never_stops_running_is_told_of_after_some_hours(
    play: Play, definition: dict[str, Any]
) -> None:
    played = play(answers(Init=[BUSY]))
    assert played["path"] == ["Init", "NotifyFailure", "Failed"]
    assert played["cause"] == "Init: Busy: locks/taxi/2026-11-22 is held by arn:1: wait"
    (notice,) = calls(played, "NotifyFailure")
    assert notice["Subject"] == "Sluice dev: Init failed"
    passing, busy = definition["States"]["Init"]["Retry"]
    assert busy["ErrorEquals"] == [Busy.__name__]
    assert Busy.__name__ not in passing["ErrorEquals"]
    assert len(calls(played, "Init")) == busy["MaxAttempts"] + 1
    waits = (busy["IntervalSeconds"] * busy["BackoffRate"] ** past for past in range(busy["MaxAttempts"]))
    longest = sum(min(wait, busy["MaxDelaySeconds"]) for wait in waits)
    # Jitter halves it on average.
    assert 2 * 3600 < longest / 2 < longest < 5 * 3600


@pytest.mark.parametrize(
    ("champion", "trained"),
    [
        ("", True),
        ("2025-12-31", True),
        ("2026-11-21", True),
        ("2026-11-22", True),
        ("2026-11-23", False),
        ("2027-01-01", False),
    ],
)
def test_a_day_before_the_champions_is_judged_and_accepted_and_not_trained_on(
    play: Play, champion: str, trained: bool
) -> None:
    run = {**RUN, "champion": {**RUN["champion"], "run_date": champion}}
    played = play(answers(Init=result({"Payload": run})))
    assert ("Accept" in played["path"], "Prepare" in played["path"]) == (True, trained)
    if not trained:
        assert played["path"][-2:] == ["Latest", "NotPromoted"]
        assert played["output"]["status"] == "NotPromoted"
        assert played["output"]["verdict"] == "pass"
        assert played["output"]["evaluation"] is None
        assert played["output"]["model_package_arn"] == ""


def test_the_calls_carry_the_run(play: Play) -> None:
    played = play(answers(), {"dataset": "taxi", "run_date": "2026-11-22"})
    (init,), (task,) = calls(played, "Init"), calls(played, "Validate")
    assert init["Payload"]["input"] == {"dataset": "taxi", "run_date": "2026-11-22"}
    assert init["Payload"]["execution"]["name"] == RUN_ID
    (override,) = task["Overrides"]["ContainerOverrides"]
    assert {each["Name"]: each["Value"] for each in override["Environment"]} == {
        "RUN_DATE": "2026-11-22",
        "RUN_ID": RUN_ID,
        "MANIFEST_URI": RUN["manifest_uri"],
        "DATA_URI": RUN["data_uri"],
        "SCHEMA_URI": "",
        "BASELINE_URI": "",
        "BASELINE_SHA256": "",
        "OUTPUT_URI": RUN["output_uri"],
        "CSV_DELIMITER": RUN["delimiter"],
        "STATES_URI": RUN["states_uri"],
        "CAPACITY": "FARGATE_SPOT",
    }
    (read,), (accepted,) = calls(played, "ReadGate"), calls(played, "Accept")
    assert (read["Bucket"], read["Key"]) == (
        "PipelineBucket",
        f"validation/{DAY}/gate.json",
    )
    assert accepted["Key"] == "accepted/taxi/2026-11-22.json"
    assert accepted["Body"]["statistics_uri"] == f"{FOUND}/statistics.pb"
    assert accepted["Body"]["statistics_sha256"] == GATE["statistics_sha256"]
    (prepared,), (registered,) = calls(played, "Prepare"), calls(played, "Register")
    assert prepared["Arguments"]["--drop"] == "trip_id,taxi_id"
    assert prepared["Arguments"]["--delimiter"] == ";"
    assert registered["ModelPackageGroupName"] == "sluice-dev-models-taxi"
    assert len(registered["ClientToken"]) == 36
    assert registered["ClientToken"].isalnum()
    assert all(isinstance(value, str) for value in registered["CustomerMetadataProperties"].values())


@pytest.mark.parametrize("champion", ["", "s3://bucket/training/2026-11-21/a/b/output/model.tar.gz"])
def test_a_champion_is_a_channel_of_training(play: Play, champion: str) -> None:
    run = {**RUN, "drop": "", "delimiter": "", "champion": {**RUN["champion"], "model_data_url": champion}}
    played = play(answers(Init=result({"Payload": run})))
    (train,) = calls(played, "Train")
    channels = {
        each["ChannelName"]: each["DataSource"]["S3DataSource"]["S3Uri"] for each in train["InputDataConfig"]
    }
    code = channels.pop("code")
    assert code == "s3://${ArtifactBucketName}/${TrainPackageKey}"
    expected = {"train": f"{PREPARED}/train/", "validation": f"{PREPARED}/validation/"}
    assert channels == (expected | {"champion": champion} if champion else expected)
    told = calls(played, "Prepare")[0]["Arguments"]
    assert (told["--drop"], told["--delimiter"]) == ("-", "none")


SPOT = stopped(
    StopCode="SpotInterruption",
    StoppedReason="Your Spot Task was interrupted.",
    Containers=[{"ExitCode": 75}],
)
NOTICE = stopped(StopCode="TerminationNotice", Containers=[{"ExitCode": 137}])
SPACED = {"error": "States.TaskFailed", "cause": '{"StopCode" : "SpotInterruption", "Containers": []'}
CAPACITY = {
    "error": "ECS.AmazonECSException",
    "cause": '[{"Reason":"Capacity is unavailable now."}]',
}
UNKNOWN_CAPACITY = {**CAPACITY, "error": "AmazonECS.Unknown"}
TO_START = stopped(StopCode="TaskFailedToStart", StoppedReason="Capacity is unavailable at this time.")
WELL: dict[str, Any] = {"result": {}}

S, D = ("FARGATE_SPOT", "2048"), ("FARGATE", "2048")


@pytest.mark.parametrize("lost", [SPOT, NOTICE, SPACED, CAPACITY, UNKNOWN_CAPACITY, TO_START])
def test_lost_spot_capacity_is_tried_twice_again_then_on_demand(play: Play, lost: dict[str, Any]) -> None:
    once, always = play(answers(Validate=[lost, WELL])), play(answers(Validate=[lost]))
    assert attempts(once) == [S, S]
    assert once["status"] == "SUCCEEDED"
    assert attempts(always) == [S, S, S, D]
    assert always["error"] == "Failed"
    first, second = always["waits"]
    assert 60 <= first < 120 <= second < 240


@pytest.mark.parametrize("error", ["ECS.AmazonECSException", "ECS.InvalidParameterException"])
def test_a_throttled_start_is_tried_twice_again(play: Play, error: str) -> None:
    throttled = {"error": error, "cause": "Error retrieving subnet information: Rate exceeded (Throttling)"}
    once, always = play(answers(Validate=[throttled, WELL])), play(answers(Validate=[throttled]))
    assert (attempts(once), once["status"]) == ([S, S], "SUCCEEDED")
    assert (attempts(always), always["error"]) == ([S, S, S], "Failed")


def test_storage_is_tried_twice_again_on_the_same_capacity(play: Play) -> None:
    played = play(answers(Validate=[exited(69), exited(69), WELL]))
    assert attempts(played) == [S, S, S]
    assert played["status"] == "SUCCEEDED"
    assert attempts(play(answers(Validate=[exited(69)]))) == [S, S, S]


@pytest.mark.parametrize(
    "killed", [exited(137), exited(1, Reason="OutOfMemoryError: Container killed due to memory usage")]
)
def test_out_of_memory_gets_the_next_size_once(play: Play, killed: dict[str, Any]) -> None:
    larger = ("FARGATE_SPOT", "4096")
    assert attempts(play(answers(Validate=[killed, WELL]))) == [S, larger]
    always = play(answers(Validate=[killed]))
    assert attempts(always) == [S, larger]
    assert always["error"] == "Failed"
    assert "exit code" in always["cause"]


@pytest.mark.parametrize("sizes", [[SMALL], [SMALL, SMALL]])
def test_out_of_memory_at_the_ladders_end_is_failed(play: Play, sizes: list[Any]) -> None:
    run = {**RUN, "sizes": sizes}
    assert attempts(play(answers(Init=result({"Payload": run}), Validate=[exited(137)]))) == [S]


@pytest.mark.parametrize(
    "failed",
    [
        exited(64),
        exited(65),
        exited(70),
        exited(75),
        exited(1),
        exited(690),
        exited(1370),
        stopped(StopCode="UserInitiated", StoppedReason="enough", Containers=[{"ExitCode": 137}]),
        stopped(StopCode="UserInitiated", Containers=[{"ExitCode": 69}]),
        stopped(StopCode="TaskFailedToStart", StoppedReason="CannotPullContainerError: no such image"),
        {"error": "States.Timeout"},
        {"error": "States.TaskFailed", "cause": ""},
        {"error": "States.TaskFailed", "cause": '{"Containers":[{"ExitCo'},
        {"error": "ECS.InvalidParameterException", "cause": "No Container Instances were found"},
        stopped(
            Overrides={"Environment": [{"Name": "RUN_ID", "Value": "SpotInterruption-OutOfMemoryError-69"}]}
        ),
    ],
)
def test_everything_else_is_failed_at_once_and_told(play: Play, failed: dict[str, Any]) -> None:
    played = play(answers(Validate=[failed]))
    assert played["path"][2:] == ["Validate", "Classify", "ReadError", "NotifyFailure", "Failed"]
    assert played["error"] == "Failed"
    assert played["cause"].startswith(f"Validate: {failed['error']}: ")
    (notice,) = calls(played, "NotifyFailure")
    assert notice["Subject"] == "Sluice dev: taxi of 2026-11-22: Validate failed"
    *_, again, _execution = notice["Message"].splitlines()
    assert again.endswith(": make run DATE=2026-11-22 DATASET=taxi STAGE=dev")


def refusal(**changes: Any) -> list[dict[str, Any]]:
    """Return the answer of a bucket that has the validator's error.json."""
    said = {"run_id": RUN_ID, "error": "DataError", "exit_code": 65, "message": 'line 9 of "a" has 7 fields'}
    return result({"Body": json.dumps({**said, **changes})})


def test_a_failure_is_told_in_the_validators_own_words(play: Play) -> None:
    played = play(answers(Validate=[exited(65)], ReadError=refusal()))
    told = 'DataError: line 9 of "a" has 7 fields (exit code 65)'
    assert played["cause"] == f"Validate: {told}"
    (notice,) = calls(played, "NotifyFailure")
    assert told in notice["Message"].splitlines()
    (read,) = calls(played, "ReadError")
    assert read["Key"] == f"validation/{DAY}/error.json"


@pytest.mark.parametrize(
    "read",
    [
        # Of an attempt before this one, or of another run of that output.
        refusal(exit_code=69),
        refusal(run_id="other"),
        refusal(exit_code="65'"),
        result({"Body": '{"run_id": "cut of'}),
        result({"Body": "[]"}),
        result({}),
        [{"error": "S3.NoSuchKeyException", "cause": "no such key"}],
    ],
)
def test_other_words_leave_the_failure_as_ecs_told_it(play: Play, read: list[dict[str, Any]]) -> None:
    played = play(answers(Validate=[exited(65)], ReadError=read))
    assert played["path"][-4:] == ["Classify", "ReadError", "NotifyFailure", "Failed"]
    reason = "Essential container in task exited (exit code 65)"
    assert played["cause"] == f"Validate: States.TaskFailed: {reason}"


def test_counters_are_kept_apart(play: Play) -> None:
    played = play(answers(Validate=[SPOT, exited(69), SPOT, exited(137), exited(69), SPOT, WELL]))
    larger, on_demand = ("FARGATE_SPOT", "4096"), ("FARGATE", "4096")
    assert attempts(played) == [S, S, S, S, larger, larger, on_demand]
    assert played["status"] == "SUCCEEDED"


def test_a_warning_is_told_and_goes_on(play: Play) -> None:
    played = play(answers(ReadGate=gate(verdict="warn")))
    assert played["path"][4:7] == ["Gate", "NotifyWarning", "Accept"]
    (notice,) = calls(played, "NotifyWarning")
    assert notice["Subject"] == "Sluice dev: taxi of 2026-11-22 passed with warnings"
    assert notice["Message"].splitlines() == [
        "Sluice dev: taxi of 2026-11-22 passed with warnings",
        "",
        "The run goes on. 1 error, 2 warnings",
        "",
        "- NO_DATA : no rows",
        "- DRIFT fare: 0.4 > 0.3",
        "",
        f"Report: {CONSOLE}/s3/object/bucket?region=us-east-1&prefix=validation/{DAY}/report.html",
        f"Execution: {CONSOLE}/states/home?region=us-east-1#/v2/executions/details/{EXECUTION}",
    ]


def test_bad_data_is_told_and_nothing_is_trained(play: Play) -> None:
    played = play(answers(ReadGate=gate(verdict="fail")))
    assert played["path"][4:] == ["Gate", "NotifyRejected", "DataRejected"]
    assert played["error"] == "DataRejected"
    assert played["cause"] == (
        "taxi of 2026-11-22: 1 error, 2 warnings: NO_DATA : no rows; DRIFT fare: 0.4 > 0.3; "
        f"see {FOUND}/report.html"
    )
    (notice,) = calls(played, "NotifyRejected")
    lines = notice["Message"].splitlines()
    assert lines[2] == "Nothing is trained on it. 1 error, 2 warnings"
    assert lines[-2] == (
        "Mend the data, then run the day again: make run DATE=2026-11-22 DATASET=taxi STAGE=dev"
    )


@pytest.mark.parametrize(
    ("partition", "region", "console"),
    [
        ("aws", "eu-central-1", "https://eu-central-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_links_lead_to_the_console_of_the_partition(
    play: Play, partition: str, region: str, console: str
) -> None:
    execution = f"arn:{partition}:states:{region}:111122223333:execution:sluice-dev-pipeline:{RUN_ID}"
    played = play(answers(), arn=execution)
    (notice,) = calls(played, "NotifyRegistered")
    lines = notice["Message"].splitlines()
    assert f"Report: {console}/s3/object/bucket?region={region}&prefix=validation/{DAY}/report.html" in lines
    assert lines[-1] == f"Execution: {console}/states/home?region={region}#/v2/executions/details/{execution}"


def test_a_run_that_failed_before_it_was_planned_is_told_with_a_link(play: Play) -> None:
    played = play(answers(Init=[{"error": "UnknownDataset", "cause": '{"errorMessage": "unknown"}'}]))
    (notice,) = calls(played, "NotifyFailure")
    assert notice["Message"].splitlines() == [
        "Sluice dev: Init failed",
        "",
        "UnknownDataset: unknown",
        'Input: {"dataset":"taxi"}',
        "What the error means: docs/runbook.md",
        f"Execution: {CONSOLE}/states/home?region=us-east-1#/v2/executions/details/{EXECUTION}",
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {"findings": []},
        {"findings": None, "counts": None},
        {"findings": [{"code": ["x"], "message": {"a": 1}}], "counts": {}},
        {"findings": "none", "counts": 7},
    ],
)
def test_an_odd_gate_of_this_run_still_rejects(play: Play, odd: dict[str, Any]) -> None:
    assert play(answers(ReadGate=gate(verdict="fail", **odd)))["error"] == "DataRejected"


@pytest.mark.parametrize(
    "read",
    [
        gate(run_id="99999999-2222-3333-4444-555555555555"),
        gate(run_id=[RUN_ID, "x"]),
        gate(run_id=None),
        gate(verdict="PASS"),
        gate(verdict=None),
        gate(verdict=["pass", "fail"]),
        result({"Body": json.dumps({key: GATE[key] for key in GATE if key != "statistics_sha256"})}),
        result({"Body": json.dumps(GATE)[:100]}),
        result({"Body": ""}),
        result({"Body": "[]"}),
        result({"Body": "null"}),
        result({"Body": '"pass"'}),
        result({}),
        [{"error": "S3.NoSuchKeyException", "cause": "The specified key does not exist."}],
    ],
)
def test_a_gate_that_is_not_this_runs_own_is_failed_never_pass(play: Play, read: list[Any]) -> None:
    played = play(answers(ReadGate=read))
    assert played["error"] == "Failed"
    assert played["path"][-2:] == ["NotifyFailure", "Failed"]
    assert not {"Accept", "Prepare", "Train"} & set(played["path"])


@pytest.mark.parametrize("status", ["Duplicate", "NoViolation", "Incomplete"])
def test_what_need_not_run_ends_before_anything_is_paid(play: Play, status: str) -> None:
    head = {key: RUN[key] for key in ("dataset", "run_date", "run_id")}
    played = play(answers(Init=result({"Payload": {"status": status, **head}})))
    assert played["path"] == ["Init", "Planned", status]
    assert played["output"] == {
        "status": status,
        **head,
        "verdict": None,
        "report_uri": "",
        "evaluation": None,
        "model_package_arn": "",
    }


@pytest.mark.parametrize("payload", [{"status": "Odd"}, {}, None, "Planned"])
def test_an_answer_of_init_that_is_none_is_failed(play: Play, payload: object) -> None:
    assert play(answers(Init=result({"Payload": payload})))["error"] == "Failed"


@pytest.mark.parametrize("state", ["Init", "ReadGate", "Accept", "Prepare", "Train", "Evaluate", "Register"])
@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (None, ""),
        ('{"errorMessage": "part-0 changed \\"now\\"", "x": 1}', "part-0 changed"),
        ('{"JobRunState":"FAILED","ErrorMessage":"no label"}', "no label"),
        ('{"FailureReason":"ClientError"}', "ClientError"),
        ("x" * 30_000, "x" * 1000),
    ],
)
def test_a_step_that_crashes_is_failed_and_told(
    play: Play, state: str, cause: str | None, reason: str
) -> None:
    failed = {"error": "DataChanged", **({"cause": cause} if cause else {})}
    played = play(answers(**{state: [failed]}), {"by": "hand"})
    assert played["path"][-3:] == [state, "NotifyFailure", "Failed"]
    assert played["cause"].startswith(f"{state}: DataChanged: {reason}")
    assert len(played["cause"]) < 1100
    (notice,) = calls(played, "NotifyFailure")
    day = "" if state == "Init" else "taxi of 2026-11-22: "
    assert notice["Subject"] == f"Sluice dev: {day}{state} failed"
    assert '{"by":"hand"}' in notice["Message"]
    assert ("run the day again" in notice["Message"]) is (state != "Init")


@pytest.mark.parametrize("trained", [{"TrainingJobStatus": "Stopped"}, {"TrainingJobStatus": "Completed"}])
def test_training_that_left_no_model_is_failed(play: Play, trained: dict[str, Any]) -> None:
    played = play(answers(Train=result(trained)))
    assert played["path"][-3:] == ["Trained", "NotifyFailure", "Failed"]
    assert f"ended as {trained['TrainingJobStatus']}" in played["cause"]


def test_a_model_that_is_not_better_is_not_registered(play: Play) -> None:
    worse = {**EVALUATION, "better": False, "champion_value": 0.9}
    played = play(answers(Evaluate=result({"Payload": worse})))
    assert played["path"][-2:] == ["Better", "NotPromoted"]
    assert played["output"]["status"] == "NotPromoted"
    assert played["output"]["evaluation"] == worse


@pytest.mark.parametrize("better", ["true", 1, None, []])
def test_better_is_true_or_false_and_nothing_else(play: Play, better: object) -> None:
    played = play(answers(Evaluate=result({"Payload": {**EVALUATION, "better": better}})))
    assert played["error"] == "Failed"


@pytest.mark.parametrize(
    ("state", "change", "end"),
    [
        ("NotifyWarning", {"ReadGate": gate(verdict="warn")}, "Registered"),
        ("NotifyRejected", {"ReadGate": gate(verdict="fail")}, "DataRejected"),
        ("NotifyRegistered", {}, "Registered"),
        ("NotifyFailure", {"Prepare": [{"error": "States.TaskFailed"}]}, "Failed"),
    ],
)
def test_a_broken_topic_hides_no_end(play: Play, state: str, change: dict[str, Any], end: str) -> None:
    broken = [{"error": "SNS.NotFoundException", "cause": "Topic does not exist"}]
    played = play(answers(**change, **{state: broken}))
    assert state in played["path"]
    assert played["path"][-1] == end
    if end == "Registered":
        assert played["output"]["status"] == "Registered"


SHARED = {**RUN, "children": 8}
MISSING = result({"Body": json.dumps({"version": 1, "run_id": RUN_ID, "child_count": 8, "children": [3]})})


def test_a_great_day_is_shared_among_children_and_merged(play: Play) -> None:
    played = play(answers(Init=result({"Payload": SHARED})))
    assert played["path"][:5] == ["Init", "Planned", "ProfileShards", "Validate", "ReadGate"]
    (job,) = calls(played, "ProfileShards")
    assert job["ArrayProperties"] == {"Size": 8}
    assert {"Name": "SHARD_COUNT", "Value": "8"} in job["ContainerOverrides"]["Environment"]
    (merge,) = calls(played, "Validate")
    assert merge["Overrides"]["ContainerOverrides"][0]["Command"] == ["merge", "--shard-count", "8"]


def test_one_task_does_a_small_day(play: Play) -> None:
    (task,) = calls(play(answers()), "Validate")
    assert task["Overrides"]["ContainerOverrides"][0]["Command"] == ["validate"]


@pytest.mark.parametrize(
    "failed",
    [stopped(Status="FAILED", StatusReason="Array Child Job failed"), {"error": "States.Timeout"}],
)
def test_children_that_fail_are_left_to_the_merge(play: Play, failed: dict[str, Any]) -> None:
    played = play(answers(Init=result({"Payload": SHARED}), ProfileShards=[failed]))
    assert played["status"] == "SUCCEEDED"
    assert played["path"][2:6] == ["ProfileShards", "ShardsTried", "Validate", "ReadGate"]


NEVER_RAN = [
    {"error": "States.Permissions", "cause": "not authorized to perform: batch:SubmitJob"},
    {"error": "Batch.ClientException", "cause": "job queue is not ENABLED"},
    {"error": "Batch.AWSBatchException", "cause": "Too Many Requests (Status Code: 429)"},
    {"error": "States.QueryEvaluationError", "cause": "undefined"},
    {"error": "States.TaskFailedSomehow", "cause": "unknown"},
]


@pytest.mark.parametrize("refused", NEVER_RAN)
def test_an_array_job_that_never_ran_is_told_with_its_reason(play: Play, refused: dict[str, Any]) -> None:
    played = play(answers(Init=result({"Payload": SHARED}), ProfileShards=[refused]))
    assert played["path"][2:] == ["ProfileShards", "ShardsTried", "NotifyFailure", "Failed"]
    assert played["cause"] == f"ProfileShards: {refused['error']}: {refused['cause']}"
    (notice,) = calls(played, "NotifyFailure")
    assert refused["cause"] in notice["Message"]


@pytest.mark.parametrize("error", ["Batch.AWSBatchException", "Batch.TooManyRequestsException"])
def test_a_throttled_submit_is_tried_again(play: Play, error: str) -> None:
    throttled = {"error": error, "cause": "Too Many Requests (Status Code: 429)"}
    shards = play(answers(Init=result({"Payload": SHARED}), ProfileShards=[throttled, WELL]))
    assert (shards["status"], len(calls(shards, "ProfileShards"))) == ("SUCCEEDED", 2)
    assert "ShardsTried" not in shards["path"]
    given = {"Validate": [exited(66), WELL], "ReadMissing": MISSING, "ProfileMissing": [throttled, WELL]}
    missing = play(answers(Init=result({"Payload": SHARED}), **given))
    assert (missing["status"], len(calls(missing, "ProfileMissing"))) == ("SUCCEEDED", 2)


def test_what_the_merge_misses_is_profiled_on_demand_with_more_memory(play: Play) -> None:
    merges = [exited(66), {"result": {}}]
    played = play(answers(Init=result({"Payload": SHARED}), Validate=merges, ReadMissing=MISSING))
    assert played["status"] == "SUCCEEDED"
    assert played["path"][3:7] == ["Validate", "Classify", "ReadMissing", "ProfileMissing"]
    assert played["path"][7:9] == ["Validate", "ReadGate"]
    (job,) = calls(played, "ProfileMissing")
    assert job["JobName"] == f"{RUN['job_name']}-3-1"
    sizes = {each["Type"]: each["Value"] for each in job["ContainerOverrides"]["ResourceRequirements"]}
    assert sizes == {"VCPU": "2", "MEMORY": LARGE["Memory"]}
    assert {"Name": "SHARD_INDEX", "Value": "3"} in job["ContainerOverrides"]["Environment"]
    assert "ArrayProperties" not in job


def test_what_is_missing_again_and_again_is_failed(play: Play) -> None:
    played = play(answers(Init=result({"Payload": SHARED}), Validate=[exited(66)], ReadMissing=MISSING))
    assert played["status"] == "FAILED"
    assert len(calls(played, "Validate")) == 3
    assert len(calls(played, "ProfileMissing")) == 2


def test_a_part_that_fails_on_demand_is_left_to_the_merge(play: Play) -> None:
    merges = [exited(66), {"result": {}}]
    played = play(
        answers(
            Init=result({"Payload": SHARED}),
            Validate=merges,
            ReadMissing=MISSING,
            ProfileMissing=[stopped(Status="FAILED")],
        )
    )
    assert played["status"] == "SUCCEEDED"


@pytest.mark.parametrize("refused", NEVER_RAN)
def test_a_part_that_cannot_be_run_on_demand_is_told_with_its_reason(
    play: Play, refused: dict[str, Any]
) -> None:
    given = {"Validate": [exited(66)], "ReadMissing": MISSING, "ProfileMissing": [refused]}
    played = play(answers(Init=result({"Payload": SHARED}), **given))
    assert played["path"][5:] == ["ReadMissing", "ProfileMissing", "NotifyFailure", "Failed"]
    assert played["cause"] == f"ProfileMissing: {refused['error']}: {refused['cause']}"


@pytest.mark.parametrize("code", [64, 65, 70])
def test_what_a_child_refused_is_run_no_second_time(play: Play, code: int) -> None:
    failed = [stopped(Status="FAILED", StatusReason="Array Child Job failed")]
    given = {"ProfileShards": failed, "Validate": [exited(code)]}
    played = play(answers(Init=result({"Payload": SHARED}), **given))
    assert played["path"][4:] == ["Validate", "Classify", "ReadError", "NotifyFailure", "Failed"]
    assert f"exit code {code}" in played["cause"]


def test_a_list_of_what_is_missing_that_does_not_parse_is_failed(play: Play) -> None:
    played = play(
        answers(
            Init=result({"Payload": SHARED}),
            Validate=[exited(66)],
            ReadMissing=result({"Body": '{"version": 1, "children": [1, 2'}),
        )
    )
    assert played["status"] == "FAILED"
    assert calls(played, "ProfileMissing") == []
