"""Where an alias routes to, and what is made of an alarm."""

from __future__ import annotations

from typing import Any

import pytest

from build.rehearsal.emulator.resources import routing, without_expression


def test_a_deployment_preference_moves_all_at_once() -> None:
    preference = {"StateMachineVersionArn": "v2", "Type": "LINEAR", "Interval": 1, "Percentage": 10}
    assert routing({"DeploymentPreference": preference}) == [{"stateMachineVersionArn": "v2", "weight": 100}]


def test_a_routing_configuration_is_kept() -> None:
    given = [{"StateMachineVersionArn": "v1", "Weight": "90"}, {"StateMachineVersionArn": "v2", "Weight": 10}]
    assert routing({"RoutingConfiguration": given}) == [
        {"stateMachineVersionArn": "v1", "weight": 90},
        {"stateMachineVersionArn": "v2", "weight": 10},
    ]


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"RoutingConfiguration": []},
        {
            "RoutingConfiguration": [{"StateMachineVersionArn": "v1", "Weight": 100}],
            "DeploymentPreference": {"StateMachineVersionArn": "v1"},
        },
    ],
)
def test_exactly_one_way_is_given(properties: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        routing(properties)


def test_an_alarm_of_an_expression_becomes_one_of_its_metric() -> None:
    metric = {"Namespace": "Sluice", "MetricName": "Rows", "Dimensions": []}
    measured = {"Metric": metric, "Stat": "SampleCount", "Period": 86400}
    queries = [{"Id": "m", "MetricStat": measured}, {"Id": "e", "Expression": "FILL(m, 0)"}]
    alarm = {"AlarmName": "quiet", "Threshold": 1}
    assert without_expression({**alarm, "Metrics": queries}) == {
        **alarm,
        **metric,
        "Statistic": "SampleCount",
        "Period": 86400,
    }


@pytest.mark.parametrize("other", ["a name", {"AlarmName": "failed", "MetricName": "ExecutionsFailed"}])
def test_what_has_no_expression_stays(other: object) -> None:
    assert without_expression(other) == other
