"""A dataset: objects of one format that agree on their columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import product
from typing import Final

from validator import cuts, formats, partitions
from validator.crew import Crew, Halt
from validator.cuts import Cut, Shard
from validator.errors import DataError
from validator.formats import Delimited, Dialect, Format, Header, Reading, Seen
from validator.interruption import Interruption
from validator.partitions import NO_PARTITIONS, Partitions
from validator.profile import Column, Kind
from validator.profile.columns import widest
from validator.store import Object

NUMBERS: Final = (Kind.INT, Kind.FLOAT)


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is profiled: shards, all with the same columns."""

    shards: tuple[Shard, ...]
    columns: tuple[Column, ...]
    partitions: Partitions = NO_PARTITIONS
    dialect: Dialect = field(default_factory=Dialect)
    """How its delimited texts are written."""

    @property
    def size(self) -> int:
        """Bytes as they are stored."""
        return sum(shard.size for shard in self.shards)

    @property
    def own(self) -> Sequence[Column]:
        """The columns that stand in its objects, not in the names of folders alone."""
        return [column for column in self.columns if column.name not in self.partitions.added]

    @property
    def first_line(self) -> Sequence[str]:
        """Names of columns that stand in the first line of a text, and nowhere else."""
        target = self.shards[0].cuts[0].target if self.shards else None
        if target is None or self.dialect.columns or not isinstance(self.format_of(target), Delimited):
            return ()
        return [column.name for column in self.own]

    def format_of(self, target: Object) -> Format:
        """Returns how an object is read."""
        return formats.of(target.uri, self.dialect)

    def grown(self, seen: Mapping[tuple[str, ...], Seen]) -> Dataset:
        """Returns the dataset with columns that hold these values too."""
        met = self.partitions.met(path[0] for path in seen)
        return replace(self, columns=_grown(self.columns, seen), partitions=met)

    def is_certain(self, shard: Shard) -> bool:
        """Says whether the shard's first row is the one it begins with, not one that was guessed."""
        return not shard.is_guessed or self.format_of(shard.cuts[0].target).weight.is_certain

    def first_row(self, cut: Cut, halt: Halt) -> int:
        """Returns where the first row of a cut begins: reads all before it, for its quotation marks.

        Raises:
            Interrupted: A signal asked to end.
            DataError: Bytes are not what the name claims.
        """
        before = self.format_of(cut.target).survey(Cut(cut.target, 0, cut.start, is_exact=True))
        for _ in halt.watch(before.batches):
            pass
        return before.extent.end

    def read(self, cut: Cut) -> Reading:
        """Reads the rows of a cut, with the columns of the folders it lies in.

        Raises:
            Misfit: While it is read: a value does not fit the kind of its column.
            DataError: While it is read: bytes are not what the name or the folder claims.
        """
        reading = self.format_of(cut.target).read(cut, self.own)
        return self.partitions.complete(reading, cut.target, self.columns)


def describe(
    objects: Sequence[Object],
    declared: Mapping[str, Kind] | None = None,
    root: str | None = None,
    dialect: Dialect | None = None,
    *,
    crew: Crew | None = None,
    known: Sequence[Column] | None = None,
) -> Dataset:
    """Reads the headers of all objects and declares the columns once for all of them.

    Args:
        objects: What is read.
        declared: Kinds a schema asks for, by column: they widen what the first values of a format show that
            declares none itself; STRUCT widens nothing.
        root: Folder or prefix below which folders named key=value are columns; None when there are none.
        dialect: How delimited texts are written, where their names and first lines do not tell.
        crew: Who reads.
        known: The dataset's own columns, if the headers of these objects have been read before: then none is.

    Raises:
        Interrupted: A signal asked to end.
        UsageError: A name ends with no known suffix, or with one that a dialect is not for.
        DataError: An object cannot be read, or two do not agree on format, columns or folders.
    """
    placed = NO_PARTITIONS if root is None else partitions.of(objects, root)
    # Objects alone show a struct: no other value can be read as one.
    wanted = {name: kind for name, kind in (declared or {}).items() if kind is not Kind.STRUCT}
    dialect = dialect or Dialect()
    columns = _shown(objects, wanted, dialect, crew) if known is None else known
    shards = cuts.plan(objects, lambda target: formats.of(target.uri, dialect).weight)
    placed = placed.met(column.name for column in columns)
    return Dataset(shards, (*columns, *placed.columns(wanted)), placed, dialect)


def _shown(
    objects: Sequence[Object], wanted: Mapping[str, Kind], dialect: Dialect, crew: Crew | None
) -> Sequence[Column]:
    """Returns the columns that the headers show together."""
    headers = _headers(objects, dialect, crew)
    _demand_agreement(headers)
    return _columns(list(headers.values()), wanted)


def _headers(objects: Sequence[Object], dialect: Dialect, crew: Crew | None) -> Mapping[Object, Header]:
    def header(target: Object, halt: Halt) -> Header:
        halt.check()
        return formats.of(target.uri, dialect).header(target)

    with (crew or Crew(Interruption())).at_work(header, objects) as read:
        return {target: result() for target, result in read}


def _columns(headers: Sequence[Header], declared: Mapping[str, Kind]) -> Sequence[Column]:
    by_name: dict[str, list[Column]] = {}
    for header in headers:
        for column in header.columns:
            shown = replace(column, is_guessed=True) if column.name in header.empty else column
            by_name.setdefault(column.name, []).append(shown)
    return [_column(variants, headers, declared) for variants in by_name.values()]


def _column(variants: Sequence[Column], headers: Sequence[Header], declared: Mapping[str, Kind]) -> Column:
    """Returns a column wide enough for the first values of every object."""
    column = reduce(_both, variants)
    is_typed = any(header.types.get(column.name) for header in headers)
    wanted = None if is_typed else declared.get(column.name)
    if wanted in NUMBERS and column.kind is Kind.BYTES:
        # The texts do not fit then, and so are found and counted.
        return replace(column, kind=wanted)
    shown = None if column.is_guessed else column.kind
    return replace(column, kind=widest(shown, wanted) or column.kind)


def _both(one: Column, other: Column) -> Column:
    """Returns a column that holds what both do."""
    shown = [column.kind for column in (one, other) if not column.is_guessed]
    fields = {below.name: below for below in one.fields}
    for below in other.fields:
        fields[below.name] = _both(fields[below.name], below) if below.name in fields else below
    return replace(
        one,
        kind=widest(*shown) or one.kind,
        depth=max(one.depth, other.depth),
        fields=tuple(fields.values()),
        is_guessed=not shown,
    )


def _grown(columns: Sequence[Column], seen: Mapping[tuple[str, ...], Seen]) -> tuple[Column, ...]:
    by_name = {column.name: column for column in columns}
    below: dict[str, dict[tuple[str, ...], Seen]] = {name: {} for name in by_name}
    for path, found in seen.items():
        below.setdefault(path[0], {})[path[1:]] = found
    return tuple(_column_grown(name, by_name.get(name), found) for name, found in below.items())


def _column_grown(name: str, column: Column | None, seen: Mapping[tuple[str, ...], Seen]) -> Column:
    """Returns a column that holds what was seen too.

    Args:
        name: Its name.
        column: As it was declared, None when it is new.
        seen: Its values by the path below it: () are its own.
    """
    known = column or Column(name, Kind.INT, is_guessed=True)
    found = seen.get((), Seen(None))
    return replace(
        known,
        # A guess is the narrowest kind there is, or what a schema asks for.
        kind=widest(known.kind, found.kind) or known.kind,
        depth=max(known.depth, found.depth),
        fields=_grown(known.fields, {path: each for path, each in seen.items() if path}),
        is_guessed=known.is_guessed and found.kind is None,
    )


def _demand_agreement(headers: Mapping[Object, Header]) -> None:
    for (first, expected), (other, found) in product(_spokesmen(headers), headers.items()):
        what = f"cannot read {first.uri} and {other.uri} as one dataset"
        if type(formats.of(first.uri)) is not type(formats.of(other.uri)):
            raise DataError(what, why="they are of different formats", remedy="give one of them at a time")
        if difference := _difference(expected, found):
            raise DataError(what, why=difference, remedy="give both the same columns in the same order")


def _spokesmen(headers: Mapping[Object, Header]) -> Iterator[tuple[Object, Header]]:
    """Yields the first object, and those that show the type of a column none before them had a value of."""
    unknown: set[str] | None = None
    for target, header in headers.items():
        guessed = {column.name for column in header.columns if column.is_guessed}
        if unknown is None or unknown - guessed:
            yield target, header
            unknown = guessed if unknown is None else unknown & guessed


def _difference(expected: Header, found: Header) -> str:
    if not expected.is_open:
        if absent := [name for name in expected.types if name not in found.types]:
            return f"the second lacks column {absent[0]!r}"
        if extra := [name for name in found.types if name not in expected.types]:
            return f"the second has a column more, {extra[0]!r}"
        if list(expected.types) != list(found.types):
            return "their columns are in different order"
    others = {column.name: column for column in found.columns}
    for one in expected.columns:
        other = others.get(one.name, one)
        if expected.types[one.name] and not _agree(one, other):
            types = expected.types[one.name], found.types[one.name]
            return "column {!r} is {} in the first, {} in the second".format(one.name, *types)
    return ""


def _agree(one: Column, other: Column) -> bool:
    """Says whether declared types mean the same, as int32 and int64; one without a value agrees with all."""
    if one.is_guessed or other.is_guessed:
        return True
    names = [[below.name for below in column.fields] for column in (one, other)]
    is_same = (one.kind, one.depth, names[0]) == (other.kind, other.depth, names[1])
    return is_same and all(map(_agree, one.fields, other.fields))
