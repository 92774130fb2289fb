"""Patterns of names: what they match, and that many ways to match them cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validator import store
from validator.errors import UsageError
from validator.store import names
from validator.store.names import child, fits, is_hidden, local_path, matches, parted

LETTERS = st.sampled_from(["a", "b", "_c", "d=1"])
PARTS = st.sampled_from(["a", "*", "**", "?", "_*", "d=*"])


def is_match(path: Sequence[str], parts: Sequence[str]) -> bool:
    """What `fits` says, each way tried apart."""
    if not parts:
        return not any(map(is_hidden, path))
    if not path:
        return False
    if parts[0] == "**":
        return is_match(path, parts[1:]) or (not is_hidden(path[0]) and is_match(path[1:], parts))
    return matches(path[0], parts[0]) and is_match(path[1:], parts[1:])


@pytest.mark.parametrize(
    ("uri", "below"),
    [
        ("out", "out/x"),
        ("out//", "out/x"),
        ("/", "/x"),
        ("s3://b", "s3://b/x"),
        ("s3://b/k/", "s3://b/k/x"),
        ("file:///", "file:///x"),
        ("file:///out/", "file:///out/x"),
    ],
)
def test_what_lies_below_keeps_its_scheme(uri: str, below: str) -> None:
    assert child(uri, "x") == below


@pytest.mark.parametrize("uri", ["s3://", "file://"])
def test_nothing_lies_below_a_scheme_alone(uri: str) -> None:
    with pytest.raises(UsageError, match=f"^cannot use {uri}: nothing is named after it"):
        child(uri, "x")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("a b", "a b"),
        ("file:///a%20b", "/a b"),
        ("file://localhost/a", "/a"),
        ("file:///a#b?c", "/a#b?c"),
        ("file:///%ff", "/\udcff"),
    ],
)
def test_a_file_uri_is_a_path(uri: str, path: str) -> None:
    assert local_path(uri) == Path(path)


@pytest.mark.parametrize("uri", ["file://", "file://data.csv", "file://data/a.csv", "file://[x.csv"])
def test_a_file_uri_names_no_other_machine(uri: str) -> None:
    with pytest.raises(UsageError, match=r"no path from the root"):
        local_path(uri)


@given(st.lists(LETTERS, min_size=1, max_size=7), st.lists(PARTS, min_size=1, max_size=5))
def test_a_pattern_matches_what_each_way_apart_would(path: list[str], pattern: list[str]) -> None:
    parts = parted("*/" + "/".join(pattern))[1]
    assert fits(path, parts) == is_match(path, parts)


def test_many_ways_to_a_key_are_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0

    def counted(name: str, part: str) -> bool:
        nonlocal tried
        tried += 1
        return matches(name, part)

    monkeypatch.setattr(names, "matches", counted)
    path, parts = ["d"] * 60, ["**", "*"] * 20
    assert not fits(path, [*parts, "x.csv"])
    assert tried <= len(path) * len(parts)


def test_many_ways_to_a_folder_are_walked_once(tmp_path: Path) -> None:
    file = tmp_path.joinpath(*"d" * 30, "x.csv")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x")
    pattern = "**/*/" * 10 + "x.csv"
    assert [each.uri for each in store.at("").list(f"{tmp_path}/{pattern}")] == [str(file)]
