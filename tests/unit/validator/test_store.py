from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
import pytest

from validator import store
from validator.errors import DataError, Interrupted, UsageError
from validator.interruption import Interruption
from validator.store.buckets import Buckets
from validator.store.patience import WAIT, Patience

NAME = "store-test"


def test_a_scheme_nobody_reads_is_refused() -> None:
    with pytest.raises(UsageError, match="gs:// is unknown"):
        store.at("gs://bucket/x")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [("out", "out/x/y"), ("out/", "out/x/y"), ("/", "/x/y"), ("s3://b/p/", "s3://b/p/x/y")],
)
def test_names_below_a_uri(uri: str, expected: str) -> None:
    assert store.child(uri, "x", "y") == expected


@pytest.fixture
def bucket(aws_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)
    store._buckets.cache_clear()
    name = NAME
    boto3.client("s3").create_bucket(Bucket=name)
    yield f"s3://{name}"
    store._buckets.cache_clear()


def test_a_prefix_is_listed_without_marks_and_read_by_ranges(bucket: str) -> None:
    s3 = store.at(bucket)
    for key in ("d/b.csv", "d/a/c.csv", "d/_SUCCESS", "d/.x", "dd.csv", "d/"):
        s3.write(f"{bucket}/{key}", b"x" * 10)
    listed = s3.list(f"{bucket}/d")
    assert [o.uri for o in listed] == [f"{bucket}/d/a/c.csv", f"{bucket}/d/b.csv"]
    assert s3.open(listed[0]).read() == b"x" * 10


def test_one_object_a_glob_and_nothing(bucket: str) -> None:
    s3 = store.at(bucket)
    s3.write(f"{bucket}/g/1.csv", b"x")
    assert [o.uri for o in s3.list(f"{bucket}/g/1.csv")] == [f"{bucket}/g/1.csv"]
    assert [o.uri for o in s3.list(f"{bucket}/g/*.csv")] == [f"{bucket}/g/1.csv"]
    assert s3.list(f"{bucket}/nothing/") == []
    assert (store.exists(f"{bucket}/g/1.csv"), store.exists(f"{bucket}/g/1")) == (True, False)


def test_an_object_replaced_after_the_listing_is_refused(bucket: str) -> None:
    s3 = store.at(bucket)
    s3.write(f"{bucket}/r.csv", b"before")
    (listed,) = s3.list(f"{bucket}/r.csv")
    s3.write(f"{bucket}/r.csv", b"after!")
    with pytest.raises(DataError, match="changed since"):
        s3.open(listed).read()


def test_an_object_or_bucket_that_is_not_there(bucket: str) -> None:
    for uri in (f"{bucket}/none", "s3://no-such-bucket-here/x"):
        with pytest.raises(UsageError, match="no such object or bucket"):
            store.at(uri).read(uri)


@pytest.mark.usefixtures("bucket")
def test_a_uri_without_a_bucket() -> None:
    with pytest.raises(UsageError, match="names no bucket"):
        store.at("s3:///x").read("s3:///x")


KEYS = ("d/day=1/a.csv", "d/day=2/b/c.csv", "d/day=2/_tmp/d.csv", "d/_day=3/f.csv", "d/_g.csv", "d2/h.csv")


def test_patterns_mean_the_same_in_buckets_as_in_folders(bucket: str, tmp_path: Path) -> None:
    for key in KEYS:
        for root in (bucket, tmp_path):
            store.write(f"{root}/p/{key}", b"x")
    for pattern in (
        "d",
        "d/",
        "d*",
        "*/*.csv",
        "d/day=*",
        "d/**",
        "**/*.csv",
        "d/_*",
        "d/day=[2-9]",
        "?/**/?.csv",
    ):
        remote, local = (
            [each.uri.removeprefix(str(root)) for each in store.at(str(root)).list(f"{root}/p/{pattern}")]
            for root in (bucket, tmp_path)
        )
        assert remote == local
        assert remote


def test_a_key_with_signs_of_a_pattern_is_that_key(bucket: str) -> None:
    for key in ("s/part[1].csv", "s/part1.csv"):
        store.write(f"{bucket}/{key}", b"x")
    listed = [each.uri for each in store.at(bucket).list(f"{bucket}/s/part[1].csv")]
    assert listed == [f"{bucket}/s/part[1].csv"]


def test_a_listing_has_pages_and_an_end(bucket: str) -> None:
    client = boto3.client("s3")
    for number in range(5):
        store.write(f"{bucket}/m/{number}.csv", b"")
    pages = Buckets(client, Patience())._listed(bucket, NAME, "m/", MaxKeys=2)
    assert [each.uri for each in pages] == [f"{bucket}/m/{number}.csv" for number in range(5)]
    assert len(Buckets(client, Patience(), most=5).list(f"{bucket}/m")) == 5
    with pytest.raises(UsageError, match="more than 4 names; name a narrower folder"):
        Buckets(client, Patience(), most=4).list(f"{bucket}/m/*.txt")


def test_partitions_lie_below_the_prefix_of_a_pattern(bucket: str) -> None:
    s3 = store.at(bucket)
    assert s3.root(f"{bucket}/a/b=*/*.csv") == f"{bucket}/a"
    assert s3.root(f"{bucket}/a/") == f"{bucket}/a"
    assert (s3.root(f"{bucket}/*.csv"), s3.root(bucket)) == (bucket, bucket)


def test_a_signal_is_heeded_by_whoever_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WAIT, "interruption", WAIT.interruption)
    interruption = Interruption()
    store.heed(interruption)
    WAIT.check()
    monkeypatch.setattr(interruption, "_name", "SIGTERM")
    with pytest.raises(Interrupted, match="SIGTERM"):
        WAIT.check()
