"""Which faults meet a task, and when a task has failed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from build.rehearsal.emulator.containers import applies, failed, plant_bug
from build.rehearsal.emulator.faults import Fault, Kind

SPOT = {"CapacityProviderStrategy": [{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}]}
ON_DEMAND = {"CapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Weight": 1}]}


@pytest.mark.parametrize(("arguments", "met"), [(SPOT, True), (ON_DEMAND, False), ({}, False)])
def test_spot_alone_lacks_capacity_and_is_interrupted(arguments: dict[str, Any], met: bool) -> None:
    assert applies(Fault("Validate", Kind.NO_CAPACITY), arguments) is met
    assert applies(Fault("Validate", Kind.INTERRUPT), arguments) is met


@pytest.mark.parametrize("kind", [Kind.NO_CAPACITY, Kind.INTERRUPT])
def test_on_demand_can_be_meant_instead(kind: Kind) -> None:
    fault = Fault("Validate", kind, capacity="FARGATE")
    assert applies(fault, ON_DEMAND)
    assert not applies(fault, SPOT)


@pytest.mark.parametrize(
    "kind", [Kind.BUG, Kind.CRASH, Kind.MEMORY_LIMIT, Kind.SETTING, Kind.STOP, Kind.STORAGE_ERRORS]
)
def test_other_faults_meet_any_task(kind: Kind) -> None:
    assert applies(Fault("Validate", kind), ON_DEMAND)


def test_a_fault_of_jobs_meets_no_task() -> None:
    assert not applies(Fault("Validate", Kind.PUT_OBJECT), SPOT)


def test_a_planted_bug_breaks_its_module_and_no_other(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(plant_bug("json.tool", tmp_path))}

    def ends(module: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", f"import {module}"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert "RuntimeError: a bug was planted in json.tool" in ends("json.tool").stderr
    assert ends("json").returncode == 0


@pytest.mark.parametrize(
    ("containers", "failure"),
    [
        ([{"ExitCode": 0}], False),
        ([{"ExitCode": 75}], True),
        ([{}], True),
        ([{"ExitCode": 0}, {"ExitCode": 1}], True),
    ],
)
def test_exit_codes_decide(containers: list[dict[str, int]], failure: bool) -> None:
    assert failed({"Containers": containers}) is failure
