"""gate.json: all that the state machine reads of a run, so small that it always fits its payload."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from validator import text
from validator.contract import GATE_FINDINGS, GATE_LIMIT_BYTES, GATE_VERSION
from validator.errors import UsageError

if TYPE_CHECKING:
    from validator.findings import Finding
    from validator.verdict import VerdictReport

MESSAGE_LIMIT: Final = 200
FEATURE_LIMIT: Final = 100
"""Characters; at four bytes each ten findings still leave room for the URIs."""


def summarize(verdict: VerdictReport, uris: Mapping[str, str], statistics_sha256: str) -> bytes:
    """Returns the content of gate.json, at most `GATE_LIMIT_BYTES` whatever the findings hold.

    Args:
        verdict: The verdict of the run.
        uris: Where the run's files lie: `verdict`, `report`, `statistics`, `anomalies`.
        statistics_sha256: Of the statistics as they were written, in hexadecimal digits.

    Raises:
        UsageError: The URIs alone are longer than the limit.
    """
    findings = [_brief(finding) for finding in verdict.findings[:GATE_FINDINGS]]
    content = _encode(verdict, findings, uris, statistics_sha256)
    while len(content) > GATE_LIMIT_BYTES and findings:
        findings.pop()
        content = _encode(verdict, findings, uris, statistics_sha256)
    if len(content) > GATE_LIMIT_BYTES:
        raise UsageError(
            "cannot write gate.json",
            why=f"run id and URIs alone take {len(content):,} of {GATE_LIMIT_BYTES:,} bytes",
            remedy="choose a shorter output URI",
        )
    return content


def _brief(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "feature": text.shown(finding.feature, FEATURE_LIMIT),
        "message": text.shown(finding.message, MESSAGE_LIMIT),
    }


def _encode(
    verdict: VerdictReport, findings: list[dict[str, str]], uris: Mapping[str, str], statistics_sha256: str
) -> bytes:
    summary: dict[str, Any] = {
        "version": GATE_VERSION,
        "run_id": verdict.run_id,
        "run_date": verdict.run_date.isoformat(),
        "dataset": verdict.dataset,
        "verdict": verdict.verdict,
        "counts": verdict.counts,
        "findings": findings,
        "uris": dict(uris),
        "statistics_sha256": statistics_sha256,
    }
    return json.dumps(summary, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"
