"""Step Functions' service integrations: where ours are registered, and what all of them share."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Any

Integration = Callable[[str, dict[str, Any]], Any]
"""Takes a state's Resource and its arguments, returns the state's result or raises ``StepError``."""


class StepError(Exception):
    """A state's attempt failed; Retry and Catch see ``error``, ``cause`` is text, JSON for most services."""

    def __init__(self, error: str, cause: str | Mapping[str, Any] | list[Any]) -> None:
        self.error = error
        self.cause = cause if isinstance(cause, str) else json.dumps(cause)
        super().__init__(f"{error}: {self.cause}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """The state an integration is called for."""

    step: str
    """The state's name."""
    stopped: Callable[[], bool] = lambda: False
    """Whether the execution has been stopped meanwhile."""
    timed_out: Event = field(default_factory=Event)

    def over(self) -> bool:
        """Whether nobody waits for the result any more; what was started must then end."""
        return self.timed_out.is_set() or self.stopped()


_attempt: ContextVar[Attempt] = ContextVar("attempt")


def current(default: str) -> Attempt:
    """The attempt this thread works for; outside of any state machine one that is named ``default``."""
    return _attempt.get(Attempt(default))


@contextmanager
def attempting(attempt: Attempt) -> Iterator[None]:
    """Makes an attempt this context's current one."""
    token = _attempt.set(attempt)
    try:
        yield
    finally:
        _attempt.reset(token)


def register(resource: str, integration: Integration) -> None:
    """Serves a Resource, with and without ``.sync``, by MiniStack's table of integrations."""
    from ministack.services import stepfunctions  # noqa: PLC0415

    def serve(called: str, arguments: dict[str, Any]) -> Any:
        try:
            return integration(called, arguments)
        except StepError as error:
            raise stepfunctions._ExecutionError(error.error, error.cause) from error

    stepfunctions._SERVICE_DISPATCH[f"arn:aws:states:::{resource}"] = serve


def waits(resource: str) -> bool:
    """Whether a Resource asks to wait for the end of what it starts."""
    return ".sync" in resource


def answer(response: tuple[int, Any, bytes], error: str) -> dict[str, Any]:
    """The body of a MiniStack handler's response.

    Raises:
        StepError: of the given name, when the handler refused.
    """
    status, _headers, body = response
    content: dict[str, Any] = json.loads(body or b"{}")
    if status >= 400:
        raise StepError(error, content.get("message") or content.get("Message") or json.dumps(content))
    return content


def pascal(value: Any) -> Any:
    """A service's JSON as Step Functions shows it: PascalCase names, epoch milliseconds, no nulls."""
    if isinstance(value, list):
        return [pascal(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name[:1].upper() + name[1:]: milliseconds(item) if _is_time(name) else pascal(item)
        for name, item in value.items()
        if item is not None
    }


def _is_time(name: str) -> bool:
    return name.endswith(("At", "On", "Time"))


def now() -> int:
    """The present as epoch milliseconds, as Step Functions and AWS Batch show times."""
    return round(time.time() * 1000)


def milliseconds(moment: Any) -> Any:
    """A time as epoch milliseconds; what is no time stays as it is."""
    if isinstance(moment, str):
        try:
            return round(datetime.fromisoformat(moment).timestamp() * 1000)
        except ValueError:
            return moment
    if isinstance(moment, datetime):
        return round(moment.timestamp() * 1000)
    return moment
