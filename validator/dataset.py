"""A dataset: objects of one format that agree on their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product

from validator import cuts, formats
from validator.cuts import Shard
from validator.errors import DataError
from validator.formats import Header, Seen
from validator.profile import Column, Kind
from validator.profile.columns import widest
from validator.store import Object


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is profiled: shards, all with the same columns."""

    shards: tuple[Shard, ...]
    columns: tuple[Column, ...]

    @property
    def size(self) -> int:
        """Bytes as they are stored."""
        return sum(shard.size for shard in self.shards)

    def grown(self, seen: Mapping[tuple[str, ...], Seen]) -> Dataset:
        """Returns the dataset with columns that hold these values too."""
        return replace(self, columns=_grown(self.columns, seen))


def describe(objects: Sequence[Object], declared: Mapping[str, Kind] | None = None) -> Dataset:
    """Reads the headers of all objects and declares the columns once for all of them.

    Args:
        objects: What is read.
        declared: Kinds a schema asks for, by column: they widen what the first values of a format show that
            declares none itself.

    Raises:
        UsageError: A name ends with no known suffix.
        DataError: An object cannot be read, or two do not agree on format or columns.
    """
    headers = {target: formats.of(target.uri).header(target) for target in objects}
    _demand_agreement(headers)
    shards = cuts.plan(objects, lambda target: formats.of(target.uri).weight)
    return Dataset(shards, tuple(_columns(list(headers.values()), declared or {})))


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
    shown = None if column.is_guessed else column.kind
    return replace(column, kind=widest(shown, wanted) or column.kind)


def _both(one: Column, other: Column) -> Column:
    """Returns a column that holds what both do."""
    shown = [column.kind for column in (one, other) if not column.is_guessed]
    fields = {field.name: field for field in one.fields}
    for field in other.fields:
        fields[field.name] = _both(fields[field.name], field) if field.name in fields else field
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
        kind=widest(None if known.is_guessed else known.kind, found.kind) or known.kind,
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


def _difference(expected: Header, found: Header) -> str:
    if expected.is_open:
        return ""
    if absent := [name for name in expected.types if name not in found.types]:
        return f"the second lacks column {absent[0]!r}"
    if extra := [name for name in found.types if name not in expected.types]:
        return f"the second has a column more, {extra[0]!r}"
    if list(expected.types) != list(found.types):
        return "their columns are in different order"
    for one, other in zip(expected.columns, found.columns, strict=True):
        if expected.types[one.name] and not _agree(one, other):
            types = expected.types[one.name], found.types[one.name]
            return "column {!r} is {} in the first, {} in the second".format(one.name, *types)
    return ""


def _agree(one: Column, other: Column) -> bool:
    """Says whether declared types mean the same: int32 and int64 do; one without any value agrees with all."""
    if one.is_guessed or other.is_guessed:
        return True
    names = [[field.name for field in column.fields] for column in (one, other)]
    is_same = (one.kind, one.depth, names[0]) == (other.kind, other.depth, names[1])
    return is_same and all(map(_agree, one.fields, other.fields))
