"""AWS Batch: look at jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from build.aws.faults import asking

AT_ONCE: Final = 100
"""Jobs that one DescribeJobs takes (https://docs.aws.amazon.com/batch/latest/APIReference/API_DescribeJobs.html)."""


class Batch:
    """Tiny methods over one boto3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def runs(self, job: str) -> tuple[Mapping[str, Any], ...]:
        """The JobDetails of what ran: the job's own, or its children's; empty when it is known no more."""
        details = self._describe([job])
        size = details[0].get("arrayProperties", {}).get("size", 0) if details else 0
        return self._describe([f"{job}:{index}" for index in range(size)]) if size else details

    def _describe(self, jobs: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
        with asking(f"look at {len(jobs)} jobs from {jobs[0]} on"):
            return tuple(
                detail
                for start in range(0, len(jobs), AT_ONCE)
                for detail in self._client.describe_jobs(jobs=jobs[start : start + AT_ONCE])["jobs"]
            )
