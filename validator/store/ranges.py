"""Reads an object by ranges, the next ones fetched while the present one is decoded.

Bytes are fetched ahead where reading goes on from where it ended; elsewhere exactly what is asked for.
So a footer costs one small request, and each row group no more.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final

from validator.store.patience import WAIT

FIRST_RANGE_BYTES: Final = 1 << 20
"""The first bytes fetched ahead: a mistaken guess costs no more. Each further range is twice as long."""
RANGE_BYTES: Final = 8 << 20
"""The longest range."""
LEAST_BYTES: Final = 64 << 10
"""The shortest range: a request costs as much time as so many bytes."""
AHEAD: Final = 2
"""Ranges on their way while one is read: a reader holds at most 24 MiB."""

_POLL_SECONDS: Final = 0.2
"""How soon a read that waits for S3 notices a signal."""

Content = bytes | bytearray
Fetch = Callable[[int, int, Event], "Future[Content]"]
"""Begins to fetch the bytes from one offset to another, until an event says that nobody wants them."""


@dataclass(frozen=True, slots=True)
class _Range:
    start: int
    stop: int
    content: Future[Content]
    given_up: Event

    def wait(self) -> Content:
        """Waits for the bytes.

        Raises:
            Interrupted: A signal came first.
        """
        while not wait([self.content], _POLL_SECONDS).done:
            WAIT.check()
        return self.content.result()

    def give_up(self) -> None:
        """Ends its request, if it was made yet."""
        self.given_up.set()
        self.content.cancel()


@dataclass(slots=True)
class _Held:
    """Ranges of a reader side by side, read or on their way."""

    fetch: Fetch
    ranges: deque[_Range] = field(default_factory=deque)

    @property
    def stop(self) -> int:
        """Offset after the last one."""
        return self.ranges[-1].stop

    def covers(self, offset: int) -> bool:
        """Says whether an offset lies in one of them; those before it are let go."""
        while self.ranges and self.ranges[0].stop <= offset:
            self.ranges.popleft().give_up()
        if self.ranges and self.ranges[0].start <= offset:
            return True
        self.let_go()
        return False

    def add(self, start: int, stop: int) -> None:
        """Begins to fetch one more."""
        given_up = Event()
        self.ranges.append(_Range(start, stop, self.fetch(start, stop, given_up), given_up))

    def let_go(self) -> None:
        """Ends all requests."""
        while self.ranges:
            self.ranges.pop().give_up()


class RangedReader(io.BufferedIOBase):
    """A stored object as a file, for one thread at a time; nothing is asked for before the first read.

    Args:
        size: Of the object, in bytes.
        fetch: Fetches a range.
    """

    def __init__(self, size: int, fetch: Fetch) -> None:
        self._size = size
        self._held = _Held(fetch)
        self._position = 0
        self._expected: int | None = None
        """Where the next read starts if it goes on where the last one ended."""
        self._window = FIRST_RANGE_BYTES

    def readable(self) -> bool:
        """Says yes."""
        return True

    def seekable(self) -> bool:
        """Says yes."""
        return True

    def tell(self) -> int:
        """Returns the offset of the next byte."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to an offset; costs nothing."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Reads so many bytes, fewer at the end only."""
        wanted = self._size if size is None or size < 0 else self._position + size
        # Not join: it would hold all ranges until the last has come.
        content = io.BytesIO()
        content.writelines(self._pieces(min(wanted, self._size)))
        return content.getvalue()

    def readinto(self, buffer: Any) -> int:
        """Fills a buffer, not all of it at the end only."""
        view, filled = memoryview(buffer).cast("B"), 0
        for piece in self._pieces(min(self._position + len(view), self._size)):
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
        return filled

    def close(self) -> None:
        """Ends what is being fetched."""
        self._held.let_go()
        super().close()

    def _pieces(self, stop: int) -> Iterator[memoryview]:
        """Yields the bytes up to an offset, range by range."""
        is_expected = self._position == self._expected
        while self._position < stop:
            self._ensure(stop, is_expected=is_expected)
            here = self._held.ranges[0]
            end = min(stop, here.stop)
            yield memoryview(here.wait())[self._position - here.start : end - here.start]
            self._position = self._expected = end

    def _ensure(self, wanted: int, *, is_expected: bool) -> None:
        """Has the range of the position on its way, and those after it if they will be read."""
        start = self._position
        if not self._held.covers(start):
            if not is_expected:
                self._window = FIRST_RANGE_BYTES
            self._held.add(start, self._stop(start, wanted, is_expected=is_expected))
        reach = self._size if is_expected else wanted
        while self._held.stop < reach and len(self._held.ranges) <= AHEAD:
            self._held.add(self._held.stop, self._stop(self._held.stop, wanted, is_expected=is_expected))

    def _stop(self, start: int, wanted: int, *, is_expected: bool) -> int:
        """Returns where a range from an offset ends."""
        least = max(LEAST_BYTES, min(wanted - start, RANGE_BYTES))
        if not is_expected:
            return min(start + least, self._size)
        length = max(least, self._window)
        self._window = min(2 * length, RANGE_BYTES)
        return min(start + length, self._size)
