"""Bad gzip, bzip2 and zstd, and bombs packed in them."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable
from typing import Final

import pyarrow as pa

from tests.functional.bad_input.expected import Accepted, Bounds, Expected, Figures, Refused
from tests.functional.bad_input.inputs import Case
from tests.functional.bad_input.samples import NAMES, RIGHT, ROWS, SAMPLE, file, lines, text

_CUT: Final = r"trunc|\bcut\b|ends? (too early|before)|unexpected end|incomplete|premature"
_BROKEN: Final = r"gzip|zlib|crc|check ?sum|corrupt|incorrect data check"
_SMALL: Final = Bounds(peak_mb=400)


def _case(
    name: str,
    packing: str,
    content: Callable[[], bytes],
    *expected: Expected,
    anchor: str = "",
    bounds: Bounds | None = None,
    is_slow: bool = False,
) -> Case:
    form = {"gz": "gzip", "bz2": "bzip2", "zst": "zstd"}[packing]
    made = file(content, f"data.csv.{packing}")
    return Case(name, form, made, expected, anchor, bounds or Bounds(), is_slow)


def zstd(content: bytes) -> bytes:
    """Packs with zstd."""
    return bytes(pa.Codec("zstd").compress(content, asbytes=True))


def repeated(head: bytes, chunk: bytes, times: int, tail: bytes = b"") -> bytes:
    """Returns one gzip member that unpacks to `head`, so many chunks, and `tail`: made in no time."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush nothing refers back: the packed chunk can follow itself.
    body = packer.compress(chunk) + packer.flush(zlib.Z_FULL_FLUSH)
    last = packer.compress(tail) + packer.flush(zlib.Z_FINISH)
    check = zlib.crc32(head)
    for _ in range(times):
        check = zlib.crc32(chunk, check)
    check = zlib.crc32(tail, check)
    size = (len(head) + len(chunk) * times + len(tail)) % (1 << 32)
    frame = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    return frame + first + body * times + last + check.to_bytes(4, "little") + size.to_bytes(4, "little")


def _gzip_bomb() -> bytes:
    # 1 GB of rows of 100 bytes.
    row = b"1," + b"x" * 97 + b"\n"
    return repeated(b"n,t\n", row * 10_000, 1_000)


def _line_of_200_mb() -> bytes:
    before, after = lines()[:499], lines()[500:]
    return repeated(
        text(before) + b"500,", b"x" * 1_000_000, 200, b",125.00,2024-01-25\n" + b"\n".join(after)
    )


def _zstd_bomb() -> bytes:
    frame = zstd((b"1," + b"x" * 97 + b"\n") * 160_000)
    return zstd(b"n,t\n") + frame * 32


def _window_of_2_gb() -> bytes:
    # A frame's header may ask its reader for any window: 2^31 bytes here. One raw block follows.
    content = text()
    block = (len(content) << 3 | 1).to_bytes(3, "little") + content
    return b"\x28\xb5\x2f\xfd" + b"\x00" + bytes([(31 - 10) << 3]) + block


def _with_wrong_check() -> bytes:
    content = bytearray(gzip.compress(text()))
    content[-8] ^= 0xFF
    return bytes(content)


def _in_two_members() -> bytes:
    content = text()
    return gzip.compress(content[:5_000]) + gzip.compress(content[5_000:])


CASES: Final = (
    _case(
        "gzip-cut",
        "gz",
        lambda: gzip.compress(text())[:-2_000],
        Refused(_CUT),
        anchor="gzip cut",
    ),
    _case(
        "gzip-of-gzip",
        "gz",
        lambda: gzip.compress(gzip.compress(text())),
        Refused("its text is gzip|packed twice|gzip in gzip"),
        anchor="gzip of gzip",
    ),
    _case(
        "gzip-bomb",
        "gz",
        _gzip_bomb,
        Accepted(10_000_000, {"n": Figures("INT", 0, 1, 1, 1), "t": Figures("STRING", 0, distinct=1)}),
        Refused("unpack|GB|GiB|bomb"),
        anchor="gzip bomb 2.5 MB->1 GB",
        is_slow=True,
    ),
    _case("gzip-in-two-members", "gz", _in_two_members, RIGHT),
    _case("gzip-wrong-check", "gz", _with_wrong_check, Refused(_BROKEN)),
    _case("gzip-cut-in-its-trailer", "gz", lambda: gzip.compress(text())[:-4], Refused(_CUT)),
    _case("gzip-of-nothing", "gz", lambda: gzip.compress(b""), Refused("empty")),
    _case("gzip-empty-file", "gz", lambda: b"", Refused("empty")),
    _case("not-gzip", "gz", text, Refused("not (in )?gzip|no gzip|incorrect header check|gzip")),
    _case(
        "gzip-with-noise-behind",
        "gz",
        lambda: gzip.compress(text()) + b"noise" * 100,
        Refused(_BROKEN),
        RIGHT,
    ),
    Case("gzip-named-csv", "gzip", file(lambda: gzip.compress(text())), (Refused("gzip"),)),
    _case(
        "line-of-200-mb-in-gzip",
        "gz",
        _line_of_200_mb,
        Refused(r"longer than|too long|beyond", r"\b(line|row) 501\b"),
        bounds=_SMALL,
    ),
    _case("bzip2", "bz2", lambda: bz2.compress(text()), RIGHT),
    _case("bzip2-cut", "bz2", lambda: bz2.compress(text())[:-100], Refused(_CUT)),
    _case(
        "bzip2-flipped",
        "bz2",
        lambda: bz2.compress(text())[:300] + b"\xff\xff\xff\xff" + bz2.compress(text())[304:],
        Refused("bz(ip)?2|corrupt|crc|check ?sum|damaged"),
    ),
    _case("zstd", "zst", lambda: zstd(text()), RIGHT),
    _case("zstd-cut", "zst", lambda: zstd(text())[:-500], Refused(_CUT)),
    _case(
        "zstd-bomb",
        "zst",
        _zstd_bomb,
        Accepted(32 * 160_000, {"n": Figures("INT", 0, 1, 1, 1), "t": Figures("STRING", 0, distinct=1)}),
        Refused("unpack|GB|GiB|bomb"),
        is_slow=True,
    ),
    _case(
        "zstd-window-of-2-gb",
        "zst",
        _window_of_2_gb,
        Refused("zstd|memory|window"),
        Accepted(ROWS, SAMPLE, names=NAMES),
        bounds=_SMALL,
    ),
)
