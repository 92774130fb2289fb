"""A signal ends a run by exit code 75, whoever reads at that moment."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("interruption")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shards whose first rows cannot be guessed: the main thread reads the later ones again."""
    path = tmp_path_factory.mktemp("data") / "texts.csv"
    text = "a line of a text\n" * 20
    path.write_text("n,text\n" + "".join(f'{number},"{text}"\n' for number in range(500_000)))
    return path


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_while_the_main_thread_reads_a_shard_again(
    data: Path, tmp_path: Path, number: signal.Signals, delay: float
) -> None:
    # A shell makes what it starts in the background ignore SIGINT, and that is handed down.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-m", "validator", "--data", str(data), "--output", str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        time.sleep(delay)
        process.send_signal(number)
        rest = process.stderr.read()
    assert first.startswith("shard 1 of 3 done")
    assert process.returncode == 75, rest
    assert f"interrupted: {number.name} after shard " in rest
    assert not (tmp_path / "gate.json").exists()
