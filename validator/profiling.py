"""Profiles a dataset: by one process, or by several children and the merge of what they saved.

The columns are those that the first values show. A value that fits none of them has all values looked at
(`survey`), and the profile made anew with columns that hold them. Children do so together: who meets such a
value surveys its own shards and ends; whoever comes next finds that surveys are wanted, adds its own, and
profiles with columns that hold what all saved surveys show. So two passes are enough: every value is either
one that the first columns hold, or in a survey that was saved when the second pass began. One more is needed
when that is not so: a child did not end in the first, or a wrong guess hid the value until the merge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from validator.crew import Crew, Halt
from validator.cuts import Shard
from validator.dataset import Dataset
from validator.errors import Interrupted
from validator.formats import Misfit
from validator.profile import Path, Profile
from validator.states import State, States
from validator.survey import Mixture
from validator.surveying import Joined, Surveying, interrupted
from validator.text import count
from validator.walk import Walk

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


class Incomplete(Exception):  # noqa: N818 - a merge may come too early
    """Of some shards nothing is saved that can be merged.

    Args:
        shards: Their places among all.
    """

    def __init__(self, shards: Sequence[int]) -> None:
        super().__init__(f"{len(shards)} shards")
        self.shards = tuple(shards)


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
    surveying = Surveying(dataset, states_uri, crew)
    if not surveying.is_wanted():
        try:
            return _Pass.over(dataset, states_uri, crew, log).profiled()
        except Misfit as misfit:
            log(f"profiling anew: {misfit}")
        surveying.want()
    surveying.look(dataset.shards)
    known = surveying.joined()
    return replace(_Pass.over(known.dataset, states_uri, crew, log).profiled(), mixtures=known.mixtures)


def profile_part(dataset: Dataset, states_uri: str, crew: Crew, log: Log, part: range) -> bool:
    """Profiles neighbouring shards and saves their states, for a merge; what is saved already is not read.

    Args:
        dataset: What the shards are of.
        states_uri: Folder or prefix of the states.
        crew: Who works.
        log: Takes lines for people.
        part: Places of the shards.

    Returns:
        Whether all are profiled; otherwise a value did not fit, they are surveyed instead, and have to be
        profiled by another start, with columns that hold what every child has seen.

    Raises:
        Interrupted: A signal asked to end; finished shards are saved.
        DataError: Bytes are not what the names claim.
    """
    surveying = Surveying(dataset, states_uri, crew)
    shards = dataset.shards[part.start : part.stop]
    fitting = dataset
    if is_wanted := bool(shards) and surveying.is_wanted():
        surveying.look(shards)
        fitting = surveying.joined().dataset
    try:
        _Pass.over(fitting, states_uri, crew, log).saved(shards, part.start)
    except Misfit as misfit:
        if is_wanted:
            raise
        log(f"looking for types that fit: {misfit}")
        surveying.want()
        surveying.look(shards)
        return False
    return True


def merge(dataset: Dataset, states_uri: str, crew: Crew, log: Log) -> Profiling:
    """Puts together what children have saved; reads only shards whose first row was guessed wrong.

    Args:
        dataset: What they profiled.
        states_uri: Folder or prefix of their states.
        crew: Who works.
        log: Takes lines for people.

    Raises:
        Incomplete: Some shards' states, or surveys, are absent or damaged.
        Interrupted: A signal asked to end.
        DataError: Bytes are not what the names claim.
    """
    surveying = Surveying(dataset, states_uri, crew)
    is_wanted = surveying.is_wanted()
    known = surveying.joined() if is_wanted else Joined(dataset)
    work = _Pass.over(known.dataset, states_uri, crew, log)
    if not known.missing:
        try:
            return replace(work.merged(), mixtures=known.mixtures)
        except _Absent:
            pass
        except Misfit as misfit:
            if is_wanted:
                raise
            log(f"looking for types that fit: {misfit}")
            surveying.want()
            # Nobody has surveyed anything yet.
            raise Incomplete(range(len(dataset.shards))) from misfit
    raise Incomplete(sorted({*known.missing, *work.absent()}))


class _Absent(Exception):  # noqa: N818 - becomes Incomplete
    """Nothing is saved of a shard."""


@dataclass(frozen=True, slots=True)
class _Pass:
    """One pass over shards with the same columns."""

    dataset: Dataset
    states: States
    crew: Crew
    log: Log
    large: set[Path] = field(default_factory=set)
    """Columns that finished shards found too large to be counted exactly."""

    @classmethod
    def over(cls, dataset: Dataset, states_uri: str, crew: Crew, log: Log) -> Self:
        """Returns a pass over a dataset."""
        return cls(dataset, States(states_uri, dataset), crew, log)

    def profiled(self) -> Profiling:
        """Reads what is not saved, and puts all shards together in order."""
        return self._together(self._found)

    def merged(self) -> Profiling:
        """Puts all shards together in order.

        Raises:
            _Absent: A shard's state is.
        """
        return self._together(self._saved)

    def saved(self, shards: Sequence[Shard], before: int) -> None:
        """Reads shards that are not saved, and saves them.

        Args:
            shards: Neighbours.
            before: How many there are before them.
        """
        self._over(shards, self._found, lambda _: None, before)

    def absent(self) -> Sequence[int]:
        """Returns the places of the shards of which nothing is saved."""

        def look(shard: Shard, halt: Halt) -> bool:
            halt.check()
            return self.states.take(shard) is None

        with self.crew.at_work(look, self.dataset.shards) as looked:
            return [place for place, (_, is_absent) in enumerate(looked) if is_absent()]

    def _together(self, find: Callable[[Shard, Halt], tuple[State, bool]]) -> Profiling:
        whole = Profile(self.dataset.columns)
        unterminated: list[str] = []

        def add(state: State) -> None:
            whole.merge(state.profile)
            unterminated.extend(state.unterminated)

        self._over(self.dataset.shards, find, add, 0)
        return Profiling(self.dataset, whole, unterminated=tuple(unterminated))

    def _over(
        self,
        shards: Sequence[Shard],
        find: Callable[[Shard, Halt], tuple[State, bool]],
        take: Callable[[State], None],
        before: int,
    ) -> None:
        total, number = len(self.dataset.shards), before

        def hand_on(shard: Shard, state: State, is_saved: bool) -> None:
            nonlocal number
            number += 1
            take(state)
            self.large.update(state.profile.large)
            how = "taken from saved state" if is_saved else "done"
            self.log(f"shard {number} of {total} {how}: {shard}, {count(state.profile.rows, 'row')}")

        try:
            Walk(self.dataset, self.crew, find, self._found_from).over(shards, hand_on)
        except Interrupted as caught:
            place = f"after shard {number} of {total}"
            raise interrupted(self.crew.interruption.name, place, self.states.uri) from caught

    def _saved(self, shard: Shard, halt: Halt) -> tuple[State, bool]:
        """Returns the saved state of a shard."""
        halt.check()
        if saved := self.states.take(shard):
            return saved, True
        raise _Absent

    def _found(self, shard: Shard, halt: Halt) -> tuple[State, bool]:
        """Returns what is known of a shard, and whether an earlier start had saved it."""
        halt.check()
        if saved := self.states.take(shard):
            return saved, True
        state = self._read(shard, halt)
        self.states.save(shard, state)
        return state, False

    def _found_from(self, shard: Shard, start: int, halt: Halt) -> State:
        """Reads a shard whose guess was wrong; its state takes the place of that of the guess."""
        state = self._read(shard.starting_at(start), halt)
        self.states.save(shard, state)
        return state

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
