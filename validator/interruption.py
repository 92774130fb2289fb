"""The door to signals: a request to end is noted, and answered between two batches.

Standard library only, so that it can be installed before the slow imports.
"""

from __future__ import annotations

import signal
from types import FrameType


class Interruption:
    """Remembers the first SIGTERM or SIGINT; a second one ends the process at once."""

    def __init__(self) -> None:
        self._name = ""

    def install(self) -> Interruption:
        """Takes over both signals of this process and returns itself."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)
        return self

    @property
    def name(self) -> str:
        """The signal's name, or "" while nobody asked to end."""
        return self._name

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._name = signal.Signals(number).name
        signal.signal(number, signal.SIG_DFL)
