"""A dataset: objects of one format that agree on their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from validator import cuts, formats
from validator.cuts import Shard
from validator.errors import DataError
from validator.formats import Header
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

    def widened(self, kinds: Sequence[Kind | None]) -> Dataset:
        """Returns the dataset with columns wide enough for these kinds too."""
        pairs = zip(self.columns, kinds, strict=True)
        columns = [replace(column, kind=widest(column.kind, kind) or column.kind) for column, kind in pairs]
        return replace(self, columns=tuple(columns))


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
    if not headers:
        return ()
    side_by_side = zip(*(header.columns for header in headers), strict=True)
    return [_column(variants, headers, declared) for variants in side_by_side]


def _column(variants: Sequence[Column], headers: Sequence[Header], declared: Mapping[str, Kind]) -> Column:
    """Returns a column wide enough for the first values of every object."""
    first = variants[0]
    shown = [v.kind for v, header in zip(variants, headers, strict=True) if v.name not in header.empty]
    wanted = None if headers[0].types[first.name] else declared.get(first.name)
    return replace(first, kind=widest(*shown, wanted) or first.kind)


def _demand_agreement(headers: Mapping[Object, Header]) -> None:
    for (first, expected), (other, found) in product([*headers.items()][:1], headers.items()):
        if difference := _difference(expected, found):
            raise DataError(
                f"cannot read {first.uri} and {other.uri} as one dataset",
                why=difference,
                remedy="give both the same columns in the same order",
            )


def _difference(expected: Header, found: Header) -> str:
    if absent := [name for name in expected.types if name not in found.types]:
        return f"the second lacks column {absent[0]!r}"
    if extra := [name for name in found.types if name not in expected.types]:
        return f"the second has a column more, {extra[0]!r}"
    if list(expected.types) != list(found.types):
        return "their columns are in different order"
    for name, kind in expected.types.items():
        if not (kind and found.types[name]) and kind != found.types[name]:
            return "one is Parquet, the other CSV"
        if found.types[name] != kind:
            return f"column {name!r} is {kind} in the first, {found.types[name]} in the second"
    return ""
