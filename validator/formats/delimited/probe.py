"""What the first rows of a text tell: its header, and the kinds of its columns."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from validator.formats.header import Seen
from validator.profile import Kind
from validator.text import cut

HEAD_BYTES: Final = 1 << 20
"""Text whose values decide the kinds first tried."""
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
COLUMNS: Final = 25_000
"""How many a text may have: each costs time and memory in every block."""
NUMBER: Final = (
    r"^[ \t]*(?:[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:-?(?:nan|inf|infinity)))[ \t]*$"
)
"""A number; pyarrow reads all of these as doubles, and hardly any others."""
NUMBERS_SHARE: Final = 0.9
"""From this share of numbers on, a column is one of numbers with texts among them."""

_MARKS: Final = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"BZh91AY&SY": "bzip2",
    b"PK\x03\x04": "a ZIP archive",
    b"PAR1": "Parquet",
    b"ARROW1\0\0": "Arrow IPC",
}
_SEPARATORS: Final = {",": "commas", ";": "';'", "\t": "tabs", "|": "'|'"}
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*(?:"|$)')


class Foreign(Exception):  # noqa: N818 - becomes a DataError
    """A text is not what its name claims.

    Args:
        why: What it is.
        remedy: What to do about it.
    """

    def __init__(self, why: str, remedy: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.remedy = remedy


def demand_text(head: bytes) -> None:
    """Refuses what is not UTF-8 text, by its first `HEAD_BYTES`.

    Raises:
        Foreign: It is something else, empty, or blank for so long.
    """
    if not head.removeprefix(BYTE_ORDER_MARK).strip():
        if len(head) < HEAD_BYTES:
            raise Foreign("it is empty, it has not even a header")
        raise Foreign("its first MiB is blank, there is not even a header", "take the blank lines away")
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            raise Foreign(f"its text is {name}, not UTF-8")
    if b"\0" in head.partition(b"\n")[0]:
        raise Foreign("its header has a NUL byte, as UTF-16 has", "save it as UTF-8")


def demand_delimiter(head: bytes, delimiter: str) -> None:
    """Refuses a header that something else than the delimiter separates.

    Args:
        head: The first bytes of a text.
        delimiter: What is between two fields.

    Raises:
        Foreign: It seems to.
    """
    first = head.removeprefix(BYTE_ORDER_MARK).lstrip(b"\r\n").splitlines()[0]
    line = first.decode(errors="replace").strip()
    # What stands inside quotation marks is a name of somebody's choice.
    bare = _QUOTED.sub("", line)
    used = max(_SEPARATORS, key=bare.count)
    if used in bare and delimiter not in bare:
        raise Foreign(
            f"its header is one column, {cut(line)!r}: it seems to be separated by {_SEPARATORS[used]}",
            f"say so with --delimiter {'tab' if used == chr(9) else repr(used)}, "
            "or put the name into quotation marks",
        )


def names(row: bytes, delimiter: str) -> Sequence[str]:
    """Returns the names in a header line.

    Raises:
        Foreign: A name is missing or there twice, or the bytes are not UTF-8.
    """
    try:
        line = row.decode()
    except UnicodeDecodeError as error:
        raise Foreign(
            f"its header is not UTF-8: byte {error.start + 1} is 0x{row[error.start]:02x}", "save it as UTF-8"
        ) from error
    try:
        found = next(csv.reader([line], delimiter=delimiter))
    except csv.Error as error:
        raise Foreign(f"its header cannot be read ({error})") from error
    _demand_names(found)
    return found


def guess(column: Any) -> Kind | None:
    """Returns the kind to try first: numbers where hardly any value is a text.

    The texts will not fit then, and so are found and counted.
    """
    found = seen(column)
    is_mixed = found.texts and found.numbers >= NUMBERS_SHARE * (found.numbers + found.texts)
    return Kind.INT if is_mixed else found.kind


def seen(column: Any) -> Seen:
    """Returns what the values of a column of text are; it may be a dictionary."""
    present = len(column) - column.null_count
    kind = _kind(column)
    if kind is not Kind.BYTES:
        return Seen(kind, numbers=present)
    is_number = _are_numbers(column)
    numbers = pc.sum(is_number).as_py() or 0
    first = pc.index(is_number, False).as_py()
    if first < 0:
        return Seen(kind, numbers=numbers)
    text = column[first].as_py()
    return Seen(kind, numbers, present - numbers, text, first)


def _kind(column: Any) -> Kind | None:
    values = column.dictionary if pa.types.is_dictionary(column.type) else column.drop_null()
    trimmed = pc.utf8_trim(values, " \t")
    if len(trimmed) == 0:
        return None
    if _casts(trimmed, pa.int64()):
        # Arrow reads 0x1F as a number; nobody's identifiers are numbers for that.
        is_hexadecimal = pc.any(pc.match_substring(trimmed, "x", ignore_case=True)).as_py()
        return Kind.BYTES if is_hexadecimal else Kind.INT
    return Kind.FLOAT if _casts(trimmed, pa.float64()) else Kind.BYTES


def _casts(texts: Any, kind: Any) -> bool:
    try:
        texts.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _are_numbers(column: Any) -> Any:
    """Returns for each value whether it is a number; missing where it is."""
    if pa.types.is_dictionary(column.type):
        return _are_numbers(column.dictionary).take(column.indices)
    return pc.match_substring_regex(column, NUMBER)


def _demand_names(found: Sequence[str]) -> None:
    if len(found) > COLUMNS:
        raise Foreign(f"its header has {len(found):,} columns, no more than {COLUMNS:,} are read")
    for name, times in Counter(found).items():
        if not name:
            raise Foreign(f"column {found.index(name) + 1} of its header has no name", "give it one")
        if times > 1:
            raise Foreign(f"its header has {times} columns named {name!r}", "give each a name of its own")
