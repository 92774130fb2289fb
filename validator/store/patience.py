"""How long storage is waited for, and who may end the wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Final

from validator.errors import Interrupted
from validator.interruption import Interruption

if TYPE_CHECKING:
    from tenacity import Retrying


@dataclass(slots=True)
class Wait:
    """What a wait for storage is told by: a signal to this process."""

    interruption: Interruption = field(default_factory=Interruption)

    def check(self) -> None:
        """Goes on, or not.

        Raises:
            Interrupted: A signal came.
        """
        if self.interruption.name:
            raise Interrupted("interrupted", why=f"{self.interruption.name} while waiting for storage")


WAIT: Final = Wait()
"""That of this process, as its signals are; one who never installs an interruption waits on."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long something is tried that may pass."""

    attempts: int = 8
    seconds: float = 60.0
    """From the first try to the beginning of the last."""
    pause: float = 5.0
    """Seconds, the longest between two tries: a 25th of it at first, then doubled, with full jitter."""

    def tries(self, may_pass: Callable[[BaseException], bool], given_up: Event) -> Retrying:
        """Returns what calls a function until it succeeds, or raises what the last call raised.

        Args:
            may_pass: Whether another try may help.
            given_up: Set by whoever no longer wants the result.
        """
        import tenacity  # noqa: PLC0415 - needed for S3 only

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: not WAIT.interruption.name and may_pass(error)),
            wait=tenacity.wait_random_exponential(multiplier=self.pause / 25, max=self.pause),
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(self.attempts),
                tenacity.stop_before_delay(self.seconds),
                tenacity.stop_when_event_set(given_up),
            ),
            sleep=tenacity.sleep_using_event(given_up),
            reraise=True,
        )
