"""gate.json: always small, always what its schema says, never longer than the state machine can bear."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator import gate
from validator.contract import GATE_FINDINGS, GATE_LIMIT_BYTES, Severity, Verdict
from validator.errors import UsageError
from validator.findings import Finding
from validator.verdict import VerdictReport

SHA256 = "a" * 64
LAYOUT = json.loads((Path(__file__).parents[3] / "docs" / "gate.schema.json").read_text())
URIS = {name: f"s3://bucket/runs/{name}" for name in ("verdict", "report", "statistics", "anomalies")}


def report(*findings: Finding) -> VerdictReport:
    return VerdictReport(
        verdict=Verdict.FAIL if findings else Verdict.PASS,
        run_date=date(2026, 11, 22),
        run_id="run-7",
        dataset="taxi",
        rows=1,
        bytes=1,
        findings=findings,
        drift=(),
        features=(),
        artifacts={},
        versions={},
        cost=None,
        timings={},
    )


def finding(feature: str = "fare", message: str = "too high", code: str = "CODE") -> Finding:
    return Finding(code, Severity.ERROR, feature, "expected", "observed", message)


def read(content: bytes) -> dict[str, object]:
    parsed: dict[str, object] = json.loads(content)
    jsonschema.validate(parsed, LAYOUT)
    return parsed


def test_it_says_whose_run_it_is_and_what_came_of_it() -> None:
    assert read(gate.summarize(report(finding()), URIS, SHA256)) == {
        "version": 1,
        "run_id": "run-7",
        "run_date": "2026-11-22",
        "dataset": "taxi",
        "verdict": "fail",
        "counts": {"error": 1, "warning": 0, "info": 0},
        "findings": [{"code": "CODE", "severity": "error", "feature": "fare", "message": "too high"}],
        "uris": URIS,
        "statistics_sha256": SHA256,
    }


def test_no_findings_pass() -> None:
    parsed = read(gate.summarize(report(), URIS, SHA256))
    assert (parsed["verdict"], parsed["findings"]) == ("pass", [])


def test_the_first_ten_findings_are_carried_and_all_are_counted() -> None:
    parsed = read(gate.summarize(report(*(finding(f"f{i:02}") for i in range(25))), URIS, SHA256))
    assert [f["feature"] for f in parsed["findings"]] == [f"f{i:02}" for i in range(GATE_FINDINGS)]  # type: ignore[attr-defined]
    assert parsed["counts"] == {"error": 25, "warning": 0, "info": 0}


HOSTILE = st.text(max_size=40) | st.builds(lambda c, n: c * n, st.characters(), st.integers(0, 10_000))


@settings(deadline=None)
@given(st.lists(st.builds(finding, HOSTILE, HOSTILE), max_size=15), st.integers(0, 1000))
def test_it_is_never_longer_than_its_limit(findings: list[Finding], length: int) -> None:
    uris = {name: f"s3://bucket/{'é' * length}/{name}" for name in URIS}
    content = gate.summarize(report(*findings), uris, SHA256)
    assert len(content) <= GATE_LIMIT_BYTES
    assert read(content)["uris"] == uris


@pytest.mark.parametrize("character", ["x", "é", "😀", "\x00", "\u202e", "\\", '"', "\ud800"])
def test_names_and_messages_of_ten_thousand_characters_are_cut(character: str) -> None:
    content = gate.summarize(report(*[finding(character * 10_000, character * 10_000)] * 20), URIS, SHA256)
    assert len(content) <= GATE_LIMIT_BYTES
    assert len(read(content)["findings"]) == GATE_FINDINGS  # type: ignore[arg-type]


def test_uris_longer_than_the_limit_are_refused() -> None:
    with pytest.raises(UsageError, match="choose a shorter output URI"):
        gate.summarize(report(), {"verdict": "x" * GATE_LIMIT_BYTES}, SHA256)
