"""The champion: the group's approved package of the latest day; never one that an older model hides."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import pytest

from steps.init.champion import DEPTH, Champion, find
from steps.init.errors import TooManyModels


class Package(NamedTuple):
    """A registered model: the day it was trained on, "" where nobody wrote it down, and when it was made."""

    day: str
    created: str = "2026-11-30T12:00:00+00:00"


class Registry:
    """Answers as SageMaker does: packages newest first, two a page."""

    def __init__(self, *packages: Package) -> None:
        self.packages = packages
        self.asked: dict[str, Any] = {}
        self.described = 0

    def get_paginator(self, operation: str) -> Registry:
        assert operation == "list_model_packages"
        return self

    def paginate(self, **query: Any) -> list[dict[str, Any]]:
        self.asked = query
        summaries = [
            {"ModelPackageArn": str(number), "CreationTime": datetime.fromisoformat(package.created)}
            for number, package in enumerate(self.packages)
        ]
        pages = (summaries[start : start + 2] for start in range(0, len(summaries), 2))
        return [{"ModelPackageSummaryList": page} for page in pages]

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803
        self.described += 1
        day = self.packages[int(ModelPackageName)].day
        return {
            "InferenceSpecification": {"Containers": [{"ModelDataUrl": f"s3://m/{ModelPackageName}.tar.gz"}]},
            **({"CustomerMetadataProperties": {"run_date": day}} if day else {}),
        }


def test_an_empty_group_has_no_champion() -> None:
    assert find(Registry(), "models") == Champion("", "", "")


def test_the_newest_is_the_champion_where_nobody_wrote_down_the_days() -> None:
    assert find(Registry(Package(""), Package("")), "models") == Champion("s3://m/0.tar.gz", "0")


def test_a_model_of_an_older_day_that_came_later_is_no_champion() -> None:
    days = ("2026-11-20", "", "2026-11-22", "2026-11-21")

    assert find(Registry(*map(Package, days)), "models") == Champion("s3://m/2.tar.gz", "2", "2026-11-22")


def test_of_two_models_of_a_day_the_newer_is_the_champion() -> None:
    days = ("2026-11-20", "2026-11-22", "2026-11-22")

    assert find(Registry(*map(Package, days)), "models") == Champion("s3://m/1.tar.gz", "1", "2026-11-22")


def test_a_champion_behind_hundreds_of_older_days_is_found() -> None:
    registry = Registry(*[Package("2026-11-20")] * (DEPTH - 1), Package("2026-11-22"))

    assert find(registry, "models").run_date == "2026-11-22"


def test_looking_through_has_a_bound_that_is_told() -> None:
    registry = Registry(*[Package("2026-11-20")] * DEPTH, Package("2026-11-22"))

    with pytest.raises(TooManyModels, match="models has more than 500 approved models"):
        find(registry, "models")
    assert registry.described == DEPTH


def test_models_made_before_the_champions_day_are_not_looked_at() -> None:
    registry = Registry(
        Package("2026-11-22", "2026-11-23T04:00:00+00:00"),
        Package("2026-11-21", "2026-11-22T04:00:00+00:00"),
        *[Package("2026-11-20", "2026-11-21T23:59:00+00:00")] * (2 * DEPTH),
    )

    assert find(registry, "models").run_date == "2026-11-22"
    assert registry.described == 2


def test_east_of_greenwich_a_model_of_tomorrow_is_looked_at() -> None:
    """At UTC+14 the 22nd begins at 10:00 UTC of the 21st."""
    registry = Registry(
        Package("2026-11-21", "2026-11-21T12:00:00+00:00"), Package("2026-11-22", "2026-11-21T11:00:00+00:00")
    )

    assert find(registry, "models").run_date == "2026-11-22"


def test_only_approved_ones_are_asked_for_newest_first() -> None:
    registry = Registry(Package("2026-11-22"))
    find(registry, "models")

    assert registry.asked == {
        "ModelPackageGroupName": "models",
        "ModelApprovalStatus": "Approved",
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
    }
