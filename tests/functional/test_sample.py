"""The sample under the reviewed schema: ordinary days pass, bad ones fail, drifted ones warn."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from build.rehearsal.sample import Variant, day

pytestmark = pytest.mark.xdist_group("sample")

ROOT = Path(__file__).parents[2]
FIRST, SECOND = date(2026, 11, 21), date(2026, 11, 22)


def judge(folder: Path, run_date: date, variant: Variant, baseline: Path | None) -> dict[str, Any]:
    """Run the validator on a day as a person would."""
    data, output = folder / "data", folder / "output"
    data.mkdir(parents=True)
    for part in day(run_date, variant=variant):
        (data / part.name).write_bytes(part.content)
    options = {
        "--data": data,
        "--output": output,
        "--schema": ROOT / "schema" / "taxi.pbtxt",
        "--run-date": run_date,
    }
    if baseline:
        options["--baseline"] = baseline
    argv = [str(word) for option in options.items() for word in option]
    subprocess.run([sys.executable, "-m", "validator", *argv], cwd=ROOT, check=True, capture_output=True)
    verdict: dict[str, Any] = json.loads((output / "verdict.json").read_text())
    return verdict


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Statistics of an accepted day."""
    folder = tmp_path_factory.mktemp("first")
    assert judge(folder, FIRST, Variant.ORDINARY, None)["verdict"] == "pass"
    return folder / "output" / "statistics.pb"


def found(verdict: dict[str, Any], severity: str) -> set[tuple[str, str]]:
    return {(each["code"], each["feature"]) for each in verdict["findings"] if each["severity"] == severity}


@pytest.mark.parametrize("run_date", [SECOND, date(2026, 12, 24), date(2027, 7, 4)])
def test_ordinary_days_pass_far_below_every_threshold(tmp_path: Path, baseline: Path, run_date: date) -> None:
    verdict = judge(tmp_path, run_date, Variant.ORDINARY, baseline)

    assert (verdict["verdict"], verdict["findings"]) == ("pass", [])
    assert len(verdict["drift"]) == 18
    assert all(each["value"] < each["threshold"] / 2 for each in verdict["drift"])


def test_a_bad_day_fails_for_each_thing_that_is_wrong(tmp_path: Path, baseline: Path) -> None:
    verdict = judge(tmp_path, SECOND, Variant.BAD, baseline)

    assert verdict["verdict"] == "fail"
    assert found(verdict, "error") == {
        ("ENUM_TYPE_UNEXPECTED_STRING_VALUES", "payment_type"),
        ("FEATURE_TYPE_LOW_FRACTION_PRESENT", "trip_miles"),
        ("FLOAT_TYPE_SMALL_FLOAT", "fare"),
        ("SCHEMA_MISSING_COLUMN", "pickup_latitude"),
        ("SCHEMA_NEW_COLUMN", "pickup_lat"),
    }


def test_a_drifted_day_warns_and_does_not_fail(tmp_path: Path, baseline: Path) -> None:
    verdict = judge(tmp_path, SECOND, Variant.DRIFTED, baseline)

    assert (verdict["verdict"], found(verdict, "error")) == ("warn", set())
    assert found(verdict, "warning") == {
        ("COMPARATOR_L_INFTY_HIGH", "payment_type"),
        ("COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH", "trip_miles"),
        ("COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH", "fare"),
    }
