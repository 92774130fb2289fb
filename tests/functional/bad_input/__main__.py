"""`python -m tests.functional.bad_input [PATTERN …]`: plays the inputs (by name) and prints the tables."""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase

from tests.functional.bad_input import table
from tests.functional.bad_input.catalogue import CASES
from tests.functional.bad_input.corpus import Row, play_all


def _tell(row: Row) -> None:
    print(f"{row.letter} {row.name}", file=sys.stderr, flush=True)


def main(patterns: list[str]) -> int:
    """Returns 1 when an input does not end as it must."""
    chosen = [case for case in CASES if any(fnmatchcase(case.name, p) for p in patterns or ["*"])]
    rows = play_all(chosen, progress=_tell)
    print(table.classes(rows), table.inputs(rows), sep="\n\n")
    if wrong := table.failures(rows):
        print(f"\nNot as it must be:\n\n{wrong}", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
