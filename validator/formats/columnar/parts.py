"""What Parquet, Arrow IPC and ORC have in common: parts that a cut owns, bounded batches, named trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import pyarrow as pa

from validator.cuts import Cut, Extent
from validator.errors import DataError
from validator.formats.columnar import sizes, typed
from validator.formats.header import Header, Seen, Sight, Sights
from validator.formats.stream import native
from validator.profile import Column
from validator.store import Object

BATCH_ROWS: Final = 125_000
BATCH_BYTES: Final = 64 << 20
"""Decoded size a batch is held below where rows are wide."""
PART_BYTES: Final = 256 << 20
"""Decoded size of a part that is held whole, up to which it always is."""
PACKING: Final = 16
"""How many times of what it is stored in a greater part may be decoded: beyond it may be a bomb."""
MOST_BYTES: Final = 1 << 30
"""Decoded size above which no part is held."""
SHARD_BYTES: Final = 16 << 20
"""As stored: about a second of work."""

TROUBLE: Final = (pa.ArrowException, OSError, ValueError, EOFError, MemoryError, OverflowError)
"""What pyarrow raises over bytes that are not what they should be."""

_TEXTS: Final = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
_MARKS: Final = {
    b"PAR1": "Parquet",
    b"PARE": "encrypted Parquet",
    b"ARROW1": "Arrow IPC",
    b"ORC": "ORC",
    b"FEA1": "Feather version 1",
    b"Obj\x01": "Avro",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"PK\x03\x04": "a zip archive",
}
_HEAD_BYTES: Final = 512


class Oversized(ValueError):  # noqa: N818 - pyarrow's own are ValueErrors too
    """A part is greater than what is held.

    Args:
        why: How great.
        remedy: What to do about it.
    """

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.remedy = remedy


def demand_held(decoded: int, stored: int, parts: str) -> None:
    """Goes on if a part can be held whole, by its bytes in memory and as it is stored.

    Raises:
        Oversized: It cannot.
    """
    most = min(MOST_BYTES, max(PART_BYTES, PACKING * stored))
    if decoded > most:
        unpacked, held = -(-decoded >> 20), most >> 20
        why = f"its buffers have {unpacked} MiB decoded, more than the {held} MiB that are held at once"
        raise Oversized(why, f"write smaller {parts}")


def batches(part: Any, columns: Sequence[Column], place: str, target: Object) -> Iterator[Any]:
    """Yields a pyarrow.RecordBatch that was read whole as bounded ones of the declared columns."""
    arrays = []
    for name, array in zip(part.schema.names, part.columns, strict=True):
        with explained(target, f"{place}, column {name!r}"):
            arrays.append(_sound(array))
    with explained(target, place):
        part = pa.record_batch(arrays, names=part.schema.names)
        size = batch_rows(part.num_rows, part.nbytes)
        for start in range(0, part.num_rows, size):
            for piece in _pieces(part.slice(start, size)):
                yield typed.conformed(piece, columns)


def _pieces(batch: Any) -> Iterator[Any]:
    """Yields a batch in pieces that are held unpacked, too.

    Raises:
        Oversized: A row alone is not.
    """
    growing = [array for array in batch.columns if sizes.can_grow(array)]
    if not growing or sizes.rising(growing, np.array([0, batch.num_rows]))[-1] <= BATCH_BYTES:
        yield batch
        return
    before = sizes.rising(growing, np.arange(batch.num_rows + 1))
    start = 0
    while start < batch.num_rows:
        stop = max(start + 1, int(np.searchsorted(before, before[start] + BATCH_BYTES, "right")) - 1)
        if before[stop] - before[start] > PART_BYTES:
            unpacked, held = int(before[stop] - before[start]) >> 20, PART_BYTES >> 20
            why = f"a row has {unpacked} MiB decoded, more than the {held} MiB that are held at once"
            raise Oversized(why, "write shorter lists and words")
        yield batch.slice(start, stop - start)
        start = stop


def _sound(array: Any) -> Any:
    """Looks at every offset: readers believe what they are given, and what computes with it would crash."""
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        if array.type not in _TEXTS:
            raise
        # Text that is not UTF-8 is counted as such.
        array = array.view(_TEXTS[array.type])
        array.validate(full=True)
    return array


def batch_rows(rows: int, content: int) -> int:
    """Returns how many of some rows, of so many bytes decoded, make up one batch."""
    return min(BATCH_ROWS, max(1, BATCH_BYTES * rows // max(1, content)))


def survey(cut: Cut, header: Header) -> Sights:
    """Tells the declared kinds: the format knows them."""
    seen = [Seen(None if column.is_guessed else column.kind) for column in header.columns]
    return Sights(iter([Sight(0, seen)]), Extent(cut.start, cut.stop))


def culprit(names: Sequence[str], read: Callable[[str], object]) -> str:
    """Names the first column that cannot be read alone, once all together could not; "" when each can."""
    for name in names:
        try:
            read(name)
        except TROUBLE:
            return f", column {name!r}"
    return ""


@contextmanager
def explained(target: Object, place: str) -> Iterator[None]:
    """Turns what pyarrow raises into one line that names object and place."""
    try:
        yield
    except typed.Unread as error:
        raise DataError(f"cannot read {target.uri}", why=error, remedy=error.remedy) from error
    except TROUBLE as error:
        why = f"{place}: {_first_line(error)}"
        remedy = error.remedy if isinstance(error, Oversized) else ""
        raise DataError(f"cannot read {target.uri}", why=why, remedy=remedy) from error


def demand_mark(target: Object, claimed: str, mark: bytes) -> None:
    """Looks at the first bytes of an object.

    Raises:
        DataError: They are another format's, and the error says which, or none's.
    """
    with explained(target, "first bytes"), native(target) as source:
        head = source.read(_HEAD_BYTES)
    if head.startswith(mark):
        return
    raise DataError(f"cannot read {target.uri}", why=f"it is {_name(head)}, not {claimed}")


def _name(head: bytes) -> str:
    if not head:
        return "empty"
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    return "text" if _is_text(head) else "of an unknown format"


def _is_text(head: bytes) -> bool:
    # A character may be cut at the end.
    return b"\0" not in head and "\ufffd" not in head.decode(errors="replace")[:-1]


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0]
