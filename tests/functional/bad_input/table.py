"""Tables of what came of the inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tests.functional.bad_input.corpus import Row
from tests.functional.bad_input.judge import Letter

OTHER_TOOLS: Final = {
    "TFDV from_csv / from_dataframe": (1, 2, 15, 5, 6, 5, 4, 0),
    "pandas + pandera": (4, 7, 11, 3, 8, 3, 1, 1),
    "PySpark read + summary": (6, 0, 9, 2, 10, 8, 2, 1),
    "DuckDB SUMMARIZE": (4, 15, 2, 3, 7, 5, 2, 0),
    "Polars describe": (5, 2, 18, 1, 5, 4, 2, 1),
    "whylogs (pandas reader)": (5, 2, 14, 2, 8, 5, 1, 1),
}
"""Of the 38 inputs, by class in the order of `Letter`: measured once, versions in docs/reliability.md."""

_SHOWN: Final = 150


def classes(rows: Sequence[Row]) -> str:
    """Returns how many inputs end in which class, ours below other tools', in Markdown."""
    anchored = [row for row in rows if row.anchor]
    header = f"| Tool | {' | '.join(Letter)} |"
    lines = [header, "|---" * (len(Letter) + 1) + "|"]
    lines += [_counts(tool, counts) for tool, counts in OTHER_TOOLS.items()]
    lines.append(_counts(f"this validator, the same {len(anchored)}", _counted(anchored)))
    lines.append(_counts(f"this validator, all {len(rows)}", _counted(rows)))
    return "\n".join(lines)


def inputs(rows: Iterable[Row]) -> str:
    """Returns a line for each input, in Markdown."""
    head = ["| Input | Format | Class | Exit | Said |", "|---|---|---|---|---|"]
    return "\n".join([*head, *map(_line, rows)])


def costs(rows: Sequence[Row]) -> str:
    """Returns a sentence on what the dearest inputs took."""
    dear, large = max(rows, key=lambda row: row.cpu_seconds), max(rows, key=lambda row: row.peak_mb)
    whole = sum(row.cpu_seconds for row in rows)
    return (
        f"All {len(rows)} runs together took {whole:.0f} CPU s; the longest was {dear.name} with "
        f"{dear.cpu_seconds:.1f} CPU s, the largest {large.name} with {large.peak_mb:.0f} MB."
    )


def failures(rows: Iterable[Row]) -> str:
    """Returns what is not as it must be, by format."""
    wrong = sorted((row for row in rows if row.complaints), key=lambda row: row.form)
    return "\n".join(line for row in wrong for line in _failure(row))


def _failure(row: Row) -> Iterator[str]:
    where = f" (anchor: {row.anchor})" if row.anchor else ""
    yield f"{row.form}: {row.name}{where}: class {row.letter}, exit {row.exit_code}, {row.message[:400]}"
    yield from (f"    - {complaint[:500]}" for complaint in row.complaints)


def _counted(rows: Sequence[Row]) -> tuple[int, ...]:
    counts = Counter(row.letter for row in rows)
    return tuple(counts[letter] for letter in Letter)


def _counts(name: str, counts: Sequence[int]) -> str:
    return f"| {name} | {' | '.join(map(str, counts))} |"


def _line(row: Row) -> str:
    said = row.message if len(row.message) <= _SHOWN else row.message[:_SHOWN] + "…"
    escaped = said.replace("|", "\\|").replace("<", "&lt;")
    return f"| {row.anchor or row.name} | {row.form} | {row.letter} | {row.exit_code} | {escaped} |"
