"""Makes saved states of shards of 10,000 trips: what many machines would have sent."""

from __future__ import annotations

from validator import settings

settings.settle_native_libraries()

import argparse  # noqa: E402 - threads are settled before anything slow is imported
from itertools import islice  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, Final  # noqa: E402

import pyarrow as pa  # noqa: E402

from bench import data  # noqa: E402
from bench.cases import STATE_ROWS  # noqa: E402
from validator.profile import Column, Kind, Profile  # noqa: E402

_KINDS: Final = {pa.int64(): Kind.INT, pa.float64(): Kind.FLOAT, pa.string(): Kind.BYTES}


def columns() -> tuple[Column, ...]:
    """Returns the columns of the trips."""
    schema = next(data.trips(1)).schema
    return tuple(Column(field.name, _KINDS[field.type]) for field in schema)


def main() -> None:
    """Writes `count` states into a folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    asked.folder.mkdir()
    declared = columns()
    tables = data.trips(asked.count * STATE_ROWS)
    batches = (batch for table in tables for batch in table.combine_chunks().to_batches(STATE_ROWS))
    for number, batch in enumerate(islice(batches, asked.count)):
        (asked.folder / f"{number:04d}.state").write_bytes(_state(batch, declared))


def _state(batch: Any, declared: tuple[Column, ...]) -> bytes:
    profile = Profile(declared)
    profile.add(batch)
    return profile.to_bytes()


if __name__ == "__main__":
    main()
