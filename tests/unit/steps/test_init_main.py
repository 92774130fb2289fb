"""Init as a whole, against S3 and Step Functions on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from steps.init import main
from steps.init.bucket import Bucket
from steps.init.errors import Busy, InvalidEvent, TooManyObjects, UnknownDataset
from steps.init.settings import Settings
from steps.prepare.main import Arguments

DATASETS = [
    {
        "name": "taxi",
        "label": "big_tipper",
        "drop": ["trip_id", "a,b"],
        "schema": True,
        "monitors": ["Taxi-watch"],
        "alarms": ["taxi-drift"],
        "marker": "_SUCCESS",
        "scheduled": True,
        "days_back": 1,
        "time_zone": "Europe/Berlin",
    },
    {"name": "bikes", "label": "y", "delimiter": ";"},
]


PACE = {
    "bytes_per_second": {"text": 1 << 20, "stream": 1 << 18, "columnar": 1 << 18, "records": 1 << 18},
    "target_seconds": 600,
    "most_children": 8,
}


class SageMaker:
    """No model yet, and one monitoring job that ended as it was told."""

    def __init__(self, message: str = "Completed", schedule: str = "taxi-watch") -> None:
        self.job = {
            "ExitMessage": message,
            "MonitoringScheduleArn": f"arn:aws:sagemaker:r:1:monitoring-schedule/{schedule}",
        }

    def get_paginator(self, operation: str) -> SageMaker:
        return self

    def paginate(self, **query: Any) -> list[dict[str, Any]]:
        return []

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:  # noqa: N803
        return self.job


@pytest.fixture
def settings(bucket: Bucket) -> Settings:
    return Settings.parse(
        {
            "PIPELINE_BUCKET": bucket.name,
            "ARTIFACT_BUCKET": "artifacts",
            "SCHEMAS_PREFIX": "schemas/0123",
            "DATASETS": json.dumps(DATASETS),
            "LADDER": '[{"Cpu": "1024", "Memory": "2048"}, {"Cpu": "2048", "Memory": "4096"}]',
            "PACE": json.dumps(PACE),
            "MAX_OBJECTS": "3",
            "MODEL_GROUP_PREFIX": "sluice-dev-models-",
            "JOB_PREFIX": "sluice-dev-",
        }
    )


@pytest.fixture
def clients(aws_clients: Mapping[str, Any]) -> main.Clients:
    return main.Clients(aws_clients["s3"], aws_clients["stepfunctions"], SageMaker())


@pytest.fixture
def machine(aws_clients: Mapping[str, Any]) -> str:
    """A state machine whose executions wait for an hour."""
    name = f"m-{uuid4().hex}"
    principal = {"Service": "states.amazonaws.com"}
    trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
    role = aws_clients["iam"].create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}
    answer = aws_clients["stepfunctions"].create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=role["Arn"]
    )
    return str(answer["stateMachineArn"])


def payload(name: str = "run-1", arn: str = "arn:1", **document: Any) -> dict[str, Any]:
    return {
        "input": document or {"dataset": "taxi", "run_date": "2026-11-22"},
        "execution": {"name": name, "id": arn, "started": "2026-11-22T10:00:00Z"},
    }


def test_a_run_is_planned_with_all_the_later_states_need(
    bucket: Bucket, settings: Settings, clients: main.Clients
) -> None:
    bucket.create("data/taxi/2026-11-22/part-0.csv", b"a\n1\n")
    accepted = {
        "run_id": "r-0",
        "statistics_uri": bucket.uri("validation/s.pb"),
        "statistics_sha256": "a" * 64,
    }
    bucket.create("accepted/taxi/2026-11-20.json", json.dumps(accepted).encode())

    run = main.initiate(payload(), settings, clients)

    job_name = run.pop("job_name")
    assert re.fullmatch(r"sluice-dev-taxi-2026-11-22-[0-9a-f]{8}", job_name)
    assert run == {
        "status": "Planned",
        "dataset": "taxi",
        "run_date": "2026-11-22",
        "run_id": "run-1",
        "label": "big_tipper",
        "drop": 'trip_id,"a,b"',
        "delimiter": "",
        "data_uri": bucket.uri("data/taxi/2026-11-22/"),
        "manifest_uri": bucket.uri("runs/2026-11-22/run-1/manifest.json"),
        "output_uri": bucket.uri("validation/2026-11-22/run-1"),
        "states_uri": bucket.uri("states/2026-11-22/run-1"),
        "prepared_uri": bucket.uri("prepared/2026-11-22/run-1"),
        "training_uri": bucket.uri("training/2026-11-22/run-1"),
        "schema_uri": "s3://artifacts/schemas/0123/taxi.pbtxt",
        "baseline_uri": bucket.uri("validation/s.pb"),
        "baseline_sha256": "a" * 64,
        "model_package_group": "sluice-dev-models-taxi",
        "champion": {"model_data_url": "", "model_package_arn": "", "run_date": ""},
        "sizes": [{"Cpu": "1024", "Memory": "2048"}, {"Cpu": "2048", "Memory": "4096"}],
        "children": 1,
    }
    stored = bucket.read("runs/2026-11-22/run-1/manifest.json")
    assert stored is not None
    manifest = json.loads(stored.body)
    assert manifest["version"] == 1
    assert [each["uri"] for each in manifest["objects"]] == [run["data_uri"] + "part-0.csv"]


@pytest.mark.parametrize("drop", [(), ("-",), ("-", "--"), ("a,b", 'c"d', " e "), ('"-"',)])
def test_prepare_reads_the_dropped_columns_as_they_were_configured(
    settings: Settings, clients: main.Clients, drop: tuple[str, ...]
) -> None:
    dropping = replace(settings, datasets={"bikes": replace(settings.datasets["bikes"], drop=drop)})
    run = main.initiate(payload(dataset="bikes", run_date="2026-11-22"), dropping, clients)
    others = [f"--{name}=x" for name in ("manifest_uri", "data_uri", "verdict_uri", "output_uri", "label")]
    # The state's own expression writes the same.
    assert Arguments.parse([*others, "--drop", run["drop"] or "-"]).drop == drop


def test_a_day_without_objects_is_planned_too(settings: Settings, clients: main.Clients) -> None:
    run = main.initiate(payload(dataset="bikes", run_date="2026-11-22"), settings, clients)

    assert (run["status"], run["schema_uri"], run["baseline_uri"], run["drop"]) == ("Planned", "", "", "")
    assert run["delimiter"] == ";"


def test_its_own_retry_gives_the_same_run(bucket: Bucket, settings: Settings, clients: main.Clients) -> None:
    bucket.create("data/taxi/2026-11-22/part-0.csv", b"a\n1\n")
    first = main.initiate(payload(), settings, clients)
    bucket.create("data/taxi/2026-11-22/part-1.csv", b"a\n1\n")

    assert main.initiate(payload(), settings, clients) == first


def test_an_event_delivered_twice_is_a_duplicate(settings: Settings, clients: main.Clients) -> None:
    event: dict[str, Any] = {
        "id": "e-1",
        "source": "sluice.drift",
        "detail-type": "ModelDriftDetected",
        "detail": {"dataset": "taxi", "run_date": "2026-11-22"},
    }

    first = main.initiate(payload("a", "arn:a", **event), settings, clients)
    again = main.initiate(payload("b", "arn:b", **event), settings, clients)

    assert first["status"] == "Planned"
    assert again == {"status": "Duplicate", "dataset": "taxi", "run_date": "2026-11-22", "run_id": "b"}


def test_one_execution_per_day_at_a_time(settings: Settings, clients: main.Clients, machine: str) -> None:
    running = clients.states.start_execution(stateMachineArn=machine)["executionArn"]
    assert main.initiate(payload("a", running), settings, clients)["status"] == "Planned"
    with pytest.raises(Busy, match=f"held by {running}"):
        main.initiate(payload("b", "arn:b"), settings, clients)

    clients.states.stop_execution(executionArn=running)

    assert main.initiate(payload("b", "arn:b"), settings, clients)["status"] == "Planned"


def test_a_corrected_day_whose_marker_comes_while_the_day_runs_is_judged_when_it_has_ended(
    bucket: Bucket, settings: Settings, clients: main.Clients, machine: str
) -> None:
    def corrected() -> dict[str, Any]:
        """Two deliveries of one marker differ in the event's id."""
        return arrival(bucket, "data/taxi/2026-11-22/_SUCCESS", "v.2")

    running = clients.states.start_execution(stateMachineArn=machine)["executionArn"]
    main.initiate(payload("a", running), settings, clients)
    bucket.create("data/taxi/2026-11-22/corrected.csv", b"a\n1\n")

    for _ in range(2):
        with pytest.raises(Busy):
            main.initiate(payload("b", "arn:b", **corrected()), settings, clients)
    clients.states.stop_execution(executionArn=running)
    run = main.initiate(payload("b", "arn:b", **corrected()), settings, clients)

    assert run["status"] == "Planned"
    manifest = bucket.read("runs/2026-11-22/b/manifest.json")
    assert manifest is not None
    assert b"corrected.csv" in manifest.body
    again = main.initiate(payload("c", "arn:c", **corrected()), settings, clients)
    assert again["status"] == "Duplicate"


def test_a_second_delivery_does_not_wait_for_the_first_ones_day(
    bucket: Bucket, settings: Settings, clients: main.Clients, machine: str
) -> None:
    event = arrival(bucket, "data/taxi/2026-11-22/_SUCCESS", "v.1")
    running = clients.states.start_execution(stateMachineArn=machine)["executionArn"]

    first = main.initiate(payload("a", running, **event), settings, clients)
    again = main.initiate(payload("b", "arn:b", **event), settings, clients)

    assert (first["status"], again["status"]) == ("Planned", "Duplicate")
    clients.states.stop_execution(executionArn=running)


def test_another_day_is_not_in_the_way(settings: Settings, clients: main.Clients, machine: str) -> None:
    running = clients.states.start_execution(stateMachineArn=machine)["executionArn"]
    main.initiate(payload("a", running), settings, clients)

    other = main.initiate(payload("b", "arn:b", dataset="taxi", run_date="2026-11-23"), settings, clients)

    assert other["status"] == "Planned"
    clients.states.stop_execution(executionArn=running)


@pytest.mark.parametrize(
    ("message", "status"),
    [("CompletedWithViolations: 3", "Planned"), ("Completed: no violation", "NoViolation")],
)
def test_a_monitoring_job_starts_a_run_only_with_a_violation(
    settings: Settings, clients: main.Clients, message: str, status: str
) -> None:
    event: dict[str, Any] = {
        "id": "e-2",
        "source": "aws.sagemaker",
        "time": "2026-11-22T01:00:00Z",
        "detail-type": "SageMaker Processing Job State Change",
        "detail": {"ProcessingJobName": "model-monitoring-1"},
    }
    watched = main.Clients(clients.s3, clients.states, SageMaker(message))

    run = main.initiate(payload(**event), settings, watched)

    assert (run["status"], run["dataset"], run["run_date"]) == (status, "taxi", "2026-11-21")


@pytest.mark.parametrize("schedule", ["", "somebody-elses"])
def test_a_monitoring_job_of_others_starts_nothing_and_fails_nothing(
    settings: Settings, clients: main.Clients, schedule: str
) -> None:
    event: dict[str, Any] = {
        "id": "e-3",
        "source": "aws.sagemaker",
        "time": "2026-11-22T01:00:00Z",
        "detail-type": "SageMaker Processing Job State Change",
        "detail": {"ProcessingJobName": "job"},
    }
    strange = main.Clients(clients.s3, clients.states, SageMaker("CompletedWithViolations", schedule))

    run = main.initiate(payload(**event), settings, strange)

    assert run == {"status": "NoViolation", "dataset": "", "run_date": "2026-11-22", "run_id": "run-1"}


def alarm(name: str) -> dict[str, Any]:
    return {
        "id": "e-4",
        "source": "aws.cloudwatch",
        "time": "2026-11-22T01:00:00Z",
        "detail-type": "CloudWatch Alarm State Change",
        "detail": {"alarmName": name, "state": {"value": "ALARM"}},
    }


def test_an_alarm_starts_a_run_of_the_dataset_that_names_it(
    settings: Settings, clients: main.Clients
) -> None:
    run = main.initiate(payload(**alarm("taxi-drift")), settings, clients)

    assert (run["status"], run["dataset"], run["run_date"]) == ("Planned", "taxi", "2026-11-21")


def test_an_alarm_of_nobody_is_refused(settings: Settings, clients: main.Clients) -> None:
    with pytest.raises(UnknownDataset, match="'somebody-elses' is named by no dataset"):
        main.initiate(payload(**alarm("somebody-elses")), settings, clients)


def test_two_events_of_one_monitoring_job_are_one_trigger(settings: Settings, clients: main.Clients) -> None:
    watched = main.Clients(clients.s3, clients.states, SageMaker("CompletedWithViolations"))
    events: list[dict[str, Any]] = [
        {
            "id": event_id,
            "source": "aws.sagemaker",
            "time": "2026-11-22T01:00:00Z",
            "detail-type": "SageMaker Processing Job State Change",
            "detail": {"ProcessingJobName": "model-monitoring-1"},
        }
        for event_id in ("e-5", "e-6")
    ]

    runs = [
        main.initiate(payload(name, f"arn:{name}", **event), settings, watched)
        for name, event in zip("ab", events, strict=True)
    ]

    assert [run["status"] for run in runs] == ["Planned", "Duplicate"]


def arrival(bucket: Bucket, key: str, version: str) -> dict[str, Any]:
    return {
        "id": f"e-{uuid4()}",
        "source": "aws.s3",
        "time": "2026-11-23T00:12:51Z",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket.name}, "object": {"key": key, "version-id": version}},
    }


def test_one_marker_told_of_twice_is_a_duplicate_and_one_put_down_anew_is_not(
    bucket: Bucket, settings: Settings, clients: main.Clients
) -> None:
    marker = "data/taxi/2026-11-22/_SUCCESS"
    events = [arrival(bucket, marker, version) for version in ("v.1", "v.1", "v.2")]

    runs = [
        main.initiate(payload(name, f"arn:{name}", **event), settings, clients)
        for name, event in zip("abc", events, strict=True)
    ]

    assert [run["status"] for run in runs] == ["Planned", "Duplicate", "Planned"]
    assert {run["run_date"] for run in runs} == {"2026-11-22"}


def test_a_part_of_a_day_claims_nothing(bucket: Bucket, settings: Settings, clients: main.Clients) -> None:
    event = arrival(bucket, "data/taxi/2026-11-22/hour=03/_SUCCESS", "v.1")

    assert main.initiate(payload(**event), settings, clients) == {
        "status": "Incomplete",
        "dataset": "taxi",
        "run_date": "2026-11-22",
        "run_id": "run-1",
    }
    assert list(bucket.listing("")) == []


def test_an_occurrence_of_a_schedule_that_comes_twice_is_a_duplicate(
    settings: Settings, clients: main.Clients
) -> None:
    def occurrence(time: str) -> dict[str, Any]:
        return {
            "id": f"x-{uuid4()}",
            "source": "sluice.schedule",
            "time": time,
            "detail-type": "ScheduledRun",
            "detail": {"dataset": "taxi"},
        }

    times = ("2026-11-22T02:30:00Z", "2026-11-22T02:30:00Z", "2026-11-23T02:30:00Z")
    runs = [
        main.initiate(payload(name, f"arn:{name}", **occurrence(time)), settings, clients)
        for name, time in zip("abc", times, strict=True)
    ]

    assert [(run["status"], run["run_date"]) for run in runs] == [
        ("Planned", "2026-11-21"),
        ("Duplicate", "2026-11-21"),
        ("Planned", "2026-11-22"),
    ]


def test_a_day_beyond_the_bound_is_refused(bucket: Bucket, settings: Settings, clients: main.Clients) -> None:
    for number in range(4):
        bucket.create(f"data/taxi/2026-11-22/{number}.csv", b"")

    with pytest.raises(TooManyObjects, match="one run may name 3"):
        main.initiate(payload(), settings, clients)


@pytest.mark.parametrize(
    ("run_date", "status"), [("2026-11-23", "Planned"), ("2026-11-24", ""), ("2030-01-01", "")]
)
def test_a_day_that_has_not_come_is_refused(
    bucket: Bucket, settings: Settings, clients: main.Clients, run_date: str, status: str
) -> None:
    """It would be champion over all days until then; tomorrow has begun in the east."""
    asked = payload(dataset="taxi", run_date=run_date)
    if status:
        assert main.initiate(asked, settings, clients)["status"] == status
        return
    with pytest.raises(InvalidEvent, match=f"run_date is {run_date}, and today is 2026-11-22"):
        main.initiate(asked, settings, clients)
    assert list(bucket.listing("")) == []


def test_an_unreadable_record_of_an_accepted_day_is_told_and_stops_nothing(
    bucket: Bucket, settings: Settings, clients: main.Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.create("accepted/taxi/2026-11-21.json", b"{}")

    assert main.initiate(payload(), settings, clients)["baseline_uri"] == ""
    told = json.loads(capsys.readouterr().out)
    assert (told["level"], told["event"], told["run_id"]) == ("WARNING", "unreadable", "run-1")
    assert "accepted/taxi/2026-11-21.json names no run" in told["message"]


def test_a_refused_input_claims_nothing(bucket: Bucket, settings: Settings, clients: main.Clients) -> None:
    with pytest.raises(InvalidEvent):
        main.initiate(payload(dataset="taxi", run_date="today"), settings, clients)

    assert list(bucket.listing("")) == []


def test_job_names_differ_between_executions_of_one_name(settings: Settings, clients: main.Clients) -> None:
    first = main.initiate(payload("a", "arn:aws:a"), settings, clients)
    second = main.initiate(payload("b", "arn:aws:b"), settings, clients)

    assert first["job_name"] != second["job_name"]
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", first["job_name"])


def test_the_log_says_which_run_it_is_of(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    clients: main.Clients,
) -> None:
    monkeypatch.setattr(main, "_clients", lambda: clients)
    monkeypatch.setattr(Settings, "parse", lambda _environment: settings)

    main.handler(payload("run-1"), None)
    with pytest.raises(InvalidEvent):
        main.handler(payload("run-\n2", dataset="taxi", run_date="today"), None)

    ended, failed = map(json.loads, capsys.readouterr().out.splitlines())
    assert (ended["run_id"], ended["dataset"], ended["status"]) == ("run-1", "taxi", "Planned")
    assert (failed["level"], failed["run_id"], failed["error"]) == ("ERROR", "run-\n2", "InvalidEvent")
