"""The report: one self-contained HTML page that says the verdict first, then why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

    from validator.verdict import VerdictReport


def render(
    verdict: VerdictReport,
    statistics: DatasetFeatureStatisticsList,
    baseline: DatasetFeatureStatisticsList | None = None,
) -> str:
    """Renders report.html.

    Args:
        verdict: The verdict of the run.
        statistics: Statistics of the data, for one row a feature.
        baseline: Statistics of the earlier accepted run, drawn as an outline on the same bins.
    """
    raise NotImplementedError
