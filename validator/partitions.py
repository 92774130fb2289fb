"""Hive partitions: folders named `key=value` between the root of a dataset and its objects are columns.

    objects, root -> keys, values of each object -> columns -> batches with one value in all rows

Spark lets a partition's value win over a column of the same name in the file, silently. Here both must say
the same: whoever reads the file alone, as Prepare does, would otherwise train on what was not judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from validator.errors import DataError
from validator.formats import Reading
from validator.profile import Column, Kind
from validator.profile.columns import widest
from validator.store import Object

MISSING: Final = frozenset({"__HIVE_DEFAULT_PARTITION__", ""})
"""Values that stand for none."""

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")
_LARGEST: Final = (1 << 63) - 1

Values = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Partitions:
    """What the folders of a dataset say about the rows of its objects."""

    keys: tuple[str, ...] = ()
    values: Mapping[str, Values] = field(default_factory=dict)
    """By URI, in the order of the keys; None is missing."""
    in_files: frozenset[str] = frozenset()
    """Keys that files have a column of: those are read, and held against the folder."""

    @property
    def added(self) -> Sequence[str]:
        """Keys that no file has a column of."""
        return [key for key in self.keys if key not in self.in_files]

    def met(self, names: Iterable[str]) -> Partitions:
        """Returns the same, knowing these columns of files."""
        return replace(self, in_files=self.in_files.union(set(self.keys).intersection(names)))

    def columns(self, declared: Mapping[str, Kind]) -> Sequence[Column]:
        """Returns a column for each added key: INT if all its values are whole numbers, or what is wider."""
        by_key = dict(zip(self.keys, zip(*self.values.values(), strict=True), strict=True))
        return [_column(key, by_key[key], declared.get(key)) for key in self.added]

    def said_of(self, target: Object) -> Sequence[tuple[str, str | None, bool]]:
        """Returns each key with the object's value, and whether files have a column of it."""
        values = self.values.get(target.uri, ())
        return [(key, value, key in self.in_files) for key, value in zip(self.keys, values, strict=True)]

    def complete(self, reading: Reading, target: Object, columns: Sequence[Column]) -> Reading:
        """Returns a reading of an object with the columns of its folders.

        Args:
            reading: Of the columns the file has.
            target: What is read.
            columns: All columns, in the order of the batches that come out.

        Raises:
            DataError: While it is read: a column of the file says other than its folder.
        """
        if not self.keys:
            return reading
        return Reading(self._completed(reading.batches, target, columns), reading.extent)

    def _completed(self, batches: Iterable[Any], target: Object, columns: Sequence[Column]) -> Iterator[Any]:
        values = dict(zip(self.keys, self.values[target.uri], strict=True))
        added, names = set(self.added), [column.name for column in columns]
        makers = {
            column.name: _maker(column, values[column.name]) for column in columns if column.name in added
        }
        checked = [column for column in columns if column.name in self.in_files]
        for batch in batches:
            for column in checked:
                _demand_equal(batch.column(column.name), column, values[column.name], target)
            arrays = [makers[name](len(batch)) if name in makers else batch.column(name) for name in names]
            yield pa.record_batch(arrays, names=names)


NO_PARTITIONS: Final = Partitions()


def of(objects: Sequence[Object], root: str) -> Partitions:
    """Reads the folders between a root and its objects.

    Args:
        objects: What lies there.
        root: Folder or prefix of the dataset; what it says itself is the same for all and no column.

    Raises:
        DataError: Two objects lie below different keys, or a key stands there twice or has no name.
    """
    pairs = {target.uri: _pairs(target.uri, root) for target in objects}
    _demand_same_keys({uri: [key for key, _ in found] for uri, found in pairs.items()})
    keys = tuple(key for key, _ in next(iter(pairs.values()), ()))
    return Partitions(keys, {uri: tuple(value for _, value in found) for uri, found in pairs.items()})


def _pairs(uri: str, root: str) -> Sequence[tuple[str, str | None]]:
    prefix = f"{root.rstrip('/')}/" if root else ""
    if not uri.startswith(prefix):
        return ()
    folders = uri.removeprefix(prefix).split("/")[:-1]
    found = [folder.partition("=") for folder in folders if "=" in folder]
    return [(_decoded(key), None if value in MISSING else _decoded(value)) for key, _, value in found]


def _decoded(text: str) -> str:
    # What a file system has that is no text becomes a sign that says so.
    return unquote(text).encode(errors="replace").decode()


def _demand_same_keys(keys: Mapping[str, Sequence[str]]) -> None:
    first, expected = next(iter(keys.items()), ("", []))
    for uri, found in keys.items():
        if "" in found:
            raise DataError(f"cannot read {uri}", why="a folder above it is named =…, without a key")
        if len(set(found)) < len(found):
            twice = next(key for key in found if found.count(key) > 1)
            raise DataError(f"cannot read {uri}", why=f"the folders above it name {twice!r} twice")
        if found != expected:
            raise DataError(
                f"cannot read {first} and {uri} as one dataset",
                why=f"the first lies below {_shown(expected)}, the second below {_shown(found)}",
                remedy="give all objects folders of the same keys in the same order",
            )


def _shown(keys: Sequence[str]) -> str:
    return "/".join(f"{key}=…" for key in keys) or "no folder named key=value"


def _column(key: str, values: Iterable[str | None], declared: Kind | None) -> Column:
    present = {value for value in values if value is not None}
    if not present:
        return Column(key, declared or Kind.INT, is_guessed=declared is None)
    shown = Kind.INT if all(map(_is_whole, present)) else Kind.BYTES
    return Column(key, widest(shown, declared) or shown)


def _is_whole(text: str) -> bool:
    return bool(_WHOLE.fullmatch(text)) and -_LARGEST - 1 <= int(text) <= _LARGEST


_NUMBERS: Final[Mapping[Kind, Callable[[str], int | float]]] = {Kind.INT: int, Kind.FLOAT: float}
_TYPES: Final = {Kind.INT: pa.int64(), Kind.FLOAT: pa.float64(), Kind.BYTES: pa.string()}


def _maker(column: Column, text: str | None) -> Callable[[int], Any]:
    """Returns what makes an array of so many rows; the last one is kept, most batches are alike."""

    def make(rows: int) -> Any:
        if text is None:
            return pa.nulls(rows, _TYPES[column.kind])
        if column.kind is Kind.BYTES:
            return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text]))
        return pa.array(np.full(rows, _NUMBERS[column.kind](text)), _TYPES[column.kind])

    return lru_cache(maxsize=1)(make)


def _demand_equal(array: Any, column: Column, text: str | None, target: Object) -> None:
    """Holds a column of the file against its folder."""
    found = _different(array, column, text)
    if found is not _NOTHING:
        says = "is missing" if text is None else f"says {text!r}"
        raise DataError(
            f"cannot read {target.uri}",
            why=f"column {column.name!r} has {found!r}, its folder {column.name}=… {says}",
            remedy="take the column out of the file, or move the file to its folder",
        )


_NOTHING: Final = object()


def _different(array: Any, column: Column, text: str | None) -> object:
    """Returns the first value that is not that of the folder, or _NOTHING."""
    if column.depth or column.kind is Kind.STRUCT:
        return "lists or fields"
    try:
        wanted = text if text is None else _NUMBERS.get(column.kind, str)(text)
    except ValueError:
        wanted = text
    for value in pc.unique(array).to_pylist():
        plain = value.decode(errors="replace") if isinstance(value, bytes) else value
        if plain != wanted:
            return plain
    return _NOTHING
