"""Children as real processes, as an array job starts them: killed, interrupted, spoilt, twice, and merged."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("children")

ROOT = Path(__file__).parents[2]
VALIDATOR = (sys.executable, "-m", "validator")
CHILDREN = 8
SHARDS = 40
ROWS = 60_000
"""So many that a child is met while it works, however busy the machine is."""

Process = subprocess.Popen[str]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    rows = "".join(f'{n % 1_000},{n % 89 / 8},"{"xyz"[n % 3]}\n,{n % 7}"\n' for n in range(ROWS))
    for number in range(SHARDS):
        (folder / f"{number:02d}.csv").write_text("n,x,t\n" + rows)
    return folder


@pytest.fixture(scope="module")
def alone(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of one process for all of the data."""
    output = tmp_path_factory.mktemp("alone")
    ended = validator("validate", task(data, output))
    assert ended.returncode == 0, ended.stderr
    return output


def task(data: Path, output: Path, **more: object) -> Mapping[str, str]:
    """The environment of a task."""
    given = {"DATA_URI": data, "OUTPUT_URI": output, "RUN_ID": "r", "RUN_DATE": "2026-11-22", **more}
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, **{name: str(value) for name, value in given.items()}}


def started(data: Path, output: Path, index: int, *before: str) -> Process:
    """A child as AWS Batch starts it: all have the same variables but for the array's index."""
    variables = task(data, output, SHARD_COUNT=CHILDREN, AWS_BATCH_JOB_ARRAY_INDEX=index, WORKERS=1)
    return subprocess.Popen(
        [*before, *VALIDATOR, "profile"],
        cwd=ROOT,
        env=variables,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def validator(command: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*VALIDATOR, command], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )


def array(data: Path, output: Path, signals: Mapping[int, signal.Signals] | None = None) -> Mapping[int, int]:
    """Runs all children, those that get a signal after their first shard first; returns the exit codes."""
    codes = {}
    for index, number in (signals or {}).items():
        # Not before everybody else: it must still be at work when the signal comes.
        with started(data, output, index, "nice", "-n", "19") as child:
            assert child.stderr is not None
            assert "done: " in child.stderr.readline()
            child.send_signal(number)
            child.communicate()
        codes[index] = child.returncode
    others = {index: started(data, output, index) for index in range(CHILDREN) if index not in codes}
    for index, child in others.items():
        child.communicate()
        codes[index] = child.returncode
    return codes


def merged(data: Path, output: Path) -> subprocess.CompletedProcess[str]:
    return validator("merge", task(data, output, SHARD_COUNT=CHILDREN))


def again(data: Path, output: Path, index: int) -> subprocess.CompletedProcess[str]:
    """A single job for one missing shard, as no array is so small."""
    return validator("profile", task(data, output, SHARD_COUNT=CHILDREN, SHARD_INDEX=index))


def missing(output: Path) -> list[int]:
    document = json.loads((output / "missing.json").read_text())
    assert (document["run_id"], document["child_count"]) == ("r", CHILDREN)
    return list(document["children"])


def equal(output: Path, alone: Path) -> None:
    for name in ("statistics.pb", "anomalies.pb", "schema.proposed.pbtxt"):
        assert (output / name).read_bytes() == (alone / name).read_bytes(), name
    verdicts = [json.loads((folder / "verdict.json").read_text()) for folder in (output, alone)]
    for verdict in verdicts:
        for name in ("artifacts", "timings", "cost"):
            del verdict[name]
    assert verdicts[0] == verdicts[1]
    assert verdicts[0]["rows"] == SHARDS * ROWS


def test_an_array_and_its_merge_find_what_one_process_finds(data: Path, tmp_path: Path, alone: Path) -> None:
    assert set(array(data, tmp_path).values()) == {0}
    assert [path.name for path in tmp_path.iterdir()] == ["states"]
    ended = merged(data, tmp_path)
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (0, "warn: there is no schema yet")
    assert len(re.findall("taken from saved state", ended.stderr)) == SHARDS
    equal(tmp_path, alone)


def test_who_was_killed_or_interrupted_is_named_and_only_they_run_again(
    data: Path, tmp_path: Path, alone: Path
) -> None:
    codes = array(data, tmp_path, {2: signal.SIGKILL, 5: signal.SIGTERM})
    assert {index: code for index, code in codes.items() if code} == {2: -signal.SIGKILL, 5: 75}
    ended = merged(data, tmp_path)
    assert (ended.returncode, ended.stdout) == (66, "")
    assert re.fullmatch(
        rf"cannot merge below {tmp_path}/states: states are missing or damaged: \d of {SHARDS} shards; "
        rf"run children 3 and 6 of 8 again \(SHARD_INDEX 2 and 5\), as {tmp_path}/missing.json says",
        ended.stderr.splitlines()[-1],
    )
    assert missing(tmp_path) == [2, 5]
    assert not {"gate.json", "statistics.pb", "error.json"} & {path.name for path in tmp_path.iterdir()}
    for index in missing(tmp_path):
        restarted = again(data, tmp_path, index)
        assert restarted.returncode == 0
        assert "taken from saved state" in restarted.stderr
        assert " done: " in restarted.stderr
    assert merged(data, tmp_path).returncode == 0
    assert not (tmp_path / "missing.json").exists()
    equal(tmp_path, alone)


def test_a_spoilt_state_is_read_again_and_one_made_twice_counts_once(
    data: Path, tmp_path: Path, alone: Path
) -> None:
    assert set(array(data, tmp_path).values()) == {0}
    spoilt = sorted((tmp_path / "states").glob("*.state"))[7]
    spoilt.write_bytes(spoilt.read_bytes()[:-9] + b"123456789")
    assert merged(data, tmp_path).returncode == 66
    (index,) = missing(tmp_path)
    # Under another count the same shards have the same names.
    for other in range(3):
        variables = task(data, tmp_path, SHARD_COUNT=3, SHARD_INDEX=other)
        assert validator("profile", variables).returncode == 0
    ended = again(data, tmp_path, index)
    assert (ended.returncode, " done: " in ended.stderr) == (0, False)
    assert len(list((tmp_path / "states").glob("*.state"))) == SHARDS
    assert merged(data, tmp_path).returncode == 0
    equal(tmp_path, alone)


def test_a_merge_ends_as_the_child_did_that_cannot_read_its_part(tmp_path: Path) -> None:
    folder, output = tmp_path / "data", tmp_path / "out"
    folder.mkdir()
    for number in range(CHILDREN):
        (folder / f"{number}.csv").write_text("n,t\n" + "1,x\n" * 300_000)
    spoilt = folder / "5.csv"
    spoilt.write_text(spoilt.read_text()[:-8] + "1,x,0,0\n")
    codes = array(folder, output)
    assert {index: code for index, code in codes.items() if code} == {5: 65}
    ended = merged(folder, output)
    assert (ended.returncode, ended.stdout) == (65, "")
    assert ended.stderr.splitlines()[-1] == (
        f"cannot read {spoilt}: line 300000: expected 2 fields, found 4; mend or remove it, then start again"
        f"; that is how child 6 of 8 ended, see {output}/errors/child-6-of-8.json"
    )
    assert json.loads((output / "error.json").read_text())["error"] == "DataError"


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (
            {"SHARD_INDEX": "8", "SHARD_COUNT": "8"},
            "SHARD_INDEX is 8: not from 0 to 7, as SHARD_COUNT is 8",
        ),
        (
            {"AWS_BATCH_JOB_ARRAY_INDEX": "3", "SHARD_COUNT": "2"},
            "AWS_BATCH_JOB_ARRAY_INDEX is 3: not from 0 to 1, as SHARD_COUNT is 2",
        ),
    ],
)
def test_a_mistake_is_one_line(data: Path, tmp_path: Path, variables: Mapping[str, str], line: str) -> None:
    ended = validator("profile", task(data, tmp_path / "out", **variables))
    assert (ended.returncode, ended.stderr) == (64, f"{line}\n")
    assert not (tmp_path / "out").exists()
