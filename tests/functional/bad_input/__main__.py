"""`python -m tests.functional.bad_input`: plays the inputs and prints what came of each."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase

from tests.functional.bad_input import page, table
from tests.functional.bad_input.catalogue import CASES
from tests.functional.bad_input.corpus import Row, play_all


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.functional.bad_input")
    parser.add_argument(
        "name", nargs="*", default=["*"], help="inputs to play, patterns allowed; all by default"
    )
    parser.add_argument("--workers", type=int, default=2, help="inputs played at a time")
    parser.add_argument("--write", action="store_true", help="make the tables of docs/reliability.md anew")
    given = parser.parse_args()
    if given.write and given.name != ["*"]:
        parser.error("--write is for all inputs")
    return given


def _tell(row: Row) -> None:
    print(
        f"{row.letter} {row.cpu_seconds:5.1f} CPU s {row.peak_mb:5.0f} MB  {row.name}",
        file=sys.stderr,
        flush=True,
    )


def main(names: Sequence[str], workers: int, *, write: bool) -> int:
    """Returns 1 when an input does not end as it must."""
    chosen = [case for case in CASES if any(fnmatchcase(case.name, name) for name in names)]
    if not chosen:
        print(f"no input is named {' or '.join(names)}", file=sys.stderr)
        return 1
    rows = play_all(chosen, workers, _tell)
    print(table.classes(rows), table.costs(rows), table.inputs(rows), sep="\n\n")
    if wrong := table.failures(rows):
        print(f"\nNot as it must be:\n\n{wrong}", file=sys.stderr)
    if write:
        page.rewrite(rows)
    return int(bool(wrong))


if __name__ == "__main__":
    given = _arguments()
    sys.exit(main(given.name, given.workers, write=given.write))
