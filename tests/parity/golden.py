"""What the full TFDV said of every scenario, recorded by version: readable lines, compared without an oracle.

    TFDV_ORACLE=.venv-parity/bin/python python -m tests.parity.golden

`TFDV_ORACLE` is any command of a Python that has the full TFDV, one on another root among them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.parity import asking, judging
from tests.parity.asking import Oracle
from tests.parity.comparison import described
from tests.parity.scenarios import SCENARIOS, Scenario

FOLDER: Final = Path(__file__).parents[1] / "golden" / "parity"


@dataclass(frozen=True)
class Said:
    """What was said of a scenario."""

    anomalies: Sequence[str]
    drift: Mapping[str, float]
    """Distances by feature and comparator."""


def read(version: str) -> Mapping[str, Said]:
    """Returns what a version of TFDV said, by scenario."""
    recorded = json.loads((FOLDER / f"{version}.json").read_text())
    return {name: Said(**said) for name, said in recorded.items()}


def versions() -> Sequence[str]:
    """Returns the recorded versions."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def said_by(oracle: Oracle, scenario: Scenario) -> Said:
    """Asks TFDV."""
    drifts = judging.their_drifts(scenario, oracle) if scenario.baseline else {}
    distances = {" ".join(key): float(f"{value:.6g}") for key, value in sorted(drifts.items())}
    return Said(described(judging.theirs(scenario, oracle)), distances)


def main() -> None:
    """Records what the oracle says."""
    with asking.oracle(os.environ[asking.VARIABLE]) as oracle:
        version = oracle.version()
        said = {scenario.name: asdict(said_by(oracle, scenario)) for scenario in SCENARIOS}
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{version}.json").write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
