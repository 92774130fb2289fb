"""A proposed schema holds the day after too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tensorflow_metadata.proto.v0.schema_pb2 import Schema

from validator import dataset, profiling, proposal, schema, statistics, store
from validator.crew import Crew
from validator.interruption import Interruption


def proposed(folder: Path, rows: Sequence[Any]) -> Schema:
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    described = dataset.describe(store.at("").list(str(folder / "data.jsonl")))
    made = profiling.profile(described, str(folder / "states"), Crew(Interruption()), lambda _: None)
    return proposal.of(statistics.of(made.profile.finish()))


def lists(found: Schema) -> dict[str, list[str]]:
    domains = {domain.name: list(domain.value) for domain in found.string_domain}
    return {".".join(path): domains.pop(f.domain) for path, f in schema.paths(found) if f.domain} | domains


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["2026-03-02"] * 50, "they are dates"),
        ([f"2026-03-02 03:{n:02}:00.5Z" for n in range(50)], "they are dates"),
        ([f"trip-{n}" for n in range(50)], "nearly every one is different"),
        ([f"trip-{n}" for n in range(46)] + ["trip-0"] * 4, "nearly every one is different"),
    ],
)
def test_what_other_days_have_other_values_of_gets_no_list(
    tmp_path: Path, values: list[str], why: str
) -> None:
    found = proposed(tmp_path, [{"x": value, "kind": "ab"[n % 2]} for n, value in enumerate(values)])
    assert lists(found) == {"kind": ["a", "b"]}
    assert {f.name: list(f.annotation.comment) for f in found.feature} == {
        "x": [f"No list of values: {why}"],
        "kind": [],
    }


@pytest.mark.parametrize(
    "values",
    [
        ["cash", "card"] * 25,
        ["2026-03-02"] * 49 + ["unknown"],
        [f"shop-{n}" for n in range(45)] + ["shop-0"] * 5,
        # Of few rows nothing can be told.
        [f"zone-{n}" for n in range(20)],
    ],
)
def test_what_may_come_again_keeps_its_list(tmp_path: Path, values: list[str]) -> None:
    found = proposed(tmp_path, [{"x": value} for value in values])
    assert lists(found) == {"x": sorted(set(values))}
    assert not found.feature[0].HasField("annotation")


def test_nested_ones_and_lists_are_looked_at_too(tmp_path: Path) -> None:
    rows = [{"s": {"day": "2026-03-02"}, "ids": [f"{n}-a", f"{n}-b"], "day": "Monday"} for n in range(30)]
    assert lists(proposed(tmp_path, rows)) == {"day": ["Monday"]}
