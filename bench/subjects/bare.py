"""The denominator: pyarrow reads every value, typed, on one thread, and nothing is computed."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import csv, parquet

from bench.subjects.meter import metered

BLOCK_BYTES: Final = 4 << 20
GROUP_ROWS: Final = 125_000


def read_csv(path: Path, schema: Any) -> int:
    """Reads a file of these types, and returns its rows."""
    reader = csv.open_csv(
        path,
        read_options=csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
        convert_options=csv.ConvertOptions(column_types=schema, null_values=[""], strings_can_be_null=True),
    )
    with reader:
        return sum(batch.num_rows for batch in reader)


def read_parquet(folder: Path) -> int:
    """Reads all files of a folder, and returns their rows."""
    rows = 0
    for path in sorted(folder.iterdir()):
        batches = parquet.ParquetFile(path).iter_batches(GROUP_ROWS, use_threads=False)
        rows += sum(batch.num_rows for batch in batches)
    return rows


def main() -> None:
    """Reads a CSV file or a folder of Parquet files, a CSV file in many processes, each all of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    path = asked.path
    pa.set_cpu_count(1)
    if path.is_dir():
        with metered() as said:
            said["rows"] = read_parquet(path)
        return
    schema = _first_types(path)
    forked = multiprocessing.get_context("fork")
    others = [forked.Process(target=read_csv, args=(path, schema)) for _ in range(asked.processes - 1)]
    with metered() as said:
        for other in others:
            other.start()
        said["rows"] = read_csv(path, schema)
        for other in others:
            other.join()
    if any(other.exitcode for other in others):
        sys.exit("another process failed")


def _first_types(path: Path) -> Any:
    """Returns the types of the first rows: told beforehand, so that finding them is not measured."""
    with path.open("rb") as file:
        head = file.read(BLOCK_BYTES)
    return csv.read_csv(pa.BufferReader(head[: head.rindex(b"\n") + 1])).schema


if __name__ == "__main__":
    main()
