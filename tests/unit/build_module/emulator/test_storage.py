"""S3 as folders."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from build.rehearsal.emulator.storage import Storage, split

CHANGED = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Bucket:
    """A client of one bucket, in memory."""

    def __init__(self, **objects: str) -> None:
        self.objects = objects

    class exceptions:  # noqa: N801
        ClientError = KeyError

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"ETag": self.objects[Key], "LastModified": CHANGED}

    def get_paginator(self, _name: str) -> Bucket:
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        keys = sorted(key for key in self.objects if key.startswith(Prefix))
        # One object a page: who reads the first page only is found out.
        return [{"Contents": [{"Key": key, "LastModified": CHANGED}]} for key in keys] or [{}]

    def download_file(self, _bucket: str, key: str, target: str) -> None:
        Path(target).write_text(self.objects[key])

    def upload_file(self, source: str, _bucket: str, key: str) -> None:
        self.objects[key] = Path(source).read_text()


def bucket(*keys: str) -> Bucket:
    client = Bucket()
    client.objects = {key: key for key in keys}
    return client


@pytest.mark.parametrize(
    ("uri", "parts"),
    [("s3://b/k/x.csv", ("b", "k/x.csv")), ("s3://b", ("b", "")), ("s3://b/a?b#c d", ("b", "a?b#c d"))],
)
def test_uris_are_split(uri: str, parts: tuple[str, str]) -> None:
    assert split(uri) == parts


def test_an_object_becomes_a_file_with_its_time(tmp_path: Path) -> None:
    file = Storage(bucket("d/one.json", "d/one.json.bak")).download("s3://b/d/one.json", tmp_path / "in")
    assert file == tmp_path / "in" / "one.json"
    assert file.stat().st_mtime == CHANGED.timestamp()
    assert [entry.name for entry in (tmp_path / "in").iterdir()] == ["one.json"]


@pytest.mark.parametrize("uri", ["s3://b/d", "s3://b/d/"])
def test_a_prefix_becomes_a_folder(tmp_path: Path, uri: str) -> None:
    folder = Storage(bucket("d/a", "d/deep/b", "d/", "data/c")).download(uri, tmp_path / "in")
    found = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert found == {"a", "deep/b"}


def test_nothing_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing lies at s3://b/none"):
        Storage(bucket("other")).download("s3://b/none", tmp_path)


def test_a_key_cannot_leave_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="leads out"):
        Storage(bucket("d/../../escaped")).download("s3://b/d/", tmp_path / "in")
    assert not (tmp_path.parent / "escaped").exists()


def test_a_folder_is_stored_below_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b").write_text("b")
    (tmp_path / "a").write_text("a")
    client = bucket()
    Storage(client).upload(tmp_path, "s3://b/out/")
    assert client.objects == {"out/a": "a", "out/deep/b": "b"}
