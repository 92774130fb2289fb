"""Workers: threads, because decoding and counting leave Python's lock alone (two are 1.6 times as fast)."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Final, TypeVar

from validator.errors import Interrupted
from validator.interruption import Interruption

SWITCH_SECONDS: Final = 0.0002
"""How long a worker that comes back from native code waits for Python's lock: by default 5 ms, and two
workers were 1.5 times as fast as one instead of 1.6."""

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Halt:
    """Asks the workers of one job to end, between two batches."""

    interruption: Interruption
    _given_up: Event = field(default_factory=Event)

    def give_up(self) -> None:
        """Ends the job: one of its tasks failed."""
        self._given_up.set()

    def check(self) -> None:
        """Goes on, or not.

        Raises:
            Interrupted: A signal came, or the job was given up.
        """
        if (name := self.interruption.name) or self._given_up.is_set():
            raise Interrupted("interrupted", why=name)

    def watch(self, batches: Iterable[_Result]) -> Iterator[_Result]:
        """Yields batches as long as nobody asks to end.

        Raises:
            Interrupted: Somebody did.
        """
        self.check()
        for batch in batches:
            self.check()
            yield batch


@dataclass(frozen=True, slots=True)
class Crew:
    """Does tasks side by side.

    Args:
        interruption: Ends all of it.
        workers: Tasks at a time.
    """

    interruption: Interruption
    workers: int = 1

    @contextmanager
    def at_work(
        self, work: Callable[[_Task, Halt], _Result], tasks: Iterable[_Task]
    ) -> Iterator[Iterator[tuple[_Task, Callable[[], _Result]]]]:
        """Does the tasks while the context lasts.

        Yields:
            Each task, in order, with a function that waits for its result, or raises what it raised.
        """
        halt = Halt(self.interruption)
        sys.setswitchinterval(SWITCH_SECONDS)
        # A context, because a generator that is left behind by an error would end its workers in any thread.
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                yield self._in_order(lambda task: pool.submit(work, task, halt), tasks)
            finally:
                halt.give_up()
                pool.shutdown(cancel_futures=True)

    def _in_order(
        self, begin: Callable[[_Task], Future[_Result]], tasks: Iterable[_Task]
    ) -> Iterator[tuple[_Task, Callable[[], _Result]]]:
        waiting: deque[tuple[_Task, Future[_Result]]] = deque()
        for task in tasks:
            waiting.append((task, begin(task)))
            # One more than there are workers: what is finished is held in memory.
            if len(waiting) > self.workers:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)


def _first(waiting: deque[tuple[_Task, Future[_Result]]]) -> tuple[_Task, Callable[[], _Result]]:
    task, future = waiting.popleft()
    return task, future.result
