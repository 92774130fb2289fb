"""Whole rehearsals, as a person starts them: every scenario ends as it says and leaves nothing running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.csv
import pytest

from tests.configuration import PATH
from tests.unused_permissions import NEVER, ONLY_IN, SPARE, Statement

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 300

SCENARIOS = (
    ("happy",),
    ("no-better",),
    # Of prod, whose models wait for a person.
    ("older-day", "--stage", "prod"),
    ("bad-data",),
    ("drift",),
    ("new-data",),
    ("spot-interruption",),
    ("no-capacity",),
    ("out-of-memory",),
    ("out-of-memory-twice",),
    ("interrupted-on-demand",),
    ("stopped-by-user",),
    ("usage-error",),
    ("our-bug",),
    ("scale-out",),
    ("missing-shard",),
    ("unreadable-shard",),
    ("late-file",),
    ("storage-errors",),
    ("storage-unavailable",),
    *(
        ("step-crash", "--step", step)
        for step in ("Init", "Validate", "Prepare", "Train", "Evaluate", "Register")
    ),
)

pytestmark = pytest.mark.rehearsal


@dataclass(frozen=True)
class Ended:
    """A rehearsal after its end."""

    code: int
    output: str
    into: Path

    @property
    def folder(self) -> Path:
        return (self.into / "latest").resolve()

    @property
    def summary(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "summary.json").read_text(encoding="utf-8")))

    def attempts(self, state: str) -> int:
        return next((int(each["attempts"]) for each in self.summary["states"] if each["name"] == state), 0)


def command(into: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "build", "rehearse", "--config", str(PATH), "--into", str(into), *arguments]


@pytest.fixture
def rehearse(tmp_path: Path) -> Callable[..., Ended]:
    def run(*arguments: str) -> Ended:
        done = subprocess.run(
            command(tmp_path, *arguments),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Ended(done.returncode, done.stdout + done.stderr, tmp_path)

    return run


def alive(folder: Path) -> dict[int, str]:
    """Processes that have anything to do with a folder: by command line or environment."""
    found = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                said = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            except OSError:
                continue
            if os.fsencode(folder) in said:
                found[int(process.name)] = said[:200].decode(errors="replace")
    return found


def gone(folder: Path, within_seconds: float) -> dict[int, str]:
    """What is still alive when the time is up; nothing as soon as nothing is."""
    deadline = time.monotonic() + within_seconds
    while (left := alive(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


@pytest.mark.parametrize("scenario", SCENARIOS, ids="-".join)
def test_a_scenario_ends_as_it_says(rehearse: Callable[..., Ended], scenario: tuple[str, ...]) -> None:
    ended = rehearse("--scenario", *scenario)
    assert ended.code == 0, ended.output
    assert "As designed:" in ended.output
    summary = ended.summary
    assert summary["scenario"] == scenario[0]
    assert summary["problems"] == []
    assert wrong_reasons(scenario[0], summary) == []
    if scenario[0] in {"happy", *ONLY_IN.values(), *(spare.missed_in for spare in SPARE.values())}:
        # Each statement of each role, taken away alone, is missed by a call that was really made.
        assert needless(ended, scenario[0]) == (set(SPARE) if scenario[0] == "happy" else set())
    assert gone(ended.into, 1) == {}
    assert not (ended.folder / "tmp").exists()
    assert {
        "status",
        "input",
        "output",
        "states",
        "verdict",
        "model_metric",
        "cost",
        "report",
        "logs",
    } <= summary.keys()


def named(summary: dict[str, Any], what: str) -> set[tuple[str, str]]:
    """(role, action) of a summary's permissions that were ``used`` or ``unused``."""
    roles: dict[str, list[str]] = summary["permissions"][what]
    return {(role, action) for role, actions in roles.items() for action in actions}


def wrong_reasons(scenario: str, summary: dict[str, Any]) -> list[str]:
    """What the tables of unused permissions say that is not so in this scenario."""
    used, unused = named(summary, "used"), named(summary, "unused")
    found = [f"{' '.join(key)} is used after all" for key in sorted(used & NEVER.keys())]
    due = {key for key, only in ONLY_IN.items() if only == scenario}
    found += [f"{' '.join(key)} is not used" for key in sorted(due - used)]
    if scenario == "happy":
        told = NEVER.keys() | ONLY_IN.keys()
        found += [f"{' '.join(key)} has no reason" for key in sorted(unused - told)]
        found += [f"{' '.join(key)} is held by nobody" for key in sorted(told - unused - used)]
    return found


def last_part(resource: str) -> str:
    _, slash, last = resource.rpartition("/")
    return last if slash else ""


def missed_by_nobody(logs: Path) -> set[Statement]:
    """The statements without which every call would have been allowed all the same."""
    command = [str(ROOT / ".venv-emulator/bin/python"), str(Path(__file__).parent / "replay.py"), str(logs)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {
        Statement(
            role.removeprefix("sluice-dev-pipeline-").rpartition("-")[0],
            tuple(statement["actions"]),
            last=last_part(statement["resources"][-1]),
        )
        for role, statements in told.items()
        if role.startswith("sluice-dev-pipeline-")
        for statement in statements
        if not statement["refused"]
    }


def needless(ended: Ended, scenario: str) -> set[Statement]:
    """Those of them of which the tables do not say that their actions are used nowhere or elsewhere.

    Of another scenario than the happy one, those that are there for it alone.
    """
    spared = missed_by_nobody(ended.folder / "logs")
    if scenario != "happy":
        own = {key for key, only in ONLY_IN.items() if only == scenario}
        due = {key for key, spare in SPARE.items() if spare.missed_in == scenario}
        return {each for each in spared if within(own, each)} | (spared & due)
    told = NEVER.keys() | ONLY_IN.keys()
    return {each for each in spared if not within(told, each)}


def within(known: Collection[tuple[str, str]], statement: Statement) -> bool:
    return all((statement.role, action) in known for action in statement.actions)


def test_ones_own_data_is_judged_and_trained_on(rehearse: Callable[..., Ended], tmp_path: Path) -> None:
    data = os.environ.get("CHICAGO_TAXI_CSV")
    if not data:
        pytest.skip("CHICAGO_TAXI_CSV names no file: the check on real data did not run")
    own = tmp_path / "trips.csv"
    pyarrow.csv.write_csv(pyarrow.csv.read_csv(data), own, pyarrow.csv.WriteOptions(delimiter=";"))
    described = ("--label", "big_tipper", "--drop", "tips", "--delimiter", ";")
    ended = rehearse("--data", str(own), *described, "--stage", "prod")
    assert ended.code == 0, ended.output
    assert ended.summary["verdict"] == "warn"
    assert ended.summary["model_metric"]["metric"] == "auc"
    assert 0.6 < ended.summary["model_metric"]["value"] < 0.95
    package = ended.summary["output"]["model_package_arn"]
    # In prod a person approves.
    asked = f"update-model-package --model-package-arn {package} --model-approval-status Approved"
    assert [notice for notice in (ended.folder / "notices").iterdir() if asked in notice.read_text()]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--scenario", "sunny"), "unknown SCENARIO 'sunny'"),
        (("--stage", "test"), "test"),
        (("--scenario", "step-crash", "--step", "Accept"), "'Accept' is not one of"),
        (("--step", "Train"), "crashes no step"),
        (("--data", "/absent/trips.csv", "--label", "y"), "it does not exist"),
        (("--data", str(ROOT / "pyproject.toml"), "--label", "y"), "its name ends with none of"),
        (("--label", "y"), "say DATA=path too"),
        (("--scenario", "drift", "--data", str(ROOT), "--label", "y"), "plays with the sample's data"),
    ],
)
def test_bad_use_is_one_line_and_leaves_no_folder(
    rehearse: Callable[..., Ended], tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    ended = rehearse(*arguments)
    assert ended.code == 64
    assert said in ended.output
    assert len(ended.output.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_label_that_is_no_column_is_named(rehearse: Callable[..., Ended], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "trips.csv").write_text("a,b\n1,2\n")
    ended = rehearse("--data", str(tmp_path / "data"), "--label", "c")
    assert (ended.code, len(ended.output.splitlines())) == (64, 1)
    assert "cannot use column c" in ended.output


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A rehearsal that has begun its execution."""
    # A shell makes what it starts in the background ignore this one, and that is handed down.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        command(tmp_path), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "Validate" in line:
            break
    yield process
    process.kill()
    process.wait()


def test_a_killed_rehearsal_leaves_nothing_within_five_seconds(
    started: subprocess.Popen[str], tmp_path: Path
) -> None:
    children = alive(tmp_path)
    assert len(children) > 1
    started.kill()
    started.wait()
    assert gone(tmp_path, 5) == {}
    assert not (next(tmp_path.glob("happy-*")) / "tmp").exists()
    assert not (tmp_path / "latest").exists()


def test_ctrl_c_ends_everything_with_one_line(started: subprocess.Popen[str], tmp_path: Path) -> None:
    started.send_signal(signal.SIGINT)
    output, _ = started.communicate(timeout=15)
    assert started.returncode == 1
    assert "Traceback" not in output
    assert gone(tmp_path, 1) == {}


def test_two_side_by_side_do_not_disturb_each_other(tmp_path: Path) -> None:
    both = [
        subprocess.Popen(
            command(tmp_path, "--scenario", name),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in ("bad-data", "bad-data")
    ]
    outputs = [process.communicate(timeout=PATIENCE_SECONDS)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert len(list(tmp_path.glob("bad-data-*/summary.json"))) == 2
    assert gone(tmp_path, 1) == {}
