"""Processes: how they start, end and are measured."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from build.rehearsal.emulator.processes import LocalProcess, descendants, last_line, resident_bytes

READY = "print('ready', flush=True); import time; time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {READY!r}])"
GREEDY = "held = bytearray(300 << 20); import time; time.sleep(60)"


def run(folder: Path, code: str, **environment: str) -> LocalProcess:
    return LocalProcess(
        [sys.executable, "-c", code], environment=environment, cwd=folder, log=folder / "process.log"
    )


def ready(process: LocalProcess) -> LocalProcess:
    while "ready" not in process.log.read_text():
        assert not process.wait(0.01)
    return process


def test_exit_codes_are_real(tmp_path: Path) -> None:
    process = run(tmp_path, "raise SystemExit(3)")
    assert process.wait(10)
    assert process.exit_code == 3


def test_only_the_given_environment_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "not for you")
    run(tmp_path, "import os; print(sorted(os.environ))", RUN_ID="r1").wait(10)
    assert "RUN_ID" in (tmp_path / "process.log").read_text()
    assert "SECRET" not in (tmp_path / "process.log").read_text()


def test_a_running_process_has_no_exit_code(tmp_path: Path) -> None:
    process = ready(run(tmp_path, READY))
    assert process.exit_code is None
    process.stop(10)
    assert process.exit_code == 128 + 15


def test_one_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    process = ready(run(tmp_path, DEAF))
    process.stop(0.1)
    assert process.exit_code == 128 + 9


def test_kill_takes_the_children_along(tmp_path: Path) -> None:
    process = ready(run(tmp_path, PARENT))
    (child,) = descendants(process.pid)
    process.kill()
    assert not Path(f"/proc/{child}").exists() or ") Z " in Path(f"/proc/{child}/stat").read_text()


def test_a_crash_is_sigabrt(tmp_path: Path) -> None:
    process = ready(run(tmp_path, READY))
    process.crash()
    assert process.wait(10)
    assert process.exit_code == 134


def test_memory_counts_and_limits(tmp_path: Path) -> None:
    process = run(tmp_path, GREEDY)
    process.limit_memory(100 << 20)
    assert process.wait(20)
    assert process.out_of_memory
    assert process.exit_code == 137


def test_memory_below_the_limit_is_left_alone(tmp_path: Path) -> None:
    process = run(tmp_path, "print('done')")
    process.limit_memory(1 << 30)
    assert process.wait(10)
    assert not process.out_of_memory


def test_memory_of_this_process_is_plausible() -> None:
    assert 1 << 20 < resident_bytes(os.getpid()) < 8 << 30


def test_what_is_gone_holds_nothing() -> None:
    assert resident_bytes(2**22 + 1) == 0


def test_a_program_that_is_not_there_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LocalProcess(["/no/such/program"], environment={}, cwd=tmp_path, log=tmp_path / "log")


@pytest.mark.parametrize(
    ("text", "line"), [("a\nb\n\n", "b"), ("", ""), ("\n \n", ""), ("x" * 5000, "x" * 1000)]
)
def test_the_last_line_says_something(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "log").write_text(text)
    assert last_line(tmp_path / "log") == line
