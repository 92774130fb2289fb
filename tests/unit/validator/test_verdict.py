"""The verdict: what evidence amounts to, and verdict.json as its schema has it."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import anomalies, drift, show, verdict
from validator.contract import ExitCode, Severity, Verdict
from validator.cost import Cost
from validator.errors import UsageError
from validator.findings import Finding
from validator.verdict import Evidence, Feature, Run, VerdictReport

Build = Callable[..., DatasetFeatureStatisticsList]
Read = Callable[[str], Schema]
Gather = Callable[..., Evidence]

LAYOUT = json.loads((Path(__file__).parents[3] / "docs" / "verdict.schema.json").read_text())
RUN = Run(date(2026, 11, 22), "run-7", "taxi")
TAXI = 'feature { name: "pay" type: BYTES } feature { name: "fare" type: FLOAT presence { min_count: 1 } }'
DAY = {"pay": ["Cash", "Card"], "fare": [1.5, 2.5]}


@dataclass(frozen=True)
class Defect:
    code: str
    feature: str
    detail: str


@pytest.fixture
def gather(statistics: Build, schema: Read) -> Gather:
    """Gathers the evidence of one day, with a baseline unless it is None."""

    def evidence(
        now: dict[str, Any], before: dict[str, Any] | None = None, declared: str = TAXI, **more: Any
    ) -> Evidence:
        day, expected = statistics(now), schema(declared)
        baseline = statistics(before) if before is not None else None
        return Evidence(
            run=RUN,
            statistics=day,
            schema=expected,
            anomalies=anomalies.find(day, expected, baseline=baseline),
            baseline=baseline,
            drift=drift.measure(day, baseline, expected, baseline_uri="s3://b/s.pb") if baseline else (),
            rows=day.datasets[0].num_examples,
            features=[Feature("pay", "BYTES"), Feature("fare", "FLOAT")],
            **more,
        )

    return evidence


def codes(report: VerdictReport) -> list[tuple[Severity, str]]:
    return [(finding.severity, finding.code) for finding in report.findings]


def test_conforming_data_like_its_baseline_passes(gather: Gather) -> None:
    report = verdict.judge(gather(DAY, DAY))
    assert (report.verdict, report.findings) == (Verdict.PASS, ())
    assert [(d.feature, d.value) for d in report.drift] == [("fare", 0), ("pay", 0)]


def test_an_anomaly_fails(gather: Gather) -> None:
    report = verdict.judge(gather({"pay": ["Cash"]}, DAY))
    assert report.verdict is Verdict.FAIL
    assert (Severity.ERROR, "SCHEMA_MISSING_COLUMN") in codes(report)


def test_drift_warns(gather: Gather) -> None:
    report = verdict.judge(gather({**DAY, "pay": ["Crypto", "Crypto"]}, DAY))
    assert (report.verdict, codes(report)) == (
        Verdict.WARN,
        [(Severity.WARNING, "COMPARATOR_L_INFTY_HIGH")],
    )


def test_drift_by_the_schemas_own_comparator_is_told_once(gather: Gather) -> None:
    own = "drift_comparator { infinity_norm { threshold: 0.01 } }"
    declared = f'feature {{ name: "pay" type: BYTES {own} }} feature {{ name: "fare" type: FLOAT }}'
    report = verdict.judge(gather({**DAY, "pay": ["Cash", "Cash"]}, DAY, declared))
    assert codes(report) == [(Severity.WARNING, "COMPARATOR_L_INFTY_HIGH")]
    assert report.drift[1].threshold == 0.01


def test_no_baseline_is_said_and_weighs_nothing(gather: Gather) -> None:
    report = verdict.judge(gather(DAY))
    assert (report.verdict, codes(report), report.drift) == (
        Verdict.PASS,
        [(Severity.INFO, "NO_BASELINE")],
        (),
    )


def test_an_inferred_schema_warns(gather: Gather) -> None:
    report = verdict.judge(gather(DAY, DAY, schema_inferred=True))
    assert (report.verdict, codes(report)) == (Verdict.WARN, [(Severity.WARNING, "SCHEMA_INFERRED")])


def test_no_rows_fail_and_nothing_else_is_said_of_them(gather: Gather) -> None:
    report = verdict.judge(gather({}, DAY))
    assert (report.verdict, codes(report)) == (Verdict.FAIL, [(Severity.ERROR, "NO_DATA")])


@pytest.mark.parametrize(
    ("code", "expected"), [("INVALID_UTF8", Verdict.FAIL), ("NON_FINITE_VALUES", Verdict.WARN)]
)
def test_defects_weigh_as_their_kind(gather: Gather, code: str, expected: Verdict) -> None:
    report = verdict.judge(gather(DAY, DAY, defects=[Defect(code, "pay", "2 values")]))
    assert report.verdict is expected


def finding(severity: Severity) -> Finding:
    return Finding("CODE", severity, "", "", "", "message")


@given(st.lists(st.sampled_from(Severity)))
def test_the_heaviest_finding_decides(severities: list[Severity]) -> None:
    weighed = verdict.weigh([finding(severity) for severity in severities])
    if Severity.ERROR in severities:
        assert weighed is Verdict.FAIL
    elif Severity.WARNING in severities:
        assert weighed is Verdict.WARN
    else:
        assert weighed is Verdict.PASS


@pytest.fixture
def full(gather: Gather) -> VerdictReport:
    hostile = {'<b>"\u202e\n{{x}}': [1.0, 2.0], "pay": ["Crypto"] * 2, "x" * 10_000: ["\ud800"[:0] + "é"] * 2}
    return verdict.judge(
        gather(
            hostile,
            DAY,
            schema_inferred=True,
            defects=[Defect("INVALID_UTF8", "pay", "1 value")],
            artifacts={"report": "s3://b/report.html"},
            versions={"tfdv": "1.16.1"},
            cost=Cost(0.1, 0.2, 0.005, "estimate"),
            timings={"profile": 1.5},
        )
    )


def test_verdict_json_is_as_its_schema_has_it(full: VerdictReport, gather: Gather) -> None:
    jsonschema.Draft202012Validator.check_schema(LAYOUT)
    for report in (full, verdict.judge(gather(DAY)), verdict.judge(gather({}, DAY))):
        jsonschema.validate(json.loads(report.to_json()), LAYOUT)


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "maybe"},
        {"version": 2},
        {"rows": -1},
        {"cost": {}},
        {"features": [{"name": "a"}]},
        {"x": 1},
    ],
)
def test_the_schema_refuses_what_is_no_verdict(full: VerdictReport, change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(full.to_json()), **change}, LAYOUT)


def test_verdict_json_is_read_back(full: VerdictReport) -> None:
    assert VerdictReport.from_json(full.to_json(), "x") == full
    assert VerdictReport.from_json(replace(full, cost=None).to_json(), "x").cost is None


def test_names_are_kept_whole(full: VerdictReport) -> None:
    assert "x" * 10_000 in {f["feature"] for f in json.loads(full.to_json())["findings"]}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"version": 1}', '{"version": 9}', "[" * 100_000]
)
def test_what_is_no_verdict_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"^cannot read verdict out/verdict\.json: [^\n]*$") as caught:
        VerdictReport.from_json(text, "out/verdict.json")
    assert caught.value.exit_code is ExitCode.USAGE


JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.sampled_from([10**400, -(10**4000), "\ud800", "\x1b[31m", "[/]", "9" * 10_000, "2026-11-22"]),
        st.text(),
    ),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=5,
)
"""Whatever JSON can say, and Python's reader takes for it."""


def places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Yields every container of a document with each of its keys."""
    for key in document if isinstance(document, dict) else range(len(document)):
        yield document, key
        if isinstance(document[key], dict | list):
            yield from places(document[key])


@pytest.fixture(scope="module")
def sample() -> str:
    return VerdictReport(
        verdict=Verdict.FAIL,
        run_date=date(2026, 11, 22),
        run_id="r",
        dataset="taxi",
        rows=2,
        bytes=3,
        findings=(Finding("NO_DATA", Severity.ERROR, "n", "1", "2", "one"),),
        drift=(drift.Drift("n", drift.Comparator.L_INFTY, 0.5, 0.1, "b"),),
        features=(Feature("n", "INT"),),
        artifacts={"report": "r"},
        versions={"tfdv": "1"},
        cost=Cost(0.1, 0.2, 0.005, "estimate"),
        timings={"profile": 1.5},
    ).to_json()


@given(st.data())
def test_whatever_a_verdict_says_it_is_shown_or_refused(sample: str, data: st.DataObject) -> None:
    document = json.loads(sample)
    container, key = data.draw(st.sampled_from(list(places(document))))
    container[key] = data.draw(JUNK)
    with suppress(UsageError):
        report = VerdictReport.from_json(json.dumps(document), "out/verdict.json")
        show.verdict(report, show.console(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")))


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("findings", [7], r"findings\[0\] is 7, not an object"),
        ("findings", [{"code": []}], r"findings\[0\]\.severity is missing"),
        ("drift", {}, r"drift is \{\}, not a list"),
        ("rows", "2", r"rows is '2', not a whole number"),
        ("rows", True, r"rows is True, not a whole number"),
        ("cost", {"vcpu_hours": math.inf}, r"cost\.gb_hours is missing"),
        ("timings", {"x": math.nan}, r"timings\.x is nan, not a number"),
        ("run_date", "today", r"run_date is 'today', not a date"),
        ("verdict", "PASS", r"verdict is 'PASS', not one of pass, warn, fail"),
        ("surprise", 1, r"surprise is unknown"),
        ("version", 2, r"its version is 2, not 1"),
    ],
)
def test_what_is_no_verdict_is_named(sample: str, name: str, value: object, why: str) -> None:
    with pytest.raises(UsageError, match=f"^cannot read verdict x: {why}; name a verdict.json$"):
        VerdictReport.from_json(json.dumps({**json.loads(sample), name: value}), "x")


def test_an_unknown_key_is_refused(full: VerdictReport) -> None:
    with pytest.raises(UsageError):
        VerdictReport.from_json(json.dumps({**json.loads(full.to_json()), "surprise": 1}), "x")


def test_counts_have_every_severity(full: VerdictReport) -> None:
    assert set(full.counts) == set(Severity)
    assert sum(full.counts.values()) == len(full.findings)
