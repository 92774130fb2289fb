"""A survey: every value is looked at, once the first ones of a file turned out not to tell what it holds.

shard -> what its values are -> all shards together -> columns wide enough, texts among numbers
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from validator.crew import Halt
from validator.cuts import Cut, Extent, Shard
from validator.dataset import Dataset
from validator.formats import Seen, Sight
from validator.profile import Column, Kind
from validator.profile.columns import widest

FIRST_TEXT: Final = 1_000
"""Characters that are kept of the first text of a column: more than anybody is shown."""

Path = tuple[str, ...]
"""A column, a field of it, and so on."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What the values of one cut are."""

    rows: int
    seen: Mapping[Path, Seen]
    """By column or field; rows are counted from the cut's first."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What the values of one shard are."""

    begin: int
    """Offset of its first row in the object it begins in."""
    end: int
    """Offset after its last row in the object it ends in."""
    stretches: tuple[Stretch, ...]
    """One of each cut."""


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


def of(dataset: Dataset, shard: Shard, halt: Halt) -> Survey:
    """Looks at every value of a shard.

    Raises:
        Interrupted: A signal asked to end.
        DataError: Bytes are not what the names claim.
    """
    looked = [_of_cut(dataset, cut, halt) for cut in shard.cuts]
    return Survey(looked[0][1].begin, looked[-1][1].end, tuple(stretch for stretch, _ in looked))


def joined(dataset: Dataset, surveys: Iterable[tuple[Shard, Survey]]) -> tuple[Dataset, tuple[Mixture, ...]]:
    """Returns the dataset with columns wide enough for every value, and where texts stand among numbers.

    Args:
        dataset: With the columns that the first values showed.
        surveys: Of its shards, in their order.
    """
    totals: dict[Path, Seen] = {}
    mixed: dict[Path, Mixture] = {}
    rows: Counter[str] = Counter()
    for cut, stretch in _stretches(surveys):
        uri = cut.target.uri
        totals = _joined(totals, stretch.seen, 0)
        for path, seen in stretch.seen.items():
            if seen.texts:
                row = rows[uri] + seen.first_row + 1
                mixed.setdefault(path, Mixture(".".join(path), 0, 0, seen.first_text, uri, row))
        rows[uri] += stretch.rows
    texts = set(_texts(dataset.columns))
    mixtures = [
        replace(mixed[path], numbers=seen.numbers, texts=seen.texts)
        for path, seen in totals.items()
        if path not in texts and seen.numbers and seen.texts
    ]
    return dataset.grown(totals), tuple(mixtures)


def _stretches(surveys: Iterable[tuple[Shard, Survey]]) -> Iterator[tuple[Cut, Stretch]]:
    for shard, survey in surveys:
        yield from zip(shard.cuts, survey.stretches, strict=True)


def _texts(columns: Sequence[Column], above: Path = ()) -> Iterator[Path]:
    """Yields the columns and fields that are texts: numbers among them are texts too."""
    for column in columns:
        path = (*above, column.name)
        if column.kind is Kind.BYTES:
            yield path
        yield from _texts(column.fields, path)


def _of_cut(dataset: Dataset, cut: Cut, halt: Halt) -> tuple[Stretch, Extent]:
    names = [column.name for column in dataset.columns]
    totals: dict[Path, Seen] = {}
    rows = 0
    sights = dataset.format_of(cut.target).survey(cut)
    for sight in halt.watch(sights.batches):
        totals = _joined(totals, _by_path(sight, names), rows)
        rows += sight.rows
    seen = {path: replace(each, first_text=each.first_text[:FIRST_TEXT]) for path, each in totals.items()}
    return Stretch(rows, seen), sights.extent


def _by_path(sight: Sight, names: Sequence[str]) -> Mapping[Path, Seen]:
    return {seen.path or (names[number],): seen for number, seen in enumerate(sight.seen)}


def _joined(earlier: Mapping[Path, Seen], later: Mapping[Path, Seen], rows: int) -> dict[Path, Seen]:
    """Puts two stretches together.

    Args:
        earlier: What was seen, by column or field.
        later: What was seen after it.
        rows: Those of the earlier stretch.
    """
    paths = dict.fromkeys((*earlier, *later))
    return {path: _both(earlier.get(path, Seen(None)), later.get(path, Seen(None)), rows) for path in paths}


def _both(earlier: Seen, later: Seen, rows: int) -> Seen:
    """Puts two stretches of a column together; the later one's rows follow so many of the earlier."""
    first_row = earlier.first_row if earlier.texts else later.first_row + rows
    return Seen(
        kind=widest(earlier.kind, later.kind),
        depth=max(earlier.depth, later.depth),
        numbers=earlier.numbers + later.numbers,
        texts=earlier.texts + later.texts,
        first_text=(earlier if earlier.texts else later).first_text,
        first_row=first_row if earlier.texts or later.texts else 0,
    )
