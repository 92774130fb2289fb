"""`python -m bench`: runs the cases round by round, prints the tables, writes results.json."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from bench import machine
from bench.cases import FOLDER, OUTPUT, ROOT, Case, Data, cases
from bench.process import Limits, Measured, run
from bench.results import Results
from bench.targets import targets


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is run."""

    rounds: int
    great: int
    """Rows of the great file."""
    tall: int
    """Rows of the wide file."""
    is_quick: bool = False
    """Without slow peers, and long cases once."""


FULL: Final = Extent(rounds=5, great=10_000_000, tall=20_000)
QUICK: Final = Extent(rounds=3, great=3_000_000, tall=2_000, is_quick=True)

_BLOCK: Final = 1 << 20
_CONSOLE: Final = Console(stderr=True)


def main() -> None:
    """Does what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="without slow peers, on fewer rows, in two minutes"
    )
    parser.add_argument("--only", metavar="NAME", action="append", help="only cases whose name begins so")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    extent = QUICK if asked.quick else FULL
    wanted = [
        case
        for case in cases(extent.great, extent.tall, machine.engine())
        if not (extent.is_quick and case.is_slow_peer)
        and (not asked.only or any(case.name.startswith(name) for name in asked.only))
    ]
    results = _measured(wanted, extent)
    # What was not all measured is not the record.
    is_record = not (asked.quick or asked.only)
    path = Path(__file__).parent / "results.json" if is_record else FOLDER / "results.json"
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(results.measured())
    console.print(results.judged())
    written = results.to_json()
    if is_record:
        written["bad_inputs"] = _bad_inputs(console)
    path.write_text(json.dumps(written, indent=1) + "\n")
    console.print(f"written: {path.relative_to(ROOT)}")


def _bad_inputs(console: Console) -> Mapping[str, Any]:
    # Not before all else is measured: its imports would make this process large, see bench.process.run.
    from bench.reliability import Reliability  # noqa: PLC0415

    played = Reliability.measured()
    console.print(played.table())
    if failures := played.failures():
        console.print("not as it must be:", failures, sep="\n", markup=False, highlight=False)
    return played.to_json()


def _measured(wanted: Sequence[Case], extent: Extent) -> Results:
    described = {"when": datetime.now(UTC).isoformat(timespec="seconds"), **machine.described()}
    FOLDER.mkdir(exist_ok=True)
    for data in {case.data: None for case in wanted}:
        _prepare(data)
    runs: dict[str, list[Measured]] = {case.name: [] for case in wanted}
    for number in range(extent.rounds):
        # There and back, so that none always runs in the shade of the same other.
        for case in wanted if number % 2 == 0 else reversed(wanted):
            if extent.is_quick and case.is_long and number:
                continue
            runs[case.name].append(_once(case))
            _tell(number, case, runs[case.name][-1])
    return Results(described, wanted, targets(extent.great, extent.tall), runs)


def _prepare(data: Data) -> None:
    """Writes data that is not there yet, under its name once it is whole; brings it into the page cache."""
    if not data.path.exists():
        _CONSOLE.print(f"writing {data.path.relative_to(ROOT)}")
        for old in FOLDER.glob(data.replaces):
            shutil.rmtree(old)
        module, *arguments = data.made_by
        part = data.path.with_name(f"part-{data.name}")
        shutil.rmtree(part, ignore_errors=True)
        argv = [sys.executable, "-m", module, *arguments, str(part)]
        made = run(argv, cwd=ROOT, limits=Limits(), log=FOLDER / "log.txt")
        if not made.is_done:
            sys.exit(f"cannot write {data.path.name}: {made.complaint or made.beyond}")
        part.rename(data.path)
    for path in [data.path] if data.path.is_file() else sorted(data.path.iterdir()):
        with path.open("rb", buffering=0) as file:
            while file.read(_BLOCK):
                pass


def _once(case: Case) -> Measured:
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="output-") as output:
        argv = [output if word == OUTPUT else word for word in case.argv]
        measured = run(argv, cwd=ROOT, limits=case.limits, log=FOLDER / "log.txt")
        rows = measured.part.get("rows", _judged_rows(Path(output)))
    if measured.is_done and rows != case.data.rows:
        return replace(measured, complaint=f"read {rows} rows of {case.data.rows}")
    return replace(
        measured,
        part={name: value * case.scale for name, value in measured.part.items()},
        # What is kept says nothing of where it was run.
        complaint=measured.complaint.replace(f"{ROOT}/", ""),
    )


def _judged_rows(output: Path) -> int:
    """Returns the rows a whole run of the validator speaks of."""
    path = output / "verdict.json"
    return int(json.loads(path.read_text())["rows"]) if path.exists() else 0


def _tell(number: int, case: Case, measured: Measured) -> None:
    seconds = f"{measured.cpu:.2f} CPU s, {measured.wall:.2f} s, {measured.peak / 1e6:,.0f} MB"
    ended = "" if measured.is_done else f", killed at {measured.beyond or measured.complaint}"
    _CONSOLE.print(f"round {number + 1}: {case.name}: {seconds}{ended}", highlight=False)


if __name__ == "__main__":
    main()
