from __future__ import annotations

import errno
import io
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
import tenacity
from botocore.exceptions import ClientError, IncompleteReadError

from validator import store
from validator.errors import DataError, StorageError, UsageError
from validator.store import Buckets, Object


class TestFiles:
    def test_what_is_written_is_read_and_nothing_else_is_left(self, tmp_path: Path) -> None:
        uri = str(tmp_path / "runs" / "gate.json")
        store.write(uri, b"one")
        store.write(uri, b"two")
        assert store.at(uri).read(uri) == b"two"
        assert [p.name for p in (tmp_path / "runs").iterdir()] == ["gate.json"]

    def test_a_folder_that_cannot_be_written_is_a_mistake(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(UsageError, match="cannot write"):
            store.write(str(tmp_path / "file" / "below"), b"")
        with pytest.raises(UsageError, match="file: it is a file, not a folder; name a folder"):
            store.prepare(str(tmp_path / "file"))

    def test_a_full_disk_is_a_storage_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(**_: Any) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("tempfile.mkstemp", full)
        with pytest.raises(StorageError, match="no space left on device; make room"):
            store.write(str(tmp_path / "file"), b"")

    def test_a_prepared_folder_is_there_and_empty(self, tmp_path: Path) -> None:
        store.prepare(str(tmp_path / "runs" / "today"))
        assert [*tmp_path.rglob("*")] == [tmp_path / "runs", tmp_path / "runs" / "today"]

    def test_a_folder_is_listed_deep_sorted_and_without_marks(self, tmp_path: Path) -> None:
        for name in ("b.csv", "a/c.csv", "_SUCCESS", ".hidden.csv", "_temporary/d.csv"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(b"x")
        listed = store.at(str(tmp_path)).list(str(tmp_path))
        assert [Path(o.uri).relative_to(tmp_path).as_posix() for o in listed] == ["a/c.csv", "b.csv"]

    def test_a_glob_and_a_name_with_glob_signs_are_told_apart(self, tmp_path: Path) -> None:
        for name in ("part[1].csv", "part1.csv", "other.txt"):
            (tmp_path / name).write_bytes(b"x")
        exact = store.at("").list(f"{tmp_path}/part[1].csv")
        globbed = store.at("").list(f"{tmp_path}/*.csv")
        assert [Path(o.uri).name for o in exact] == ["part[1].csv"]
        assert [Path(o.uri).name for o in globbed] == ["part1.csv", "part[1].csv"]

    def test_a_file_url_is_a_path(self, tmp_path: Path) -> None:
        (tmp_path / "a b.csv").write_bytes(b"x")
        uri = f"file://{tmp_path}/a%20b.csv"
        assert store.at(uri).read(uri) == b"x"

    def test_a_pipe_is_refused_at_once(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.csv")
        with pytest.raises(UsageError, match="a pipe, socket or device"):
            store.at("").list(str(tmp_path))

    def test_a_socket_and_a_device_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("s.csv")
            for name in ("s.csv", "/dev/zero"):
                with pytest.raises(UsageError, match="a pipe, socket or device"):
                    store.at(name).list(name)

    def test_a_loop_of_links_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
        with pytest.raises(UsageError, match="too many levels of symbolic links"):
            store.at("").list(str(tmp_path))

    def test_a_link_to_a_folder_is_named_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "again").symlink_to(tmp_path)
        with pytest.raises(UsageError, match="again: it is a folder"):
            store.at("").list(str(tmp_path))

    @pytest.mark.parametrize("uri", ["missing.csv", "missing/*.csv", "a\0b", ""])
    def test_what_is_not_there_is_refused(
        self, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(UsageError):
            store.at(uri).read(uri)
        if uri:
            with pytest.raises(UsageError):
                store.at(uri).list(uri)

    def test_a_file_that_changed_since_it_was_listed_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "a.csv"
        file.write_bytes(b"one")
        (listed,) = store.at("").list(str(file))
        store.at("").open(listed).close()
        file.write_bytes(b"three")
        with pytest.raises(DataError, match="changed since"):
            store.at("").open(listed)

    def test_a_scheme_nobody_reads_is_refused(self) -> None:
        with pytest.raises(UsageError, match="gs:// is unknown"):
            store.at("gs://bucket/x")

    @pytest.mark.parametrize(
        ("uri", "expected"),
        [("out", "out/x/y"), ("out/", "out/x/y"), ("/", "//x/y"), ("s3://b/p/", "s3://b/p/x/y")],
    )
    def test_names_below_a_uri(self, uri: str, expected: str) -> None:
        assert store.child(uri, "x", "y") == expected


class Answers:
    """An S3 client that answers a list of bodies and errors."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, str]] = []

    def get_object(self, **request: str) -> dict[str, Any]:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"Body": io.BytesIO(answer)}

    @property
    def store(self) -> Buckets:
        return Buckets(self, tenacity.Retrying(stop=tenacity.stop_after_attempt(3), reraise=True))


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "GetObject")


TARGET = Object("s3://b/k", size=5, etag='"e"', version_id="v")


class TestRangesOfAnObject:
    def test_exactly_the_named_version_is_read(self) -> None:
        client = Answers(b"abcde")
        assert client.store.open(TARGET).read() == b"abcde"
        expected = {
            "Bucket": "b",
            "Key": "k",
            "Range": "bytes=0-4",
            "IfMatch": '"e"',
            "VersionId": "v",
        }
        assert client.requests == [expected]

    def test_ranges_are_asked_for_where_the_reader_stands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(store, "FIRST_RANGE_BYTES", 2)
        monkeypatch.setattr(store, "RANGE_BYTES", 3)
        client = Answers(b"de", b"abc", b"de")
        reader = client.store.open(TARGET)
        reader.seek(-2, io.SEEK_END)
        assert reader.read(2) == b"de"
        reader.seek(0)
        assert reader.read() == b"abcde"
        assert [r["Range"] for r in client.requests] == ["bytes=3-4", "bytes=0-2", "bytes=3-4"]

    def test_an_empty_object_is_not_asked_for(self) -> None:
        assert Answers().store.open(Object("s3://b/k", size=0)).read() == b""

    def test_a_body_that_broke_off_is_asked_for_again(self) -> None:
        broken = IncompleteReadError(actual_bytes=1, expected_bytes=5)
        client = Answers(broken, ConnectionResetError(), b"abcde")
        assert client.store.open(TARGET).read() == b"abcde"

    def test_patience_ends(self) -> None:
        with pytest.raises(StorageError, match="does not answer"):
            Answers(*[ConnectionResetError()] * 3).store.read("s3://b/k")

    @pytest.mark.parametrize("answer", [refusal("PreconditionFailed"), b"abc"])
    def test_a_replaced_object_says_so(self, answer: bytes | Exception) -> None:
        with pytest.raises(DataError, match="changed since the manifest was written"):
            Answers(*[answer] * 3).store.open(TARGET).read()

    @pytest.mark.parametrize(
        ("code", "error"),
        [("NoSuchKey", UsageError), ("AccessDenied", UsageError), ("SlowDown", StorageError)],
    )
    def test_codes_of_s3_are_someones_turn(self, code: str, error: type[Exception]) -> None:
        with pytest.raises(error, match=code):
            Answers(*[refusal(code)] * 3).store.read("s3://b/k")


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (refusal("SlowDown"), True),
        (refusal("AccessDenied"), False),
        (ConnectionResetError(), True),
        (IncompleteReadError(actual_bytes=1, expected_bytes=5), True),
        (FileNotFoundError(), False),
    ],
)
def test_only_what_may_pass_is_asked_for_again(error: Exception, again: bool) -> None:
    assert store._may_pass(error) is again


@pytest.fixture
def bucket(aws_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)
    store._buckets.cache_clear()
    name = "store-test"
    boto3.client("s3").create_bucket(Bucket=name)
    yield f"s3://{name}"
    store._buckets.cache_clear()


class TestBuckets:
    def test_a_prefix_is_listed_without_marks_and_read_by_ranges(self, bucket: str) -> None:
        s3 = store.at(bucket)
        for key in ("d/b.csv", "d/a/c.csv", "d/_SUCCESS", "d/.x", "dd.csv", "d/"):
            s3.write(f"{bucket}/{key}", b"x" * 10)
        listed = s3.list(f"{bucket}/d")
        assert [o.uri for o in listed] == [f"{bucket}/d/a/c.csv", f"{bucket}/d/b.csv"]
        assert s3.open(listed[0]).read() == b"x" * 10

    def test_one_object_a_glob_and_nothing(self, bucket: str) -> None:
        s3 = store.at(bucket)
        s3.write(f"{bucket}/g/1.csv", b"x")
        assert [o.uri for o in s3.list(f"{bucket}/g/1.csv")] == [f"{bucket}/g/1.csv"]
        assert [o.uri for o in s3.list(f"{bucket}/g/*.csv")] == [f"{bucket}/g/1.csv"]
        assert s3.list(f"{bucket}/nothing/") == []
        assert (store.exists(f"{bucket}/g/1.csv"), store.exists(f"{bucket}/g/1")) == (True, False)

    def test_an_object_replaced_after_the_listing_is_refused(self, bucket: str) -> None:
        s3 = store.at(bucket)
        s3.write(f"{bucket}/r.csv", b"before")
        (listed,) = s3.list(f"{bucket}/r.csv")
        s3.write(f"{bucket}/r.csv", b"after!")
        with pytest.raises(DataError, match="changed since"):
            s3.open(listed).read()

    def test_an_object_or_bucket_that_is_not_there(self, bucket: str) -> None:
        for uri in (f"{bucket}/none", "s3://no-such-bucket-here/x"):
            with pytest.raises(UsageError, match="no such object or bucket"):
                store.at(uri).read(uri)

    @pytest.mark.usefixtures("bucket")
    def test_a_uri_without_a_bucket(self) -> None:
        with pytest.raises(UsageError, match="names no bucket"):
            store.at("s3:///x").read("s3:///x")
