"""Arrow IPC, as file (also called Feather, version 2) or as stream; a record batch is held whole.

Nothing of pyarrow tells where a record batch of a file starts, so they count as of equal size. A stream is
read from its beginning to its end by the cut that its first byte is in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pyarrow import ipc

from validator.cuts import Cut, Extent, Weight
from validator.errors import DataError
from validator.formats import columnar, typed
from validator.formats.columnar import explained
from validator.formats.header import Header, Reading, Seen
from validator.formats.stream import native
from validator.profile import Column
from validator.store import Object

_FILE: Final = b"ARROW1"
_STREAM: Final = b"\xff\xff\xff\xff"
_END: Final = _STREAM + b"\0\0\0\0"
"""The last bytes of a stream: without them nobody could tell a whole one from one that was cut off."""


class Arrow:
    """Reads Arrow IPC.

    Args:
        is_cuttable: Whether the name promises a file; only its content tells.
    """

    def __init__(self, *, is_cuttable: bool = True) -> None:
        self._is_cuttable = is_cuttable

    @property
    def weight(self) -> Weight:
        """Record batches of a file are read apart."""
        return Weight(columnar.SHARD_BYTES, self._is_cuttable)

    def header(self, target: Object) -> Header:
        """Reads the schema."""
        is_file = _is_file(target)
        with explained(target, "schema"), native(target) as source:
            reader = ipc.open_file(source) if is_file else ipc.open_stream(source)
            return typed.header(reader.schema)

    def survey(self, cut: Cut) -> Iterator[Sequence[Seen]]:
        """Yields the declared kinds: Arrow knows them."""
        return columnar.survey(self.header(cut.target))

    def read(self, cut: Cut, columns: Sequence[Column]) -> Reading:
        """Reads the record batches of a cut, typed as the columns say."""
        return Reading(_batches(cut, columns), Extent(cut.start, cut.stop))


def _batches(cut: Cut, columns: Sequence[Column]) -> Iterator[Any]:
    target = cut.target
    is_file = _is_file(target)
    if not is_file and cut.start > 0:
        return
    with native(target) as source:
        parts = _of_file(cut, source) if is_file else _of_stream(target, source)
        for number, part in parts:
            yield from columnar.batches(part, columns, _place(number), target)


def _of_file(cut: Cut, source: Any) -> Iterator[tuple[int, Any]]:
    with explained(cut.target, "schema"):
        reader = ipc.open_file(source)
        numbers = columnar.owned(cut, reader.num_record_batches)
    for number in numbers:
        with explained(cut.target, _place(number)):
            part = reader.get_batch(number)
        yield number, part


def _of_stream(target: Object, source: Any) -> Iterator[tuple[int, Any]]:
    with explained(target, "schema"):
        reader = ipc.open_stream(source)
    number = 0
    while (part := _next(reader, target, number)) is not None:
        yield number, part
        number += 1
    _demand_end(source, target, number)


def _next(reader: Any, target: Object, number: int) -> Any:
    with explained(target, _place(number)):
        try:
            return reader.read_next_batch()
        except StopIteration:
            return None


def _demand_end(source: Any, target: Object, number: int) -> None:
    end = source.tell()
    if end != target.size:
        why = f"its stream ends after {_place(number - 1)}, at byte {end} of {target.size}"
        raise DataError(f"cannot read {target.uri}", why=why, remedy="give each stream a file of its own")
    source.seek(max(0, end - len(_END)))
    if source.read() != _END:
        why = f"after {_place(number - 1)} its stream has no end: it was cut off"
        raise DataError(f"cannot read {target.uri}", why=why)


def _place(number: int) -> str:
    return f"record batch {number}"


def _is_file(target: Object) -> bool:
    with explained(target, "first bytes"), native(target) as source:
        head = source.read(len(_FILE))
    if head.startswith(_STREAM):
        return False
    columnar.demand_mark(target, "Arrow IPC", _FILE)
    return True
