"""The incumbent: the latest day that an approved model of the dataset was trained on, as of now.

The champion a run set out with may have been replaced since: runs of other days go on beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .errors import TooManyModels

DEPTH: Final = 500
"""How many approved packages are looked through, the newest first; each costs one call."""


def latest_day(sagemaker: Any, group: str) -> str:
    """Return the date, or "" when the group has no approved model whose day was written down.

    Raises:
        TooManyModels: It was not found among the first ``DEPTH``.
    """
    latest = ""
    for looked_through, summary in enumerate(_approved(sagemaker, group)):
        # Listed newest first, and no model is older than the day it was trained on.
        if _latest_possible(summary["CreationTime"]) <= latest:
            break
        if looked_through == DEPTH:
            raise TooManyModels(
                f"{group} has more than {DEPTH} approved models that may be of a day after "
                f"{latest!r}: reject those that are not used any more"
            )
        latest = max(latest, _day(sagemaker, summary["ModelPackageArn"]))
    return latest


def _latest_possible(created: datetime) -> str:
    """Return the latest day a model may be of: east of Greenwich the date is a day ahead."""
    return (created.astimezone(UTC) + timedelta(days=1)).date().isoformat()


def _day(sagemaker: Any, arn: str) -> str:
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    return str(package.get("CustomerMetadataProperties", {}).get("run_date", ""))


def _approved(sagemaker: Any, group: str) -> Iterator[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
    )
    for page in pages:
        yield from page["ModelPackageSummaryList"]
