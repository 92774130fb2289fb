"""The champion: of this dataset's approved models in the Model Registry, that of the latest day.

A model of an older day, registered later (a backfill, a late approval), does not take its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final

DEPTH: Final = 100
"""How many approved packages, the newest ones, are looked through; each costs one call."""


@dataclass(frozen=True, slots=True)
class Champion:
    """A registered model; all fields are "" when there is none."""

    model_data_url: str = ""
    model_package_arn: str = ""
    run_date: str = ""
    """Day of the data it was trained on; "" also when nobody wrote it down: then any day is later."""

    def to_json(self) -> dict[str, str]:
        """Return the champion as the state machine carries it."""
        return asdict(self)


def find(sagemaker: Any, group: str, dataset: str) -> Champion:
    """Return the approved package that was trained on the latest day of the dataset; of two, the newer.

    Datasets share the group, so the package's own metadata say whose it is and of which day.
    """
    looked_through = islice(_approved(sagemaker, group), DEPTH)
    ours = [found for arn in looked_through if (found := _described(sagemaker, arn, dataset))]
    # The first of equals, which are listed newest first.
    return max(ours, key=lambda each: each.run_date, default=Champion())


def _described(sagemaker: Any, arn: str, dataset: str) -> Champion | None:
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    metadata = package.get("CustomerMetadataProperties", {})
    if metadata.get("dataset") != dataset:
        return None
    containers = package["InferenceSpecification"]["Containers"]
    return Champion(containers[0]["ModelDataUrl"], arn, metadata.get("run_date", ""))


def _approved(sagemaker: Any, group: str) -> Iterator[str]:
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
    )
    for page in pages:
        yield from (summary["ModelPackageArn"] for summary in page["ModelPackageSummaryList"])
