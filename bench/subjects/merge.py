"""Ours: stored states read, merged one after another, and finished."""

from __future__ import annotations

from validator import settings

settings.settle_native_libraries()

import argparse  # noqa: E402 - threads are settled before anything slow is imported
from pathlib import Path  # noqa: E402

from bench.subjects.meter import metered  # noqa: E402
from bench.subjects.states import columns  # noqa: E402
from validator import statistics  # noqa: E402
from validator.profile import Profile  # noqa: E402


def main() -> None:
    """Merges all states of a folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    paths = sorted(parser.parse_args().folder.iterdir())
    declared = columns()
    with metered() as said:
        whole = Profile(declared)
        for path in paths:
            whole.merge(Profile.from_bytes(path.read_bytes(), declared))
        summary = whole.finish()
        statistics.of(summary)
        said["rows"] = summary.rows


if __name__ == "__main__":
    main()
