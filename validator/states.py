"""Saved states: what is known of a finished shard, under a name that only equal work has.

A file is one line of JSON (all but the profile, the key it was saved under, and the shard in words), then the
profile, whose checksum covers both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

from validator import store
from validator.cuts import Shard
from validator.dataset import Dataset
from validator.errors import AbsentError
from validator.profile import ENGINE_VERSION, Column, Profile

SUFFIX: Final = ".state"


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a finished shard."""

    profile: Profile
    begin: int
    """Offset of its first row in the object it begins in."""
    end: int
    """Offset after its last row in the object it ends in."""
    unterminated: tuple[str, ...] = ()
    """Texts whose last row has no line end."""


class Names:
    """Names of what is saved: of other bytes, columns, folders, dialect or engine it has another.

    Args:
        uri: Folder or prefix it lies below.
        dataset: What is read, and as which columns.
    """

    def __init__(self, uri: str, dataset: Dataset) -> None:
        self.uri = uri
        self._partitions = dataset.partitions
        common = [ENGINE_VERSION, list(map(_declared, dataset.columns)), astuple(dataset.dialect)]
        self._common = hashlib.sha256(json.dumps(common).encode())

    def of(self, shard: Shard, suffix: str) -> str:
        """Returns where something of a shard lies."""
        return store.child(self.uri, self.key(shard) + suffix)

    def key(self, shard: Shard) -> str:
        """Returns what tells a shard, and how it is read, from all others."""
        # Columns alone do not tell whether one came from the file, the folder, or both and was checked.
        folders = [self._partitions.said_of(cut.target) for cut in shard.cuts]
        return self._hashed([astuple(shard), folders])

    def of_all(self, shards: Sequence[Shard], suffix: str) -> str:
        """Returns where something of a whole dataset lies."""
        return store.child(self.uri, self._hashed([astuple(shard) for shard in shards]) + suffix)

    def _hashed(self, what: Any) -> str:
        known = self._common.copy()
        known.update(json.dumps(what).encode())
        return known.hexdigest()[:32]


class States:
    """Saved states of finished shards.

    Args:
        uri: Folder or prefix they lie below.
        dataset: What is read, and as which columns.
    """

    def __init__(self, uri: str, dataset: Dataset) -> None:
        self.uri = uri
        self._columns = dataset.columns
        self._names = Names(uri, dataset)

    def take(self, shard: Shard) -> State | None:
        """Returns the saved state of exactly this shard, or None; a damaged one is none.

        Raises:
            UsageError: Nothing could ever be saved there.
        """
        if not is_pinned(shard):
            return None
        uri = self.name(shard)
        try:
            head, _, content = store.at(uri).read(uri).partition(b"\n")
            profile = Profile.from_bytes(content, self._columns, head)
            extent = json.loads(head)
            # A copy under the name of another shard is sound, and of other rows.
            if extent["key"] != self._names.key(shard):
                return None
            return State(profile, extent["begin"], extent["end"], tuple(extent["unterminated"]))
        except (AbsentError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def save(self, shard: Shard, state: State) -> None:
        """Saves the state of a finished shard, unless nobody could tell whether it is of the same bytes."""
        if not is_pinned(shard):
            return
        extent = {
            "key": self._names.key(shard),
            "shard": str(shard),
            "begin": state.begin,
            "end": state.end,
            "unterminated": state.unterminated,
        }
        head = json.dumps(extent).encode()
        store.write(self.name(shard), head + b"\n" + state.profile.to_bytes(head))

    def name(self, shard: Shard) -> str:
        """Returns where a state lies."""
        return self._names.of(shard, SUFFIX)


def is_pinned(shard: Shard) -> bool:
    """Says whether what is saved of a shard could be told from that of other bytes of the same name."""
    return all(cut.target.is_pinned for cut in shard.cuts)


def _declared(column: Column) -> list[Any]:
    """Returns what rows are read as; whether a value has shown it makes no other state."""
    return [column.name, column.kind, column.depth, list(map(_declared, column.fields))]
