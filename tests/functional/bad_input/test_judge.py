"""Planted mistakes: what is wrong must be seen, what is right must pass."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from tests.functional.bad_input.expected import Accepted, Bounds, Expected, Figures, Flaw, Refused
from tests.functional.bad_input.inputs import Case, Run
from tests.functional.bad_input.judge import Judgement, Letter, judge
from tests.functional.bad_input.process import End, Outcome

REFUSED = Refused("quotation mark", r"line 501\b")
ACCEPTED = Accepted(
    1000,
    {"id": Figures("INT", missing=1, minimum=1, maximum=9, mean=5.5, zeros=0)},
    (Flaw("NUL_BYTES", "t", "^1 value"),),
    ("id", "t"),
)
LINE = "cannot read /x/data.csv: line 501: a quotation mark is not closed; mend it"
LOG = "shard 1 of 1 done: /x/data.csv, 1,000 rows"
RUN = Run(Path("/x/data.csv"))


def error_document(line: str = LINE, code: int = 65) -> bytes:
    return json.dumps({"exit_code": code, "message": line}).encode()


def statistics(**figures: float) -> bytes:
    numbers = {"min": 1, "max": 9, "mean": 5.5, "num_zeros": 0, **figures}
    made = DatasetFeatureStatisticsList()
    dataset = made.datasets.add(num_examples=1000)
    number = dataset.features.add(path={"step": ["id"]}, type="INT")
    for name, value in numbers.items():
        setattr(number.num_stats, name, value)
    number.num_stats.common_stats.num_missing = 1
    dataset.features.add(path={"step": ["t"]}, type="STRING").string_stats.unique = 3
    return bytes(made.SerializeToString())


def results(**other: Any) -> dict[str, bytes]:
    finding = {"code": "NUL_BYTES", "feature": "t", "observed": "1 value with a NUL byte"}
    verdict = {"verdict": "warn", "run_id": "r", "rows": 1000, "findings": [finding], **other}
    return {
        "statistics.pb": statistics(),
        "anomalies.pb": b"",
        "anomalies.pbtxt": b"",
        "verdict.json": json.dumps(verdict).encode(),
        "report.html": b"<html></html>",
        "gate.json": json.dumps({"verdict": "warn", "run_id": "r"}).encode(),
        "states/a.state": b"",
    }


REFUSAL = Outcome(End.EXITED, 65, "", LINE + "\n", 0.4, 90, {"error.json": error_document()})
ACCEPTANCE = Outcome(End.EXITED, 0, "warn: x\n", LOG + "\n", 0.5, 100, results())


def judged(outcome: Outcome, *expected: Expected, bounds: Bounds | None = None) -> Judgement:
    return judge(Case("c", "CSV", lambda _: RUN, expected, bounds=bounds or Bounds()), RUN, outcome)


def with_files(outcome: Outcome, files: Mapping[str, bytes]) -> Outcome:
    return replace(outcome, files={**outcome.files, **files})


class TestRight:
    def test_a_refusal(self) -> None:
        assert judged(REFUSAL, REFUSED) == Judgement(Letter.A, ())

    def test_an_acceptance(self) -> None:
        assert judged(ACCEPTANCE, ACCEPTED) == Judgement(Letter.R, ())

    @pytest.mark.parametrize("outcome", [REFUSAL, ACCEPTANCE])
    def test_either(self, outcome: Outcome) -> None:
        assert judged(outcome, REFUSED, ACCEPTED).complaints == ()

    def test_lines_of_log_may_come_before_an_error(self) -> None:
        assert judged(replace(REFUSAL, stderr=f"{LOG}\n{LINE}\n"), REFUSED).complaints == ()

    def test_a_sum_in_another_order(self) -> None:
        files = {"statistics.pb": statistics(mean=math.nextafter(5.5, 6))}
        assert judged(with_files(ACCEPTANCE, files), ACCEPTED).complaints == ()


PLANTED_IN_A_REFUSAL = {
    "no-cause": (replace(REFUSAL, stderr="cannot read /x/data.csv: line 501\n"), Letter.C, "cause is not"),
    "no-file": (replace(REFUSAL, stderr="line 501: a quotation mark\n"), Letter.B, "not named, /data"),
    "no-place": (replace(REFUSAL, stderr="/x/data.csv: a quotation mark\n"), Letter.B, "not named, /line"),
    "other-line": (replace(REFUSAL, stderr=LINE.replace("501", "5010") + "\n"), Letter.B, "not named"),
    "traceback": (
        replace(REFUSAL, stderr=f"Traceback (most recent call last):\n  File\n{LINE}\n"),
        Letter.C,
        "a traceback",
    ),
    "two-lines": (replace(REFUSAL, stderr=f"oops\n{LINE}\n"), Letter.A, "more than one line"),
    "other-code": (replace(REFUSAL, exit_code=64), Letter.A, "exit code 64"),
    "bug": (replace(REFUSAL, exit_code=70), Letter.C, "exit code 70"),
    "crash": (replace(REFUSAL, exit_code=-11, stderr=""), Letter.C, "ended by signal 11"),
    "accepted": (ACCEPTANCE, Letter.W, "accepted, must be refused"),
    "on-stdout": (replace(REFUSAL, stdout="pass\n"), Letter.A, "stdout has"),
    "no-document": (replace(REFUSAL, files={}), Letter.A, "no error.json"),
    "half-a-document": (with_files(REFUSAL, {"error.json": b'{"exit'}), Letter.A, "no error.json"),
    "other-document": (with_files(REFUSAL, {"error.json": error_document("x")}), Letter.A, "says 'x'"),
    "other-code-in-document": (
        with_files(REFUSAL, {"error.json": error_document(code=70)}),
        Letter.A,
        "says exit code 70",
    ),
    "gate": (with_files(REFUSAL, {"gate.json": b"{}"}), Letter.A, "left after an error: gate.json"),
    "half-written": (with_files(REFUSAL, {".gate.json.a1": b""}), Letter.A, "left after an error: .gate"),
    "stray": (replace(REFUSAL, strays=("tmp/x",)), Letter.A, "left behind: 'tmp/x'"),
    "escape": (replace(REFUSAL, stderr=LINE + "\x1b[2J\n"), Letter.A, "control character"),
    "hangs": (replace(REFUSAL, end=End.TIME, exit_code=-9), Letter.H, "took too long"),
    "hoards": (replace(REFUSAL, end=End.MEMORY, exit_code=-9), Letter.X, "too much memory"),
    "slow": (replace(REFUSAL, cpu_seconds=21), Letter.A, "21.0 CPU s"),
    "large": (replace(REFUSAL, peak_mb=601), Letter.A, "601 MB"),
    "nothing-happened": (replace(REFUSAL, has_struck=False), Letter.A, "did not happen"),
}

PLANTED_IN_AN_ACCEPTANCE = {
    "other-mean": ({"statistics.pb": statistics(mean=5.5000001)}, Letter.W, "mean of 'id' is 5.5000001"),
    "other-maximum": ({"statistics.pb": statistics(max=-9)}, Letter.W, "maximum of 'id' is -9"),
    "nan": ({"statistics.pb": statistics(mean=math.nan)}, Letter.W, "mean of 'id' is nan"),
    "half-a-proto": ({"statistics.pb": statistics()[:20]}, Letter.W, "no results that can be read"),
    "no-finding": (results(findings=[]), Letter.S, "no finding NUL_BYTES of 't'"),
    "other-number": (
        results(findings=[{"code": "NUL_BYTES", "feature": "t", "observed": "10 values"}]),
        Letter.S,
        "no finding NUL_BYTES",
    ),
    "other-rows-in-verdict": (results(rows=999), Letter.R, "verdict.json has 999 rows"),
    "other-verdict-in-gate": (results(verdict="pass"), Letter.R, "verdict is 'pass' in verdict.json"),
    "no-json": ({"gate.json": b"{"}, Letter.W, "no results that can be read"),
    "half-a-page": ({"report.html": b"<html>"}, Letter.W, "does not end"),
    "markup": ({"report.html": b"<script>alert(1)</html>"}, Letter.R, "as it is"),
    "fat-gate": (
        {"gate.json": json.dumps({"verdict": "warn", "run_id": "r", "x": "x" * 16_384}).encode()},
        Letter.R,
        "gate.json has",
    ),
    "left-over": ({".report.html.x1": b""}, Letter.R, "left in the output: .report"),
    "both": ({"error.json": b"{}"}, Letter.R, "both a gate and an error"),
}


@pytest.mark.parametrize("planted", PLANTED_IN_A_REFUSAL)
def test_a_mistake_in_a_refusal_is_seen(planted: str) -> None:
    outcome, letter, complaint = PLANTED_IN_A_REFUSAL[planted]
    judgement = judged(outcome, REFUSED)
    assert judgement.letter == letter
    assert [said for said in judgement.complaints if complaint in said]


@pytest.mark.parametrize("planted", PLANTED_IN_AN_ACCEPTANCE)
def test_a_mistake_in_an_acceptance_is_seen(planted: str) -> None:
    files, letter, complaint = PLANTED_IN_AN_ACCEPTANCE[planted]
    judgement = judged(with_files(ACCEPTANCE, files), ACCEPTED)
    assert judgement.letter == letter
    assert [said for said in judgement.complaints if complaint in said]


@pytest.mark.parametrize(
    ("expected", "complaint"),
    [
        (replace(ACCEPTED, rows=1001), "1000 rows, must be 1001"),
        (replace(ACCEPTED, names=("id",)), "columns are id, t"),
        (replace(ACCEPTED, columns={"gone": Figures()}), "column 'gone' is absent"),
        (replace(ACCEPTED, verdict="fail"), "verdict is warn"),
        (REFUSED, "accepted, must be refused"),
    ],
)
def test_another_expectation_is_not_met(expected: Expected, complaint: str) -> None:
    assert complaint in "".join(judged(ACCEPTANCE, expected).complaints)


def test_the_name_of_the_folder_is_no_cause() -> None:
    line = "cannot read /quotation mark/data.csv: line 501: oops"
    outcome = replace(REFUSAL, stderr=f"{line}\n", files={"error.json": error_document(line)})
    assert judged(outcome, REFUSED).letter is Letter.A
    assert judged(replace(outcome, folder="/quotation mark"), REFUSED).letter is Letter.C
    assert judged(REFUSAL, Refused("data")).letter is Letter.C


def test_refusing_what_is_valid() -> None:
    judgement = judged(REFUSAL, ACCEPTED)
    assert (judgement.letter, "must be accepted" in judgement.complaints[0]) == (Letter.C, True)


def test_more_than_log_on_stderr_of_a_verdict() -> None:
    noisy = replace(ACCEPTANCE, stderr=f"{LOG}\nDeprecationWarning: x\n")
    assert "not a line of log" in "".join(judged(noisy, ACCEPTED).complaints)
