"""Which faults meet a task, and when a task has failed."""

from __future__ import annotations

from typing import Any

import pytest

from build.rehearsal.emulator.containers import applies, failed
from build.rehearsal.emulator.faults import Fault, Kind

SPOT = {"CapacityProviderStrategy": [{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}]}
ON_DEMAND = {"CapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Weight": 1}]}


@pytest.mark.parametrize(("arguments", "met"), [(SPOT, True), (ON_DEMAND, False), ({}, False)])
def test_spot_alone_lacks_capacity_and_is_interrupted(arguments: dict[str, Any], met: bool) -> None:
    assert applies(Fault("Validate", Kind.NO_CAPACITY), arguments) is met
    assert applies(Fault("Validate", Kind.INTERRUPT), arguments) is met


@pytest.mark.parametrize("kind", [Kind.CRASH, Kind.MEMORY_LIMIT, Kind.STORAGE_ERRORS])
def test_other_faults_meet_any_task(kind: Kind) -> None:
    assert applies(Fault("Validate", kind), ON_DEMAND)


def test_a_fault_of_jobs_meets_no_task() -> None:
    assert not applies(Fault("Validate", Kind.PUT_OBJECT), SPOT)


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
