"""The baseline: the latest accepted day before this one, and never this one or a later one."""

from __future__ import annotations

import json
from datetime import date

import pytest

from steps.init import baseline
from steps.init.bucket import Bucket
from steps.init.errors import InvalidRecord

DAY = date(2026, 11, 22)


def accept(bucket: Bucket, dataset: str, day: str, uri: str) -> None:
    bucket.create(f"accepted/{dataset}/{day}.json", json.dumps({"statistics_uri": uri}).encode())


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([], None),
        (["2026-11-22"], None),
        (["2026-11-23", "2027-01-01"], None),
        (["2026-11-21", "2026-11-22", "2026-11-23"], "2026-11-21"),
        (["2026-09-30", "2026-10-01", "2025-12-31"], "2026-10-01"),
        (["notes", "2026-11-21.json.bak", "2026-11-20"], "2026-11-20"),
    ],
)
def test_the_greatest_date_before_the_run(days: list[str], expected: str | None) -> None:
    keys = [f"accepted/taxi/{day}.json" for day in days]

    assert baseline.latest_before(keys, DAY) == (expected and f"accepted/taxi/{expected}.json")


def test_the_record_names_the_statistics(bucket: Bucket) -> None:
    older, newer = bucket.uri("validation/1/statistics.pb"), bucket.uri("validation/2/statistics.pb")
    accept(bucket, "taxi", "2026-11-20", older)
    accept(bucket, "taxi", "2026-11-21", newer)
    accept(bucket, "taxi", "2026-11-22", bucket.uri("validation/3/statistics.pb"))
    accept(bucket, "taxi-2", "2026-11-21", bucket.uri("validation/4/statistics.pb"))

    assert baseline.find(bucket, "taxi", DAY) == newer


def test_without_an_accepted_run_there_is_none(bucket: Bucket) -> None:
    assert baseline.find(bucket, "taxi", DAY) == ""


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"statistics_uri": 7}', b'{"statistics_uri": "s3://other/runs/x"}']
)
def test_a_record_that_names_no_statistics_of_ours_is_refused(bucket: Bucket, body: bytes) -> None:
    bucket.create("accepted/taxi/2026-11-21.json", body)

    with pytest.raises(InvalidRecord, match=r"accepted/taxi/2026-11-21\.json names no statistics"):
        baseline.find(bucket, "taxi", DAY)
