"""The state of a whole shard, and its serialization.

A stored state is a zip archive: `profile.json` (engine version, rows, and per column its declaration,
presence and scalars) and, per column, `<index>/counts.arrow` (an Arrow IPC stream of value and count), or the
sketches `quantiles.kll`, `frequent.items`, `distinct.hll` in Apache DataSketches' own format. No pickle.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from validator.profile.columns import Column, Kind
from validator.profile.counts import Limit
from validator.profile.numeric import NumericState
from validator.profile.parts import Parts
from validator.profile.summary import Presence, Summary
from validator.profile.text import TextState

ENGINE_VERSION: Final = 1
"""Raised whenever equal data would give another state, or another serialization."""

_INDEX: Final = "profile.json"


class Profile:
    """Statistics of rows so far.

    Args:
        columns: What the rows hold; every batch has these columns in this order.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        limit = Limit.for_width(len(columns))
        self.rows = 0
        self._columns = tuple(ColumnState(column, limit) for column in columns)

    def add(self, batch: Any) -> None:
        """Takes in a pyarrow.RecordBatch: int64, float64, text or bytes, or lists of these."""
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

    def to_bytes(self) -> bytes:
        """Returns the state as this module's docstring describes it."""
        stored = [state.to_parts() for state in self._columns]
        index = {"engine": ENGINE_VERSION, "rows": self.rows, "columns": [dict(p.scalars) for p in stored]}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            _put(archive, _INDEX, json.dumps(index).encode())
            for number, parts in enumerate(stored):
                for name, blob in parts.blobs.items():
                    _put(archive, f"{number}/{name}", blob)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, columns: Sequence[Column]) -> Profile:
        """Reads a stored state of these columns.

        Raises:
            ValueError: It is damaged, or of another engine or of other columns.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return cls._from_archive(archive, columns)
        except (zipfile.BadZipFile, KeyError, TypeError, EOFError, OSError) as error:
            raise ValueError(f"not a stored state ({error})") from error

    @classmethod
    def _from_archive(cls, archive: zipfile.ZipFile, columns: Sequence[Column]) -> Profile:
        index = json.loads(archive.read(_INDEX))
        if index["engine"] != ENGINE_VERSION or len(index["columns"]) != len(columns):
            raise ValueError("a state of another engine or other columns")
        profile = cls(columns)
        profile.rows = index["rows"]
        blobs = _blobs(archive)
        for number, (state, scalars) in enumerate(zip(profile._columns, index["columns"], strict=True)):
            state.restore(Parts(scalars, blobs.get(number, {})))
        return profile


class ColumnState:
    """Presence and values of one column."""

    def __init__(self, column: Column, limit: Limit) -> None:
        self._column = column
        self._limit = limit
        self._rows = 0
        self._missing = 0
        self._lengths: Counter[int] = Counter()
        # NumericState or TextState, which never meet: equal columns have equal kinds.
        self._values: Any = self._kind(column, limit)

    @property
    def _kind(self) -> type[NumericState | TextState]:
        return TextState if self._column.kind is Kind.BYTES else NumericState

    def add(self, array: Any) -> None:
        """Takes in one batch of the column."""
        self._rows += len(array)
        self._missing += array.null_count
        present = array.drop_null() if array.null_count else array
        if self._column.is_list:
            present = self._flattened(present)
        else:
            self._lengths[1] += len(present)
        if len(present):
            self._values.add(present)

    def merge(self, other: ColumnState) -> None:
        """Takes in the same column of other rows."""
        self._rows += other._rows
        self._missing += other._missing
        self._lengths.update(other._lengths)
        self._values.merge(other._values)

    def finish(self) -> Any:
        """Says what is known; a column without a value is text, as TFDV has it."""
        presence = Presence(self._rows, self._missing, {n: c for n, c in self._lengths.items() if c})
        if presence.values == 0:
            column = Column(self._column.name, Kind.BYTES, self._column.is_list)
            return TextState(column, self._limit).finish(presence)
        return self._values.finish(presence)

    def to_parts(self) -> Parts:
        """Returns the state as scalars and blobs."""
        values = self._values.to_parts()
        scalars = {
            "name": self._column.name,
            "rows": self._rows,
            "missing": self._missing,
            "lengths": sorted(self._lengths.items()),
            "values": dict(values.scalars),
        }
        return Parts(scalars, values.blobs)

    def restore(self, parts: Parts) -> None:
        """Takes over what `to_parts` returned."""
        scalars = parts.scalars
        if scalars["name"] != self._column.name:
            raise ValueError(f"a state of column {scalars['name']!r}, not {self._column.name!r}")
        self._rows, self._missing = scalars["rows"], scalars["missing"]
        self._lengths = Counter(dict(scalars["lengths"]))
        self._values = self._kind.from_parts(self._column, self._limit, Parts(scalars["values"], parts.blobs))

    def _flattened(self, lists: Any) -> Any:
        lengths = lists.value_lengths().to_numpy(zero_copy_only=False)
        sizes, rows = np.unique(lengths, return_counts=True)
        self._lengths.update(dict(zip(sizes.tolist(), rows.tolist(), strict=True)))
        return lists.flatten().drop_null()


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # The time is left out: equal states are equal bytes.
    entry = zipfile.ZipInfo(name)
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def _blobs(archive: zipfile.ZipFile) -> Mapping[int, Mapping[str, bytes]]:
    found: dict[int, dict[str, bytes]] = {}
    for path in archive.namelist():
        number, slash, name = path.partition("/")
        if slash:
            found.setdefault(int(number), {})[name] = archive.read(path)
    return found
