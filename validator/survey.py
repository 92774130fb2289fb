"""A survey: every value is looked at, once the first ones of a file turned out not to tell what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from validator.crew import Crew, Halt
from validator.cuts import Cut
from validator.dataset import Dataset
from validator.formats import Seen
from validator.profile import Column, Kind
from validator.profile.columns import widest
from validator.store import Object

Path = tuple[str, ...]
"""A column, a field of it, and so on."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """A column of numbers, or a field of one, with texts among them."""

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
    look = partial(_of_object, dataset)
    totals: dict[Path, Seen] = {}
    mixed: dict[Path, Mixture] = {}
    with crew.at_work(look, objects) as looked:
        for target, result in looked:
            found = result()
            totals = _joined(totals, found)
            for path, seen in found.items():
                if seen.texts:
                    row = seen.first_row + 1
                    mixed.setdefault(path, Mixture(".".join(path), 0, 0, seen.first_text, target.uri, row))
    texts = set(_texts(dataset.columns))
    mixtures = [
        replace(mixed[path], numbers=seen.numbers, texts=seen.texts)
        for path, seen in totals.items()
        if path not in texts and seen.numbers and seen.texts
    ]
    return dataset.grown(totals), tuple(mixtures)


def _texts(columns: Sequence[Column], above: Path = ()) -> Iterator[Path]:
    """Yields the columns and fields that are texts: numbers among them are texts too."""
    for column in columns:
        path = (*above, column.name)
        if column.kind is Kind.BYTES:
            yield path
        yield from _texts(column.fields, path)


def _of_object(dataset: Dataset, target: Object, halt: Halt) -> Mapping[Path, Seen]:
    names = [column.name for column in dataset.columns]
    totals: dict[Path, Seen] = {}
    rows = 0
    for batch in halt.watch(dataset.format_of(target).survey(Cut.whole(target))):
        found = {seen.path or (names[number],): seen for number, seen in enumerate(batch)}
        totals = _joined(totals, found, rows)
        rows += batch[0].rows if batch else 0
    return totals


def _joined(earlier: Mapping[Path, Seen], later: Mapping[Path, Seen], rows: int = 0) -> dict[Path, Seen]:
    """Puts two stretches together.

    Args:
        earlier: What was seen, by column or field.
        later: What was seen after it.
        rows: Those before the later stretch.
    """
    paths = dict.fromkeys((*earlier, *later))
    return {
        path: _both(earlier.get(path, Seen(None, rows=rows)), later.get(path, Seen(None))) for path in paths
    }


def _both(earlier: Seen, later: Seen) -> Seen:
    """Puts two stretches of a column together; rows of the later one follow those of the earlier."""
    has_text = earlier if earlier.texts else later
    return Seen(
        kind=widest(earlier.kind, later.kind),
        depth=max(earlier.depth, later.depth),
        rows=earlier.rows + later.rows,
        numbers=earlier.numbers + later.numbers,
        texts=earlier.texts + later.texts,
        first_text=has_text.first_text,
        first_row=has_text.first_row + (0 if earlier.texts else earlier.rows),
    )
