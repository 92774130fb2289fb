"""A survey: every value is looked at, once the first ones of a file turned out not to tell what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from validator import formats
from validator.crew import Crew, Halt
from validator.cuts import Cut
from validator.dataset import Dataset
from validator.formats import Seen
from validator.profile import Kind
from validator.profile.columns import widest
from validator.store import Object


@dataclass(frozen=True, slots=True)
class Mixture:
    """A column of numbers with texts among them."""

    column: str
    numbers: int
    texts: int
    first: str
    """The first text."""
    uri: str
    row: int
    """Where it is: the row of the object, counted from 1."""


def survey(dataset: Dataset, crew: Crew) -> tuple[Dataset, tuple[Mixture, ...]]:
    """Returns the dataset with columns wide enough for every value, and where texts stand among numbers.

    Raises:
        Interrupted: A signal asked to end.
        DataError: Bytes are not what the names claim.
    """
    objects = dict.fromkeys(cut.target for shard in dataset.shards for cut in shard.cuts)
    totals = [Seen(None) for _ in dataset.columns]
    mixed: dict[str, Mixture] = {}
    for target, result in crew.in_order(_of_object, objects):
        for number, seen in enumerate(result()):
            totals[number] = _both(totals[number], seen)
            if seen.texts:
                name = dataset.columns[number].name
                mixed.setdefault(name, Mixture(name, 0, 0, seen.first_text, target.uri, seen.first_row + 1))
    found = [
        replace(mixed[column.name], numbers=seen.numbers, texts=seen.texts)
        for column, seen in zip(dataset.columns, totals, strict=True)
        if column.kind is not Kind.BYTES and seen.numbers and seen.texts
    ]
    return dataset.widened([seen.kind for seen in totals]), tuple(found)


def _of_object(target: Object, halt: Halt) -> Sequence[Seen]:
    return _together(halt.watch(formats.of(target.uri).survey(Cut.whole(target))))


def _together(batches: Iterable[Sequence[Seen]]) -> Sequence[Seen]:
    totals: Sequence[Seen] = ()
    for batch in batches:
        totals = [_both(*pair) for pair in zip(totals, batch, strict=True)] if totals else batch
    return totals


def _both(earlier: Seen, later: Seen) -> Seen:
    """Puts two stretches of a column together; rows of the later one follow those of the earlier."""
    has_text = earlier if earlier.texts else later
    return Seen(
        kind=widest(earlier.kind, later.kind),
        rows=earlier.rows + later.rows,
        numbers=earlier.numbers + later.numbers,
        texts=earlier.texts + later.texts,
        first_text=has_text.first_text,
        first_row=has_text.first_row + (0 if earlier.texts else earlier.rows),
    )
