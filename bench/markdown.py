"""Prints the tables of results in Markdown, for docs/benchmarks.md: `python -m bench.markdown [FILE]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.cases import MEGABYTE
from bench.targets import Unit


def tables(results: Mapping[str, Any]) -> Iterator[str]:
    """Yields the machine in a line, then the targets and the cases as tables."""
    machine = results["machine"]
    versions = [f"{name} {version}" for name, version in machine["versions"].items()]
    peers = [f"{name} {version}" for peer in machine["peers"].values() for name, version in peer.items()]
    yield (
        f"{machine['when'][:10]}, commit {machine['commit']}: {machine['processors']} processors "
        f"({machine['processor']}), {machine['memory_mb']:,} MB, {machine['system']}; "
        f"Python {machine['python']}, {', '.join(versions)}; peers: {', '.join(peers)}."
    )
    targets = map(_target, results["targets"])
    yield _table(("", "unit", "measured", "must", "stretch", ""), targets)
    cases = map(_case, results["cases"])
    yield _table(("", "part CPU s", "CPU s", "wall s", "peak MB", "runs"), cases)


def _target(target: Mapping[str, Any]) -> Sequence[str]:
    sign = "≥" if target["wanted"] == "at least" else "≤"
    stretch = "" if target["stretch"] is None else f"{sign} {target['stretch']:g}"
    value = _figure(target["value"], target["unit"])
    return target["what"], target["unit"], value, f"{sign} {target['must']:g}", stretch, target["standing"]


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if unit == Unit.MEGABYTES else f"{value:.2f}"


def _case(case: Mapping[str, Any]) -> Sequence[str]:
    medians = case["medians"]
    if not medians:
        return case["what"], "", "", "", "failed", str(len(case["runs"]))
    part = f"{medians['part']:.2f}" if "part" in medians else ""
    peak = f"{medians['peak'] / MEGABYTE:.0f}"
    return (
        case["what"],
        part,
        f"{medians['cpu']:.2f}",
        f"{medians['wall']:.2f}",
        peak,
        str(len(case["runs"])),
    )


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def main() -> None:
    """Prints the tables of the file that is named, or of the last full run."""
    path = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent / "results.json"
    print("\n\n".join(tables(json.loads(path.read_text()))))


if __name__ == "__main__":
    main()
