"""Patterns of names: what they match, and that many ways to match them cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validator import store
from validator.store import names
from validator.store.names import fits, is_hidden, matches, parted

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
