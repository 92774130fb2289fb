"""A peer: DuckDB's SUMMARIZE, which finds the types itself; one thread takes the fewest CPU seconds."""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb

from bench.subjects.meter import metered


def main() -> None:
    """Summarizes a CSV file or a folder of Parquet files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    path = parser.parse_args().path
    source = str(path / "*.parquet") if path.is_dir() else str(path)
    with metered() as said, duckdb.connect() as database:
        database.execute("SET threads = 1")
        columns = database.execute("SUMMARIZE FROM '" + source + "'").fetchall()
        names = [column[0] for column in database.description]
        said["rows"] = columns[0][names.index("count")]


if __name__ == "__main__":
    main()
