from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from validator import missing
from validator.contract import MISSING_LIMIT_BYTES, MOST_CHILDREN

LAYOUT = json.loads((Path(__file__).parents[3] / "docs" / "missing.schema.json").read_text())


@pytest.mark.parametrize("run_id", ["r", 'é\n\ud800"', "x" * 10_000])
@pytest.mark.parametrize("indexes", [[], [3], [7, 3, 7], range(3_000)])
def test_it_is_as_its_schema_says_and_small(run_id: str, indexes: list[int]) -> None:
    content = missing.summarize(run_id, MOST_CHILDREN, indexes)
    document = json.loads(content)
    jsonschema.validate(document, LAYOUT)
    assert document["children"] == sorted(set(indexes))
    assert len(content) <= MISSING_LIMIT_BYTES


def test_of_too_many_it_names_the_first() -> None:
    content = missing.summarize("r", MOST_CHILDREN, range(MOST_CHILDREN))
    named = json.loads(content)["children"]
    assert len(content) <= MISSING_LIMIT_BYTES
    assert named == list(range(len(named)))
    assert len(named) > 5_000


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"children": [3, 3]}, {"children": [-1]}, {"child_count": 0}, {"more": 1}]
)
def test_its_schema_takes_nothing_else(change: dict[str, object]) -> None:
    document = {**json.loads(missing.summarize("r", 8, [1])), **change}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, LAYOUT)
