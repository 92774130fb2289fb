"""Reads tables of flatbuffers: just what the sizes in Arrow's metadata take.

A table begins with the distance back to its vtable, which has the distance to each field that is set; vectors
and tables are at a distance from where their field is.

https://flatbuffers.dev/internals/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_VTABLE_BYTES: Final = 4
"""Sizes of the vtable and the table, before the fields."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table in a flatbuffer; whatever it says of places, only its own bytes are read.

    Args:
        content: The flatbuffer.
        place: Where the table begins.
    """

    content: bytes
    place: int

    @classmethod
    def root(cls, content: bytes) -> Table:
        """Returns the table of a whole flatbuffer."""
        return cls(content, _number(content, "<I", 0))

    def number(self, field: int, kind: str) -> int:
        """Returns a number of struct's kind; 0 where it is not set."""
        place = self._field(field)
        return 0 if place is None else _number(self.content, kind, place)

    def table(self, field: int) -> Table | None:
        """Returns a table, None where it is not set."""
        place = self._field(field)
        return None if place is None else Table(self.content, self._target(place))

    def structs(self, field: int, kind: str) -> Iterator[tuple[Any, ...]]:
        """Returns the structs of a vector; none where it is not set.

        Raises:
            ValueError: It is longer than the flatbuffer.
        """
        place = self._field(field)
        if place is None:
            return iter(())
        begin = self._target(place)
        end = begin + 4 + _number(self.content, "<I", begin) * struct.calcsize(kind)
        if end > len(self.content):
            raise ValueError("its metadata is damaged")
        return struct.iter_unpack(kind, self.content[begin + 4 : end])

    def _field(self, field: int) -> int | None:
        vtable = self.place - _number(self.content, "<i", self.place)
        slot = _VTABLE_BYTES + 2 * field
        if slot >= _number(self.content, "<H", vtable):
            return None
        distance = _number(self.content, "<H", vtable + slot)
        return self.place + distance if distance else None

    def _target(self, place: int) -> int:
        return place + _number(self.content, "<I", place)


def _number(content: bytes, kind: str, place: int) -> int:
    if not 0 <= place <= len(content) - struct.calcsize(kind):
        raise ValueError("its metadata is damaged")
    [number] = struct.unpack_from(kind, content, place)
    return int(number)
