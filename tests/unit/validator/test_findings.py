"""Findings of drift and defects, and their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import findings, text
from validator.contract import Severity
from validator.drift import Comparator, Drift
from validator.findings import Finding

Build = Callable[..., DatasetFeatureStatisticsList]


@dataclass(frozen=True)
class Defect:
    code: str
    feature: str = "x"
    detail: str = "3 values"


def drifted(build: Build, before: list[object], now: list[object], value: float = 0.5) -> list[Finding]:
    comparator = Comparator.L_INFTY if isinstance(now[0], str) else Comparator.JENSEN_SHANNON_DIVERGENCE
    measured = [Drift("x", comparator, value, 0.1, "")]
    return list(findings.of_drift(measured, build(x=now).datasets[0], build(x=before).datasets[0]))


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (["Cash", "Card"], ["Cash", "Crypto"], "share of “Card” 50% → 0% (gone)"),
        (["Cash"] * 9 + ["Card"], ["Cash"] * 5 + ["Card"] * 5, "share of “Card” 10% → 50%"),
        (["Cash"], ["Cash", "Crypto", "Crypto"], "share of “Cash” 100% → 33.3%"),
        ([1.0, 2.0, 3.0], [100.0, 200.0, 300.0], f"median 2 → 200 ({text.TIMES}100)"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 30.0], f"mean 2 → 11 ({text.TIMES}5.5)"),
        ([-1.0], [1.0], "median -1 → 1"),
        ([0.0], [1.0], "median 0 → 1"),
        ([0.0, 2.0], [1.0, 1.0], "median still 1, the shape changed"),
    ],
)
def test_drift_says_what_changed_most(
    statistics: Build, before: list[object], now: list[object], said: str
) -> None:
    (finding,) = drifted(statistics, before, now)
    assert f"drifted away from the baseline: {said}. Its " in finding.message
    assert finding.severity is Severity.WARNING


def test_the_code_is_tfdvs_and_both_numbers_are_told(statistics: Build) -> None:
    (category,) = drifted(statistics, ["a"], ["b"])
    (number,) = drifted(statistics, [1.0], [2.0])
    assert category.code == "COMPARATOR_L_INFTY_HIGH"
    assert number.code == "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH"
    assert category.expected == "L-infinity distance of at most 0.1"
    assert category.observed.startswith("0.5; ")


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_a_distance_up_to_its_threshold_is_no_finding(statistics: Build, value: float) -> None:
    assert not drifted(statistics, ["a"], ["a"], value)


def test_drift_of_a_column_without_statistics_is_told_all_the_same(statistics: Build) -> None:
    measured = [Drift("gone", Comparator.L_INFTY, 1.0, 0.1, "")]
    (finding,) = findings.of_drift(measured, statistics(x=[1]).datasets[0], None)
    assert finding.message.startswith(
        "Column “gone” drifted away from the baseline. Its L-infinity distance is 1;"
    )


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("INVALID_UTF8", Severity.ERROR),
        ("NON_FINITE_VALUES", Severity.WARNING),
        ("NUL_BYTES", Severity.WARNING),
        ("SOMETHING_NEW", Severity.ERROR),
    ],
)
def test_a_defect_weighs_by_its_kind(code: str, severity: Severity) -> None:
    (finding,) = findings.of_defects([Defect(code)])
    assert (finding.code, finding.severity, finding.feature) == (code, severity, "x")
    assert "“x”" in finding.message
    assert "3 values" in finding.message


FINDINGS = st.builds(
    Finding,
    code=st.sampled_from(["A", "B"]),
    severity=st.sampled_from(Severity),
    feature=st.sampled_from(["", "a", "b"]),
    expected=st.just(""),
    observed=st.just(""),
    message=st.just(""),
)


@given(st.lists(FINDINGS))
def test_the_order_is_severity_then_code_then_feature(found: list[Finding]) -> None:
    ranks = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
    keys = [(ranks[f.severity], f.code, f.feature) for f in findings.ordered(found)]
    assert keys == sorted(keys)
    assert len(keys) == len(found)
