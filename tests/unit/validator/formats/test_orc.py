"""ORC: right figures, every way of cutting, and damage that is named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import orc

from tests.unit.validator.formats.reading import kinds, numeric, read_in_cuts, refusal, summary, text
from validator.errors import DataError
from validator.formats.columnar import parts, stripes

NOISE = np.random.default_rng(1).integers(0, 2**62, 40_000)
ROWS: Mapping[str, Any] = {"n": pa.array(range(40_000)), "noise": pa.array(NOISE)}


def write(path: Path, columns: Mapping[str, Any] = ROWS, **options: Any) -> Path:
    orc.write_table(pa.table(dict(columns)), str(path), **options)
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of some stripes."""
    made = write(tmp_path_factory.mktemp("orc") / "a.orc", stripe_size=65_536, batch_size=1024)
    assert orc.ORCFile(str(made)).nstripes > 3
    return made


class TestRead:
    def test_types_and_their_kinds(self, tmp_path: Path) -> None:
        columns = {
            "bool": pa.array([True, False, None]),
            "int": pa.array([1, 2, 3], pa.int8()),
            "float": pa.array([1.5, None, 3], pa.float32()),
            "decimal": pa.array([Decimal("1.10"), None, Decimal("1.10")]),
            "text": pa.array(["x", None, "x"]),
            "bytes": pa.array([b"\xff", b"y", None]),
            "date": pa.array([date(2026, 11, 22)] * 3),
            "time": pa.array([datetime(2026, 11, 22, 1, 2, 3)] * 3, pa.timestamp("us")),  # noqa: DTZ001
            "list": pa.array([[1, 2], None, []]),
            "struct": pa.array([{"a": 1}, None, {"a": 2}]),
            "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())),
        }
        read = summary(write(tmp_path / "a.orc", columns))
        assert "".join(kind[0] for kind in kinds(read).values()) == "IIFFBBBBISS"
        assert (read.rows, numeric(read, 3).maximum) == (3, 1.1)
        assert text(read, 6).ranked == (("2026-11-22", 3),)

    @pytest.mark.parametrize("compression", ["uncompressed", "zlib", "snappy", "lz4", "zstd"])
    def test_packed(self, tmp_path: Path, compression: str) -> None:
        read = summary(write(tmp_path / "a.orc", compression=compression))
        assert (read.rows, numeric(read).mean) == (40_000, 19_999.5)

    def test_no_rows(self, tmp_path: Path) -> None:
        read = summary(write(tmp_path / "a.orc", {"n": pa.array([], pa.int64())}))
        assert (read.rows, len(read.columns)) == (0, 1)

    def test_moments_beyond_nanoseconds_do_not_wrap(self, tmp_path: Path) -> None:
        days = pa.array([datetime(1, 1, 1)], pa.timestamp("us"))  # noqa: DTZ001
        assert "stripe 0, column 't': ORC timestamp" in refusal(write(tmp_path / "a.orc", {"t": days}))


class TestCuts:
    @settings(deadline=None, max_examples=40)
    @given(st.sets(st.integers(1, 400_000), max_size=6))
    def test_each_stripe_is_read_once(self, path: Path, borders: set[int]) -> None:
        assert list(chain(*read_in_cuts(path, borders))) == list(range(40_000))

    def test_cuts_share_the_stripes(self, path: Path) -> None:
        assert all(read_in_cuts(path, [path.stat().st_size // 2]))


class TestBounds:
    @pytest.mark.parametrize(
        "columns",
        [
            {"n": np.zeros(300_000, np.int64)},
            {"s": ["x" * 100] * 30_000},
            {"b": [b"x" * 100] * 30_000},
            {"l": [[1] * 100] * 3_000},
            {"m": [[("k" * 100, {"v": 1.5})]] * 30_000},
        ],
    )
    def test_a_stripe_that_is_too_great_is_refused(
        self, tmp_path: Path, columns: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kind = pa.map_(pa.string(), pa.struct([("v", pa.float64())]))
        columns = {name: pa.array(v, kind) if name == "m" else pa.array(v) for name, v in columns.items()}
        path = write(tmp_path / "a.orc", columns, compression="zstd")
        [stripe] = self._stripes(path)
        held = orc.ORCFile(str(path)).read_stripe(0).nbytes
        assert held / 1.2 < stripe.decoded < held * 1.2
        assert stripe.stored < 20_000
        monkeypatch.setattr(parts, "PART_BYTES", stripe.decoded)
        assert summary(path).rows > 0
        # Another file, not that of a saved state.
        write(path, columns, compression="zstd")
        monkeypatch.setattr(parts, "PART_BYTES", stripe.decoded - 1)
        assert re.search("stripe 0: its buffers have .* MiB decoded.*; write smaller stripes", refusal(path))

    def test_each_stripe_has_its_share(self, path: Path) -> None:
        found = self._stripes(path)
        file = orc.ORCFile(str(path))
        # Two numbers a row, and whether there is one.
        assert [s.decoded for s in found] == [17 * file.read_stripe(n).num_rows for n in range(file.nstripes)]
        assert path.stat().st_size * 0.98 < sum(s.stored for s in found) < path.stat().st_size

    @pytest.mark.parametrize(
        ("true", "false", "complaint"),
        [
            (b"\x30\xe8\x07", b"\x30\xe9\x07", "it says 1001 rows, but its stripes do not add up to that"),
            (b"\x1a\x0b\x08\x03", b"\x1a\x0b\x08\x7f", "a stripe is not inside of the file"),
        ],
    )
    def test_a_tail_that_lies(self, tmp_path: Path, true: bytes, false: bytes, complaint: str) -> None:
        path = write(tmp_path / "a.orc", {"n": range(1000)})
        tail = orc.ORCFile(str(path)).reader.serialized_file_tail()
        with pytest.raises(ValueError, match=complaint):
            stripes.stripes(tail.replace(true, false), 100)

    @staticmethod
    def _stripes(path: Path) -> Sequence[stripes.Stripe]:
        tail = orc.ORCFile(str(path)).reader.serialized_file_tail()
        return stripes.stripes(tail, path.stat().st_size)


class TestDamage:
    @pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.9999])
    def test_of_an_end_that_is_cut_off(self, path: Path, tmp_path: Path, share: float) -> None:
        content = path.read_bytes()
        (tmp_path / "a.orc").write_bytes(content[: int(len(content) * share)])
        refusal(tmp_path / "a.orc")

    @pytest.mark.parametrize(
        ("content", "name"),
        [
            (b"", "empty"),
            (b"a,b\n1,2\n", "text"),
            (b"PAR1" + bytes(99), "Parquet"),
            (b"ARROW1\0\0", "Arrow IPC"),
        ],
    )
    def test_of_another_format(self, tmp_path: Path, content: bytes, name: str) -> None:
        (tmp_path / "a.orc").write_bytes(content)
        assert f"it is {name}, not ORC" in refusal(tmp_path / "a.orc")

    def test_of_a_packed_stripe(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "a.orc", {"s": [f"s{n * 7919 % 10_007}" for n in range(9999)]}, compression="zlib"
        )
        content = path.read_bytes()
        place = len(content) // 3
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        assert "stripe 0, column 's': " in refusal(path)

    def test_of_any_byte_is_refused_or_read_to_the_end(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.orc", {"n": range(500), "s": [f"s{n % 9}" for n in range(500)]})
        content = path.read_bytes()
        for place in range(0, len(content), 7):
            path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
            with suppress(DataError):
                assert summary(path).rows == 500

    def test_of_names(self, tmp_path: Path) -> None:
        orc.write_table(pa.table([[1], [2]], names=["a", ""]), str(tmp_path / "a.orc"))
        assert "column 2 of its schema has no name" in refusal(tmp_path / "a.orc")
