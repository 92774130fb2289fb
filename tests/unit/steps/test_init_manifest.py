"""The manifest: what is data, in which order, and never more than the bound."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.init.bucket import Bucket
from steps.init.errors import InvalidRecord, TooManyObjects
from steps.init.manifest import KINDS, Manifest, Object, compose, listing, write_once
from templates.functions import PACE
from validator import formats
from validator import manifest as validator_manifest
from validator.store.names import is_hidden

FOLDER = "s3://lake/data/taxi/2026-11-22/"
MODIFIED = datetime(2026, 11, 22, 11, 0, tzinfo=timezone(timedelta(hours=1)))


def entry(key: str, size: int = 3) -> dict[str, Any]:
    return {"Key": key, "Size": size, "ETag": '"e"', "LastModified": MODIFIED}


def manifest(*keys: str) -> Manifest:
    entries = [entry(key) for key in keys]
    return compose(entries, dataset="taxi", run_date=date(2026, 11, 22), run_id="r1", data_uri=FOLDER)


def names(found: Manifest) -> list[str]:
    return [each.uri.removeprefix(FOLDER) for each in found.objects]


def test_data_are_named_in_the_order_of_their_uris() -> None:
    found = manifest("b.csv", "a/part-0.parquet", "c.csv.gz", "UPPER.CSV")

    assert names(found) == ["UPPER.CSV", "a/part-0.parquet", "b.csv", "c.csv.gz"]
    assert [each.kind for each in found.objects] == ["text", "columnar", "text", "stream"]


def test_hidden_names_and_folder_markers_are_left_out() -> None:
    found = manifest("_SUCCESS", ".part.crc", "_temporary/0/part.csv", "a/.hidden/b.csv", "a/", "ok.csv")

    assert names(found) == ["ok.csv"]
    assert found.ignored == ()


def test_partitions_are_not_hidden() -> None:
    assert names(manifest("_day=1/a.csv", "day=2/_b.csv", ".c=3/d.csv")) == ["_day=1/a.csv"]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1))
def test_what_is_hidden_is_what_the_validator_passes_over(name: str) -> None:
    assert bool(names(manifest(f"{name}/a.csv"))) is not is_hidden(name)


def test_data_are_what_the_validator_reads() -> None:
    assert set(KINDS) == {*formats.DELIMITED, *formats.FORMATS}
    for suffix in KINDS:
        assert names(manifest(f"a{suffix}")) == [f"a{suffix}"]


@pytest.mark.parametrize("suffix", KINDS)
def test_a_second_of_work_is_a_shard_of_the_validators(suffix: str) -> None:
    data, weight = Object(f"a{suffix}", 0, "", ""), formats.of(f"a{suffix}").weight

    assert weight.shard_bytes == PACE[KINDS[suffix]]
    assert weight.is_cuttable == data.is_cuttable


def test_what_is_not_data_is_named_as_ignored() -> None:
    found = manifest("README.md", "a.csv", "a.csv.zip", "csv")

    assert names(found) == ["a.csv"]
    assert found.ignored == (FOLDER + "README.md", FOLDER + "a.csv.zip", FOLDER + "csv")


def test_the_validator_reads_what_init_writes() -> None:
    written = manifest("a.csv", "b.csv.zip", "c.json", "x.csv ")

    read = validator_manifest.parse(written.to_bytes(), "m")

    assert [asdict(each) for each in read.objects] == [
        {**asdict(each), "version_id": None} for each in written.objects
    ]
    assert (read.dataset, read.run_date, read.run_id) == (written.dataset, written.run_date, written.run_id)
    assert (
        read.ignored == written.ignored == tuple(FOLDER + name for name in ("b.csv.zip", "c.json", "x.csv "))
    )


def test_times_are_utc_in_iso_8601() -> None:
    assert manifest("a.csv").objects[0].last_modified == "2026-11-22T10:00:00+00:00"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1)))
def test_a_manifest_survives_its_bytes_whatever_the_names(keys: list[str]) -> None:
    found = manifest(*(f"{key}.csv" for key in keys))

    assert Manifest.parse(found.to_bytes()) == found


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"[" * 100_000, b'{"version": 2}', b'{"version": 1, "objects": [{"uri": 1}]}'],
    ids=lambda body: body[:40],
)
def test_a_damaged_manifest_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRecord, match="start a new execution"):
        Manifest.parse(body)


@pytest.mark.parametrize("value", [None, True, 7, -1, 1.5, [], [1], {}, {"x": "y"}], ids=repr)
@pytest.mark.parametrize("name", ["dataset", "run_date", "run_id", "data_uri", "objects", "ignored"])
@pytest.mark.parametrize("place", ["uri", "size", "etag", "last_modified", ""])
def test_a_field_is_what_it_should_be_or_refused(place: str, name: str, value: object) -> None:
    document = json.loads(manifest("a.csv", "README.md").to_bytes())
    (document["objects"][0] if place else document).update({place or name: value})
    if (place or name, value) in [("objects", []), ("ignored", []), ("size", 7)]:
        assert Manifest.parse(json.dumps(document).encode())
    else:
        with pytest.raises(InvalidRecord, match="start a new execution"):
            Manifest.parse(json.dumps(document).encode())


def test_a_key_with_an_empty_part_is_not_left_out() -> None:
    assert names(manifest("/a.csv", "b//c.csv", "d//", "")) == ["/a.csv", "b//c.csv"]


def test_the_listing_pages_and_keeps_the_bound(bucket: Bucket) -> None:
    for number in range(5):
        bucket.create(f"data/d/{number}.csv", b"x")
    bucket.create("data/dx/other.csv", b"x")

    assert [found["Key"] for found in listing(bucket, "data/d/", limit=5)] == [f"{n}.csv" for n in range(5)]
    with pytest.raises(
        TooManyObjects, match=r"more than 4 objects below s3://.*/data/d/: one run may name 4"
    ):
        listing(bucket, "data/d/", limit=4)


def test_the_listing_stops_at_the_bound_instead_of_reading_on() -> None:
    read = []

    class Endless(Bucket):
        def listing(self, prefix: str) -> Iterator[dict[str, Any]]:
            while True:
                read.append(prefix)
                yield entry(f"{prefix}x.csv")

    with pytest.raises(TooManyObjects):
        listing(Endless(None, "lake"), "data/", limit=10)
    assert len(read) == 11


def test_a_retry_reads_the_manifest_of_the_first_attempt(bucket: Bucket) -> None:
    first = write_once(bucket, "runs/m.json", manifest("a.csv"))

    again = write_once(bucket, "runs/m.json", manifest("a.csv", "late.csv"))

    assert names(first) == names(again) == ["a.csv"]


@pytest.mark.parametrize(
    "other",
    [{"dataset": "rides"}, {"run_date": date(2026, 11, 21)}, {"run_id": "r2"}, {"data_uri": "s3://other/"}],
    ids=str,
)
def test_a_manifest_of_another_run_is_not_taken(bucket: Bucket, other: dict[str, Any]) -> None:
    key = f"runs/{other}.json"
    bucket.create(key, replace(manifest("a.csv"), **other).to_bytes())

    with pytest.raises(InvalidRecord, match=r"is of another run, of .* start an execution of another name"):
        write_once(bucket, key, manifest("a.csv"))


def test_the_listing_becomes_objects_with_what_s3_says_of_them(bucket: Bucket) -> None:
    bucket.create("data/e/a.csv", b"12345")

    found = compose(
        listing(bucket, "data/e/", 10), dataset="e", run_date=date(2026, 1, 1), run_id="r", data_uri=FOLDER
    )

    (only,) = found.objects
    stored = bucket.read("data/e/a.csv")
    assert stored is not None
    assert (only.size, only.etag) == (5, stored.etag)
    assert datetime.fromisoformat(only.last_modified).tzinfo == UTC
