from __future__ import annotations

import json
from typing import Any

import pytest

from validator import manifest
from validator.errors import UsageError
from validator.manifest import Object


def document(**changes: Any) -> bytes:
    entry = {
        "uri": "s3://b/data/part-0.csv",
        "size": 12,
        "etag": '"e"',
        "version_id": None,
        "last_modified": "2026-11-22T10:00:00+00:00",
    }
    fields = {
        "version": 1,
        "dataset": "taxi",
        "run_date": "2026-11-22",
        "run_id": "r",
        "data_uri": "s3://b/data/",
        "objects": [entry],
        "ignored": ["s3://b/data/README.md"],
    }
    return json.dumps({**fields, **changes}).encode()


def test_a_manifest_names_each_object_as_it_was() -> None:
    parsed = manifest.parse(document(), "m")
    expected = Object("s3://b/data/part-0.csv", 12, '"e"', None, "2026-11-22T10:00:00+00:00")
    assert parsed.objects == (expected,)
    assert (parsed.dataset, parsed.ignored) == ("taxi", ("s3://b/data/README.md",))


@pytest.mark.parametrize(
    ("target", "is_pinned"),
    [
        (Object("s3://b/k", 1, etag='"e"'), True),
        (Object("s3://b/k", 1, version_id="v"), True),
        # S3 is asked for an entity tag or a version; nobody looks at the time.
        (Object("s3://b/k", 1, last_modified="2026-11-22T10:00:00+00:00"), False),
        (Object("s3://b/k", 1), False),
        (Object("k", 1, last_modified="1"), True),
        (Object("k", 1, etag='"e"'), False),
        (Object("k", 1), False),
    ],
)
def test_an_object_is_pinned_by_what_is_looked_at(target: Object, is_pinned: bool) -> None:
    assert target.is_pinned is is_pinned


def test_a_manifest_may_name_nothing() -> None:
    assert manifest.parse(document(objects=[]), "m").objects == ()


ENTRY = json.loads(document())["objects"][0]
TAKEN: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(("dataset", "run_id", "data_uri", "uri"), ("x",)),
    **dict.fromkeys(("etag", "version_id", "last_modified"), ("x", None)),
    "size": (7,),
    "objects": ([],),
    "ignored": ([], ["x"]),
}


@pytest.mark.parametrize("value", [None, True, 7, -1, 1.5, "x", [], ["x"], {}, {"x": 1}], ids=repr)
@pytest.mark.parametrize("name", [*json.loads(document()), *ENTRY])
def test_a_field_is_what_it_should_be_or_refused(name: str, value: object) -> None:
    content = document(objects=[{**ENTRY, name: value}]) if name in ENTRY else document(**{name: value})
    if value in TAKEN.get(name, ()):
        assert manifest.parse(content, "m")
    else:
        with pytest.raises(UsageError, match=rf"^cannot read m: not a manifest: [^;]*\b{name}\b"):
            manifest.parse(content, "m")


def test_bytes_are_counted_from_nought() -> None:
    with pytest.raises(UsageError, match=r"not a manifest: the size of .*/part-0\.csv is -1"):
        manifest.parse(document(objects=[{**ENTRY, "size": -1}]), "m")


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"version": 1, "x": ' + b"[" * 100_000),
        *(document(version=2), document(objects=[{"uri": "x"}]), document(objects=7), document(etag="e")),
        document(objects=[{**ENTRY, "size": 10**400}]).replace(b"0" * 400, b"0" * 5000),
    ],
    ids=lambda content: content[:40],
)
def test_what_is_no_manifest_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(UsageError, match=r"cannot read s3://b/manifest\.json"):
        manifest.parse(content, "s3://b/manifest.json")


def test_an_object_that_is_named_twice_would_be_counted_twice() -> None:
    once = json.loads(document())["objects"]
    with pytest.raises(UsageError, match=r"it names s3://b/data/part-0\.csv twice"):
        manifest.parse(document(objects=once * 2), "m")
