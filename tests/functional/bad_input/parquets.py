"""Bad Parquet: cut, flipped, lying about itself, unlike its neighbours."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tests.functional.bad_input.expected import (
    EITHER,
    UNUSABLE,
    Accepted,
    Bounds,
    Expected,
    Figures,
    Flaw,
    Refused,
)
from tests.functional.bad_input.inputs import Case, Run
from tests.functional.bad_input.samples import RIGHT, ROWS, SAMPLE, file, folder_of, table

_NO_PARQUET: Final = Refused("footer|magic|not (a )?parquet|smaller than|too small|size")
_CORRUPT: Final = (
    "corrupt|snappy|decompress|invalid|crc|check ?sum|deserializ|thrift|does not agree|contradict"
)
_GROUP: Final = r"row group 0"
_MANY: Final = 20_000_000


def _case(
    name: str,
    content: Callable[[], bytes],
    *expected: Expected,
    anchor: str = "",
    bounds: Bounds | None = None,
) -> Case:
    return Case(name, "Parquet", file(content, "data.parquet"), expected, anchor, bounds or Bounds())


def stored(data: Any = None, **options: Any) -> bytes:
    """Writes a table, the good one unless another is given."""
    out = io.BytesIO()
    parquet.write_table(table() if data is None else data, out, **options)
    return out.getvalue()


def _column(content: bytes, number: int) -> tuple[int, int]:
    """Returns the bytes a column's pages take in the first row group."""
    chunk = parquet.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(number)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    return start, start + chunk.total_compressed_size


def _flipped_page(column: int = 0, **options: Any) -> bytes:
    content = bytearray(stored(use_dictionary=False, compression="snappy", **options))
    start, stop = _column(bytes(content), column)
    middle = (start + stop) // 2
    content[middle : middle + 16] = b"\xff" * 16
    return bytes(content)


def _flipped_dictionary() -> bytes:
    content = bytearray(stored(compression="snappy"))
    start, _ = _column(bytes(content), 1)
    content[start + 20 : start + 28] = b"\xff" * 8
    return bytes(content)


def _flipped_value(**options: Any) -> bytes:
    """The id 500 becomes 2^54 + 500: nothing but what the footer says of the column contradicts it."""
    content = stored(use_dictionary=False, compression="none", **options)
    start, stop = _column(content, 0)
    place = content.index(struct.pack("<q", 500), start, stop)
    return content[: place + 6] + b"\x40" + content[place + 7 :]


def _with_footer_length(length: int) -> bytes:
    return stored()[:-8] + length.to_bytes(4, "little") + b"PAR1"


def _with_rows_said(times: int) -> bytes:
    """The footer, and as often as asked the row group too, say 1,009 rows of 1,000."""
    content = stored()
    said, lie = b"\x16\xd0\x0f", b"\x16\xe2\x0f"
    begin = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    footer = content[begin:]
    assert said in footer
    return content[:begin] + footer.replace(said, lie, times)


def _with_page_size() -> bytes:
    """A page says that it unpacks to 2 MB, not to 8 kB."""
    content = stored(use_dictionary=False, compression="snappy")
    start, _ = _column(content, 0)
    head = b"\x15\x00\x15"
    assert content[start : start + 3] == head
    return content[:start] + head + b"\xfe\xff\x7f" + content[start + 6 :]


def _endless_list() -> bytes:
    # Thrift, compact: version 1, then a list of 2^31 - 1 structs.
    footer = b"\x15\x02\x19\xfc\xff\xff\xff\xff\x07"
    return b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def _deep_thrift() -> bytes:
    # A struct in a struct in a struct, a million times.
    footer = b"\x1c" * 1_000_000
    return b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def _parts(**parts: Any) -> Callable[[Path], Run]:
    return folder_of(lambda: {f"{name}.parquet": stored(part()) for name, part in parts.items()})


def _with_id(kind: Any, rows: int, first: int) -> Any:
    good = table(rows, first)
    return good.set_column(0, "id", good["id"].cast(kind))


def _invalid_utf8() -> bytes:
    names = [b"n%d" % (n % 10) for n in range(ROWS)]
    names[499] = b"caf\xe9"
    # Text by its type, whatever the bytes are: no writer checks.
    data = pa.Array.from_buffers(pa.string(), ROWS, pa.array(names, pa.binary()).buffers())
    return stored(table().set_column(1, "name", data))


def _extremes() -> bytes:
    return stored(
        pa.table(
            {
                "u": pa.array([0, 2**64 - 1], pa.uint64()),
                "d": pa.array([Decimal("-0.01"), Decimal("99999999999999.99")], pa.decimal128(16, 2)),
                "f": pa.array([float("nan"), 1.5]),
                "i": pa.array([-(2**63), 2**63 - 1], pa.int64()),
            }
        )
    )


def _hidden_list() -> bytes:
    """Of a million lists one is 480 MB long, in 5 kB."""
    lengths = np.ones(1_000_000, np.int64)
    lengths[500_000] = 60_000_000
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int64())
    values = pa.array(np.zeros(int(lengths.sum()), np.int64))
    return stored(pa.table({"n": pa.LargeListArray.from_arrays(offsets, values)}), compression="zstd")


def _long_words() -> bytes:
    """300,000 texts of 64 KiB, 300 words in a dictionary: 20 GB in 20 kB."""
    words = [f"{n:03}" + chr(ord("A") + n % 26) * (1 << 16) for n in range(300)]
    texts = pa.DictionaryArray.from_arrays(pa.array(np.arange(300_000) % 300, pa.int32()), words)
    options = {"compression": "zstd", "dictionary_pagesize_limit": 1 << 28, "store_schema": False}
    return stored(pa.table({"s": texts}), **options)


CASES: Final = (
    _case("parquet-tail-cut", lambda: stored()[:-100], _NO_PARQUET, anchor="Parquet: tail cut"),
    _case(
        "parquet-cut-at-half",
        lambda: stored()[: len(stored()) // 2],
        _NO_PARQUET,
        anchor="Parquet: cut at half",
    ),
    _case("parquet-cut-to-10-bytes", lambda: stored()[:10], _NO_PARQUET, anchor="Parquet: cut to 10 bytes"),
    _case("parquet-wrong-magic", lambda: stored()[:-4] + b"PAR9", _NO_PARQUET, anchor="Parquet: wrong magic"),
    _case(
        "parquet-snappy-page-flipped",
        _flipped_page,
        Refused(_CORRUPT, rf"column 'id'.*{_GROUP}|{_GROUP}.*column 'id'"),
        anchor="Parquet: snappy page flipped",
    ),
    _case(
        "parquet-plain-page-flipped",
        _flipped_value,
        Refused(_CORRUPT, rf"column 'id'.*{_GROUP}|{_GROUP}.*column 'id'"),
        anchor="Parquet: plain page flipped",
    ),
    _case(
        "parquet-plain-page-flipped-with-crc",
        lambda: _flipped_value(write_page_checksum=True),
        Refused(_CORRUPT, rf"column 'id'.*{_GROUP}|{_GROUP}.*column 'id'"),
        anchor="same, page CRC present",
    ),
    _case(
        "parquet-footer-length-lies",
        lambda: _with_footer_length(2**31 - 1),
        _NO_PARQUET,
        anchor="Parquet: footer length lies",
    ),
    Case(
        "parquet-parts-of-other-types",
        "Parquet",
        _parts(a=lambda: _with_id(pa.int64(), 500, 1), b=lambda: _with_id(pa.string(), 500, 501)),
        (Refused("'id'.*int64.*string", "", (65,), ("a.parquet", "b.parquet")),),
        "Parquet parts: id int vs string",
    ),
    Case(
        "parquet-part-lacks-a-column",
        "Parquet",
        _parts(a=lambda: table(500), b=lambda: table(500, 501).drop_columns(["amount"])),
        (Refused("lacks column 'amount'", "", (65,), ("a.parquet", "b.parquet")),),
        "Parquet part lacks a column",
    ),
    _case("parquet-empty-file", lambda: b"", Refused("empty|size|footer|too small")),
    _case("parquet-only-magic", lambda: b"PAR1PAR1", _NO_PARQUET),
    _case("parquet-encrypted", lambda: stored()[:-4] + b"PARE", Refused("encrypt|magic|footer")),
    _case("parquet-footer-too-short", lambda: _with_footer_length(20), Refused(_NO_PARQUET.why)),
    _case("parquet-thrift-list-of-2-billion", _endless_list, _NO_PARQUET, bounds=Bounds(5, 300)),
    _case("parquet-thrift-a-million-deep", _deep_thrift, _NO_PARQUET, bounds=Bounds(5, 300)),
    _case(
        "parquet-file-says-more-rows",
        lambda: _with_rows_said(1),
        Refused("1,?009 rows|rows.*1,?009|footer"),
        RIGHT,
    ),
    _case(
        "parquet-row-group-says-more-rows",
        lambda: _with_rows_said(9),
        Refused("1,?009|rows|end of|footer", "row group 0|footer"),
    ),
    _case(
        "parquet-page-says-more-bytes",
        _with_page_size,
        Refused(_CORRUPT, rf"column 'id'.*{_GROUP}|{_GROUP}.*column 'id'"),
    ),
    _case(
        "parquet-dictionary-flipped",
        _flipped_dictionary,
        Refused(_CORRUPT, rf"column 'name'.*{_GROUP}|{_GROUP}.*column 'name'"),
    ),
    _case(
        "parquet-without-rows", lambda: stored(table(0)), Accepted(0, {}, (Flaw("NO_DATA"),), verdict="fail")
    ),
    _case(
        "parquet-without-columns",
        lambda: stored(pa.table({})),
        Refused("no columns?"),
        Accepted(0, {}, (Flaw("NO_DATA"),), verdict="fail"),
    ),
    _case(
        "parquet-100m-rows-of-nothing",
        lambda: stored(pa.table({"n": pa.nulls(100_000_000)}), row_group_size=100_000_000),
        Accepted(100_000_000, {"n": Figures(missing=100_000_000)}),
        Refused("memory|rows"),
    ),
    _case(
        "parquet-20m-rows-in-a-few-bytes",
        lambda: stored(pa.table({"n": np.full(_MANY, 7, np.int8)}), row_group_size=_MANY),
        Accepted(_MANY, {"n": Figures("INT", 0, 7, 7, 7)}),
    ),
    _case(
        "parquet-documents-of-20000-lengths",
        lambda: stored(
            pa.table({"text": ["document " * (120 + n % 1_000) + "x" * (n // 1_000) for n in range(20_000)]})
        ),
        Accepted(20_000, {"text": Figures()}),
        bounds=Bounds(cpu_seconds=10, peak_mb=500),
    ),
    _case("parquet-list-is-a-bomb", _hidden_list, Refused("465 MiB decoded", "'n"), bounds=Bounds(5, 300)),
    _case(
        "parquet-words-are-bombs",
        _long_words,
        Accepted(300_000, {"s": Figures("STRING", missing=0, distinct=300)}),
        bounds=Bounds(5, 500),
    ),
    _case(
        "parquet-invalid-utf8",
        _invalid_utf8,
        Accepted(ROWS, {"id": SAMPLE["id"]}, (Flaw("INVALID_UTF8", "name", "^1 value"),)),
    ),
    _case(
        "parquet-extreme-numbers",
        _extremes,
        Accepted(
            2,
            {
                "u": Figures("FLOAT", 0, 0, 2.0**64, 2.0**63),
                "d": Figures("FLOAT", 0, -0.01, 99999999999999.99),
                "f": Figures("FLOAT", 0, 1.5, 1.5, 1.5),
                "i": Figures("INT", 0, -(2.0**63), 2.0**63, -0.5),
            },
            (Flaw("NON_FINITE_VALUES", "f", "1 NaN"),),
        ),
    ),
    _case(
        "parquet-times-beyond-any-calendar",
        lambda: stored(
            pa.table(
                {
                    "t": pa.array([0, 2**63 - 1, -(2**63)], pa.timestamp("us")),
                    "d": pa.array([0, 2**31 - 1, -(2**31)], pa.date32()),
                }
            )
        ),
        Accepted(3, {name: Figures("STRING", missing=0, distinct=3) for name in "td"}),
        Refused("time|date|calendar|range", "column '[td]'"),
    ),
    _case(
        "parquet-list-of-lists",
        lambda: stored(pa.table({"n": [[[1, 2], [3]], [[4]]]})),
        Accepted(2, {"n": Figures("INT", 0, 1, 4, 2.5, values=4)}),
        Refused("list", "column 'n'"),
    ),
    Case(
        "parquet-parts-in-other-order",
        "Parquet",
        _parts(a=lambda: table(500), b=lambda: table(500, 501).select(["name", "id", "amount", "day"])),
        (Refused("order", "", (65,), ("a.parquet", "b.parquet")), RIGHT),
    ),
    _case("csv-named-parquet", lambda: b"id,name\n1,x\n" * 100, _NO_PARQUET),
    Case(
        "parquet-beside-csv",
        "folder",
        folder_of(lambda: {"a.csv": b"id,name,amount,day\n1,x,1.5,2024-01-01\n", "b.parquet": stored()}),
        (
            Refused(
                "different formats",
                "",
                (*EITHER, *UNUSABLE),
                ("a.csv", "b.parquet"),
            ),
        ),
    ),
)
