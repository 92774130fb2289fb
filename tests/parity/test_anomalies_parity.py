"""Anomalies and drift of both, of every scenario."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies

from tests.parity import judging
from tests.parity.asking import Oracle
from tests.parity.comparison import codes, described
from tests.parity.scenarios import SCENARIOS, Scenario

MEASURED = [each for each in SCENARIOS if each.baseline is not None]
DIVERGENCE_ERROR = 0.02
"""Of a divergence: TFDV's equal-width histograms are interpolated, ours are counted."""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_anomalies(oracle: Oracle, scenario: Scenario) -> None:
    theirs = judging.theirs(scenario, oracle)
    assert codes(theirs) == set(scenario.raises.split())
    assert judging.ours_of_theirs(scenario, oracle) == theirs
    if not scenario.composites:
        assert without_divergences(judging.ours(scenario)) == without_divergences(theirs)


@pytest.mark.parametrize("scenario", MEASURED, ids=lambda each: each.name)
def test_drift(oracle: Oracle, scenario: Scenario) -> None:
    ours, theirs = judging.our_drifts(scenario), judging.their_drifts(scenario, oracle)
    assert ours == {key: pytest.approx(theirs[key], abs=DIVERGENCE_ERROR) for key in ours}


def without_divergences(anomalies: Anomalies) -> Sequence[str]:
    """Describes anomalies without the values that `test_drift` compares."""
    return without_divergences_of(described(anomalies))


def without_divergences_of(lines: Sequence[str]) -> Sequence[str]:
    """Leaves out the values that `test_drift` compares."""
    return [line for line in lines if ": JENSEN_SHANNON_DIVERGENCE " not in line]
