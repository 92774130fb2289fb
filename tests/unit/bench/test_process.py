import sys
from pathlib import Path

import pytest

from bench.process import Limits, Measured, run

BUSY = "import time\nwhile time.process_time() < 0.3: pass\n"
WAITING = "import time; kept = bytearray(80_000_000); time.sleep(0.5)"
WITH_A_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{WAITING}'])"


@pytest.fixture
def measure(tmp_path: Path) -> "Measure":
    return Measure(tmp_path)


class Measure:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, code: str, limits: Limits | None = None) -> Measured:
        argv = [sys.executable, "-c", code]
        return run(argv, cwd=self.folder, limits=limits or Limits(), log=self.folder / "log.txt")


def test_seconds_of_the_processor_are_not_those_of_the_clock(measure: Measure) -> None:
    busy, waiting = measure(BUSY), measure("import time; time.sleep(0.3)")
    assert busy.is_done
    assert 0.3 <= busy.cpu < 3
    assert waiting.wall >= 0.3 > waiting.cpu


def test_a_child_counts_with_its_seconds_and_its_memory(measure: Measure) -> None:
    assert measure(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])").cpu >= 0.3
    together = measure(WITH_A_CHILD)
    assert together.memory == "sampled PSS"
    assert together.peak >= 80_000_000
    assert measure(WAITING).memory == "ru_maxrss"


@pytest.mark.parametrize("code", [WAITING, WITH_A_CHILD])
def test_what_goes_beyond_its_memory_is_killed(measure: Measure, code: str) -> None:
    assert measure(code, Limits(3_000_000_000)).is_done
    killed = measure(code, Limits(60_000_000))
    assert not killed.is_done
    assert killed.beyond.endswith("MB")


def test_a_peak_between_two_looks_counts_too(measure: Measure) -> None:
    brief = measure("bytearray(60_000_000)", Limits(50_000_000))
    assert brief.beyond
    assert not brief.is_done


def test_what_takes_too_long_is_killed(measure: Measure) -> None:
    killed = measure("import time; time.sleep(60)", Limits(seconds=0.2))
    assert not killed.is_done
    assert killed.exit_code == -9
    assert killed.wall < 10


def test_the_last_line_of_json_is_what_the_process_says_of_itself(measure: Measure) -> None:
    said = measure("print('{\"cpu\": 1.5, \"rows\": 3}'); print('[1]'); print('a warning')")
    assert said.part == {"cpu": 1.5, "rows": 3}
    assert measure("print('no figures')").part == {}


def test_a_failure_says_why(measure: Measure) -> None:
    failed = measure("raise SystemExit('no such data')")
    assert not failed.is_done
    assert failed.complaint == "exit 1: no such data"
    assert measure("pass").complaint == ""
