"""The baseline: the latest accepted day before this one that is readable and not withdrawn."""

from __future__ import annotations

import json
from datetime import date

import pytest

from steps.init import baseline
from steps.init.baseline import Baseline
from steps.init.bucket import Bucket

DAY = date(2026, 11, 22)
SHA256 = "0123456789abcdef" * 4


def accept(bucket: Bucket, dataset: str, day: str, run_id: str) -> str:
    """Put a record down; return the URI of its statistics."""
    uri = bucket.uri(f"validation/{day}/{run_id}/statistics.pb")
    record = {"run_id": run_id, "statistics_uri": uri, "statistics_sha256": SHA256}
    bucket.create(f"accepted/{dataset}/{day}.json", json.dumps(record).encode())
    return uri


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([], []),
        (["2026-11-22"], []),
        (["2026-11-23", "2027-01-01"], []),
        (["2026-11-21", "2026-11-22", "2026-11-23"], ["2026-11-21"]),
        (["2026-09-30", "2026-10-01", "2025-12-31"], ["2026-10-01", "2026-09-30", "2025-12-31"]),
        (["notes", "2026-11-21.json.bak", "2026-11-20"], ["2026-11-20"]),
    ],
)
def test_days_before_the_run_the_latest_first(days: list[str], expected: list[str]) -> None:
    keys = [f"accepted/taxi/{day}.json" for day in days]

    assert baseline.before(keys, DAY) == [f"accepted/taxi/{day}.json" for day in expected]


def test_the_record_names_the_statistics(bucket: Bucket) -> None:
    accept(bucket, "taxi", "2026-11-20", "r-1")
    newer = accept(bucket, "taxi", "2026-11-21", "r-2")
    accept(bucket, "taxi", "2026-11-22", "r-3")
    accept(bucket, "taxi-2", "2026-11-21", "r-4")

    assert baseline.find(bucket, "taxi", DAY) == Baseline(newer, SHA256, ())


def test_of_a_day_that_was_accepted_before_there_was_a_hash_none_is_known(bucket: Bucket) -> None:
    uri = accept(bucket, "taxi", "2026-11-21", "r-2")
    record = {"run_id": "r-2", "statistics_uri": uri}
    bucket.client.put_object(
        Bucket=bucket.name, Key="accepted/taxi/2026-11-21.json", Body=json.dumps(record).encode()
    )

    assert baseline.find(bucket, "taxi", DAY) == Baseline(uri, "", ())


def test_without_an_accepted_run_there_is_none(bucket: Bucket) -> None:
    assert baseline.find(bucket, "taxi", DAY) == Baseline("", "", ())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"run_id": "r", "statistics_uri": 7, "statistics_sha256": "SHA256"}',
        b'{"run_id": "r", "statistics_uri": "s3://other/validation/x", "statistics_sha256": "SHA256"}',
        b'{"run_id": 7, "statistics_uri": "s3://BUCKET/validation/x", "statistics_sha256": "SHA256"}',
        b'{"statistics_uri": "s3://BUCKET/validation/x", "statistics_sha256": "SHA256"}',
        b'{"run_id": "r", "statistics_uri": "s3://BUCKET/data/x", "statistics_sha256": "SHA256"}',
        b'"run_id"',
        b'{"run_id": "r", "statistics_uri": "s3://BUCKET/validation/x", "statistics_sha256": null}',
        b'{"run_id": "r", "statistics_uri": "s3://BUCKET/validation/x", "statistics_sha256": "abc"}',
    ],
)
def test_a_record_that_cannot_be_used_gives_way_to_the_day_before_and_is_named(
    bucket: Bucket, body: bytes
) -> None:
    filled = body.replace(b"BUCKET", bucket.name.encode()).replace(b"SHA256", SHA256.encode())
    bucket.create("accepted/taxi/2026-11-21.json", filled)
    alone = baseline.find(bucket, "taxi", DAY)
    older = accept(bucket, "taxi", "2026-11-19", "r-1")

    record = bucket.uri("accepted/taxi/2026-11-21.json")
    assert alone == Baseline("", "", (record,))
    assert baseline.find(bucket, "taxi", DAY) == Baseline(older, SHA256, (record,))


def test_a_withdrawn_run_is_no_baseline_and_the_days_next_run_is(bucket: Bucket) -> None:
    older = accept(bucket, "taxi", "2026-11-20", "r-1")
    accept(bucket, "taxi", "2026-11-21", "r-2")
    bucket.create("withdrawn/taxi/r-2", b"")
    bucket.create("withdrawn/bikes/r-1", b"")
    assert baseline.find(bucket, "taxi", DAY) == Baseline(older, SHA256, ())

    bucket.client.delete_object(Bucket=bucket.name, Key="accepted/taxi/2026-11-21.json")
    again = accept(bucket, "taxi", "2026-11-21", "r-3")

    assert baseline.find(bucket, "taxi", DAY) == Baseline(again, SHA256, ())
