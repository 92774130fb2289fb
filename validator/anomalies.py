"""Anomalies: where the statistics of a dataset break its schema, found by TFDV's own core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import text_format
from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies

from validator import core, features, portions
from validator.schema import environment_of

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.schema_pb2 import Schema
    from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList


def find(
    statistics: DatasetFeatureStatisticsList,
    schema: Schema,
    *,
    baseline: DatasetFeatureStatisticsList | None = None,
    environment: str = "",
) -> Anomalies:
    """Finds where statistics break a schema, as `tfdv.validate_statistics` does.

    Args:
        statistics: Statistics of the dataset under judgement.
        schema: What is expected of it.
        baseline: Statistics of an earlier accepted dataset; needed by the schema's own drift comparators.
        environment: Which of the schema's environments the data is for; a schema without any ignores it.

    Returns:
        TFDV's Anomalies: `anomaly_info` by feature, `dataset_anomaly_info` of the dataset as a whole, and
        `drift_skew_info` with what its comparators measured.

    Raises:
        UsageError: The schema has environments, but not this one.
    """
    known = environment_of(schema, environment)
    found = Anomalies()
    previous = features.overall(baseline) if baseline else None
    for portion in portions.cut(schema, features.overall(statistics), previous):
        found.MergeFrom(
            core.validate(portion.current, portion.schema, environment=known, previous=portion.previous)
        )
    found.baseline.CopyFrom(schema)
    found.drift_skew_info.sort(key=lambda info: [step.encode() for step in info.path.step])
    return found


def format(anomalies: Anomalies) -> str:  # noqa: A001  # anomalies.format, like schema.format
    """Writes anomalies in protobuf's text format."""
    return str(text_format.MessageToString(anomalies))
