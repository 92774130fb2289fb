"""Where a profile's CPU seconds go, by stage, column and call: `python -m bench.hotspots FILE…`, one thread.

Batches of a shard are decoded before any of them is added, so that a reader's own threads are not charged to
the statistics. CPU seconds are those of the whole process, native threads included.
"""

from __future__ import annotations

from validator import settings

settings.settle_native_libraries()

import argparse  # noqa: E402 - threads are settled before anything slow is imported
import cProfile  # noqa: E402
import pstats  # noqa: E402
import time  # noqa: E402
from collections import defaultdict  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from typing import Any  # noqa: E402

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from validator import dataset, formats, statistics, store  # noqa: E402
from validator.cuts import Shard  # noqa: E402
from validator.dataset import Dataset  # noqa: E402
from validator.profile import Column, Profile  # noqa: E402


class Stages:
    """CPU seconds by name, in the order the names were first seen."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        """Adds what its body takes."""
        start = time.process_time()
        yield
        self.seconds[name] += time.process_time() - start


def main() -> None:
    """Profiles the named files and prints three tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.hotspots", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE", help="file, folder or glob")
    parser.add_argument("--calls", type=int, default=25, help="rows of the table of calls")
    parser.add_argument("--shards", type=int, default=3, help="shards looked at, from the first on")
    asked = parser.parse_args()
    stages = Stages()
    console = Console()
    objects = [target for uri in asked.files for target in store.at(uri).list(uri)]
    with stages.lap("describe"):
        described = dataset.describe(objects)
    by_column: dict[str, float] = defaultdict(float)
    calls = cProfile.Profile()
    rows = _profile(described, described.shards[: asked.shards], stages, by_column, calls)
    kinds = {column.name: column.kind.value for column in described.columns}
    console.print(
        f"{rows:,} rows, {min(asked.shards, len(described.shards))} of {len(described.shards)} shards"
    )
    console.print(_table("stage", stages.seconds, rows))
    console.print(_table("column alone", {f"{n} ({kinds[n]})": s for n, s in by_column.items()}, rows))
    pstats.Stats(calls).sort_stats("tottime").print_stats(asked.calls)


def _profile(
    described: Dataset,
    shards: Sequence[Shard],
    stages: Stages,
    by_column: dict[str, float],
    calls: cProfile.Profile,
) -> int:
    """Goes the way of validator.profiling, each stage by itself, and returns the rows."""
    whole = Profile(described.columns)
    for shard in shards:
        with stages.lap("read"):
            batches = list(_batches(shard, described.columns))
        made = Profile(described.columns)
        with stages.lap("add"):
            for batch in batches:
                made.add(batch)
        with stages.lap("save: to_bytes"):
            stored = made.to_bytes()
        with stages.lap("take: from_bytes"):
            again = Profile.from_bytes(stored, described.columns)
        with stages.lap("merge"):
            whole.merge(again)
        _alone(batches, described.columns, by_column)
        with calls:
            made = Profile(described.columns)
            for batch in batches:
                made.add(batch)
            made.to_bytes()
        print(f"{shard}: state of {len(stored):,} bytes")
    with stages.lap("finish"):
        summary = whole.finish()
    with stages.lap("statistics proto"):
        statistics.of(summary)
    return summary.rows


def _batches(shard: Shard, columns: Sequence[Column]) -> Iterator[Any]:
    for cut in shard.cuts:
        yield from formats.of(cut.target.uri).read(cut, columns).batches


def _alone(batches: Sequence[Any], columns: Sequence[Column], by_column: dict[str, float]) -> None:
    """Adds each column by itself: what a column costs without the others."""
    for number, column in enumerate(columns):
        single = Profile([column])
        start = time.process_time()
        for batch in batches:
            single.add(batch.select([number]))
        by_column[column.name] += time.process_time() - start


def _table(what: str, seconds: dict[str, float], rows: int) -> Table:
    table = Table(what, "CPU s", "share", "ns a row")
    total = sum(seconds.values())
    for name, value in seconds.items():
        table.add_row(name, f"{value:.3f}", f"{value / total:.0%}", f"{value / max(rows, 1) * 1e9:.0f}")
    table.add_section()
    table.add_row("together", f"{total:.3f}", "", f"{total / max(rows, 1) * 1e9:.0f}")
    return table


if __name__ == "__main__":
    main()
