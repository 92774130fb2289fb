"""What a Parquet footer says of values: contradictions are refused, everything that writers do is not."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.unit.validator.formats.reading import refusal, summary
from validator.formats.columnar.claims import Claim, Contradiction

NAN = float("nan")
WRITER = b"parquet-cpp-arrow version"


def write(path: Path, columns: Mapping[str, Any], **options: Any) -> Path:
    plain: dict[str, Any] = {"compression": "none", "use_dictionary": False}
    parquet.write_table(pa.table(dict(columns)), path, **plain | options)
    return path


def spoil(path: Path, true: bytes, false: bytes) -> None:
    """Writes another value where this one is stored first: pages stand before the footer."""
    content = path.read_bytes()
    assert true in content
    path.write_bytes(content.replace(true, false, 1))


class TestContradictions:
    @pytest.mark.parametrize("nulls", [0, 3])
    @pytest.mark.parametrize(
        ("kind", "stored", "false", "said"),
        [
            (pa.int16(), "<i", 1000, "the value 1000"),
            (pa.int64(), "<q", -1, "the value -1 contradicts its footer, which says 1 to 9"),
            (pa.int64(), "<q", 10, "the value 10 contradicts its footer, which says 1 to 9"),
            (pa.float32(), "<f", 1e30, "which says 1.0 to 9.0"),
            (pa.float64(), "<d", -1e300, "the value -1e+300 contradicts its footer, which says 1.0 to 9.0"),
            (pa.float64(), "<d", float("inf"), "the value inf"),
            (pa.date32(), "<i", 10, "the value 10"),
            (pa.time32("ms"), "<i", 0, "the value 0"),
            (pa.time64("us"), "<q", 0, "the value 0"),
            (pa.timestamp("us", "UTC"), "<q", 0, "the value 0"),
            (pa.duration("ms"), "<q", 0, "the value 0"),
        ],
    )
    def test_of_a_value(
        self, tmp_path: Path, kind: Any, *, stored: str, false: float, said: str, nulls: int
    ) -> None:
        values = pa.array([*range(1, 10), *[None] * nulls], pa.int32() if stored == "<i" else pa.int64())
        path = write(tmp_path / "a.parquet", {"a": ["x"] * len(values), "n": values.cast(kind)})
        spoil(path, struct.pack(stored, 5), struct.pack(stored, false))
        message = refusal(path)
        assert "row group 0, column 'n': the value" in message
        assert said in message

    def test_of_a_boolean(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.parquet", {"b": [True] * 64})
        spoil(path, b"\xff" * 8, b"\xff" * 7 + b"\xfe")
        assert "column 'b': the value 0 contradicts its footer, which says True to True" in refusal(path)

    def test_of_the_last_batch_of_the_last_row_group(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.parquet", {"n": range(300)}, row_group_size=100)
        spoil(path, struct.pack("<q", 250), struct.pack("<q", 300))
        assert "row group 2, column 'n': the value 300" in refusal(path)

    def test_of_the_number_of_nulls(self, tmp_path: Path) -> None:
        path = self._with_null(tmp_path)
        self._spoil_level(path)
        assert "column 'n': its 2 nulls contradict its footer, which says 1" in refusal(path)

    def test_of_the_number_of_nulls_by_a_writer_that_may_miscount(self, tmp_path: Path) -> None:
        path = self._with_null(tmp_path)
        self._spoil_level(path)
        path.write_bytes(path.read_bytes().replace(WRITER, b"Polars".ljust(len(WRITER))))
        assert summary(path).rows == 8

    def test_a_value_within_its_bounds_cannot_be_seen(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.parquet", {"n": range(10)})
        spoil(path, struct.pack("<q", 5), struct.pack("<q", 6))
        assert summary(path).rows == 10

    @staticmethod
    def _with_null(folder: Path) -> Path:
        return write(folder / "a.parquet", {"n": [5, None, 5, 5, 5, 5, 5, 5]})

    @staticmethod
    def _spoil_level(path: Path) -> None:
        # The levels of 8 values, a bit each, packed: all there but the second.
        spoil(path, b"\x03\xfd", b"\x03\xf9")


class TestWhatWritersDo:
    @pytest.mark.parametrize(
        "values",
        [
            [NAN, 1.0, None],
            [1.0, NAN],
            [NAN, NAN],
            [None, None],
            [0.0, -0.0],
            [-0.0],
            [float("inf"), float("-inf")],
        ],
    )
    @pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()])
    def test_floats(self, tmp_path: Path, kind: Any, values: list[float | None]) -> None:
        column = pa.array(values, pa.float64()).cast(kind)
        assert summary(write(tmp_path / "a.parquet", {"f": column})).rows == len(values)

    @pytest.mark.parametrize("options", [{}, {"write_statistics": False}, {"use_dictionary": True}])
    def test_types(self, tmp_path: Path, options: Mapping[str, Any]) -> None:
        columns = {
            "uint8": pa.array([0, 255, None], pa.uint8()),
            "uint32": pa.array([0, 2**32 - 1, None], pa.uint32()),
            "uint64": pa.array([0, 2**64 - 1, None], pa.uint64()),
            "int64": pa.array([-(2**63), 2**63 - 1, None]),
            "decimal": pa.array([Decimal("-1.5"), Decimal("1.5"), None], pa.decimal128(9, 1)),
            "date64": pa.array([date(1, 1, 1), date(2026, 1, 1), None], pa.date64()),
            "time": pa.array([time(1), time(2), None], pa.time32("s")),
            "moment": pa.array([datetime(1, 1, 1), None, datetime(9999, 1, 1)], pa.timestamp("s")),  # noqa: DTZ001
            "text": ["a", None, "b" * 5000],
            "list": [[1], [], None],
            "struct": [{"int64": 1}, None, {"int64": None}],
            "with.dot": [1, 2, None],
            "null": pa.nulls(3),
            "bool8": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, None], pa.int8())),
        }
        assert summary(write(tmp_path / "a.parquet", columns, **options)).rows == 3

    @pytest.mark.parametrize(
        "options", [{"use_deprecated_int96_timestamps": True}, {"store_decimal_as_integer": True}]
    )
    def test_ways_of_storing(self, tmp_path: Path, options: Mapping[str, Any]) -> None:
        columns = {
            "t": pa.array([datetime(2026, 1, 1), None], pa.timestamp("ns")),  # noqa: DTZ001
            "d": pa.array([Decimal("-1.5"), None]),
        }
        assert summary(write(tmp_path / "a.parquet", columns, **options)).rows == 2

    @settings(deadline=None, max_examples=40)
    @given(
        st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=40),
        st.lists(st.none() | st.floats(), max_size=40),
        st.integers(1, 50),
    )
    def test_any_numbers(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        integers: list[int | None],
        floats: list[float | None],
        rows: int,
    ) -> None:
        size = min(len(integers), len(floats))
        columns = {"i": pa.array(integers[:size], pa.int64()), "f": pa.array(floats[:size], pa.float64())}
        path = write(tmp_path_factory.mktemp("any") / "a.parquet", columns, row_group_size=rows)
        assert summary(path).rows == size


class TestClaim:
    def test_it_looks_at_a_slice_alone(self) -> None:
        array = pa.array([99, 1, None, 2, -99])
        Claim("n", 1, 2, None).look(array.slice(1, 3))
        with pytest.raises(Contradiction, match="the value -99"):
            Claim("n", 1, 2, None).look(array.slice(1))

    @pytest.mark.parametrize(("nulls", "is_right"), [(3, True), (2, False), (None, True)])
    def test_nulls_of_all_batches_are_one_number(self, nulls: int | None, *, is_right: bool) -> None:
        claim = Claim("n", None, None, nulls)
        for values in ([1, None], [None, None], []):
            claim.look(pa.array(values, pa.int64()))
        if is_right:
            claim.demand()
        else:
            with pytest.raises(Contradiction, match="its 3 nulls contradict its footer, which says 2"):
                claim.demand()
