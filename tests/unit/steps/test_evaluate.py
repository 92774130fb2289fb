"""Evaluate: the archive is not trusted, the data must be what was judged, and a tie is never better."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.evaluate import archive, incumbent, main
from steps.evaluate.decision import Champion, Days, Metrics, decide
from steps.evaluate.errors import DataChanged, InvalidModel, InvalidPayload, TooManyModels
from steps.evaluate.location import Location
from steps.evaluate.unchanged import Found, changed, check, listed
from steps.init.bucket import Bucket
from tests.configuration import configuration

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SAME = Days("2026-11-22", "2026-11-22")
SCORES = st.floats(-1e6, 1e6)
ALONE = Metrics("auc", 0.5, True, Champion.NONE, None, None)


def packed(*members: tuple[str, bytes]) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    stream.seek(0)
    return stream


def special(name: str, kind: bytes, target: str = "") -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        tar.addfile(info)
    stream.seek(0)
    return stream


def metrics(**changes: Any) -> bytes:
    fields = {
        "metric": "auc",
        "value": 0.8,
        "greater_is_better": True,
        "champion": "none",
        "champion_value": None,
        "champion_reason": None,
    }
    return json.dumps({**fields, **changes}).encode()


# --- The archive --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["metrics.json", "./metrics.json"])
def test_a_file_at_the_root_is_found_among_others(name: str) -> None:
    stream = packed(("xgboost-model", b"m" * 100_000), ("code/metrics.json", b"not this"), (name, b"this"))

    assert archive.read(stream, "metrics.json") == b"this"


@pytest.mark.parametrize(
    "name", ["../metrics.json", "/metrics.json", "code/metrics.json", "metrics.json.bak"]
)
def test_a_file_elsewhere_is_not_it(name: str) -> None:
    with pytest.raises(InvalidModel, match=r"has no metrics\.json"):
        archive.read(packed((name, b"{}")), "metrics.json")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE]
)
def test_a_link_or_device_of_that_name_is_refused(kind: bytes) -> None:
    with pytest.raises(InvalidModel, match="no regular file"):
        archive.read(special("metrics.json", kind, "/etc/passwd"), "metrics.json")


def test_a_file_of_that_name_has_a_bound() -> None:
    with pytest.raises(InvalidModel, match="at most 65,536 bytes"):
        archive.read(packed(("metrics.json", b" " * 65_537)), "metrics.json")


def test_members_before_it_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "UNPACKED_LIMIT", 1000)

    assert archive.read(packed(("m", b"x" * 1000), ("metrics.json", b"1")), "metrics.json") == b"1"
    with pytest.raises(InvalidModel, match="too large"):
        archive.read(packed(("m", b"x" * 1001), ("metrics.json", b"1")), "metrics.json")


@pytest.mark.parametrize(
    "content",
    [b"", b"not gzip", packed(("metrics.json", b"1")).getvalue()[:40]],
    # Named, since a gzip header holds the time: the workers would not agree on the tests.
    ids=["empty", "foreign", "cut"],
)
def test_what_is_no_archive_is_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(InvalidModel) as caught:
        archive.read(io.BytesIO(content), "metrics.json")
    assert len(str(caught.value).splitlines()) == 1


# --- The decision -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "champion", "greater", "margin", "better"),
    [
        (0.81, 0.80, True, 0.0, True),
        (0.80, 0.80, True, 0.0, False),
        (0.79, 0.80, True, 0.0, False),
        (0.81, 0.80, True, 0.02, False),
        (0.83, 0.80, True, 0.02, True),
        (3.0, 4.0, False, 0.5, True),
        (4.0, 3.0, False, 0.0, False),
        (3.0, 3.0, False, 0.0, False),
    ],
)
def test_better_means_by_more_than_the_margin(
    value: float, champion: float, greater: bool, margin: float, better: bool
) -> None:
    scores = Metrics("m", value, greater, Champion.SCORED, champion, None)

    assert decide(scores, margin, SAME, has_champion=True).better is better


@given(SCORES, SCORES, st.booleans(), st.floats(0, 1e6))
def test_of_two_models_at_most_one_is_better(
    ours: float, theirs: float, greater: bool, margin: float
) -> None:
    there = decide(
        Metrics("m", ours, greater, Champion.SCORED, theirs, None), margin, SAME, has_champion=True
    )
    back = decide(Metrics("m", theirs, greater, Champion.SCORED, ours, None), margin, SAME, has_champion=True)

    assert not (there.better and back.better)


def test_without_a_champion_the_first_model_is_better() -> None:
    decision = decide(ALONE, 0.1, Days("2026-11-22", ""), has_champion=False)

    assert (decision.better, decision.reason, decision.champion_value) == (True, "no champion yet", None)


def test_a_champion_that_can_serve_no_more_gives_way_and_the_reason_is_kept() -> None:
    why = "the data lack its column 'tips'"
    decision = decide(Metrics("auc", 0.5, True, Champion.UNUSABLE, None, why), 0.1, SAME, has_champion=True)

    assert (decision.better, decision.champion) == (True, "unusable")
    assert decision.reason == f"not compared with the champion, which is of no use any more: {why}"


def test_a_champion_of_something_else_stays_until_a_person_decides() -> None:
    why = "it learnt 'tips', not 'fare'"
    decision = decide(
        Metrics("auc", 0.99, True, Champion.INCOMPARABLE, None, why), 0.0, SAME, has_champion=True
    )

    assert (decision.better, decision.champion) == (False, "incomparable")
    assert decision.reason == (
        f"it cannot be compared with the champion: {why}; to begin anew, reject that model in the registry"
    )


def test_a_champion_nobody_scored_is_an_error() -> None:
    with pytest.raises(InvalidModel, match="was its channel given"):
        decide(ALONE, 0.0, SAME, has_champion=True)


@pytest.mark.parametrize("margin", [-0.01, float("nan"), float("inf")])
def test_a_margin_is_a_number_not_below_zero(margin: float) -> None:
    with pytest.raises(InvalidPayload, match="margin"):
        decide(ALONE, margin, SAME, has_champion=False)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        metrics(value=float("nan")),
        metrics(value=True),
        metrics(value="0.9"),
        metrics(value=None),
        metrics(metric=1),
        metrics(greater_is_better="yes"),
        metrics(champion="scored"),
        metrics(champion="scored", champion_value=float("inf")),
        metrics(champion="lost"),
    ],
)
def test_metrics_that_are_not_metrics_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidModel, match=r"metrics\.json of the model cannot be read"):
        Metrics.parse(body)


@pytest.mark.parametrize(
    ("model", "champion", "better"),
    [
        ("2026-11-22", "", True),
        ("2026-11-22", "2026-11-21", True),
        ("2026-11-22", "2026-11-22", True),
        ("2026-11-22", "2026-11-23", False),
        ("2026-09-30", "2026-10-01", False),
        ("2025-12-31", "2026-01-01", False),
    ],
)
@pytest.mark.parametrize("scored", [0.1, None])
def test_a_model_of_an_older_day_never_takes_the_place_of_a_later_one(
    model: str, champion: str, better: bool, scored: float | None
) -> None:
    scores = Metrics(
        *("auc", 0.99, True, Champion.SCORED if scored else Champion.UNUSABLE, scored),
        None if scored else "it cannot be read",
    )

    decision = decide(scores, 0.0, Days(model, champion), has_champion=True)

    assert decision.better is better
    assert ("of a later day" in decision.reason) is not better


def test_not_even_when_it_set_out_without_a_champion() -> None:
    decision = decide(ALONE, 0.0, Days("2026-11-21", "2026-11-22"), has_champion=False)

    assert (decision.better, decision.reason) == (
        False,
        "the champion is of a later day, 2026-11-22; no champion yet",
    )


# --- The registry -------------------------------------------------------------------------------------------


class Registry:
    """Answers as SageMaker does, newest first; each package is of a day, or of one nobody wrote down."""

    def __init__(self, *days: str, created: str = "2026-11-30T12:00:00+00:00") -> None:
        self.days = days
        self.created = datetime.fromisoformat(created)
        self.asked: dict[str, Any] = {}
        self.described = 0

    def get_paginator(self, operation: str) -> Registry:
        assert operation == "list_model_packages"
        return self

    def paginate(self, **query: Any) -> list[dict[str, Any]]:
        self.asked = query
        numbers = range(len(self.days))
        return [
            {"ModelPackageSummaryList": [{"ModelPackageArn": str(number), "CreationTime": self.created}]}
            for number in numbers
        ]

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803
        self.described += 1
        day = self.days[int(ModelPackageName)]
        return {"CustomerMetadataProperties": {"run_date": day}} if day else {}


@pytest.mark.parametrize(
    ("days", "latest"),
    [
        ((), ""),
        (("",), ""),
        (("2026-11-20", "", "2026-11-22", "2026-11-21"), "2026-11-22"),
        (("2026-11-20",) * (incumbent.DEPTH - 1) + ("2026-11-22",), "2026-11-22"),
    ],
)
def test_the_latest_day_of_the_groups_approved_models(days: tuple[str, ...], latest: str) -> None:
    registry = Registry(*days)

    assert incumbent.latest_day(registry, "models") == latest
    assert registry.asked["ModelApprovalStatus"] == "Approved"
    assert registry.asked["ModelPackageGroupName"] == "models"


def test_looking_through_the_registry_has_a_bound_that_is_told() -> None:
    registry = Registry(*["2026-11-20"] * incumbent.DEPTH, "2026-11-22")

    with pytest.raises(TooManyModels, match="models has more than 500 approved models"):
        incumbent.latest_day(registry, "models")


def test_models_made_before_the_latest_day_are_not_looked_at() -> None:
    registry = Registry(*["2026-11-22"] * 900, created="2026-11-21T23:00:00+00:00")

    assert incumbent.latest_day(registry, "models") == "2026-11-22"
    assert registry.described == 1


# --- The data -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Found('"a"', NOON - timedelta(days=1)), False),
        (Found('"a"', NOON), False),
        (Found('"b"', NOON - timedelta(seconds=1)), True),
        (Found('"b"', NOON), True),
        (Found('"b"', NOON + timedelta(seconds=1)), False),
        (None, True),
    ],
)
def test_a_change_counts_when_it_may_have_been_prepared(found: Found | None, verdict: bool) -> None:
    assert changed('"a"', found, NOON) is verdict


def test_the_changed_object_is_named() -> None:
    objects = [{"uri": f"s3://b/{number}", "etag": '"a"'} for number in range(100)]
    heads = {each["uri"]: Found('"a"', NOON) for each in objects}
    check(objects, NOON, heads)

    heads["s3://b/42"] = Found('"b"', NOON)
    with pytest.raises(DataChanged, match="object changed since it was judged: s3://b/42;"):
        check(objects, NOON, heads)


class Lake:
    """An S3 that answers a page of a thousand keys at a time, and nothing else."""

    def __init__(self, objects: int) -> None:
        self.objects = objects
        self.calls = 0

    def get_paginator(self, operation: str) -> Lake:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **query: Any) -> Iterator[dict[str, Any]]:
        assert query == {"Bucket": "b", "Prefix": "data/taxi/2026-11-22/"}
        for start in range(0, self.objects, 1000):
            self.calls += 1
            yield {
                "Contents": [
                    {"Key": f"{query['Prefix']}{number}.csv", "ETag": '"a"', "LastModified": NOON}
                    for number in range(start, min(start + 1000, self.objects))
                ]
            }


def test_as_many_objects_as_a_day_may_have_take_ten_calls() -> None:
    most = configuration("prod").validation.max_objects
    lake, folder = Lake(most), "s3://b/data/taxi/2026-11-22/"

    found = listed(lake, folder)

    check([{"uri": f"{folder}{number}.csv", "etag": '"a"'} for number in range(most)], NOON, found)
    assert (len(found), lake.calls) == (10_000, 10)


def test_a_folder_of_nothing_is_a_change() -> None:
    lake, folder = Lake(0), "s3://b/data/taxi/2026-11-22/"

    with pytest.raises(DataChanged):
        check([{"uri": f"{folder}0.csv", "etag": '"a"'}], NOON, listed(lake, folder))


# --- The whole ----------------------------------------------------------------------------------------------


@pytest.fixture
def payload(bucket: Bucket) -> dict[str, Any]:
    bucket.create("data/a #1?.csv", b"1")
    stored = bucket.read("data/a #1?.csv")
    assert stored is not None
    data_uri = bucket.uri("data/")
    manifest = {"data_uri": data_uri, "objects": [{"uri": bucket.uri("data/a #1?.csv"), "etag": stored.etag}]}
    bucket.create("manifest.json", json.dumps(manifest).encode())
    bucket.create("model.tar.gz", packed(("metrics.json", metrics(value=0.83))).getvalue())
    return {
        "run_id": "r-1",
        "dataset": "taxi",
        "run_date": "2026-11-22",
        "model_package_group": "models",
        "model_data_url": bucket.uri("model.tar.gz"),
        "champion": {"model_data_url": "", "model_package_arn": ""},
        "manifest_uri": bucket.uri("manifest.json"),
        "prepared_before": (datetime.now(UTC) + timedelta(minutes=1)).isoformat().replace("+00:00", "Z"),
        "margin": 0,
    }


def test_the_first_model_is_registered(payload: dict[str, Any], aws_clients: Mapping[str, Any]) -> None:
    assert main.evaluate(payload, main.Clients(aws_clients["s3"], Registry())) == {
        "better": True,
        "metric": "auc",
        "value": 0.83,
        "champion": "none",
        "champion_value": None,
        "margin": 0.0,
        "reason": "no champion yet",
    }


def test_a_champion_that_came_meanwhile_is_seen(
    payload: dict[str, Any], aws_clients: Mapping[str, Any]
) -> None:
    clients = main.Clients(aws_clients["s3"], Registry("2026-11-23"))

    assert main.evaluate(payload, clients)["better"] is False
    assert main.evaluate({**payload, "run_date": "2026-11-23"}, clients)["better"] is True


def test_the_log_says_which_run_it_is_of(
    payload: dict[str, Any],
    aws_clients: Mapping[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(main, "_clients", lambda: main.Clients(aws_clients["s3"], Registry()))

    main.handler(payload, None)
    with pytest.raises(InvalidPayload):
        main.handler({**payload, "manifest_uri": "/etc/passwd"}, None)

    ended, failed = map(json.loads, capsys.readouterr().out.splitlines())
    assert (ended["run_id"], ended["better"], ended["reason"]) == ("r-1", True, "no champion yet")
    assert (failed["level"], failed["run_id"], failed["error"]) == ("ERROR", "r-1", "InvalidPayload")


def test_changed_data_stop_the_run(
    payload: dict[str, Any], bucket: Bucket, aws_clients: Mapping[str, Any]
) -> None:
    bucket.client.put_object(Bucket=bucket.name, Key="data/a #1?.csv", Body=b"2")

    with pytest.raises(DataChanged, match=r"data/a #1\?\.csv"):
        main.evaluate(payload, main.Clients(aws_clients["s3"], Registry()))


def test_removed_data_stop_the_run(
    payload: dict[str, Any], bucket: Bucket, aws_clients: Mapping[str, Any]
) -> None:
    bucket.client.delete_object(Bucket=bucket.name, Key="data/a #1?.csv")

    with pytest.raises(DataChanged):
        main.evaluate(payload, main.Clients(aws_clients["s3"], Registry()))


@pytest.mark.parametrize(
    "uri", ["", "s3://", "s3://bucket", "s3://bucket/", "https://bucket/key", "/etc/passwd"]
)
def test_only_objects_of_s3_are_read(uri: str) -> None:
    with pytest.raises(InvalidPayload, match="not the URI of an S3 object"):
        Location.parse(uri)


def test_a_key_may_hold_anything() -> None:
    assert Location.parse("s3://b/a/?x=1#y z") == ("b", "a/?x=1#y z")
