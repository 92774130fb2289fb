"""Parquet: every type, every way of cutting, and damage that is named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.unit.validator.reading import kinds, numeric, refusal, summary, text
from validator.errors import DataError


def write(path: Path, columns: Mapping[str, Any], **options: Any) -> Path:
    parquet.write_table(pa.table(dict(columns)), path, **options)
    return path


class TestParquet:
    def test_types_and_their_kinds(self, tmp_path: Path) -> None:
        columns = {
            "bool": pa.array([True, False, None]),
            "int8": pa.array([1, 2, 3], pa.int8()),
            "uint64": pa.array([2**64 - 1, 0, None], pa.uint64()),
            "float32": pa.array([1.5, None, 3], pa.float32()),
            "decimal": pa.array([Decimal("1.50"), Decimal("2.25"), None]),
            "text": pa.array(["x", None, "x"]),
            "bytes": pa.array([b"\xff", b"y", None]),
            "category": pa.array(["p", "q", None]).dictionary_encode(),
            "date": pa.array([date(2026, 11, 22)] * 3),
            "time": pa.array([datetime(2026, 11, 22, 1, 2, 3)] * 3, pa.timestamp("us")),  # noqa: DTZ001
            "null": pa.nulls(3),
        }
        read = summary(write(tmp_path / "a.parquet", columns))
        letters = "".join(kind[0] for kind in kinds(read).values())
        assert letters == "IIFFFBBBBBB"
        assert numeric(read, 2).maximum == 2.0**64
        assert text(read, 6).invalid_utf8 == 1
        assert text(read, 8).ranked == (("2026-11-22", 3),)
        assert text(read, 9).ranked[0][0].startswith("2026-11-22 01:02:03")

    def test_lists_are_counted_by_length(self, tmp_path: Path) -> None:
        lists = pa.array([[1, 2], [], None, [3, None, 5]])
        names = pa.array([["x"], ["x", "y"], None, []], pa.list_(pa.string()))
        read = summary(write(tmp_path / "a.parquet", {"n": lists, "s": names}))
        assert numeric(read).presence.lengths == {0: 1, 2: 1, 3: 1}
        assert (numeric(read).presence.missing, numeric(read).finite) == (1, 4)
        assert text(read, 1).ranked == (("x", 2), ("y", 1))

    def test_many_row_groups_and_wide_rows(self, tmp_path: Path) -> None:
        columns = {"n": pa.array(range(1000)), "s": pa.array(["x" * 5000] * 1000)}
        read = summary(write(tmp_path / "a.parquet", columns, row_group_size=100))
        assert (read.rows, numeric(read).mean, text(read, 1).content) == (1000, 499.5, 5_000_000)

    def test_no_rows(self, tmp_path: Path) -> None:
        read = summary(write(tmp_path / "a.parquet", {"n": pa.array([], pa.int64())}))
        assert (read.rows, len(read.columns)) == (0, 1)

    def test_a_column_without_a_name_is_refused(self, tmp_path: Path) -> None:
        parquet.write_table(pa.table([[1], [2]], names=["a", ""]), tmp_path / "a.parquet")
        assert "column 2 has no name; give it one" in refusal(tmp_path / "a.parquet")

    def test_a_struct_is_refused_by_name(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.parquet", {"s": pa.array([{"x": 1}])})
        assert "column 's' is struct" in refusal(path)

    @pytest.mark.parametrize(
        "damage",
        [
            lambda b: b[:-10],
            lambda b: b[: len(b) // 2],
            lambda b: b[:10],
            lambda b: b[:0],
            lambda b: b[:-4] + b"PAR2",
            lambda b: b[:-8] + (1 << 30).to_bytes(4, "little") + b"PAR1",
        ],
    )
    def test_damage_is_named(self, tmp_path: Path, damage: Any) -> None:
        path = write(tmp_path / "a.parquet", {"n": pa.array(range(1000))})
        path.write_bytes(damage(path.read_bytes()))
        assert "footer" in refusal(path)

    def test_a_flipped_page_is_named_by_its_row_group(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "a.parquet",
            {"n": pa.array(range(10_000))},
            row_group_size=5000,
            compression="none",
            write_page_checksum=True,
            use_dictionary=False,
        )
        content = bytearray(path.read_bytes())
        content[len(content) * 3 // 4] ^= 0xFF
        path.write_bytes(content)
        assert "row group 1" in refusal(path)


class TestParts:
    def test_parts_of_other_types_are_both_named(self, tmp_path: Path) -> None:
        write(tmp_path / "1.parquet", {"id": pa.array([1])})
        write(tmp_path / "2.parquet", {"id": pa.array(["1"])})
        with pytest.raises(DataError, match=r"1\.parquet and .*2\.parquet.*int64 in the first, string"):
            summary(tmp_path)
