"""Why a text cannot be read, before it is known in which line."""

from __future__ import annotations


class Trouble(Exception):  # noqa: N818 - becomes a DataError once its line is counted
    """A place of a text that cannot be read.

    Args:
        at: Offset in the text, in bytes.
        why: What is wrong there.
        place: What more is known of the place than its line.
    """

    def __init__(self, at: int, why: str, place: str = "") -> None:
        super().__init__(why)
        self.at = at
        self.why = why
        self.place = place


class Unfit(Exception):  # noqa: N818 - becomes a Misfit
    """A value does not fit the kind its column was declared to have."""
