"""A walk over neighbouring shards: they are worked on side by side, and handed on in order.

A shard that begins in the middle of a text guesses where its first row starts: after the next line end, as if
no quoted field reached across its border. The guess is proved once the shard before it is done, because both
must meet; one that guessed wrong is read again from where the other ended.

A walk that does not begin with an object has nobody to prove its first guess: it is taken as it is, and
proved by whoever puts all walks together. Only when something is wrong behind it (a neighbour that is not
met, bytes that cannot be read) is the place looked for from the beginning of the object: no wrong guess is
ever taken for wrong data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from validator.crew import Crew, Halt
from validator.cuts import Shard
from validator.dataset import Dataset
from validator.errors import DataError


class Known(Protocol):
    """What is known of a shard."""

    @property
    def begin(self) -> int:
        """Offset of its first row in the object it begins in."""

    @property
    def end(self) -> int:
        """Offset after its last row in the object it ends in."""


_Known = TypeVar("_Known", bound=Known)


@dataclass(frozen=True, slots=True)
class _Border:
    """Where the shard before ended."""

    at: int | None = None
    """None when there was none."""
    is_proven: bool = False
    """Whether a guess can be held against it."""


@dataclass(frozen=True, slots=True)
class Walk(Generic[_Known]):
    """Goes over shards.

    Args:
        dataset: What they are of.
        crew: Who works.
        find: Finds out about a shard, as it guesses, and says whether that was known before.
        find_again: Finds out about a shard whose first row is known.
    """

    dataset: Dataset
    crew: Crew
    find: Callable[[Shard, Halt], tuple[_Known, bool]]
    find_again: Callable[[Shard, int, Halt], _Known]

    def over(
        self,
        shards: Sequence[Shard],
        hand_on: Callable[[Shard, _Known, bool], None],
        *,
        is_proven: bool = False,
    ) -> None:
        """Hands on what is known of each shard, in order.

        Args:
            shards: Neighbours.
            hand_on: Takes a shard, what is known of it, and whether that was known before.
            is_proven: Whether the first guess is proved too, from the beginning of its object.

        Raises:
            Interrupted: A signal asked to end.
            DataError: Bytes are not what the names claim.
        """
        border = _Border()
        if is_proven and shards and not self.dataset.is_certain(shards[0]):
            border = _Border(self._first_row(shards[0]), is_proven=True)
        with self.crew.at_work(self.find, shards) as finished:
            for shard, result in finished:
                border = self._pass(border, shard, result, hand_on)

    def _pass(
        self,
        border: _Border,
        shard: Shard,
        result: Callable[[], tuple[_Known, bool]],
        hand_on: Callable[[Shard, _Known, bool], None],
    ) -> _Border:
        guess = self._guess(border, shard, result)
        if guess and (not shard.is_guessed or border.at in (None, guess[0].begin)):
            hand_on(shard, *guess)
            return _Border(guess[0].end, border.is_proven or self.dataset.is_certain(shard))
        start = border.at if border.is_proven else None
        proven = self._proven(shard, self._first_row(shard) if start is None else start, guess)
        hand_on(shard, *proven)
        return _Border(proven[0].end, is_proven=True)

    def _guess(
        self, border: _Border, shard: Shard, result: Callable[[], tuple[_Known, bool]]
    ) -> tuple[_Known, bool] | None:
        """Waits for what is known of a shard as it guessed; None if it could not be read so."""
        try:
            return result()
        except DataError:
            if not shard.is_guessed or (border.at is None and self.dataset.is_certain(shard)):
                raise
            return None

    def _proven(self, shard: Shard, start: int, guess: tuple[_Known, bool] | None) -> tuple[_Known, bool]:
        if guess and guess[0].begin == start:
            return guess
        return self.find_again(shard, start, Halt(self.crew.interruption)), False

    def _first_row(self, shard: Shard) -> int:
        return self.dataset.first_row(shard.cuts[0], Halt(self.crew.interruption))
