"""The state of a whole shard: it takes in batches, merges with others, and says what it knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from validator.profile import archive, numeric, text
from validator.profile.archive import Blobs
from validator.profile.columns import Column, Kind
from validator.profile.limits import Limits
from validator.profile.numeric import NumericDigest
from validator.profile.occurrences import Occurrences, Parts
from validator.profile.presence import PresenceState
from validator.profile.summary import ColumnSummary, Presence, StructSummary, Summary
from validator.profile.text import TextDigest

ENGINE_VERSION: Final = 6
"""Raised whenever equal data would give another state, or another serialization."""

_UNREADABLE: Final = (KeyError, TypeError, IndexError, OSError, RuntimeError, pa.ArrowException)
"""What reading raises beside ValueError; RuntimeError is that of datasketches."""

_ARROW_TYPES: Final = {Kind.INT: pa.int64(), Kind.FLOAT: pa.float64(), Kind.BYTES: pa.binary()}


Path = tuple[str, ...]
"""Name of a column, or of a field with the structs it is in before it."""


class Profile:
    """Statistics of rows so far.

    Args:
        columns: What the rows hold; every batch has these columns in this order.
        large: Columns of which other rows are known to hold more values than are counted exactly: to count
            these before they are digested would be in vain.
    """

    def __init__(self, columns: Sequence[Column], large: Iterable[Path] = ()) -> None:
        limits = Limits.for_width(sum(column.leaves for column in columns))
        known = frozenset(large)
        self.rows = 0
        self._columns = tuple(_state_of(column, limits, (), known) for column in columns)

    @property
    def large(self) -> Iterator[Path]:
        """Columns that hold more values than are counted exactly."""
        for state in self._columns:
            yield from state.large

    def add(self, batch: Any) -> None:
        """Takes in a pyarrow.RecordBatch: int64, float64, text or bytes, structs of these, lists of all."""
        self.rows += batch.num_rows
        for state, array in zip(self._columns, batch.columns, strict=True):
            state.add(array)

    def merge(self, other: Profile) -> None:
        """Takes in the rows of another shard of the same columns."""
        self.rows += other.rows
        for state, theirs in zip(self._columns, other._columns, strict=True):
            state.merge(theirs)

    def finish(self) -> Summary:
        """Says what is known of all rows."""
        return Summary(self.rows, tuple(state.finish() for state in self._columns))

    def to_bytes(self, beside: bytes = b"") -> bytes:
        """Returns the state as `archive` describes it.

        Args:
            beside: What is stored beside it: its checksum covers that too.
        """
        blobs: list[bytes] = []
        columns = [state.to_scalars(blobs) for state in self._columns]
        index = {"engine": ENGINE_VERSION, "rows": self.rows, "columns": columns}
        return archive.pack(index, blobs, beside)

    @classmethod
    def from_bytes(cls, content: bytes, columns: Sequence[Column], beside: bytes = b"") -> Profile:
        """Reads a stored state of these columns.

        Args:
            content: What `to_bytes` returned.
            columns: What it holds.
            beside: What was stored beside it.

        Raises:
            ValueError: It or what is beside it is damaged, or it is of another engine or of other columns.
        """
        try:
            index, body = archive.unpack(content, beside)
            return cls._restored(index, Blobs(body), columns)
        except _UNREADABLE as error:
            raise ValueError(f"not a stored state ({error})") from error

    @classmethod
    def _restored(cls, index: Mapping[str, Any], blobs: Blobs, columns: Sequence[Column]) -> Profile:
        if index["engine"] != ENGINE_VERSION:
            raise ValueError(f"a state of engine {index['engine']}, this is {ENGINE_VERSION}")
        profile = cls(columns)
        profile.rows = index["rows"]
        for state, scalars in zip(profile._columns, index["columns"], strict=True):
            state.restore(scalars, blobs)
        return profile


class _ValuesState:
    """Presence and values of a column of numbers or texts."""

    def __init__(self, column: Column, limits: Limits, path: Path, large: frozenset[Path]) -> None:
        self._column = column
        self._limits = limits
        self._path = path
        self._presence = PresenceState(column.depth)
        self._values: Occurrences[Any] = Occurrences(self._type, limits, self._digest)
        if path in large:
            self._values.give_up_counting()

    @property
    def large(self) -> Iterator[Path]:
        """The column, if it holds more values than are counted exactly."""
        if not self._values.is_counted:
            yield self._path

    @property
    def _type(self) -> Any:
        return _ARROW_TYPES[self._column.kind]

    @property
    def _digest(self) -> Any:
        return TextDigest if self._column.kind is Kind.BYTES else NumericDigest

    def add(self, array: Any) -> None:
        """Takes in one batch of the column."""
        if self._column.is_list:
            array = self._presence.add_lists(array)
        else:
            self._presence.add(array)
        if array.null_count < len(array):
            self._values.add(array)

    def merge(self, other: _ValuesState) -> None:
        """Takes in the same column of other rows."""
        self._presence.merge(other._presence)
        self._values.merge(other._values)

    def finish(self) -> ColumnSummary:
        """Says what is known."""
        presence = self._presence.finish()
        if self._column.is_guessed and presence.values == 0:
            return _no_value(self._column, presence, self._limits)
        if self._column.kind is Kind.BYTES:
            return text.summarize(self._column, presence, self._values)
        return numeric.summarize(self._column, presence, self._values)

    def to_scalars(self, blobs: list[bytes]) -> Mapping[str, Any]:
        """Returns what JSON can say, and appends the blobs."""
        table = self._values.table()
        parts = self._values.digest.to_parts() if table is None else Parts({}, archive.write_table(*table))
        blobs.extend(parts.blobs.values())
        values = {**archive.described(parts), "is_exact": table is not None}
        return {"name": self._column.name, "presence": self._presence.to_scalars(), "values": values}

    def restore(self, scalars: Mapping[str, Any], blobs: Blobs) -> None:
        """Takes over what `to_scalars` returned."""
        _demand_name(scalars, self._column)
        self._presence.restore(scalars["presence"])
        stored = dict(scalars["values"])
        parts = blobs.of({"blobs": stored.pop("blobs")})
        if stored.pop("is_exact"):
            self._values.add_counted(*archive.read_table(self._type, parts.blobs))
        else:
            self._values.restore(self._digest.from_parts(self._limits, Parts(stored, parts.blobs)))


class _StructState:
    """Presence and fields of a column of structs."""

    def __init__(self, column: Column, limits: Limits, path: Path, large: frozenset[Path]) -> None:
        self._column = column
        self._presence = PresenceState(column.depth)
        self._fields = tuple(_state_of(field, limits, path, large) for field in column.fields)

    @property
    def large(self) -> Iterator[Path]:
        """Fields that hold more values than are counted exactly."""
        for field in self._fields:
            yield from field.large

    def add(self, array: Any) -> None:
        """Takes in one batch; a null among a list's structs is a row without any field, as TFDV has it."""
        if self._column.is_list:
            structs = self._presence.add_lists(array)
        else:
            self._presence.add(array)
            structs = array.drop_null()
        for number, field in enumerate(self._fields):
            # Not .field(): that one knows nothing of the structs that are null.
            field.add(pc.struct_field(structs, [number]))

    def merge(self, other: _StructState) -> None:
        """Takes in the same column of other rows."""
        self._presence.merge(other._presence)
        for field, theirs in zip(self._fields, other._fields, strict=True):
            field.merge(theirs)

    def finish(self) -> StructSummary:
        """Says what is known."""
        fields = tuple(field.finish() for field in self._fields)
        return StructSummary(self._column, self._presence.finish(), fields)

    def to_scalars(self, blobs: list[bytes]) -> Mapping[str, Any]:
        """Returns what JSON can say, and appends the blobs of the fields."""
        fields = [field.to_scalars(blobs) for field in self._fields]
        return {"name": self._column.name, "presence": self._presence.to_scalars(), "fields": fields}

    def restore(self, scalars: Mapping[str, Any], blobs: Blobs) -> None:
        """Takes over what `to_scalars` returned."""
        _demand_name(scalars, self._column)
        self._presence.restore(scalars["presence"])
        for field, stored in zip(self._fields, scalars["fields"], strict=True):
            field.restore(stored, blobs)


def _state_of(column: Column, limits: Limits, above: Path, large: frozenset[Path]) -> Any:
    # The two never meet in a merge: equal columns have equal kinds.
    state = _StructState if column.kind is Kind.STRUCT else _ValuesState
    return state(column, limits, (*above, column.name), large)


def _no_value(column: Column, presence: Presence, limits: Limits) -> ColumnSummary:
    nothing = Occurrences(pa.binary(), limits, TextDigest)
    return text.summarize(Column(column.name, Kind.BYTES, column.depth), presence, nothing)


def _demand_name(scalars: Mapping[str, Any], column: Column) -> None:
    if scalars["name"] != column.name:
        raise ValueError(f"a state of column {scalars['name']!r}, not {column.name!r}")
