"""Show: readable on a terminal, harmless whatever the names hold."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import show
from validator.contract import Severity, Verdict
from validator.drift import Comparator, Drift
from validator.findings import Finding
from validator.verdict import VerdictReport

Build = Callable[..., DatasetFeatureStatisticsList]
Read = Callable[[str], Schema]
HOSTILE = "[bold]x[/bold][/] \x1b[31m\x07\u202e\n:smile:"
TAMED = "[bold]x[/bold][/] \\u001b[31m\\u0007\\u202e\\u000a:smile:"

REPORT = VerdictReport(
    verdict=Verdict.FAIL,
    run_date=date(2026, 11, 22),
    run_id="run-7",
    dataset="taxi",
    rows=25_000,
    bytes=1,
    findings=(Finding("SCHEMA_NEW_COLUMN", Severity.ERROR, HOSTILE, "", "", f"Column {HOSTILE} is new."),),
    drift=(
        Drift("calm", Comparator.L_INFTY, 0.01, 0.1, ""),
        Drift(HOSTILE, Comparator.JENSEN_SHANNON_DIVERGENCE, 0.47, 0.15, ""),
    ),
    features=(),
    artifacts={},
    versions={},
    cost=None,
    timings={},
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(print_it: Callable[..., None], content: object, stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    print_it(content, show.console(stream))
    return stream.getvalue()


def test_a_verdict_begins_with_the_verdict() -> None:
    lines = shown(show.verdict, REPORT).splitlines()
    assert lines[0] == "fail  taxi 2026-11-22 run run-7, 25,000 rows: 1 error"


def test_a_verdict_has_its_findings_and_drift_worst_first() -> None:
    out = shown(show.verdict, REPORT)
    assert "SCHEMA_NEW_COLUMN" in out
    assert out.index("0.47") < out.index("calm")
    assert out.count("drifted") == 1


def test_a_pass_without_findings_is_one_line() -> None:
    clean = replace(REPORT, verdict=Verdict.PASS, findings=(), drift=())
    assert shown(show.verdict, clean) == "pass  taxi 2026-11-22 run run-7, 25,000 rows: no findings\n"


def test_statistics_have_a_line_a_feature(statistics: Build) -> None:
    out = shown(show.statistics, statistics(fare=[1.0, 2.0, None, 3.0], pay=["Cash"] * 3 + ["Card"]))
    fare, pay = (
        line.split(maxsplit=3) for line in out.splitlines() if line.lstrip().startswith(("fare", "pay"))
    )
    assert out.startswith("4 rows, 2 columns\n")
    assert [word.strip() for word in fare] == ["fare", "FLOAT", "25%", "1 to 3, median 2"]
    assert [word.strip() for word in pay] == ["pay", "STRING", "0%", "Cash 75%, Card 25%"]


def test_an_estimate_is_called_one(statistics: Build) -> None:
    made = statistics(fare=[1.0, 2.0, 3.0], pay=["Cash", "Card", "Voucher", "Barter"])
    exact = shown(show.statistics, made)
    for feature, name in zip(
        made.datasets[0].features, ("rank_error", "distinct_relative_error"), strict=True
    ):
        feature.custom_stats.add(name=name, num=0.01)
    estimated = shown(show.statistics, made)
    assert "about" not in exact
    assert "median about 2" in estimated
    assert "about 1 more" in estimated


def test_a_schema_has_a_line_a_feature(schema: Read) -> None:
    out = shown(
        show.schema,
        schema(
            'feature { name: "pay" type: BYTES domain: "d" presence { min_fraction: 1 } }'
            'feature { name: "fare" type: FLOAT float_domain { min: 0 max: 500 } }'
            'feature { name: "flag" type: INT bool_domain {} presence { min_count: 1 } }'
            'string_domain { name: "d" value: "Cash" value: "Card" }'
        ),
    )
    lines = {line.split()[0]: " ".join(line.split()) for line in out.splitlines() if line.strip()}
    assert lines["pay"] == "pay BYTES in 100% of rows Cash and Card"
    assert lines["fare"] == "fare FLOAT optional at least 0, at most 500"
    assert lines["flag"] == "flag INT in at least 1 row 0 or 1"


def test_hostile_names_are_shown_tamed(statistics: Build, schema: Read) -> None:
    declared = schema("")
    declared.feature.add(name=HOSTILE, type="BYTES")
    day = statistics({HOSTILE: ["a", HOSTILE]})
    for print_it, content in ((show.verdict, REPORT), (show.statistics, day), (show.schema, declared)):
        out = "".join(shown(print_it, content).split())
        assert "".join(TAMED.split()) in out
        assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_colour_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in shown(show.verdict, REPORT, Terminal())
    assert "\x1b[" not in shown(show.verdict, REPORT, io.StringIO())


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    out = shown(show.verdict, REPORT, Terminal())
    assert "\x1b[31m" not in out
    assert "\x1b[1;31m" not in out
