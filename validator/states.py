"""Saved states: what is known of a finished shard, under a name that only equal work has.

A file is one line of JSON (all but the profile, and the shard in words), then the profile, whose checksum
covers both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Final

from validator import store
from validator.cuts import Shard
from validator.errors import UsageError
from validator.formats import Dialect
from validator.partitions import NO_PARTITIONS, Partitions
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


class States:
    """Saved states of finished shards.

    Args:
        uri: Folder or prefix they lie below.
        columns: What all of them hold.
        dialect: How delimited texts were read.
        partitions: What the folders of the dataset said about the rows.
    """

    def __init__(
        self,
        uri: str,
        columns: Sequence[Column],
        dialect: Dialect | None = None,
        partitions: Partitions = NO_PARTITIONS,
    ) -> None:
        self.uri = uri
        self._columns = columns
        self._dialect = dialect or Dialect()
        self._partitions = partitions

    def take(self, shard: Shard) -> State | None:
        """Returns the saved state of exactly this shard, or None; a damaged one is none."""
        if not _is_pinned(shard):
            return None
        uri = self.name(shard)
        try:
            head, _, content = store.at(uri).read(uri).partition(b"\n")
            profile = Profile.from_bytes(content, self._columns, head)
            extent = json.loads(head)
            return State(profile, extent["begin"], extent["end"], tuple(extent["unterminated"]))
        except (UsageError, ValueError, KeyError, TypeError):
            # S3 answers "denied" for what is absent to those who may not list.
            return None

    def save(self, shard: Shard, state: State) -> None:
        """Saves the state of a finished shard, unless nobody could tell whether it is of the same bytes."""
        if not _is_pinned(shard):
            return
        extent = {
            "shard": str(shard),
            "begin": state.begin,
            "end": state.end,
            "unterminated": state.unterminated,
        }
        head = json.dumps(extent).encode()
        store.write(self.name(shard), head + b"\n" + state.profile.to_bytes(head))

    def name(self, shard: Shard) -> str:
        """Returns where a state lies: of other bytes, columns, folders, dialect or engine it is elsewhere."""
        columns = [astuple(column) for column in self._columns]
        # Columns alone do not tell whether one came from the file, the folder, or both and was checked.
        folders = [self._partitions.said_of(cut.target) for cut in shard.cuts]
        what = [ENGINE_VERSION, astuple(shard), columns, folders, astuple(self._dialect)]
        return store.child(self.uri, hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32] + SUFFIX)


def _is_pinned(shard: Shard) -> bool:
    return all(cut.target.is_pinned for cut in shard.cuts)
