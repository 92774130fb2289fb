"""Surveys a dataset, alone or together with others: what is looked at, saved, and shown by all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from validator import survey
from validator.crew import Crew, Halt
from validator.cuts import Shard
from validator.dataset import Dataset
from validator.errors import Interrupted
from validator.states import is_pinned
from validator.survey import Mixture, Survey
from validator.surveys import Surveys
from validator.walk import Walk

READERS: Final = 8
"""Surveys read at a time: that is waiting, not work."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What surveys show together."""

    dataset: Dataset
    """With columns that hold every value."""
    mixtures: tuple[Mixture, ...] = ()
    missing: tuple[int, ...] = ()
    """Places of the shards that no survey is saved of."""


class Surveying:
    """Surveys of a dataset.

    Args:
        dataset: With the columns that the first values showed.
        uri: Folder or prefix of what is saved.
        crew: Who works.
    """

    def __init__(self, dataset: Dataset, uri: str, crew: Crew) -> None:
        self._dataset = dataset
        self._uri = uri
        self._crew = crew
        self._readers = replace(crew, workers=READERS)
        self._surveys = Surveys(uri, dataset)
        self._unsaved: dict[Shard, Survey] = {}

    def is_wanted(self) -> bool:
        """Says whether anybody met a value that does not fit."""
        return self._surveys.are_wanted()

    def want(self) -> None:
        """Tells everybody that a value does not fit."""
        self._surveys.want()

    def look(self, shards: Sequence[Shard]) -> None:
        """Surveys neighbouring shards and saves what they show; what is saved already is not read.

        Raises:
            Interrupted: A signal asked to end.
            DataError: Bytes are not what the names claim.
        """
        walk = Walk(self._dataset, self._crew, self._found, self._found_from)
        with self._explained():
            walk.over(shards, self._keep, is_proven=True)

    def joined(self) -> Joined:
        """Returns what all surveys there are show."""
        missing: list[int] = []
        with self._explained(), self._readers.at_work(self._taken, self._dataset.shards) as taken:
            fitting, mixtures = survey.joined(self._dataset, _there(taken, missing))
        return Joined(fitting, mixtures, tuple(missing))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except Interrupted as caught:
            place = "while looking for types that fit"
            raise interrupted(self._crew.interruption.name, place, self._uri) from caught

    def _taken(self, shard: Shard, halt: Halt) -> Survey | None:
        halt.check()
        return self._unsaved.get(shard) or self._surveys.take(shard)

    def _found(self, shard: Shard, halt: Halt) -> tuple[Survey, bool]:
        if saved := self._taken(shard, halt):
            return saved, True
        return survey.of(self._dataset, shard, halt), False

    def _found_from(self, shard: Shard, start: int, halt: Halt) -> Survey:
        return survey.of(self._dataset, shard.starting_at(start), halt)

    def _keep(self, shard: Shard, found: Survey, is_saved: bool) -> None:
        if not is_pinned(shard):
            self._unsaved[shard] = found
        elif not is_saved:
            self._surveys.save(shard, found)


def _there(
    taken: Iterable[tuple[Shard, Callable[[], Survey | None]]], missing: list[int]
) -> Iterator[tuple[Shard, Survey]]:
    """Yields the surveys there are, and notes the places of the shards that have none."""
    for place, (shard, result) in enumerate(taken):
        if found := result():
            yield shard, found
        else:
            missing.append(place)


def interrupted(signal: str, place: str, states_uri: str) -> Interrupted:
    """Says where a signal ended the work, and how to go on."""
    return Interrupted(
        "interrupted",
        why=f"{signal} {place}",
        remedy=f"finished shards are saved below {states_uri}; start again with the same output to go on",
    )
