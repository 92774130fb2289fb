"""Both sides of a scenario: ours on the product's way, TFDV's by its public Python API."""

from __future__ import annotations

from collections.abc import Mapping

from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from tests.parity import tables
from tests.parity.asking import Oracle
from tests.parity.scenarios import Scenario
from validator import anomalies, drift, schema

Drifts = Mapping[tuple[str, str], float]
"""Distances by feature and comparator."""


def ours(scenario: Scenario) -> Anomalies:
    """What the validator finds."""
    return anomalies.find(
        tables.measured(scenario.batch, scenario.declared),
        scenario.declared,
        baseline=_measured_baseline(scenario),
        environment=scenario.environment,
    )


def ours_of_theirs(scenario: Scenario, oracle: Oracle) -> Anomalies:
    """What the validator finds in TFDV's statistics."""
    current, previous = measured(scenario, oracle)
    return anomalies.find(current, scenario.declared, baseline=previous, environment=scenario.environment)


def theirs(scenario: Scenario, oracle: Oracle) -> Anomalies:
    """What TFDV finds."""
    current, previous = measured(scenario, oracle)
    return oracle.validate(current, scenario.declared, previous=previous, environment=scenario.environment)


def measured(
    scenario: Scenario, oracle: Oracle
) -> tuple[DatasetFeatureStatisticsList, DatasetFeatureStatisticsList | None]:
    """TFDV's statistics; it is given the schema where that changes them on purpose."""
    declared = scenario.declared
    given = declared if scenario.composites or schema.images(declared) else None
    baseline = scenario.baseline_batch
    return (
        oracle.statistics(tables.as_tfdv(scenario.batch), given),
        None if baseline is None else oracle.statistics(tables.as_tfdv(baseline), given),
    )


def our_drifts(scenario: Scenario) -> Drifts:
    """What the validator measures, default comparators included."""
    baseline = _measured_baseline(scenario)
    assert baseline is not None
    current = tables.measured(scenario.batch, scenario.declared)
    found = drift.measure(current, baseline, scenario.declared, environment=scenario.environment)
    return {(each.feature, str(each.comparator)): each.value for each in found}


def their_drifts(scenario: Scenario, oracle: Oracle) -> Drifts:
    """What TFDV measures with the same comparators."""
    current, previous = measured(scenario, oracle)
    found = oracle.validate(
        current,
        schema.with_default_comparators(scenario.declared),
        previous=previous,
        environment=scenario.environment,
    )
    return {
        (".".join(info.path.step), type(each).Type.Name(each.type)): each.value
        for info in found.drift_skew_info
        for each in info.drift_measurements
    }


def _measured_baseline(scenario: Scenario) -> DatasetFeatureStatisticsList | None:
    baseline = scenario.baseline_batch
    return None if baseline is None else tables.measured(baseline, scenario.declared)
