"""A peer: TFDV's own generators over Arrow batches, without Beam between them: the least TFDV can take.

pyarrow reads the file as for the denominator; every value becomes a list of one, as TFDV takes rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import tensorflow_data_validation as tfdv
from pyarrow import csv
from tensorflow_data_validation.statistics import stats_impl

from bench.subjects.meter import metered

ROWS: Final = 65_536


def main() -> None:
    """Generates the statistics of a CSV file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    path = parser.parse_args().path
    with metered() as said:
        generators = stats_impl.get_generators(tfdv.StatsOptions(), in_memory=True)
        accumulators = [generator.create_accumulator() for generator in generators]
        for batch in _batches(path):
            pairs = zip(generators, accumulators, strict=True)
            accumulators = [generator.add_input(so_far, batch) for generator, so_far in pairs]
        made = stats_impl.extract_statistics_output(accumulators, generators)
        said["rows"] = made.datasets[0].num_examples


def _batches(path: Path) -> Iterator[Any]:
    """Yields batches of 65,536 rows: blocks of that many, each but the last a little above."""
    reader = csv.open_csv(
        path,
        read_options=csv.ReadOptions(use_threads=False, block_size=4 << 20),
        convert_options=csv.ConvertOptions(null_values=[""], strings_can_be_null=True),
    )
    waiting: list[Any] = []
    with reader:
        for batch in reader:
            waiting.append(batch)
            if sum(b.num_rows for b in waiting) >= ROWS:
                yield _listed(waiting)
                waiting = []
    if waiting:
        yield _listed(waiting)


def _listed(batches: list[Any]) -> Any:
    table = pa.Table.from_batches(batches).combine_chunks()
    (batch,) = table.to_batches()
    return pa.record_batch([_lists(column) for column in batch.columns], names=batch.schema.names)


def _lists(values: Any) -> Any:
    """Returns each value as a list of one, a missing one as no list."""
    is_there = np.ones(len(values) + 1, dtype=bool)
    is_there[1:] = values.is_valid().to_numpy(zero_copy_only=False)
    offsets = np.cumsum(is_there, dtype=np.int32) - 1
    if not values.null_count:
        return pa.ListArray.from_arrays(pa.array(offsets), values)
    # A null offset makes the list that begins there a missing one.
    starts = pa.array(offsets, mask=np.append(~is_there[1:], False))
    return pa.ListArray.from_arrays(starts, values.drop_null())


if __name__ == "__main__":
    main()
