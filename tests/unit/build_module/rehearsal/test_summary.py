"""What a person is told at the end, and what programs are."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from build.cost import Estimate, Item
from build.rehearsal import summary
from build.rehearsal.history import StateRun, Status
from build.rehearsal.outcome import Notification, Outcome
from build.rehearsal.permissions import Permissions
from build.rehearsal.scenario import SCENARIOS
from build.rehearsal.summary import Summary


@pytest.fixture
def outcome(tmp_path: Path) -> Outcome:
    return Outcome(
        status="SUCCEEDED",
        input={"dataset": "taxi"},
        output={"evaluation": {"metric": "auc", "value": 0.81, "champion_value": None}},
        states=(
            StateRun("Init", "Task", Status.SUCCEEDED, 1, 0.7),
            StateRun("Gate", "Choice", Status.SUCCEEDED, 1),
        ),
        uses=(),
        verdict={
            "verdict": "warn",
            "rows": 40000,
            "findings": [{"severity": "warning", "message": f"[red]{n}[/red] drifted"} for n in range(7)],
        },
        prepared={},
        notifications=(Notification("Sluice dev: a model was registered", "…"),),
        notices=tmp_path / "notices",
        folder=tmp_path,
        logs=tmp_path / "logs",
    )


def ended(outcome: Outcome, *problems: str) -> Summary:
    item = Item("Validate", Decimal("0.0004"), "Validate: 1 vCPU = $0.0004")
    estimate = Estimate((item,), "us-east-1", "2026-11")
    permissions = Permissions({"InitRole": ("s3:GetObject",)}, {"InitRole": ("s3:PutObject",)}, ())
    return Summary(SCENARIOS["happy"], outcome, estimate, permissions, problems)


def shown(told: Summary, **how: Any) -> str:
    out = io.StringIO()
    summary.show(told, Console(file=out, highlight=False, **how))
    return out.getvalue()


def test_a_person_is_told_everything_and_hostile_text_stays_text(outcome: Outcome) -> None:
    (outcome.folder / "report.html").write_text("<html>")
    (outcome.folder / "schema.proposed.pbtxt").write_text("")
    lines = shown(ended(outcome)).splitlines()
    assert "Verdict     warn on 40,000 rows" in lines
    assert "            warning: [red]0[/red] drifted" in lines
    assert "            and 2 more in the report" in lines
    assert "Model       auc 0.8100 on the validation split (no champion yet)" in lines
    assert "Notified    Sluice dev: a model was registered" in lines
    assert f"Notices     {outcome.notices}: what the topic's subscribers would read" in lines
    assert not any(line.startswith("Cause") for line in lines)
    assert "Permissions 1 roles used 1 of 2 actions; summary.json lists the others" in lines
    assert f"Report      {outcome.folder}/report.html" in lines
    assert any(line.startswith("Schema") and "review it" in line for line in lines)
    assert lines[-1].startswith("As designed:")


def test_on_a_narrow_terminal_long_values_wrap_below_themselves(outcome: Outcome) -> None:
    styled = shown(ended(outcome), force_terminal=True, width=40)
    lines = Text.from_ansi(styled).plain.splitlines()
    assert all(len(line.rstrip()) <= 40 for line in lines)
    assert any(line.startswith(" " * summary.LABEL_WIDTH) and "drifted" in line for line in lines)


def test_equal_lines_of_an_estimate_are_told_once(outcome: Outcome) -> None:
    one, *_ = ended(outcome).cost.items
    other = Item("ProfileShards", Decimal("0.0001"), "ProfileShards: 0.25 vCPU = $0.0001")
    told = replace(ended(outcome), cost=Estimate((one, other, other, other), "us-east-1", "2026-11"))
    assert "$0.0004\n" in shown(told)
    assert shown(told).count("0.25 vCPU = $0.0001, 3 times") == 1
    assert "about $0.0007" in shown(told)


def test_problems_are_told_instead_of_praise(outcome: Outcome) -> None:
    text = shown(ended(outcome, "it ended FAILED"))
    assert "Not as happy should be:" in text
    assert "it ended FAILED" in text
    assert "As designed" not in text


def test_a_run_without_verdict_or_model_is_told_too(outcome: Outcome) -> None:
    cause = {"Error": "Failed", "Cause": "Init: TooManyObjects:\n[red] more than 3"}
    bare = replace(outcome, status="FAILED", output=cause, states=(), verdict={}, notifications=())
    text = shown(ended(bare, "…"))
    assert "Cause       Init: TooManyObjects: [red] more than 3\n" in text
    assert "Noti" not in text
    assert "Verdict" not in text
    assert "Model" not in text


def test_programs_find_every_key(outcome: Outcome, tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    summary.write(ended(outcome), path)
    told = json.loads(path.read_text())
    assert told["states"][0] == {
        "name": "Init",
        "status": "SUCCEEDED",
        "attempts": 1,
        "seconds": 0.7,
        "routes": False,
    }
    assert told["states"][1]["routes"] is True
    assert (told["verdict"], told["model_metric"]["value"], told["report"]) == ("warn", 0.81, None)
    assert told["notices"] == [{"subject": "Sluice dev: a model was registered", "message": "…"}]
    assert told["cost"]["total"] == 0.0004
    assert told["permissions"]["unused"] == {"InitRole": ["s3:PutObject"]}
    assert list(tmp_path.glob("*.part")) == []
