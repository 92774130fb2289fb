"""The watchdog, on little programs that do what the validator must not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.functional.bad_input.inputs import Run
from tests.functional.bad_input.process import End, Limits, Outcome, watched

CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
HOARD = "held = bytearray(300_000_000); held[::4096] = b'x' * len(held[::4096])"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "data.csv").write_bytes(b"x")
    return tmp_path


def program(code: str, folder: Path, limits: Limits | None = None, made: Run | None = None) -> Outcome:
    return watched([sys.executable, "-c", code], folder, folder / "out", limits or Limits(), made)


def test_a_program_that_does_no_wrong(folder: Path) -> None:
    outcome = program("print('said')", folder)
    assert (outcome.end, outcome.exit_code, outcome.stdout, outcome.strays) == (End.EXITED, 0, "said\n", ())
    assert outcome.files == {}
    assert 0 < outcome.cpu_seconds < 5


def test_one_that_hangs_is_ended(folder: Path) -> None:
    outcome = program("import time; time.sleep(60)", folder, Limits(wall_seconds=0.3))
    assert (outcome.end, outcome.exit_code) == (End.TIME, -9)


@pytest.mark.parametrize("code", [HOARD + "; import time; time.sleep(30)", CHILD.format(code=HOARD)])
def test_one_that_hoards_is_ended(code: str, folder: Path) -> None:
    outcome = program(code, folder, Limits(peak_mb=200))
    assert outcome.end is End.MEMORY
    assert outcome.peak_mb > 200


def test_memory_that_was_given_back_counts(folder: Path) -> None:
    outcome = program(f"{HOARD}; del held; import time; time.sleep(0.1)", folder)
    assert outcome.end is End.EXITED
    assert outcome.peak_mb > 280


@pytest.mark.parametrize(
    ("code", "stray"),
    [
        ("import tempfile; tempfile.mkstemp(suffix='.left')", ".left"),
        ("open({folder!r} + '/in/beside.csv', 'w')", "beside.csv"),
    ],
)
def test_what_is_left_behind_is_seen(code: str, stray: str, folder: Path) -> None:
    outcome = program(code.format(folder=str(folder)), folder)
    assert len(outcome.strays) == 1
    assert outcome.strays[0].endswith(stray)


def test_results_are_no_strays_even_beside_the_input(folder: Path) -> None:
    code = (
        f"import os; os.mkdir({str(folder)!r} + '/in/out'); open({str(folder)!r} + '/in/out/gate.json', 'w')"
    )
    outcome = watched([sys.executable, "-c", code], folder, folder / "in" / "out", Limits())
    assert (outcome.strays, list(outcome.files)) == ((), ["gate.json"])


def test_a_signal_is_told(folder: Path) -> None:
    outcome = program("import os; os.kill(os.getpid(), 11)", folder)
    assert (outcome.end, outcome.exit_code) == (End.EXITED, -11)


@pytest.mark.parametrize(("strikes", "has_struck"), [(True, True), (False, False)])
def test_mischief_that_did_not_happen_is_told(strikes: bool, has_struck: bool, folder: Path) -> None:
    outcome = program("import time; time.sleep(0.1)", folder, made=Run(None, mischief=lambda _: strikes))
    assert outcome.has_struck is has_struck


def test_a_full_disk(folder: Path) -> None:
    code = f"import pathlib; pathlib.Path({str(folder / 'in' / 'data.csv')!r}).write_bytes(bytes(1_000))"
    outcome = program(code, folder, made=Run(None, file_bytes=600))
    assert outcome.exit_code == 1
    assert "File too large" in outcome.stderr


def test_nobody_reads_what_may_not_be_read(folder: Path) -> None:
    (folder / "in" / "data.csv").chmod(0)
    outcome = program(f"open({str(folder / 'in' / 'data.csv')!r})", folder)
    assert "PermissionError" in outcome.stderr
