"""Bad TFRecord files of tf.Example, written by hand: no library of theirs is here."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from tests.functional.bad_input.expected import Accepted, Bounds, Expected, Figures, Flaw, Refused
from tests.functional.bad_input.inputs import Case
from tests.functional.bad_input.samples import ROWS, SAMPLE, file

_POLYNOMIAL: Final = 0x82F63B78
_MASK_DELTA: Final = 0xA282EAD8
_SMALL: Final = Bounds(cpu_seconds=5, peak_mb=300)
_RECORD_500: Final = r"\brecord (499|500)\b"
_BROKEN: Final = "crc|check ?sum|corrupt"
_CUT: Final = "trunc|cut|ends|incomplete|too short"
_RIGHT: Final = Accepted(ROWS, SAMPLE)


def _case(
    name: str,
    content: Callable[[], bytes],
    *expected: Expected,
    bounds: Bounds | None = None,
    gz: bool = False,
) -> Case:
    named = "data.tfrecord.gz" if gz else "data.tfrecord"
    return Case(name, "TFRecord", file(content, named), expected, bounds=bounds or Bounds())


@cache
def _crc_table() -> tuple[int, ...]:
    def entry(value: int) -> int:
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        return value

    return tuple(map(entry, range(256)))


def _masked_crc(content: bytes) -> bytes:
    """CRC-32C, rotated and shifted as TFRecord has it."""
    crc, entries = 0xFFFFFFFF, _crc_table()
    for byte in content:
        crc = entries[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF)


def _record(content: bytes) -> bytes:
    length = struct.pack("<Q", len(content))
    return length + _masked_crc(length) + content + _masked_crc(content)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _example(**features: int | float | str | bytes) -> bytes:
    entries = b"".join(
        _field(1, _field(1, name.encode()) + _field(2, _feature(value))) for name, value in features.items()
    )
    return _field(1, entries)


def _feature(value: int | float | str | bytes) -> bytes:
    if isinstance(value, int):
        return _field(3, _field(1, _varint(value % 2**64)))
    if isinstance(value, float):
        return _field(2, _field(1, struct.pack("<f", value)))
    return _field(1, _field(1, value.encode() if isinstance(value, str) else value))


def _examples() -> Iterator[bytes]:
    for n in range(1, ROWS + 1):
        yield _example(id=n, name=f"n{n % 10}", amount=n / 4, day=f"2024-01-{n % 28 + 1:02d}")


@cache
def _records() -> tuple[bytes, ...]:
    return tuple(map(_record, _examples()))


def _text() -> bytes:
    return b"".join(_records())


def _with(record: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """Returns how the good data is made with record 500 (from 1) turned into another."""

    def content() -> bytes:
        records = list(_records())
        records[499] = record(records[499])
        return b"".join(records)

    return content


def _of_length(length: int) -> Callable[[bytes], bytes]:
    """Its length is another, and the checksum of that is right."""
    said = struct.pack("<Q", length)
    return lambda record: said + _masked_crc(said) + record[12:]


CASES: Final = (
    _case("tfrecord", _text, _RIGHT),
    _case("tfrecord-in-gzip", lambda: gzip.compress(_text()), _RIGHT, gz=True),
    _case(
        "tfrecord-data-flipped",
        _with(lambda record: record[:20] + b"\xff" + record[21:]),
        Refused(_BROKEN, _RECORD_500),
    ),
    _case(
        "tfrecord-length-flipped",
        _with(lambda record: b"\xff" + record[1:]),
        Refused(_BROKEN, _RECORD_500),
    ),
    _case(
        "tfrecord-length-of-an-exabyte",
        _with(_of_length(2**60)),
        Refused(f"{_CUT}|long", _RECORD_500),
        bounds=_SMALL,
    ),
    _case(
        "tfrecord-length-of-a-gigabyte",
        _with(_of_length(2**30)),
        Refused(f"{_CUT}|long", _RECORD_500),
        bounds=_SMALL,
    ),
    _case("tfrecord-cut", lambda: _text()[:-10], Refused(_CUT, r"\brecord (999|1,?000)\b")),
    _case("tfrecord-cut-in-a-length", lambda: _text() + b"\x05\0\0", Refused(_CUT, r"\brecord 1,?00[01]\b")),
    _case(
        "tfrecord-in-gzip-cut", lambda: gzip.compress(_text())[:-1_000], Refused(f"{_CUT}|gzip|end"), gz=True
    ),
    _case(
        "tfrecord-not-of-examples",
        lambda: b"".join(_record(b"row %d of no proto" % n) for n in range(100)),
        Refused("tf.?Example|proto", r"\brecord [01]\b"),
    ),
    _case(
        "tfrecord-one-not-an-example",
        _with(lambda _: _record(b"\xff\xff\xff")),
        Refused("tf.?Example|proto", _RECORD_500),
    ),
    _case(
        "tfrecord-types-differ",
        _with(lambda _: _record(_example(id="none", name="n0", amount=125.0, day="2024-01-25"))),
        Refused("'id'", _RECORD_500),
        Accepted(ROWS, {"id": Figures("STRING")}, (Flaw("MIXED_TYPES", "id", "^1 "),)),
    ),
    _case(
        "tfrecord-empty-file",
        lambda: b"",
        Accepted(0, {}, (Flaw("NO_DATA"),), verdict="fail"),
        Refused("empty"),
    ),
    _case(
        "csv-named-tfrecord",
        lambda: b"id,name\n1,x\n" * 100,
        Refused(f"{_BROKEN}|not (a )?TFRecord", r"\brecord [01]\b"),
    ),
    _case(
        "tfrecord-bytes-are-no-text",
        _with(lambda _: _record(_example(id=500, name=b"caf\xe9", amount=125.0, day="2024-01-25"))),
        Accepted(ROWS, {"id": SAMPLE["id"]}, (Flaw("INVALID_UTF8", "name", "^1 value"),)),
    ),
)
