"""From a place in a text to its line: line ends are counted only once there is a complaint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import numpy as np

from validator.cuts import Cut
from validator.errors import DataError
from validator.formats.stream import unpacked
from validator.formats.trouble import Trouble
from validator.store import Object

_STEP_BYTES: Final = 8 << 20
_LINE_FEED: Final = ord("\n")

_Found = TypeVar("_Found")

Complaint = Callable[[Object, Trouble, str], DataError]
"""Makes an error of an object, its trouble and where that is: "line 7", "after byte 4096"."""


def located(
    cut: Cut, packing: str | None, found: Iterator[_Found], nothing: _Found, complaint: Complaint
) -> Iterator[_Found]:
    """Yields what is found in a cut; nothing every few megabytes while a complaint looks for its line.

    Args:
        cut: What is read.
        packing: What its bytes are packed with, in pyarrow's words, or None.
        found: What reading it yields.
        nothing: What may be yielded without meaning.
        complaint: What is raised of a trouble.

    Raises:
        DataError: There is trouble.
    """
    try:
        yield from found
        return
    except Trouble as caught:
        trouble = caught
    if cut.start and not cut.is_exact:
        # Most likely the first row was guessed wrong; if not, an exact reading will count the lines.
        raise complaint(cut.target, trouble, f"after byte {trouble.at}") from trouble
    lines = 0
    for more in _line_ends(cut.target, packing, trouble.at):
        lines += more
        yield nothing
    raise complaint(cut.target, trouble, f"line {lines + 1}") from trouble


def line(target: Object, packing: str | None, trouble: Trouble) -> str:
    """Returns the line a trouble is in."""
    return f"line {sum(_line_ends(target, packing, trouble.at)) + 1}"


def _line_ends(target: Object, packing: str | None, stop: int) -> Iterator[int]:
    """Counts the line feeds before an offset: yields those of some megabytes at a time."""
    with unpacked(target, packing) as source:
        while stop > 0 and (content := source.read(min(stop, _STEP_BYTES))):
            yield int(np.count_nonzero(np.frombuffer(content, np.uint8) == _LINE_FEED))
            stop -= len(content)
