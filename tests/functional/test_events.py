"""Sample events as AWS documents them, hostile ones among them: which rule takes one, and what Init answers.

The rules are those of the rendered stack, matched by the emulator; what they start once they are deployed
shows `test_triggers`. Init is what is behind the wall: it answers as if each event had come to it, whatever
the rules say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from steps.init import main
from steps.init.errors import InitError
from steps.init.settings import Settings
from tests.unit.templates.variants import Variant

pytestmark = pytest.mark.xdist_group("events")

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests/data/events"

ACCOUNT = "111122223333"
BUCKET = "sluice-dev-pipeline-pipelinebucket-1a2b3c4d5e6f"
"""The account and the pipeline's bucket in the sample events."""


class Expected(NamedTuple):
    """The rule that takes an event, or none; Init's status, or the name of its error."""

    rule: str | None
    answer: str


TABLE = {
    "drift": Expected("DriftRule", "Planned"),
    # What else it says is read by nobody.
    "drift-says-more": Expected("DriftRule", "Planned"),
    # Two stages may share an account: each answers to what names it.
    "drift-other-stage": Expected(None, "Planned"),
    "drift-without-a-stage": Expected(None, "Planned"),
    "drift-other-account": Expected(None, "Planned"),
    "drift-other-source": Expected(None, "InvalidEvent"),
    "drift-source-of-aws": Expected(None, "InvalidEvent"),
    "drift-wrong-case": Expected(None, "InvalidEvent"),
    "drift-dataset-in-capitals": Expected(None, "UnknownDataset"),
    "drift-dataset-unknown": Expected(None, "UnknownDataset"),
    "drift-dataset-is-a-path": Expected(None, "UnknownDataset"),
    "drift-dataset-is-a-pattern": Expected(None, "UnknownDataset"),
    "drift-dataset-is-an-object": Expected(None, "UnknownDataset"),
    # EventBridge looks into lists; Init does not.
    "drift-dataset-in-a-list": Expected("DriftRule", "UnknownDataset"),
    "drift-date-is-none": Expected("DriftRule", "InvalidEvent"),
    "drift-date-is-a-path": Expected("DriftRule", "InvalidEvent"),
    "drift-date-is-a-number": Expected("DriftRule", "InvalidEvent"),
    "drift-date-in-other-digits": Expected("DriftRule", "InvalidEvent"),
    "drift-date-is-missing": Expected("DriftRule", "InvalidEvent"),
    "drift-id-is-a-path": Expected("DriftRule", "InvalidEvent"),
    "monitor-violations": Expected("MonitorRule", "Planned"),
    # Only SageMaker knows, so Init asks.
    "monitor-without-violation": Expected("MonitorRule", "NoViolation"),
    "monitor-of-another-schedule": Expected("MonitorRule", "NoViolation"),
    "monitor-still-running": Expected(None, "Planned"),
    "monitor-failed": Expected(None, "Planned"),
    "monitor-another-job": Expected(None, "NoViolation"),
    "monitor-job-in-capitals": Expected(None, "NoViolation"),
    "monitor-job-is-a-path": Expected("MonitorRule", "InvalidEvent"),
    "monitor-other-account": Expected(None, "Planned"),
    "alarm": Expected("AlarmRule", "Planned"),
    "alarm-is-over": Expected(None, "InvalidEvent"),
    "alarm-without-data": Expected(None, "InvalidEvent"),
    "alarm-nobody-named": Expected(None, "UnknownDataset"),
    "alarm-in-capitals": Expected(None, "UnknownDataset"),
    "alarm-other-account": Expected(None, "Planned"),
    "arrival": Expected("ArrivalRule", "Planned"),
    "arrival-by-multipart": Expected("ArrivalRule", "Planned"),
    "arrival-of-data": Expected(None, "InvalidEvent"),
    # A wildcard stands for slashes too; what completes a part of a day completes no day.
    "arrival-of-a-part": Expected("ArrivalRule", "Incomplete"),
    "arrival-of-a-part-of-a-part": Expected("ArrivalRule", "Incomplete"),
    "arrival-above-a-day": Expected(None, "InvalidEvent"),
    "arrival-date-is-none": Expected("ArrivalRule", "InvalidEvent"),
    "arrival-date-without-hyphens": Expected("ArrivalRule", "InvalidEvent"),
    "arrival-no-date": Expected("ArrivalRule", "InvalidEvent"),
    "arrival-walks-up": Expected("ArrivalRule", "InvalidEvent"),
    "arrival-empty-folder": Expected("ArrivalRule", "InvalidEvent"),
    "arrival-outside": Expected(None, "InvalidEvent"),
    "arrival-of-a-run": Expected(None, "InvalidEvent"),
    "arrival-other-dataset": Expected(None, "InvalidEvent"),
    "arrival-longer-dataset": Expected(None, "UnknownDataset"),
    "arrival-longer-marker": Expected(None, "InvalidEvent"),
    "arrival-other-marker": Expected(None, "InvalidEvent"),
    "arrival-marker-in-lower-case": Expected(None, "InvalidEvent"),
    "arrival-encoded": Expected(None, "InvalidEvent"),
    "arrival-other-bucket": Expected(None, "InvalidEvent"),
    "arrival-other-account": Expected(None, "Planned"),
    "arrival-deleted": Expected(None, "InvalidEvent"),
    # Scheduler hands these to the machine; whoever puts one on the bus starts nothing.
    "schedule": Expected(None, "Planned"),
    "schedule-of-no-dataset": Expected(None, "UnknownDataset"),
    "schedule-dataset-without-one": Expected(None, "InvalidEvent"),
    "schedule-time-is-none": Expected(None, "InvalidEvent"),
}

DAYS = {
    # One day back, by the clocks of Berlin.
    "monitor-violations": "2026-11-22",
    "alarm": "2026-11-22",
    "schedule": "2026-11-22",
    "drift": "2026-11-22",
    "arrival": "2026-11-22",
}
"""Which day is run."""


class SageMaker:
    """Knows three monitoring jobs, and no model."""

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:  # noqa: N803
        schedule = "theirs" if ProcessingJobName.endswith("theirs") else "taxi-data-quality"
        good = not ProcessingJobName.endswith("4d9b8a31a1f2e0c3b5d7")
        return {
            "ExitMessage": "Completed: no violation" if good else "CompletedWithViolations: 3 of 12",
            "MonitoringScheduleArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:monitoring-schedule/{schedule}",
        }

    def get_paginator(self, operation: str) -> SageMaker:
        return self

    def paginate(self, **query: Any) -> list[dict[str, Any]]:
        return []


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return dict(json.loads(Variant("pipeline", "dev", "every-trigger").render())["Resources"])


@pytest.fixture
def bucket(aws_clients: Mapping[str, Any]) -> str:
    name = f"lake-{uuid4().hex}"
    aws_clients["s3"].create_bucket(Bucket=name)
    return name


def patterns(resources: Mapping[str, Any], account: str, bucket: str) -> dict[str, str]:
    """Return each rule's pattern as deployed."""
    known = {"AWS::AccountId": account, "PipelineBucket": bucket}
    return {
        title: json.dumps(deployed(resource["Properties"]["EventPattern"], known))
        for title, resource in resources.items()
        if resource["Type"] == "AWS::Events::Rule"
    }


def deployed(value: Any, known: Mapping[str, str]) -> Any:
    match value:
        case {"Ref": name}:
            return known[name]
        case dict():
            return {key: deployed(item, known) for key, item in value.items()}
        case list():
            return [deployed(item, known) for item in value]
    return value


def settings(resources: Mapping[str, Any], bucket: str) -> Settings:
    """Return what Init is told by the rendered function."""
    variables = resources["InitFunction"]["Properties"]["Environment"]["Variables"]
    known = {"PipelineBucket": bucket, "ArtifactBucketName": "artifacts", "SchemasPrefix": "schemas/0"}
    return Settings.parse(deployed(variables, known))


def test_the_table_names_every_file() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(TABLE)
    assert all(path.suffix == ".json" for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", TABLE)
def test_a_sample_is_an_event_of_the_bus(name: str) -> None:
    event = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    envelope = {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
    assert event.keys() == envelope


@pytest.mark.parametrize("name", TABLE)
def test_which_rule_takes_it(name: str, resources: dict[str, Any], aws_clients: Mapping[str, Any]) -> None:
    event = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    taken_by = [
        title
        for title, pattern in patterns(resources, ACCOUNT, BUCKET).items()
        if aws_clients["events"].test_event_pattern(EventPattern=pattern, Event=event)["Result"]
    ]
    expected = TABLE[name].rule
    assert taken_by == ([expected] if expected else [])


@pytest.mark.parametrize("name", TABLE)
def test_what_init_answers(
    name: str, resources: dict[str, Any], aws_clients: Mapping[str, Any], bucket: str
) -> None:
    event = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8").replace(BUCKET, bucket))
    execution = {"name": f"run-{uuid4()}", "id": f"arn:{name}", "started": "2026-11-23T00:13:00Z"}
    known = main.Clients(aws_clients["s3"], aws_clients["stepfunctions"], SageMaker())

    answer, told = answered({"input": event, "execution": execution}, settings(resources, bucket), known)

    assert answer == TABLE[name].answer
    assert told == DAYS.get(name, told)
    assert len(told.splitlines()) == 1
    if answer != "Planned":
        listed = aws_clients["s3"].list_objects_v2(Bucket=bucket)
        assert "Contents" not in listed, "what starts nothing leaves nothing behind"


def answered(payload: dict[str, Any], told: Settings, clients: main.Clients) -> tuple[str, str]:
    """Return Init's status and day, or the name and the line of its error."""
    try:
        run = main.initiate(payload, told, clients)
    except InitError as error:
        return type(error).__name__, str(error)
    return run["status"], run["run_date"]


def test_each_rule_has_an_event_that_starts_and_one_that_must_not(resources: dict[str, Any]) -> None:
    rules = {title for title, resource in resources.items() if resource["Type"] == "AWS::Events::Rule"}
    assert {each.rule for each in TABLE.values() if each.answer == "Planned"} - {None} == rules
    for kind in ("drift", "monitor", "alarm", "arrival"):
        assert any(name.startswith(kind) and each.rule is None for name, each in TABLE.items())
