"""The dashboard as CloudWatch reads it: JSON, widgets that fit, names of resources there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest

from tests.unit.templates.variants import Variant

Body = dict[str, Any]

ATTRIBUTES = {
    "AWS::CloudWatch::Alarm": {"Arn"},
    "AWS::SQS::Queue": {"QueueName"},
    "AWS::StepFunctions::StateMachine": {""},
    "AWS::Logs::LogGroup": {""},
}
"""Type -> what of it may be named; "" is Ref."""


@pytest.fixture(scope="module", params=["", "every-trigger"])
def resources(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(json.loads(Variant("pipeline", "dev", request.param).render())["Resources"])


@pytest.fixture
def body(resources: dict[str, Any]) -> Body:
    return dict(json.loads(resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]))


def mistakes(body: Body, resources: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong, one line each."""
    cells: set[tuple[int, int]] = set()
    for widget in body["widgets"]:
        x, y, width, height = (widget[key] for key in ("x", "y", "width", "height"))
        mine = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
        if x + width > 24 or not mine:
            yield f"the widget at {x}, {y} does not fit"
        if mine & cells:
            yield f"the widget at {x}, {y} lies on another"
        cells |= mine
        yield from wrong_properties(widget)
    yield from wrong_names(json.dumps(body), resources)


def wrong_properties(widget: Mapping[str, Any]) -> Iterator[str]:
    needed = {
        "alarm": {"alarms"},
        "metric": {"metrics", "region", "stat", "period", "view"},
        "log": {"query", "region"},
    }
    if widget["type"] not in needed:
        yield f"{widget['type']} is no widget"
        return
    properties = widget["properties"]
    yield from (
        f"{properties['title']}: no {key}" for key in sorted(needed[widget["type"]] - properties.keys())
    )
    for metric in properties.get("metrics", ()):
        texts = [item for item in metric if isinstance(item, str)]
        if texts and (len(texts) < 2 or len(texts) % 2):
            yield f"{properties['title']}: a dimension without a value"


def wrong_names(text: str, resources: Mapping[str, Any]) -> Iterator[str]:
    for name in re.findall(r"\$\{([^}]*)\}", text):
        title, _, attribute = name.partition(".")
        if name != "AWS::Region" and attribute not in ATTRIBUTES.get(
            resources.get(title, {}).get("Type", ""), set()
        ):
            yield f"{name} is nothing of this stack"


def test_nothing_is_wrong(body: Body, resources: dict[str, Any]) -> None:
    assert list(mistakes(body, resources)) == []


@pytest.mark.parametrize(
    ("plant", "told"),
    [
        (lambda widgets: widgets[1].update(x=13), "does not fit"),
        (lambda widgets: widgets[1].update(y=0), "lies on another"),
        (lambda widgets: widgets[1].update(x=20, width=12), "does not fit"),
        (lambda widgets: widgets[0].update(type="alarms"), "alarms is no widget"),
        (lambda widgets: widgets[1]["properties"].pop("region"), "no region"),
        (lambda widgets: widgets[1]["properties"]["metrics"][0].pop(), "a dimension without a value"),
        (
            lambda widgets: widgets[0]["properties"]["alarms"].append("${NoAlarm.Arn}"),
            "NoAlarm.Arn is nothing",
        ),
        (
            lambda widgets: widgets[0]["properties"]["alarms"].append("${FailedAlarm}"),
            "FailedAlarm is nothing",
        ),
    ],
)
def test_a_planted_mistake_is_found(body: Body, resources: dict[str, Any], plant: Any, told: str) -> None:
    wrong = deepcopy(body)
    plant(wrong["widgets"])
    assert any(told in found for found in mistakes(wrong, resources)), list(mistakes(wrong, resources))


def test_each_dataset_and_each_alarm_is_on_it(body: Body, resources: dict[str, Any]) -> None:
    alarms = {title for title, each in resources.items() if each["Type"] == "AWS::CloudWatch::Alarm"}
    assert {name[2:-5] for name in body["widgets"][0]["properties"]["alarms"]} == alarms
    told = json.loads(resources["InitFunction"]["Properties"]["Environment"]["Variables"]["DATASETS"])
    titles = {widget["properties"]["title"] for widget in body["widgets"]}
    for dataset in told:
        assert {f"{dataset['name']}: rows", f"{dataset['name']}: drift by feature"} <= titles
