"""Faults are used once each, in the order of their step."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from build.rehearsal.emulator.faults import Fault, Faults, Kind, parse

INTERRUPT = Fault("Validate", Kind.INTERRUPT, after="shard 1 of")
NO_CAPACITY = Fault("Validate", Kind.NO_CAPACITY)
CRASH = Fault("Prepare", Kind.CRASH)


def test_each_attempt_meets_the_next_fault_of_its_step() -> None:
    faults = Faults([INTERRUPT, CRASH, NO_CAPACITY])
    assert [faults.take("Validate") for _ in range(3)] == [INTERRUPT, NO_CAPACITY, None]
    assert faults.take("Prepare") == CRASH


def test_a_fault_that_does_not_apply_waits() -> None:
    faults = Faults([NO_CAPACITY, INTERRUPT])
    assert faults.take("Validate", lambda fault: fault.kind is not Kind.NO_CAPACITY) == INTERRUPT
    assert faults.take("Validate") == NO_CAPACITY


def test_threads_share_no_fault() -> None:
    faults = Faults([CRASH] * 50)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: faults.take("Prepare"), range(100)))
    assert taken.count(CRASH) == 50


def test_a_record_becomes_a_fault() -> None:
    record = {"step": "Validate", "kind": "interrupt", "after": "shard 1 of"}
    assert parse(record) == INTERRUPT


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ({"kind": "crash"}, "lacks step"),
        ({"step": "Init"}, "lacks kind"),
        ({"step": "Init", "kind": "explode"}, "explode"),
        ({"step": "Init", "kind": "crash", "afer": "x"}, "no afer"),
        ({"step": "Validate", "kind": "memory-limit"}, "lacks megabytes"),
        ({"step": "Validate", "kind": "storage-errors", "count": 0}, "lacks count"),
        ({"step": "Validate", "kind": "bug"}, "lacks module"),
        ({"step": "Validate", "kind": "setting", "value": "x"}, "lacks variable"),
        ({"step": "Prepare", "kind": "put-object", "key": "k"}, "lacks file"),
    ],
)
def test_a_wrong_record_is_refused(record: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse(record)
