"""The incumbent: the latest day that an approved model of the dataset was trained on, as of now.

The champion a run set out with may have been replaced since: runs of other days go on beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

DEPTH: Final = 100
"""How many approved packages, the newest ones, are looked through; each costs one call."""


def latest_day(sagemaker: Any, group: str, dataset: str) -> str:
    """Return the date, or "" when there is no approved model of the dataset whose day was written down."""
    looked_through = islice(_approved(sagemaker, group), DEPTH)
    return max((_day(sagemaker, arn, dataset) for arn in looked_through), default="")


def _day(sagemaker: Any, arn: str, dataset: str) -> str:
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    metadata = package.get("CustomerMetadataProperties", {})
    return str(metadata.get("run_date", "")) if metadata.get("dataset") == dataset else ""


def _approved(sagemaker: Any, group: str) -> Iterator[str]:
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
    )
    for page in pages:
        yield from (summary["ModelPackageArn"] for summary in page["ModelPackageSummaryList"])
