"""The execution's input: two fields are believed, everything else is refused or never read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.init.errors import InitError, InvalidEvent, UnknownDataset
from steps.init.event import AlarmReport, Arrival, MonitorReport, Parsed, ScheduledRun, Trigger, parse

DATASETS = {"taxi", "bikes"}
DAY = date(2026, 11, 22)

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["dataset", "run_date", "detail", "detail-type", "source", "id", "time"])
            | st.text(),
            inner,
        )
    ),
    max_leaves=12,
)


def drift(**changes: Any) -> dict[str, Any]:
    return {
        "id": "6f1c-77",
        "source": "sluice.drift",
        "detail-type": "ModelDriftDetected",
        "detail": {"dataset": "taxi", "run_date": "2026-11-22"},
        **changes,
    }


def test_by_hand_the_execution_names_the_trigger() -> None:
    found = parse({"dataset": "taxi", "run_date": "2026-11-22"}, DATASETS, "nightly-7")

    assert found == Trigger("taxi", DAY, key="nightly-7")


def test_an_event_brings_its_own_id() -> None:
    assert parse(drift(), DATASETS, "some-uuid") == Trigger("taxi", DAY, key="6f1c-77")


def test_an_event_may_say_more_but_nothing_of_it_is_read() -> None:
    detail = {
        "dataset": "taxi",
        "run_date": "2026-11-22",
        "data_uri": "s3://evil/",
        "role": "arn:aws:iam::1:role/x",
    }

    assert parse(drift(detail=detail), DATASETS, "n") == Trigger("taxi", DAY, key="6f1c-77")


def test_a_monitoring_job_is_known_by_its_name_and_the_time_of_the_event() -> None:
    event = drift(
        source="aws.sagemaker",
        time="2026-11-22T23:59:59Z",
        detail={"ProcessingJobName": "model-monitoring-2026", "ProcessingJobStatus": "Completed"},
        **{"detail-type": "SageMaker Processing Job State Change"},
    )

    found = parse(event, DATASETS, "n")

    assert found == MonitorReport("model-monitoring-2026", datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC))
    # Several events, each with an id of its own, may tell of one job.
    assert isinstance(found, MonitorReport)
    assert found.key == "model-monitoring-2026"


def alarm(state: object) -> dict[str, Any]:
    return drift(
        source="aws.cloudwatch",
        time="2026-11-22T00:00:00Z",
        detail={"alarmName": "drift of fare", "state": state},
        **{"detail-type": "CloudWatch Alarm State Change"},
    )


def test_an_alarm_is_known_by_its_name_and_the_time_of_the_event() -> None:
    assert parse(alarm({"value": "ALARM"}), DATASETS, "n") == AlarmReport(
        "drift of fare", datetime(2026, 11, 22, tzinfo=UTC), "6f1c-77"
    )


@pytest.mark.parametrize("state", [{"value": "OK"}, {}, "ALARM", None])
def test_an_alarm_that_did_not_go_off_is_refused(state: object) -> None:
    with pytest.raises(InvalidEvent, match="the alarm's state is"):
        parse(alarm(state), DATASETS, "n")


def scheduled(**changes: Any) -> dict[str, Any]:
    kind = {"source": "sluice.schedule", "detail-type": "ScheduledRun"}
    return drift(**{"time": "2026-11-22T02:30:00Z", "detail": {"dataset": "taxi"}, **kind, **changes})


def test_an_occurrence_of_a_schedule_is_known_by_the_time_it_was_planned_for() -> None:
    found = parse(scheduled(), DATASETS, "n")

    assert found == ScheduledRun("taxi", datetime(2026, 11, 22, 2, 30, tzinfo=UTC))
    assert isinstance(found, ScheduledRun)
    assert found.key == "schedule-2026-11-22T02-30-00Z"


def test_a_time_is_the_same_in_any_zone() -> None:
    assert parse(scheduled(time="2026-11-22T03:30:00+01:00"), DATASETS, "n") == parse(
        scheduled(time="2026-11-22T02:30:00"), DATASETS, "n"
    )


@pytest.mark.parametrize("time", ["now", "", None, 7, "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_none_is_refused(time: object) -> None:
    with pytest.raises(InvalidEvent, match="the event's time is"):
        parse(scheduled(time=time), DATASETS, "n")


def created(version: object = None) -> dict[str, Any]:
    key = {"key": "data/taxi/2026-11-22/_SUCCESS"}
    detail = {
        "bucket": {"name": "lake"},
        "object": key if version is None else {**key, "version-id": version},
    }
    return drift(source="aws.s3", detail=detail, **{"detail-type": "Object Created"})


def test_a_new_object_is_known_by_its_version() -> None:
    assert parse(created("v.1"), DATASETS, "n") == Arrival("lake", "data/taxi/2026-11-22/_SUCCESS", "v.1")


@pytest.mark.parametrize("version", [None, "null"])
def test_an_object_without_versions_of_its_own_is_known_by_the_event(version: str | None) -> None:
    expected = Arrival("lake", "data/taxi/2026-11-22/_SUCCESS", "6f1c-77")
    assert parse(created(version), DATASETS, "n") == expected


@pytest.mark.parametrize("version", ["", "a/b", "..", 7])
def test_a_version_that_is_no_part_of_a_key_is_refused(version: object) -> None:
    with pytest.raises(InvalidEvent, match="the object's version"):
        parse(created(version), DATASETS, "n")


@pytest.mark.parametrize(
    "detail", [{}, {"bucket": "lake", "object": {}}, {"bucket": {}, "object": "k"}, {"object": {}}]
)
def test_a_new_object_of_another_form_is_refused(detail: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvent, match="not an object"):
        parse({**created(), "detail": detail}, DATASETS, "n")


@pytest.mark.parametrize(
    "run_date",
    ["22.11.2026", "20261122", "2026-W47-7", "2026-02-30", "2026-11-22T00:00", "\uff12026-11-22", 7, None],
)
def test_a_date_has_one_spelling(run_date: object) -> None:
    with pytest.raises(InvalidEvent, match="expected a date such as 2026-11-22"):
        parse({"dataset": "taxi", "run_date": run_date}, DATASETS, "n")


@pytest.mark.parametrize("dataset", ["TAXI", "taxi/../bikes", "", None, ["taxi"], {"taxi": 1}])
def test_an_unknown_dataset_is_refused_and_the_known_ones_are_named(dataset: object) -> None:
    with pytest.raises(UnknownDataset, match="this pipeline has bikes, taxi"):
        parse({"dataset": dataset, "run_date": "2026-11-22"}, DATASETS, "n")


@pytest.mark.parametrize("key", ["data_uri", "image", "Cpu", "role"])
def test_by_hand_nothing_else_may_be_said(key: str) -> None:
    with pytest.raises(InvalidEvent, match=f"unknown key '{key}'"):
        parse({"dataset": "taxi", "run_date": "2026-11-22", key: "x"}, DATASETS, "n")


@pytest.mark.parametrize("event_id", ["../accepted/taxi", "a/b", "..", "", "x" * 129, None, "a\nb"])
def test_an_id_that_is_no_part_of_a_key_is_refused(event_id: object) -> None:
    with pytest.raises(InvalidEvent, match="the event's id"):
        parse(drift(id=event_id), DATASETS, "n")


def test_a_forged_source_is_refused() -> None:
    with pytest.raises(InvalidEvent, match=r"unknown event 'ModelDriftDetected' of 'my\.app'"):
        parse(drift(source="my.app"), DATASETS, "n")


@given(JSON)
def test_any_input_is_a_trigger_or_one_clear_line(document: object) -> None:
    outcome: Parsed | InitError
    try:
        outcome = parse(document, DATASETS, "n")
    except InitError as error:
        outcome = error

    if isinstance(outcome, InitError):
        assert len(str(outcome).splitlines()) == 1
    else:
        assert not isinstance(outcome, Trigger) or outcome.dataset in DATASETS
