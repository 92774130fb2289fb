"""A run that is killed again and again ends as one that was left alone, and reads no finished shard twice."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

pytestmark = pytest.mark.xdist_group("resume")

ROOT = Path(__file__).parents[2]
SHARDS = 24
KILLS = 30


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for number in range(SHARDS):
        chance = np.random.default_rng(number)
        values, words = chance.normal(41.88, 0.05, 20_000), chance.integers(0, 40_000, 20_000)
        rows = (
            f"{n},{value:.9f},w{word}\n" for n, (value, word) in enumerate(zip(values, words, strict=True))
        )
        (folder / f"{number:02d}.csv").write_text("n,x,t\n" + "".join(rows))
    return folder


def validator(data: Path, output: Path, seconds: float | None = None) -> tuple[int, list[str]]:
    """Runs the validator, killed after some seconds, and returns its exit code and log."""
    arguments = ["--data", str(data), "--output", str(output), "--run-id", "r", "--run-date", "2026-11-22"]
    command = [sys.executable, "-m", "validator", "validate", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        try:
            _, log = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            _, log = process.communicate()
    return process.returncode, log.splitlines()


def statistics(output: Path) -> DatasetFeatureStatisticsList:
    return DatasetFeatureStatisticsList.FromString((output / "statistics.pb").read_bytes())


def exact(output: Path) -> DatasetFeatureStatisticsList:
    """Leaves out what is sketched: quantiles and histograms of x, ranks and the number of distinct t."""
    found = statistics(output)
    for feature in found.datasets[0].features:
        if feature.custom_stats:
            del feature.custom_stats[:]
            del feature.num_stats.histograms[:]
            feature.num_stats.ClearField("median")
    return found


def test_a_run_killed_thirty_times_ends_as_one_left_alone(data: Path, tmp_path: Path) -> None:
    code, log = validator(data, tmp_path / "whole")
    assert (code, len(log)) == (0, SHARDS), log
    output, states = tmp_path / "killed", tmp_path / "killed" / "states"
    chance, killed = np.random.default_rng(7), 0
    for _ in range(KILLS):
        finished = len(list(states.glob("[!.]*"))) if states.exists() else 0
        code, log = validator(data, output, chance.uniform(0.2, 1.2))
        killed += code == -9
        taken = [line for line in log if "taken from saved state" in line]
        read = [line for line in log if re.match(r"shard \d+ of \d+ done", line)]
        assert len(read) <= SHARDS - finished
        assert code == -9 or len(taken) == finished
        assert not (output / "gate.json").exists() or (output / "verdict.json").exists()
    assert killed > KILLS // 2
    code, log = validator(data, output)
    assert code == 0
    assert exact(output) == exact(tmp_path / "whole")
    assert json.loads((output / "verdict.json").read_text())["rows"] == SHARDS * 20_000
