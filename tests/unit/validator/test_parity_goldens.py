"""What the full TFDV said of every scenario, held against what the validator says; `make parity` asks it."""

from __future__ import annotations

import pytest
from tensorflow_metadata.proto.v0.anomalies_pb2 import AnomalyInfo

from tests.parity import golden, judging
from tests.parity.comparison import described
from tests.parity.golden import Said
from tests.parity.scenarios import IMPOSSIBLE, SCENARIOS, Scenario
from tests.parity.test_anomalies_parity import DIVERGENCE_ERROR, MEASURED, without_divergences_of
from validator import core

RECORDED = golden.read(core.version())
OURS = [scenario for scenario in SCENARIOS if not scenario.composites]


def ids(scenario: Scenario) -> str:
    return scenario.name


@pytest.mark.parametrize("scenario", OURS, ids=ids)
def test_anomalies_are_those_of_tfdv(scenario: Scenario) -> None:
    ours = described(judging.ours(scenario))
    assert without_divergences_of(ours) == without_divergences_of(RECORDED[scenario.name].anomalies)


@pytest.mark.parametrize("scenario", MEASURED, ids=ids)
def test_drift_is_that_of_tfdv(scenario: Scenario) -> None:
    ours = {" ".join(key): value for key, value in judging.our_drifts(scenario).items()}
    theirs = RECORDED[scenario.name].drift
    assert ours == {key: pytest.approx(theirs[key], abs=DIVERGENCE_ERROR) for key in ours}


def test_every_pinned_version_is_recorded() -> None:
    assert golden.versions() == sorted(core.SIGNATURES)


@pytest.mark.parametrize("version", core.SIGNATURES)
def test_every_scenario_is_recorded(version: str) -> None:
    recorded = golden.read(version)
    assert list(recorded) == [scenario.name for scenario in SCENARIOS]
    assert all(isinstance(said, Said) for said in recorded.values())
    assert sum(bool(said.anomalies) for said in recorded.values()) > 60


def test_every_type_of_anomaly_is_raised_or_said_to_be_impossible() -> None:
    raised = {code for scenario in SCENARIOS for code in scenario.raises.split()}
    assert raised.isdisjoint(IMPOSSIBLE)
    assert raised | IMPOSSIBLE.keys() == set(AnomalyInfo.Type.keys())
