"""The part of a text that is held: one buffer, read on at its end and given up at its beginning."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int64]

PADDING: Final = b"\n"
"""What is held before and behind the text: as if a line ended there."""

_JUMPS: Final = 16
"""Quoted fields that are passed over one by one; where there are more all of them are looked at together."""


class Window:
    """Bytes of a text from an offset on.

    Args:
        source: A binary stream that can `readinto`.
        offset: Where in the text the source is.
    """

    def __init__(self, source: Any, offset: int = 0) -> None:
        self._source = source
        self._buffer = bytearray(2 * PADDING)
        self.offset = offset
        """Of the first byte held."""
        self.filled = 0
        """How many bytes are held."""
        self.is_at_end = False
        """Whether the source is known to have no more."""

    @property
    def padded(self) -> Bytes:
        """The bytes held, padding on both sides; good until more are read or some are dropped."""
        return np.frombuffer(self._buffer, np.uint8, self.filled + 2)

    def content(self, size: int) -> Bytes:
        """Returns the first bytes held; good until more are read or some are dropped."""
        return np.frombuffer(self._buffer, np.uint8, size, 1)

    def fill(self, wanted: int) -> int:
        """Reads until so many bytes are held, or the end is reached; returns how many are."""
        if self.filled < wanted:
            self._make_room(wanted)
            with memoryview(self._buffer) as view:
                while self.filled < wanted and not self.is_at_end:
                    got = self._source.readinto(view[1 + self.filled : 1 + wanted])
                    self.filled += got
                    self.is_at_end = not got
            self._pad()
        return self.filled

    def drop(self, size: int) -> None:
        """Gives up the first bytes."""
        with memoryview(self._buffer) as view:
            view[1 : 1 + self.filled - size] = view[1 + size : 1 + self.filled]
        self.filled -= size
        self.offset += size
        self._pad()

    def first(self, byte: int, bounding: Positions, start: int = 0) -> int:
        """Returns where a byte is first met outside of quoted fields, or -1.

        Args:
            byte: What is looked for.
            bounding: Marks that open and close fields in turn.
            start: Where to begin.
        """
        for _ in range(_JUMPS):
            at = self._buffer.find(byte, 1 + start, 1 + self.filled) - 1
            passed = int(np.searchsorted(bounding, at))
            if at < 0 or passed % 2 == 0:
                return max(at, -1)
            if passed == len(bounding):
                return -1
            start = int(bounding[passed])
        found = self._outside(byte, bounding)
        later = int(np.searchsorted(found, start))
        return int(found[later]) if later < len(found) else -1

    def last(self, byte: int, bounding: Positions) -> int:
        """Returns where a byte is last met outside of quoted fields, or -1."""
        stop = self.filled
        for _ in range(_JUMPS):
            at = self._buffer.rfind(byte, 1, 1 + stop) - 1
            passed = int(np.searchsorted(bounding, at))
            if at < 0 or passed % 2 == 0:
                return max(at, -1)
            stop = int(bounding[passed - 1])
        found = self._outside(byte, bounding)
        return int(found[-1]) if len(found) else -1

    def has(self, byte: int) -> bool:
        """Says whether a byte is held; that is searched for by memchr, which takes next to no time."""
        return self._buffer.find(byte, 1, 1 + self.filled) >= 0

    def _outside(self, byte: int, bounding: Positions) -> Positions:
        found = np.flatnonzero(self.content(self.filled) == byte)
        outside: Positions = found[np.searchsorted(bounding, found) % 2 == 0]
        return outside

    def _make_room(self, wanted: int) -> None:
        # Not extended: somebody may still look at the buffer.
        if len(self._buffer) < wanted + 2:
            larger = bytearray(wanted + 2)
            larger[: 1 + self.filled] = memoryview(self._buffer)[: 1 + self.filled]
            self._buffer = larger

    def _pad(self) -> None:
        self._buffer[1 + self.filled] = PADDING[0]
