"""A dataset: objects of one format that agree on their columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from validator import formats
from validator.errors import DataError
from validator.formats import Header
from validator.profile import Column, Kind
from validator.profile.columns import widest
from validator.store import Object


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is profiled: one shard an object, all with the same columns."""

    shards: tuple[Object, ...]
    columns: tuple[Column, ...]

    @property
    def size(self) -> int:
        """Bytes as they are stored."""
        return sum(shard.size for shard in self.shards)

    def batches(self, shard: Object) -> Iterator[Any]:
        """Yields a shard's rows.

        Raises:
            Misfit: A value does not fit its column; `survey` finds kinds that fit.
            DataError: The bytes are not what the name claims.
        """
        return formats.of(shard.uri).batches(shard, self.columns)

    def survey(self) -> Iterator[Sequence[Kind | None]]:
        """Reads all shards once and yields the kinds that hold their values, batch by batch."""
        for shard in self.shards:
            yield from formats.of(shard.uri).survey(shard)

    def widened(self, kinds: Sequence[Kind | None]) -> Dataset:
        """Returns the dataset with columns wide enough for these kinds too."""
        pairs = zip(self.columns, kinds, strict=True)
        columns = [replace(column, kind=widest(column.kind, kind) or column.kind) for column, kind in pairs]
        return replace(self, columns=tuple(columns))


def describe(objects: Sequence[Object]) -> Dataset:
    """Reads the headers of all objects and declares the columns once for all of them.

    Raises:
        UsageError: A name ends with no known suffix.
        DataError: An object cannot be read, or two do not agree on format or columns.
    """
    headers = {target: formats.of(target.uri).header(target) for target in objects}
    _demand_agreement(headers)
    return Dataset(tuple(objects), tuple(_columns(list(headers.values()))))


def _columns(headers: Sequence[Header]) -> Iterator[Column]:
    if not headers:
        return
    lists = headers[0].lists
    for name, is_list, *kinds in zip(headers[0].fields, lists, *(h.kinds for h in headers), strict=True):
        # No value seen yet: the narrowest, until one asks for more.
        yield Column(name, widest(*kinds) or Kind.INT, is_list)


def _demand_agreement(headers: Mapping[Object, Header]) -> None:
    for (first, expected), (other, found) in product([*headers.items()][:1], headers.items()):
        if difference := _difference(expected, found):
            raise DataError(
                f"cannot read {first.uri} and {other.uri} as one dataset",
                why=difference,
                remedy="give both the same columns in the same order",
            )


def _difference(expected: Header, found: Header) -> str:
    if absent := [name for name in expected.fields if name not in found.fields]:
        return f"the second lacks column {absent[0]!r}"
    if extra := [name for name in found.fields if name not in expected.fields]:
        return f"the second has a column more, {extra[0]!r}"
    if list(expected.fields) != list(found.fields):
        return "their columns are in different order"
    for name, kind in expected.fields.items():
        if not (kind and found.fields[name]) and kind != found.fields[name]:
            return "one is Parquet, the other CSV"
        if found.fields[name] != kind:
            return f"column {name!r} is {kind} in the first, {found.fields[name]} in the second"
    return ""
