"""Profiles a dataset: shards are worked on side by side, and what they found is put together in order.

A shard that begins in the middle of a text guesses where its first row starts: after the next line end, as if
no quoted field reached across its border. The guess is proved once the shard before it is done, because both
must meet; one that guessed wrong is read again from where the other ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from validator.crew import Crew, Halt
from validator.cuts import Shard
from validator.dataset import Dataset
from validator.errors import DataError, Interrupted
from validator.formats import Misfit
from validator.profile import Path, Profile
from validator.states import State, States
from validator.survey import Mixture, survey
from validator.text import count

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Profiling:
    """What came of it."""

    dataset: Dataset
    """With the columns that fitted."""
    profile: Profile
    mixtures: tuple[Mixture, ...] = ()
    """Columns whose first values were numbers, and later ones were not."""
    unterminated: tuple[str, ...] = ()
    """Texts whose last row has no line end."""


def profile(dataset: Dataset, states_uri: str, crew: Crew, log: Log) -> Profiling:
    """Profiles all shards, anew with wider columns when a value does not fit.

    Args:
        dataset: What is profiled.
        states_uri: Folder or prefix of the finished shards' states.
        crew: Who works.
        log: Takes lines for people.

    Raises:
        Interrupted: A signal asked to end; finished shards are saved.
        DataError: Bytes are not what the names claim.
    """
    try:
        return _Run.over(dataset, states_uri, crew, log).profiled()
    except Misfit as misfit:
        log(f"profiling anew: {misfit}")
    try:
        fitting, mixtures = survey(dataset, crew)
    except Interrupted as interrupted:
        place = "while looking for types that fit"
        raise _interrupted(crew.interruption.name, place, states_uri) from interrupted
    return replace(_Run.over(fitting, states_uri, crew, log).profiled(), mixtures=mixtures)


@dataclass(frozen=True, slots=True)
class _Run:
    """One pass over all shards with the same columns."""

    dataset: Dataset
    states: States
    crew: Crew
    log: Log
    large: set[Path] = field(default_factory=set)
    """Columns that finished shards found too large to be counted exactly."""

    @classmethod
    def over(cls, dataset: Dataset, states_uri: str, crew: Crew, log: Log) -> Self:
        """Returns a pass over a dataset."""
        states = States(states_uri, dataset.columns, dataset.dialect, dataset.partitions)
        return cls(dataset, states, crew, log)

    def profiled(self) -> Profiling:
        """Puts the shards together in order."""
        whole = Profile(self.dataset.columns)
        unterminated: list[str] = []
        end, total = 0, len(self.dataset.shards)
        with self.crew.at_work(self._found, self.dataset.shards) as finished:
            for number, (shard, result) in enumerate(finished, start=1):
                try:
                    found, is_saved = self._proved(shard, result, end)
                except Interrupted as interrupted:
                    place = f"after shard {number - 1} of {total}"
                    raise _interrupted(self.crew.interruption.name, place, self.states.uri) from interrupted
                end = found.end
                whole.merge(found.profile)
                unterminated.extend(found.unterminated)
                self.large.update(found.profile.large)
                rows = count(found.profile.rows, "row")
                how = "taken from saved state" if is_saved else "done"
                self.log(f"shard {number} of {total} {how}: {shard}, {rows}")
        return Profiling(self.dataset, whole, unterminated=tuple(unterminated))

    def _proved(self, shard: Shard, result: Callable[[], tuple[State, bool]], end: int) -> tuple[State, bool]:
        """Waits for a shard; reads it again from where the one before ended if it guessed another row."""
        try:
            found = result()
            if not shard.is_guessed or found[0].begin == end:
                return found
        except Interrupted:
            raise
        except DataError:
            if not shard.is_guessed:
                raise
        return self._found(shard.starting_at(end), Halt(self.crew.interruption))

    def _found(self, shard: Shard, halt: Halt) -> tuple[State, bool]:
        """Returns what is known of a shard, and whether an earlier start had saved it."""
        halt.check()
        if saved := self.states.take(shard):
            return saved, True
        state = self._read(shard, halt)
        self.states.save(shard, state)
        return state, False

    def _read(self, shard: Shard, halt: Halt) -> State:
        made = Profile(self.dataset.columns, self.large)
        readings = [self.dataset.read(cut) for cut in shard.cuts]
        for reading in readings:
            for batch in halt.watch(reading.batches):
                made.add(batch)
        unterminated = [
            cut.target.uri
            for cut, reading in zip(shard.cuts, readings, strict=True)
            if reading.extent.lacks_line_end
        ]
        return State(made, readings[0].extent.begin, readings[-1].extent.end, tuple(unterminated))


def _interrupted(signal: str, place: str, states_uri: str) -> Interrupted:
    return Interrupted(
        "interrupted",
        why=f"{signal} {place}",
        remedy=f"finished shards are saved below {states_uri}; start again with the same output to go on",
    )
