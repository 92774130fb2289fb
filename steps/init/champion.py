"""The champion: the newest approved model of this dataset in the Model Registry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final

DEPTH: Final = 100
"""How many approved packages are looked through; each costs one call."""


@dataclass(frozen=True, slots=True)
class Champion:
    """A registered model; both fields are "" when there is none."""

    model_data_url: str = ""
    model_package_arn: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the champion as the state machine carries it."""
        return asdict(self)


def find(sagemaker: Any, group: str, dataset: str) -> Champion:
    """Return the newest approved package that was trained on the dataset.

    Datasets share the group, so the package's own metadata say whose it is.
    """
    for arn in islice(_approved(sagemaker, group), DEPTH):
        package = sagemaker.describe_model_package(ModelPackageName=arn)
        if package.get("CustomerMetadataProperties", {}).get("dataset") == dataset:
            containers = package["InferenceSpecification"]["Containers"]
            return Champion(containers[0]["ModelDataUrl"], arn)
    return Champion()


def _approved(sagemaker: Any, group: str) -> Iterator[str]:
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
    )
    for page in pages:
        yield from (summary["ModelPackageArn"] for summary in page["ModelPackageSummaryList"])
