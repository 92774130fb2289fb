"""The templates beside what was reviewed: any change shows, and what a choice changes is small."""

from __future__ import annotations

import difflib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.templates import goldens
from tests.unit.templates.goldens import difference, merged
from tests.unit.templates.variants import CHOICES, ROOT, Variant, variants

VARIANTS = list(variants())


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_stack_is_like_its_golden(variant: Variant) -> None:
    path = goldens.path(variant)
    golden = path.read_text(encoding="utf-8").splitlines(keepends=True)
    rendered = goldens.text(variant).splitlines(keepends=True)
    diff = "".join(difflib.unified_diff(golden, rendered, str(path.relative_to(ROOT)), "rendered", n=4))
    assert not diff, f"the template has changed: review the difference, then `make golden`\n{diff}"


def test_no_golden_is_of_a_variant_that_is_gone() -> None:
    assert list(goldens.stale()) == []


@pytest.mark.parametrize("choice", CHOICES)
def test_what_a_choice_changes_is_small_enough_to_review(choice: str) -> None:
    chosen = [variant for variant in VARIANTS if variant.choice == choice]
    assert chosen
    for variant in chosen:
        # Lists stand in it whole: a role's statements, of which a key adds one or two.
        assert len(goldens.text(variant)) < 60_000, variant
        whole = json.loads(variant.plain.render())
        patch = json.loads(goldens.path(variant).read_text(encoding="utf-8"))
        assert merged(whole, patch) == json.loads(variant.render())


def test_a_network_changes_the_pipeline_alone() -> None:
    networks = {str(variant) for variant in VARIANTS if variant.choice in ("create-private", "existing")}
    assert networks == {
        f"pipeline.{stage}.{mode}" for stage in ("dev", "prod") for mode in ("create-private", "existing")
    }


trees = st.recursive(
    st.integers() | st.text(max_size=2) | st.lists(st.integers(), max_size=2),
    lambda below: st.dictionaries(st.text(max_size=2), below, max_size=3),
)
objects = st.dictionaries(st.text(max_size=2), trees, max_size=4)


@given(objects, objects)
def test_a_patch_makes_the_one_into_the_other_and_none_is_needed_for_the_same(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert merged(before, difference(before, after)) == after
    assert bool(difference(before, after)) == (before != after)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"e": 1}, {"a": {"bb": {"ccc": None}}}, {"e": 1, "a": {"bb": {}}}),
        ({"a": "foo"}, "bar", "bar"),
    ],
)
def test_a_patch_is_applied_as_the_standard_says(target: Any, patch: Any, result: Any) -> None:
    """Examples of RFC 7386, appendix A."""
    assert merged(target, patch) == result
