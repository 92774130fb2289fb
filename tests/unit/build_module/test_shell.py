"""The door to other programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from build import shell
from build.errors import PlatformError, UnavailableError


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_what_it_prints_goes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    shell.run(python("print('hello')"))
    assert capfd.readouterr() == ("", "hello\n")


def test_a_secret_goes_through_stdin(tmp_path: Path) -> None:
    shell.run(python("print(input()[::-1])"), secret="terces", log=tmp_path / "log")
    assert (tmp_path / "log").read_text() == "secret\n"


def test_arguments_meet_no_shell(tmp_path: Path) -> None:
    hostile = "$(touch x); `id` 'a' \"b\" *"
    shell.run([*python("import sys; print(sys.argv[1])"), hostile], log=tmp_path / "log")
    assert (tmp_path / "log").read_text() == f"{hostile}\n"


def test_an_environment_is_all_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    code = "import os; print(os.environ.get('OURS'), os.environ['THEIRS'])"
    shell.run(python(code), environment={"THEIRS": "2"}, log=tmp_path / "log")
    assert (tmp_path / "log").read_text() == "None 2\n"


def test_a_failure_names_program_and_code() -> None:
    with pytest.raises(PlatformError, match=r"ended with 3; its own lines"):
        shell.run(python("raise SystemExit(3)"))


def test_a_failure_points_at_its_log(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match=f"ended with 3; it said nothing; see {tmp_path}/log"):
        shell.run(python("raise SystemExit(3)"), log=tmp_path / "log")


def test_a_failure_quotes_what_was_said_last_and_names_the_module(tmp_path: Path) -> None:
    said = "zipfile ended with 2; .*error: .*; see "
    with pytest.raises(PlatformError, match=f"-m {said}"):
        shell.run([sys.executable, "-m", "zipfile", "--none"], log=tmp_path / "log")


@pytest.mark.parametrize("program", ["no-such-program-here", "/etc/passwd", "/"])
def test_a_program_that_cannot_run_is_unavailable(program: str) -> None:
    with pytest.raises(UnavailableError, match=f"cannot run {program}: "):
        shell.run([program])


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def pid_in(log: Path) -> int:
    for _ in range(200):
        if log.is_file() and (text := log.read_text()).endswith("\n"):
            return int(text)
        time.sleep(0.05)
    raise AssertionError(f"nothing in {log}")


def gone(pid: int) -> bool:
    for _ in range(100):
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


SLEEPER = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


def test_a_program_does_not_outlive_us_whatever_death_we_die(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = f"import pathlib, build.shell; build.shell.run({python(SLEEPER)}, log=pathlib.Path({str(log)!r}))"
    with subprocess.Popen(python(code)) as ours:
        pid = pid_in(log)
        ours.kill()

    assert gone(pid)


def test_what_a_child_leaves_behind_is_killed(tmp_path: Path) -> None:
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); sys.stdin.read()"
    with shell.child(python(code), cwd=tmp_path, log=tmp_path / "log") as child:
        pid = pid_in(tmp_path / "log")
        os.kill(child.process.pid, signal.SIGKILL)

    assert gone(pid)


def test_a_child_reads_the_end_of_its_stdin_when_the_block_ends(tmp_path: Path) -> None:
    code = "import sys; sys.stdin.read(); print('told')"
    with shell.child(python(code), cwd=tmp_path, log=tmp_path / "log") as child:
        assert not child.ended
    assert child.ended
    assert (tmp_path / "log").read_text() == "told\n"


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "GRACE_SECONDS", 0.1)
    code = "import time; time.sleep(600)"
    with shell.child(python(code), cwd=tmp_path, log=tmp_path / "log") as child:
        assert not child.ended
    assert child.process.returncode == -9


def test_a_child_ends_also_when_the_block_fails(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError),
        shell.child(python("input()"), cwd=tmp_path, log=tmp_path / "log") as child,
    ):
        raise RuntimeError
    assert child.ended
