"""The champion: of the dataset's approved models in the Model Registry, that of the latest day.

A model of an older day, registered later (a backfill, a late approval), does not take its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .errors import TooManyModels

DEPTH: Final = 500
"""How many approved packages are looked through, the newest first; each costs one call."""


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


def find(sagemaker: Any, group: str) -> Champion:
    """Return the group's approved package that was trained on the latest day; of two, the newer.

    Looks no further than there can be a later day: mostly two or three packages.

    Raises:
        TooManyModels: The champion was not found among the first ``DEPTH``.
    """
    best = Champion()
    for looked_through, summary in enumerate(_approved(sagemaker, group)):
        # Listed newest first, and no model is older than the day it was trained on.
        if _latest_possible(summary["CreationTime"]) <= best.run_date:
            break
        if looked_through == DEPTH:
            raise TooManyModels(
                f"{group} has more than {DEPTH} approved models that may be of a day after "
                f"{best.run_date!r}: reject those that are not used any more"
            )
        found = _described(sagemaker, summary["ModelPackageArn"])
        # Of equals the first one stays.
        if not best.model_package_arn or found.run_date > best.run_date:
            best = found
    return best


def _latest_possible(created: datetime) -> str:
    """Return the latest day a model may be of: east of Greenwich the date is a day ahead."""
    return (created.astimezone(UTC) + timedelta(days=1)).date().isoformat()


def _described(sagemaker: Any, arn: str) -> Champion:
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    containers = package["InferenceSpecification"]["Containers"]
    metadata = package.get("CustomerMetadataProperties", {})
    return Champion(containers[0]["ModelDataUrl"], arn, metadata.get("run_date", ""))


def _approved(sagemaker: Any, group: str) -> Iterator[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
    )
    for page in pages:
        yield from page["ModelPackageSummaryList"]
