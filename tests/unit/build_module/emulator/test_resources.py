"""Where an alias routes to, what is made of an alarm, and which changes make a new resource."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from build.rehearsal.emulator.resources import Type, routing, types, without_expression

LINTERS = Path(__file__).parents[4] / ".venv-linters/bin/python"

SCHEMA = """
import json, sys
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as schemas
print(json.dumps({name: schemas.get_resource_schema("us-east-1", name).schema for name in sys.argv[1:]}))
"""


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


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    """CloudFormation's own schemas, as cfn-lint has them."""
    if not LINTERS.exists():
        pytest.skip("needs the environment of the linters")
    command = [str(LINTERS), "-c", SCHEMA, *(kind.name for kind in types())]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(told))


@pytest.mark.parametrize("kind", types(), ids=lambda kind: kind.name)
def test_what_makes_a_new_resource_is_what_cloudformation_says(schemas: dict[str, Any], kind: Type) -> None:
    schema = schemas[kind.name]
    paths = (path.removeprefix("/properties/") for path in schema["createOnlyProperties"])
    fixed = {path for path in paths if "/" not in path}
    settable = schema["properties"].keys() - {
        path.removeprefix("/properties/") for path in schema.get("readOnlyProperties", ())
    }
    assert kind.replacing == (fixed if "update" in schema["handlers"] else settable)
    assert kind.called_by is None or kind.called_by in fixed
