"""Bad Arrow IPC and ORC."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import orc

from tests.functional.bad_input.expected import Accepted, Bounds, Expected, Figures, Flaw, Refused
from tests.functional.bad_input.inputs import Case
from tests.functional.bad_input.samples import RIGHT, ROWS, SAMPLE, file, table

_NO_ARROW: Final = Refused("not (an )?arrow|magic|footer|too small|too short|cut|empty|read 0 bytes")
_BROKEN: Final = (
    "corrupt|invalid|offset|out of bounds|index|decompress|buffer|length|negative|memory|metadata"
)
_BATCH: Final = r"(record )?batch 0"
_SMALL: Final = Bounds(cpu_seconds=5, peak_mb=300)
_MANY: Final = 120_000
_WORDS: Final = Accepted(_MANY, {"v": Figures("STRING", missing=0, distinct=1)})
_NUMBERS: Final = Accepted(
    _MANY, {"v": Figures("INT", missing=0, minimum=0, maximum=1_499, mean=749.5, values=1_500 * _MANY)}
)
_NO_ORC: Final = Refused("not (an )?orc|footer|postscript|magic|too short|too small|empty|tail|invalid")


def _arrow(
    name: str, content: Callable[[], bytes], *expected: Expected, bounds: Bounds | None = None
) -> Case:
    return Case(name, "Arrow IPC", file(content, "data.arrow"), expected, bounds=bounds or Bounds())


def _orc(name: str, content: Callable[[], bytes], *expected: Expected, bounds: Bounds | None = None) -> Case:
    return Case(name, "ORC", file(content, "data.orc"), expected, bounds=bounds or Bounds())


def _ipc(data: Any = None, compression: str | None = None) -> bytes:
    data = table() if data is None else data
    out = io.BytesIO()
    with pa.ipc.new_file(out, data.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(data.combine_chunks())
    return out.getvalue()


def _stream(data: Any = None, compression: str | None = None) -> bytes:
    data = table() if data is None else data
    out = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(out, data.schema, options=options) as writer:
        writer.write_table(data)
    return out.getvalue()


def _with(find: bytes, instead: bytes, content: bytes, times: int = 1) -> bytes:
    assert content.count(find) >= times
    return content.replace(find, instead, times)


def _zeros() -> Any:
    """More than is held at once, in 15 kB once it is packed."""
    return pa.table({"n": np.zeros(60_000_000, np.int64)})


def _repeated(words: Any) -> bytes:
    """120,000 rows of the first word of a dictionary, in a kilobyte."""
    return _packed(pa.DictionaryArray.from_arrays(pa.array(np.zeros(_MANY, np.int32)), words))


def _run(value: Any) -> bytes:
    return _packed(pa.RunEndEncodedArray.from_arrays(pa.array([_MANY], pa.int32()), pa.array([value])))


def _same_view() -> bytes:
    starts, lengths = (pa.array(np.full(_MANY, number, np.int32)) for number in (0, 1_500))
    return _packed(pa.ListViewArray.from_arrays(starts, lengths, pa.array(range(1_500))))


def _long_run_in_a_list() -> bytes:
    rows = pa.array([0, 10**9], pa.int32())
    return _packed(pa.ListArray.from_arrays(rows, pa.RunEndEncodedArray.from_arrays([10**9], pa.array([1]))))


def _packed(values: Any) -> bytes:
    return _ipc(pa.table({"v": values}), "zstd")


def _with_offset(offset: int) -> bytes:
    """Of `day`, whose texts are 10 bytes each, the text of row 500 begins elsewhere."""
    before, after = struct.pack("<2i", 4_970, 4_980), struct.pack("<2i", 5_000, 5_010)
    found = before + struct.pack("<i", 4_990) + after
    return _with(found, before + struct.pack("<i", offset) + after, _ipc())


def _with_index() -> bytes:
    """Of a dictionary of 10 texts the index of a row is 10,000."""
    indices = pa.array([n % 10 for n in range(ROWS)], pa.int32())
    encoded = pa.DictionaryArray.from_arrays(indices, [f"n{n}" for n in range(10)])
    run = struct.pack("<4i", 7, 8, 9, 0)
    return _with(run, struct.pack("<4i", 7, 8, 10_000, 0), _ipc(pa.table({"name": encoded})))


def _with_metadata_length(length: int) -> bytes:
    content = _ipc()
    place = content.index(b"\xff\xff\xff\xff") + 4
    return content[:place] + struct.pack("<i", length) + content[place + 4 :]


def _invalid_utf8() -> bytes:
    return _with(b"n7n8n9n0n1", b"n7n8n\xe9n0n1", _ipc())


def _orc_stored(data: Any = None, **options: Any) -> bytes:
    out = io.BytesIO()
    orc.write_table(table() if data is None else data, out, **options)
    return out.getvalue()


def _flipped_stripe() -> bytes:
    content = _orc_stored(compression="zlib")
    return content[:600] + b"\xff" * 64 + content[664:]


ARROW: Final = (
    _arrow("arrow", _ipc, RIGHT),
    _arrow("arrow-in-lz4", lambda: _ipc(compression="lz4"), RIGHT),
    _arrow("arrow-tail-cut", lambda: _ipc()[:-100], _NO_ARROW),
    _arrow("arrow-cut-at-half", lambda: _ipc()[: len(_ipc()) // 2], _NO_ARROW),
    _arrow("arrow-wrong-magic", lambda: b"ARROW9" + _ipc()[6:-6] + b"ARROW9", _NO_ARROW),
    _arrow("arrow-empty-file", lambda: b"", _NO_ARROW),
    _arrow("arrow-stream", _stream, RIGHT, Refused("stream|not (an )?arrow|magic")),
    _arrow(
        "arrow-offset-beyond-the-end", lambda: _with_offset(2**30), Refused(_BROKEN, _BATCH), bounds=_SMALL
    ),
    _arrow("arrow-negative-offset", lambda: _with_offset(-5_000), Refused(_BROKEN, _BATCH), bounds=_SMALL),
    _arrow("arrow-index-beyond-dictionary", _with_index, Refused(_BROKEN, _BATCH), bounds=_SMALL),
    _arrow(
        "arrow-more-rows-than-bytes",
        lambda: _with(struct.pack("<q", ROWS), struct.pack("<q", 10**9), _ipc(), 5),
        Refused(_BROKEN, _BATCH),
        bounds=_SMALL,
    ),
    _arrow(
        "arrow-metadata-of-2-gb",
        lambda: _with_metadata_length(2**31 - 8),
        Refused(_BROKEN),
        RIGHT,
        bounds=_SMALL,
    ),
    _arrow(
        "arrow-buffer-unpacks-to-1-tb",
        lambda: _with(struct.pack("<q", 8 * ROWS), struct.pack("<q", 2**40), _ipc(compression="lz4")),
        Refused(_BROKEN, _BATCH),
        bounds=_SMALL,
    ),
    _arrow(
        "arrow-record-batch-is-a-bomb",
        lambda: _ipc(_zeros(), "zstd"),
        Refused("458 MiB decoded", _BATCH),
        bounds=_SMALL,
    ),
    _arrow(
        "arrow-stream-is-a-bomb",
        lambda: _stream(_zeros(), "zstd"),
        Refused("458 MiB decoded", _BATCH),
        bounds=_SMALL,
    ),
    _arrow(
        "arrow-invalid-utf8",
        _invalid_utf8,
        Accepted(ROWS, {"id": SAMPLE["id"]}, (Flaw("INVALID_UTF8", "name", "^1 value"),)),
        Refused("utf-?8", "column 'name'|batch 0"),
    ),
    _arrow(
        "arrow-dictionary-of-20-kb-and-null",
        lambda: _repeated(pa.array([b"y" * 20_000, None], pa.large_binary())),
        _WORDS,
        bounds=_SMALL,
    ),
    _arrow("arrow-word-of-1-mb", lambda: _repeated(pa.array(["x" * (1 << 20), None])), _WORDS, bounds=_SMALL),
    _arrow(
        "arrow-dictionary-of-fixed-8-kb",
        lambda: _repeated(pa.array([b"z" * 8_000], pa.binary(8_000))),
        _WORDS,
        bounds=_SMALL,
    ),
    _arrow("arrow-dictionary-of-lists", lambda: _repeated(pa.array([list(range(1_500))])), _NUMBERS),
    _arrow("arrow-run-of-8-kb", lambda: _run("x" * 8_000), _WORDS, bounds=_SMALL),
    _arrow("arrow-run-of-lists", lambda: _run(list(range(1_500))), _NUMBERS),
    _arrow("arrow-views-of-one-list", _same_view, _NUMBERS),
    _arrow(
        "arrow-run-of-a-billion-in-a-row",
        _long_run_in_a_list,
        Refused("a row has 7629 MiB decoded", _BATCH),
        bounds=_SMALL,
    ),
    _arrow("arrow-without-rows", lambda: _ipc(table(0)), Accepted(0, {}, (Flaw("NO_DATA"),), verdict="fail")),
)

ORC: Final = (
    _orc("orc", _orc_stored, RIGHT),
    _orc("orc-tail-cut", lambda: _orc_stored()[:-50], _NO_ORC),
    _orc("orc-cut-at-half", lambda: _orc_stored()[: len(_orc_stored()) // 2], _NO_ORC),
    _orc("orc-wrong-magic", lambda: _orc_stored().replace(b"ORC", b"ORX"), _NO_ORC),
    _orc("orc-postscript-length-lies", lambda: _orc_stored()[:-1] + b"\xff", _NO_ORC),
    _orc("orc-empty-file", lambda: b"", _NO_ORC),
    _orc(
        "orc-stripe-flipped",
        _flipped_stripe,
        Refused("corrupt|inflate|zlib|bad|invalid|decompress|parse", "stripe 0"),
    ),
    _orc(
        "orc-stripe-is-a-bomb",
        lambda: _orc_stored(_zeros(), compression="zstd", stripe_size=1 << 30),
        Refused("515 MiB decoded", "stripe 0"),
        bounds=_SMALL,
    ),
    _orc(
        "orc-without-rows", lambda: _orc_stored(table(0)), Accepted(0, {}, (Flaw("NO_DATA"),), verdict="fail")
    ),
)

CASES: Final = (*ARROW, *ORC)
