"""The alarms: what they look at, when they go off, and what silence means."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from templates.config import Config
from templates.stacks import render
from tests.unit.templates.variants import Variant

SILENCE = {
    "FailedAlarm": "notBreaching",
    "InterruptedOftenAlarm": "notBreaching",
    "DeadLettersAlarm": "ignore",
    "TaxiRejectedAlarm": "notBreaching",
    "TaxiQuietAlarm": "breaching",
}


def alarms(template: str) -> dict[str, dict[str, Any]]:
    resources = json.loads(template)["Resources"]
    return {
        title: each["Properties"]
        for title, each in resources.items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }


def test_each_alarm_says_what_silence_means(config: Config) -> None:
    found = alarms(render("pipeline", config))
    assert {title: each["TreatMissingData"] for title, each in found.items()} == SILENCE


def test_each_alarm_tells_the_topic_in_words(config: Config) -> None:
    for title, alarm in alarms(render("pipeline", config)).items():
        # Of a rejected day the notice tells, and more than an alarm can.
        told = [] if title == "TaxiRejectedAlarm" else [{"Ref": "NotificationTopic"}]
        assert alarm["AlarmActions"] == told, title
        assert alarm["AlarmName"].startswith("sluice-dev-"), title
        assert alarm["AlarmDescription"].endswith((".", "?")), title
        assert len(alarm["AlarmDescription"]) <= 1024, title


@pytest.mark.parametrize("choice", ["", "every-trigger"])
def test_cloudwatch_takes_the_window_of_each(choice: str) -> None:
    for title, alarm in alarms(Variant("pipeline", "dev", choice).render()).items():
        stats = [each["MetricStat"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
        (period,) = {each["Period"] for each in stats or [alarm]}
        assert period % 60 == 0, title
        assert period * alarm["EvaluationPeriods"] <= (7 * 86_400 if period >= 3600 else 86_400), title


def test_names_are_each_ones_own(config: Config) -> None:
    datasets = [
        replace(config.datasets[0], name=name) for name in ("a-1", "a1", "ax1", "dead", "interrupted")
    ]
    found = alarms(render("pipeline", replace(config, datasets=tuple(datasets))))
    assert len({alarm["AlarmName"] for alarm in found.values()}) == len(found) == 3 + 2 * 5


def test_silence_is_listened_for_where_a_dataset_asks(config: Config) -> None:
    first = config.datasets[0]
    quiet = alarms(render("pipeline", replace(config, datasets=(replace(first, quiet_days=5),))))
    assert quiet["TaxiQuietAlarm"]["EvaluationPeriods"] == 5
    assert quiet["TaxiQuietAlarm"]["ComparisonOperator"] == "LessThanThreshold"
    judged, days = quiet["TaxiQuietAlarm"]["Metrics"]
    assert (judged["Id"], judged["MetricStat"]["Stat"], judged["ReturnData"]) == (
        "judged",
        "SampleCount",
        False,
    )
    assert (days["Expression"], days["ReturnData"]) == ("FILL(judged, 0)", True)
    unasked = alarms(render("pipeline", replace(config, datasets=(replace(first, quiet_days=None),))))
    assert "TaxiQuietAlarm" not in unasked


def test_more_datasets_bear_more_interruptions(config: Config) -> None:
    first = config.datasets[0]
    two = replace(config, datasets=(first, replace(first, name="bikes")))
    assert alarms(render("pipeline", config))["InterruptedOftenAlarm"]["Threshold"] == 3
    assert alarms(render("pipeline", two))["InterruptedOftenAlarm"]["Threshold"] == 6
