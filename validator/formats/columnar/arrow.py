"""Arrow IPC, as file (also called Feather, version 2) or as stream; a record batch is held whole.

Messages are read by us, and pyarrow is given them as a stream of those it is to decode: so each is looked at
before it is unpacked. A cut owns the record batches of a file that start in it. A stream is read from its
beginning to its end by the cut that its first byte is in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import ipc

from validator import store
from validator.cuts import Cut, Extent, Weight
from validator.errors import DataError
from validator.formats.columnar import messages, parts, typed
from validator.formats.columnar.messages import DICTIONARY, Message
from validator.formats.columnar.parts import explained
from validator.formats.header import Header, Reading, Sights
from validator.formats.stream import native
from validator.profile import Column
from validator.store import Object


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
        return Weight(parts.SHARD_BYTES, self._is_cuttable, is_certain=True)

    def header(self, target: Object) -> Header:
        """Reads the schema."""
        is_file = _is_file(target)
        with explained(target, "schema"), native(target) as source:
            reader = ipc.open_file(source) if is_file else ipc.open_stream(source)
            return typed.header(reader.schema)

    def survey(self, cut: Cut) -> Sights:
        """Tells the declared kinds: Arrow knows them."""
        return parts.survey(cut, self.header(cut.target))

    def read(self, cut: Cut, columns: Sequence[Column]) -> Reading:
        """Reads the record batches of a cut, typed as the columns say."""
        return Reading(_batches(cut, columns), Extent(cut.start, cut.stop))


def _batches(cut: Cut, columns: Sequence[Column]) -> Iterator[Any]:
    target = cut.target
    is_file = _is_file(target)
    if not is_file and cut.start > 0:
        return
    with store.at(target.uri).open(target) as source:
        found = _of_file(cut, source) if is_file else _of_stream(target, source)
        for number, part in found:
            yield from parts.batches(part, columns, _place(number), target)


def _of_file(cut: Cut, source: Any) -> Iterator[tuple[int, Any]]:
    with explained(cut.target, "schema"):
        # Looks at the footer, too.
        ipc.open_file(pa.PythonFile(source, mode="r"))
        places = messages.places(source, cut.target.size)
    decoder = _Decoder()
    for number, place in enumerate(places.batches):
        if not cut.start <= place < cut.stop:
            continue
        with explained(cut.target, _place(number)):
            if decoder.is_new:
                decoder.take(_at(source, (places.schema, *places.dictionaries), cut.target))
            [part] = decoder.take(_at(source, (place,), cut.target))
        yield number, part


def _at(source: Any, places: Iterable[int], target: Object) -> Iterator[Message]:
    for place in places:
        found = messages.message(source, place, target.size)
        if found is None:
            raise ValueError(f"there is none at byte {place}")
        yield found


def _of_stream(target: Object, source: Any) -> Iterator[tuple[int, Any]]:
    decoder = _Decoder()
    place = number = 0
    while True:
        with explained(target, _place(number)):
            message = messages.message(source, place, target.size)
            if message is None:
                break
            decoded = decoder.take([message])
        yield from ((number, part) for part in decoded)
        place += message.stored
        number += len(decoded)
    if (end := source.tell()) != target.size:
        why = f"its stream ends after {_place(number - 1)}, at byte {end} of {target.size}"
        raise DataError(f"cannot read {target.uri}", why=why, remedy="give each stream a file of its own")


class _Decoder:
    """Decodes messages one after the other, none that would be too great."""

    def __init__(self) -> None:
        self._feed = _Feed()
        self._reader: Any = None
        self._words: dict[int, int] = {}
        """Decoded bytes of each dictionary."""

    @property
    def is_new(self) -> bool:
        """Whether it lacks a schema."""
        return self._reader is None

    def take(self, given: Iterable[Message]) -> Sequence[Any]:
        """Takes messages, the schema first, and returns the record batches among them.

        Raises:
            Oversized: One has too many bytes decoded, or all dictionaries together have.
        """
        return [part for message in given for part in self._of(message)]

    def _of(self, message: Message) -> Iterator[Any]:
        self._demand(message)
        self._feed.put(message.head)
        self._feed.put(message.body)
        if self._reader is None:
            self._reader = ipc.open_stream(pa.PythonFile(self._feed, mode="r"))
        elif message.kind != DICTIONARY:
            yield self._reader.read_next_batch()

    def _demand(self, message: Message) -> None:
        if message.kind == DICTIONARY:
            before = self._words.get(message.dictionary, 0) if message.is_delta else 0
            self._words[message.dictionary] = before + message.decoded
            parts.demand_held(sum(self._words.values()), message.stored, "dictionaries")
        else:
            parts.demand_held(message.decoded, message.stored, "record batches")


class _Feed:
    """A file of what is put into it; a read goes no further than what was put at once."""

    closed = False

    def __init__(self) -> None:
        self._pieces: deque[memoryview] = deque()

    def put(self, content: bytes) -> None:
        """Goes on with these bytes."""
        if content:
            self._pieces.append(memoryview(content))

    def read(self, size: int) -> bytes | memoryview:
        """Returns so many bytes, or those that are left of a piece."""
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        if len(piece) > size:
            self._pieces.appendleft(piece[size:])
        return piece[:size]

    def close(self) -> None:
        """Lets go of what is left."""
        self._pieces.clear()


def _place(number: int) -> str:
    return f"record batch {number}"


def _is_file(target: Object) -> bool:
    with explained(target, "first bytes"), native(target) as source:
        head = source.read(len(messages.MAGIC))
    if head.startswith(messages.CONTINUATION):
        return False
    parts.demand_mark(target, "Arrow IPC", messages.MAGIC)
    return True
