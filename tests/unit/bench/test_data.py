from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from bench import data


def test_more_rows_begin_with_the_same_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "BLOCK_ROWS", 500)
    few, more = list(data.trips(1_000)), list(data.trips(1_200))
    assert few[0].num_columns == 18
    assert [table.equals(other) for table, other in zip(few, more, strict=False)] == [True, True]


def test_wide_tables_have_five_thousand_columns() -> None:
    (table,) = data.wide(10)
    assert (table.num_columns, table.num_rows) == (5_000, 10)


def test_blocks_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "BLOCK_ROWS", 500)
    tables = list(data.trips(1_200))
    assert [table.num_rows for table in tables] == [500, 500, 200]
    ids = pa.concat_tables(tables)["trip_id"]
    assert len(set(ids.to_pylist())) == 1_200
    starts = [table["trip_start_timestamp"].to_pylist() for table in tables]
    assert all(max(first) < max(second) for first, second in pairwise(starts))


def test_csv_has_the_rows_that_were_asked_for(tmp_path: Path) -> None:
    data.write_csv(data.trips(700), tmp_path / "trips.csv")
    table = csv.read_csv(tmp_path / "trips.csv", convert_options=csv.ConvertOptions(strings_can_be_null=True))
    expected = pa.concat_tables(data.trips(700))
    assert table.num_rows == 700
    assert table["trip_id"].equals(expected["trip_id"])
    assert table["company"].null_count == expected["company"].null_count > 0


def test_parquet_has_row_groups_of_a_known_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "BLOCK_ROWS", 500)
    monkeypatch.setattr(data, "GROUP_ROWS", 250)
    data.write_parquet(data.trips(2_000), tmp_path / "trips", 2_000)
    files = [parquet.ParquetFile(path) for path in sorted((tmp_path / "trips").iterdir())]
    assert [file.num_row_groups for file in files] == [2, 2, 2, 2]
    assert sum(file.metadata.num_rows for file in files) == 2_000
