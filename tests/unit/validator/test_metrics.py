"""Metrics: lines that CloudWatch takes, whatever the data hold."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validator import metrics
from validator.contract import METRICS_NAMESPACE, Metric, Severity, Verdict
from validator.cost import Cost
from validator.drift import Comparator, Drift
from validator.findings import Finding
from validator.verdict import VerdictReport

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

TEXT = {"type": "string", "minLength": 1, "maxLength": 1024, "pattern": r"^[ -~]+$"}
LAYOUT: dict[str, Any] = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": False,
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 0},
                "CloudWatchMetrics": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "additionalProperties": False,
                        "properties": {
                            "Namespace": TEXT,
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "array", "minItems": 1, "maxItems": 30, "items": TEXT},
                            },
                            "Metrics": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name", "Unit"],
                                    "additionalProperties": False,
                                    "properties": {
                                        "Name": TEXT,
                                        "Unit": {"enum": ["Count", "Bytes", "Seconds", "None"]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}
"""The format's own schema, as CloudWatch documents it, narrowed to what is used."""


def taken(line: str) -> Mapping[str, Any]:
    """Return the line as CloudWatch takes it: valid, each metric a number, each dimension a text."""

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    assert line.isascii()
    assert len(line.splitlines()) == 1
    content = json.loads(line, parse_constant=refuse)
    jsonschema.validate(content, LAYOUT)
    (directive,) = content["_aws"]["CloudWatchMetrics"]
    for metric in directive["Metrics"]:
        assert type(content[metric["Name"]]) in {int, float}
        assert abs(content[metric["Name"]]) < 2.0**360
    for dimension in directive["Dimensions"][0]:
        jsonschema.validate(content[dimension], TEXT)
        assert content[dimension].strip()
        assert not content[dimension].startswith(":")
    return dict(content)


def drift(feature: str, value: float, threshold: float = 0.1) -> Drift:
    return Drift(feature, Comparator.L_INFTY, value, threshold, "s3://b/statistics.pb")


def finding(severity: Severity) -> Finding:
    return Finding(
        code="C", severity=severity, feature="f", slice="", expected="", observed="", message="secret"
    )


def report(*drifts: Drift, **changes: Any) -> VerdictReport:
    whole = VerdictReport(
        verdict=Verdict.WARN,
        run_date=date(2026, 11, 22),
        run_id="run-7",
        dataset="taxi",
        rows=40_000,
        bytes=5_000_000,
        findings=(finding(Severity.WARNING), finding(Severity.WARNING), finding(Severity.INFO)),
        drift=drifts,
        features=(),
        artifacts={},
        versions={},
        cost=Cost(0.1, 0.2, 0.0049, "estimate"),
        timings={"profile": 1.5, "judge": 0.25},
    )
    return replace(whole, **changes)


def lines(of: VerdictReport) -> list[Mapping[str, Any]]:
    return [taken(line) for line in metrics.of_verdict(of, "dev", NOW)]


def test_a_run_in_numbers() -> None:
    run, feature = lines(report(drift("fare", 0.25)))
    (directive,) = run["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == METRICS_NAMESPACE == "Sluice"
    assert directive["Dimensions"] == [["Stage", "Dataset"]]
    assert run["_aws"]["Timestamp"] == 1_795_348_800_000
    told = {metric["Name"]: (run[metric["Name"]], metric["Unit"]) for metric in directive["Metrics"]}
    assert told == {
        "Rows": (40_000, "Count"),
        "Bytes": (5_000_000, "Bytes"),
        "Errors": (0, "Count"),
        "Warnings": (2, "Count"),
        "Notes": (1, "Count"),
        "Rejections": (0, "Count"),
        "Seconds": (1.75, "Seconds"),
        "Dollars": (0.0049, "None"),
        "LargestDrift": (2.5, "None"),
    }
    assert {key: run[key] for key in ("Stage", "Dataset", "run_id", "run_date", "verdict")} == {
        "Stage": "dev",
        "Dataset": "taxi",
        "run_id": "run-7",
        "run_date": "2026-11-22",
        "verdict": "warn",
    }
    assert feature["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Stage", "Dataset", "Feature"]]
    assert (feature["Feature"], feature["Drift"]) == ("fare", 0.25)


def test_what_is_not_known_is_not_told() -> None:
    for unknown in (None, Cost(0.1, 0.2, None, "estimate")):
        (run,) = lines(report(cost=unknown))
        assert not {"Dollars", "LargestDrift"} & run.keys()


def test_a_rejected_day_counts_as_one() -> None:
    (run,) = lines(report(verdict=Verdict.FAIL, findings=(finding(Severity.ERROR),)))
    assert (run["Rejections"], run["Errors"]) == (1, 1)


def test_no_more_features_than_the_bound_those_that_moved_most() -> None:
    many = [drift(f"f{number}", number / 1000) for number in range(metrics.FEATURES + 50)]
    run, *features = lines(report(*many))
    assert len(features) == metrics.FEATURES
    assert {each["Feature"] for each in features} == {f"f{number}" for number in range(50, 150)}
    assert run["LargestDrift"] == pytest.approx(1.49)


def test_drift_beside_a_threshold_of_zero_is_a_number() -> None:
    run, feature = lines(report(drift("a", 0.5, threshold=0.0)))
    assert (run["LargestDrift"], feature["Drift"]) == (metrics.LARGEST, 0.5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_drift_that_is_no_number_is_not_told(value: float) -> None:
    (run,) = lines(report(drift("a", value)))
    assert "LargestDrift" not in run


def test_no_value_of_the_data_is_told() -> None:
    assert not any("secret" in line for line in metrics.of_verdict(report(drift("a", 0.5)), "dev", NOW))


def features(found: Iterable[Mapping[str, Any]]) -> list[str]:
    return [each["Feature"] for each in found if "Feature" in each]


def test_names_are_made_ascii_and_cut_and_stay_apart() -> None:
    hostile = [
        *(
            "",
            " ",
            "\n",
            "é",
            "è",
            "\\xe9",
            ":a",
            "_aws",
            "Drift",
            "a\u202eb",
            "\ud800",
            '"}{',
            "${AWS::Region}",
        ),
        *("x" * 5000, "x" * 4999 + "y", "é" * 300, "\x00"),
    ]
    told = features(lines(report(*(drift(name, 0.5) for name in hostile))))
    assert len(told) == len(set(told)) == len(hostile)
    assert all(len(name) <= 210 for name in told)


@given(st.text(), st.text(), st.lists(st.tuples(st.text(), st.floats(), st.floats(0, 1)), max_size=5))
def test_whatever_the_data_hold_a_line_is_taken(
    dataset: str, run_id: str, drifts: list[tuple[str, float, float]]
) -> None:
    lines(report(*(drift(*each) for each in drifts), dataset=dataset, run_id=run_id))


def test_an_interruption_is_of_the_stage() -> None:
    told = taken(metrics.of_interruption("run-7", "prod", NOW))
    assert told["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Stage"]]
    assert (told[Metric.INTERRUPTIONS], told["Stage"], told["run_id"]) == (1, "prod", "run-7")
