"""The champion: this dataset's approved package of the latest day, out of a group that several share."""

from __future__ import annotations

from typing import Any

from steps.init.champion import DEPTH, Champion, find


class Registry:
    """Answers as SageMaker does: packages newest first, two a page; each is a dataset and perhaps a day."""

    def __init__(self, *datasets: str | None) -> None:
        self.datasets = datasets
        self.asked: dict[str, Any] = {}

    def get_paginator(self, operation: str) -> Registry:
        assert operation == "list_model_packages"
        return self

    def paginate(self, **query: Any) -> list[dict[str, Any]]:
        self.asked = query
        arns = [{"ModelPackageArn": str(number)} for number in range(len(self.datasets))]
        return [{"ModelPackageSummaryList": arns[start : start + 2]} for start in range(0, len(arns), 2)]

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803
        dataset, _, day = (self.datasets[int(ModelPackageName)] or "").partition(" ")
        metadata = {"dataset": dataset, **({"run_date": day} if day else {})}
        return {
            "InferenceSpecification": {"Containers": [{"ModelDataUrl": f"s3://m/{ModelPackageName}.tar.gz"}]},
            **({"CustomerMetadataProperties": metadata} if dataset else {}),
        }


def test_an_empty_group_has_no_champion() -> None:
    assert find(Registry(), "models", "taxi") == Champion("", "", "")


def test_the_newest_package_of_the_dataset_is_the_champion() -> None:
    registry = Registry("bikes", None, "taxi", "taxi")

    assert find(registry, "models", "taxi") == Champion("s3://m/2.tar.gz", "2")


def test_a_model_of_an_older_day_that_came_later_is_no_champion() -> None:
    registry = Registry("taxi 2026-11-20", "taxi", "bikes 2026-12-01", "taxi 2026-11-22", "taxi 2026-11-21")

    assert find(registry, "models", "taxi") == Champion("s3://m/3.tar.gz", "3", "2026-11-22")


def test_of_two_models_of_a_day_the_newer_is_the_champion() -> None:
    registry = Registry("taxi 2026-11-20", "taxi 2026-11-22", "taxi 2026-11-22")

    assert find(registry, "models", "taxi") == Champion("s3://m/1.tar.gz", "1", "2026-11-22")


def test_looking_through_has_a_bound() -> None:
    registry = Registry(*["bikes 2026-11-22"] * DEPTH, "taxi 2026-11-22")

    assert find(registry, "models", "taxi") == Champion()


def test_only_approved_ones_are_asked_for_newest_first() -> None:
    registry = Registry("taxi")
    find(registry, "models", "taxi")

    assert registry.asked == {
        "ModelPackageGroupName": "models",
        "ModelApprovalStatus": "Approved",
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
    }


def test_another_datasets_models_are_no_champion() -> None:
    assert find(Registry("bikes", "bikes"), "models", "taxi") == Champion()
