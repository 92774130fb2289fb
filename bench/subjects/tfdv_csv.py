"""A peer: tfdv.generate_statistics_from_csv, which is what TFDV's users call."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import tensorflow_data_validation as tfdv

from bench.subjects.meter import metered


def main() -> None:
    """Generates the statistics of a CSV file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    path = parser.parse_args().path
    with tempfile.TemporaryDirectory() as folder, metered() as said:
        made = tfdv.generate_statistics_from_csv(path, output_path=str(Path(folder) / "statistics.tfrecord"))
        said["rows"] = made.datasets[0].num_examples


if __name__ == "__main__":
    main()
