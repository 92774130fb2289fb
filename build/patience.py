"""Waiting with a bound: ask, pause, ask again, and give up with a line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from build.errors import PlatformError

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait and how often to ask: pauses double from `first` to `longest`, all in seconds.

    The sum of the pauses is the bound, so no clock is needed and a test waits for nothing.
    """

    deadline: float = 3600.0
    first: float = 0.1
    longest: float = 2.0
    sleep: Callable[[float], None] = time.sleep

    def pauses(self) -> Iterator[float]:
        """Lengths of the pauses until the deadline."""
        waited, pause = 0.0, self.first
        while waited < self.deadline:
            yield pause
            waited += pause
            pause = min(2 * pause, self.longest)

    def until(self, ask: Callable[[], Answer | None], what: str) -> Answer:
        """Ask until there is an answer.

        Args:
            ask: Returns None as long as there is none.
            what: What is waited for, for the message.

        Raises:
            PlatformError: None came before the deadline.
        """
        for pause in self.pauses():
            if (answer := ask()) is not None:
                return answer
            self.sleep(pause)
        gave_up = f"gave up on {what} after {self.deadline:.0f} s"
        raise PlatformError(f"{gave_up}: it goes on in AWS; look with make status")
