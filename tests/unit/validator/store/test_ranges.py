from __future__ import annotations

import gc
import gzip
import io
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.unit.validator.store.scripted import Script, buckets
from validator.store import ranges

KIB = 1 << 10
CONTENT = os.urandom(3000 * KIB)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges of 128 to 512 KiB, so that little content has many."""
    monkeypatch.setattr(ranges, "FIRST_RANGE_BYTES", 128 * KIB)
    monkeypatch.setattr(ranges, "RANGE_BYTES", 512 * KIB)


def lengths(script: Script) -> Sequence[int]:
    return [(stop - start) // KIB for start, stop in sorted(script.requests)]


def is_gapless(script: Script) -> bool:
    return all(before[1] == after[0] for before, after in pairwise(sorted(script.requests)))


@pytest.mark.parametrize("size", [64 * KIB, 100_000, 700_000])
def test_what_is_read_in_order_is_fetched_once_in_ranges_that_grow(size: int) -> None:
    script, content = Script(CONTENT), b""
    with buckets(script) as s3, s3.open(script.target) as reader:
        while piece := reader.read(size):
            content += piece
    assert content == CONTENT
    assert is_gapless(script)
    assert len(script.requests) <= 9
    assert max(lengths(script)) == 512


def test_no_more_is_held_than_the_ranges_that_are_promised() -> None:
    script, most = Script(CONTENT), 0
    with buckets(script) as s3, s3.open(script.target) as reader:
        while reader.read(10_000):
            most = max(most, len(reader._held.ranges))  # type: ignore[attr-defined]
    assert most == ranges.AHEAD + 1


def test_what_is_read_out_of_order_is_fetched_and_no_more() -> None:
    script = Script(CONTENT)
    with buckets(script) as s3, s3.open(script.target) as reader:
        for offset in (2_500 * KIB, 0, 1_000 * KIB, 1_010 * KIB, 2_900 * KIB):
            reader.seek(offset)
            assert reader.read(20 * KIB) == CONTENT[offset : offset + 20 * KIB]
    assert lengths(script) == [64, 64, 64, 64]


def test_a_long_read_is_several_requests_at_a_time() -> None:
    script = Script(CONTENT, seconds=0.05)
    with buckets(script) as s3, s3.open(script.target) as reader:
        reader.seek(100)
        assert reader.read(2_000 * KIB) == CONTENT[100 : 100 + 2_000 * KIB]
    assert lengths(script) == [512, 512, 512, 464]
    assert script.most == ranges.AHEAD + 1


def table() -> Any:
    rows = 50_000
    numbers = np.random.default_rng(0)
    return pa.table({name: numbers.random(rows) for name in "abcd"})


def test_parquet_is_its_footer_and_each_byte_once() -> None:
    written = io.BytesIO()
    parquet.write_table(table(), written, row_group_size=10_000, compression=None, use_dictionary=False)
    script = Script(written.getvalue())
    with buckets(script) as s3, pa.PythonFile(s3.open(script.target), mode="r") as source:
        file = parquet.ParquetFile(source)
        assert file.metadata.num_row_groups == 5
        assert len(script.requests) == 1
        assert pa.Table.from_batches(file.iter_batches(use_threads=False)).equals(table())
    fetched = sum(stop - start for start, stop in script.requests)
    assert fetched <= len(script.content) + 64 * KIB
    assert len(script.requests) <= 1 + len(script.content) // (512 * KIB) + 4


def test_one_row_group_costs_what_it_is() -> None:
    written = io.BytesIO()
    parquet.write_table(table(), written, row_group_size=10_000, compression=None, use_dictionary=False)
    script = Script(written.getvalue())
    with buckets(script) as s3, pa.PythonFile(s3.open(script.target), mode="r") as source:
        file = parquet.ParquetFile(source)
        group = file.metadata.row_group(2)
        file.read_row_group(2, use_threads=False)
    fetched = sum(stop - start for start, stop in script.requests)
    # What was fetched ahead of its end in vain is no more than the ranges a reader may hold.
    assert fetched <= 64 * KIB + group.total_byte_size + ranges.AHEAD * 512 * KIB


def test_gzip_is_read_in_order() -> None:
    script = Script(gzip.compress(CONTENT, 1))
    with buckets(script) as s3:
        source = pa.PythonFile(s3.open(script.target), mode="r")
        assert pa.CompressedInputStream(source, "gzip").read() == CONTENT
    assert is_gapless(script)
    assert len(script.requests) <= 10


def test_a_reader_that_nobody_has_ends_its_fetches() -> None:
    script = Script(CONTENT, dripping_from=1)
    with buckets(script) as s3:
        reader = s3.open(script.target)
        reader.read(10)
        reader.read(10)
        given_up = [each.given_up for each in reader._held.ranges]  # type: ignore[attr-defined]
        assert not any(event.is_set() for event in given_up)
        del reader
        gc.collect()
        assert all(event.is_set() for event in given_up)
