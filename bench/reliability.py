"""What becomes of bad inputs: the corpus of the tests, played against this validator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from tests.functional.bad_input import table
from tests.functional.bad_input.corpus import Row, play_all
from tests.functional.bad_input.judge import Letter


@dataclass(frozen=True, slots=True)
class Reliability:
    """What came of all inputs."""

    rows: Sequence[Row]

    @classmethod
    def measured(cls) -> Reliability:
        """Plays all of them."""
        return cls(play_all())

    def to_json(self) -> dict[str, Any]:
        """Returns the classes' counts and every input, as plain values."""
        return {
            "classes": {name: dict(counts) for name, counts in self._classes()},
            "inputs": [asdict(row) for row in self.rows],
        }

    def table(self) -> Table:
        """Returns how many inputs end in which class, ours below other tools'."""
        shown = Table("bad inputs by class", *(Letter), title="R and A are good; S and W are silent")
        for name, counts in self._classes():
            shown.add_row(name, *(str(counts[letter]) for letter in Letter))
        return shown

    def failures(self) -> str:
        """Returns what is not as it must be, a line each; "" when all is."""
        return table.failures(self.rows)

    def _classes(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        for tool, counts in table.OTHER_TOOLS.items():
            yield tool, dict(zip(Letter, counts, strict=True))
        anchored = [row for row in self.rows if row.anchor]
        for name, rows in (
            (f"ours, the same {len(anchored)}", anchored),
            (f"ours, all {len(self.rows)}", self.rows),
        ):
            yield name, Counter(row.letter for row in rows)
