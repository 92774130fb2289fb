"""The delivery stack: which images stay, and what is written once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from build.image import tag_of
from templates.delivery import BUILD_TAG, RELEASE_TAG
from tests.unit.templates.variants import ROOT


def rules(delivery: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The repository's lifecycle rules in the order ECR takes them."""
    properties = delivery["Resources"]["ValidatorRepository"]["Properties"]
    every = json.loads(properties["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    return sorted(every, key=lambda rule: int(rule["rulePriority"]))


def selects(rule: Mapping[str, Any], tags: Iterable[str]) -> bool:
    """Whether a rule is the one for an image of these tags: it needs one for each of its prefixes."""
    prefixes = rule["selection"].get("tagPrefixList", ())
    if rule["selection"]["tagStatus"] == "untagged":
        return not list(tags)
    return all(any(tag.startswith(prefix) for tag in tags) for prefix in prefixes)


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        (("build-0", "release-0"), ("imageCountMoreThan", 1000)),
        (("build-0",), ("imageCountMoreThan", 50)),
        ((), ("sinceImagePushed", 14)),
    ],
)
def test_what_was_deployed_outlives_what_was_built(
    delivery: dict[str, Any], tags: tuple[str, ...], kept: tuple[str, int]
) -> None:
    """ECR: an image that matches a rule's tags cannot be expired by a rule after it."""
    selection = next(rule["selection"] for rule in rules(delivery) if selects(rule, tags))
    assert (selection["countType"], selection["countNumber"]) == kept


def test_the_rules_know_the_tags_that_are_given() -> None:
    assert tag_of(ROOT).startswith(BUILD_TAG)
    assert not RELEASE_TAG.startswith(BUILD_TAG)
