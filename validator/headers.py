"""Saved columns: what the headers of all objects showed, for others who share the work.

Beside the states, under a name that only equal objects, types and dialects have. A file is a line with the
CRC-32C, in hexadecimal, of the next, which is JSON. Of many objects the headers are as much to read as a
child's own part.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any, Final

import google_crc32c

from validator import store
from validator.contract import Environment
from validator.errors import AbsentError
from validator.formats import Dialect
from validator.profile import ENGINE_VERSION, Column, Kind
from validator.settings import blamed
from validator.store import Object

SUFFIX: Final = ".columns"


class Headers:
    """What the headers of a dataset's objects show.

    Args:
        uri: Folder or prefix it is saved below.
        objects: Of the dataset.
        declared: Kinds a schema asks for, by column.
        dialect: How its delimited texts are written.
    """

    def __init__(
        self, uri: str, objects: Sequence[Object], declared: Mapping[str, Kind], dialect: Dialect
    ) -> None:
        of = [ENGINE_VERSION, list(map(astuple, objects)), sorted(declared.items()), astuple(dialect)]
        self._key = hashlib.sha256(json.dumps(of).encode()).hexdigest()[:32]
        self._uri = store.child(uri, self._key + SUFFIX)
        self._is_pinned = all(target.is_pinned for target in objects)

    def take(self) -> Sequence[Column] | None:
        """Returns the columns somebody found, or None; damaged ones are none.

        Raises:
            UsageError: Nothing could ever be saved there.
        """
        if not self._is_pinned:
            return None
        try:
            # A child's first look at the states.
            with blamed(Environment.STATES_URI):
                checksum, _, line = store.at(self._uri).read(self._uri).partition(b"\n")
            saved = json.loads(line)
            # A copy under the name of other objects is sound, and of other columns.
            if checksum != _checksum(line) or saved["key"] != self._key:
                return None
            return _columns(saved["columns"])
        except (AbsentError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def save(self, columns: Sequence[Column]) -> None:
        """Saves the columns, unless nobody could tell whether they are of the same bytes."""
        if self._is_pinned:
            line = json.dumps({"key": self._key, "columns": list(map(astuple, columns))}).encode()
            store.write(self._uri, _checksum(line) + b"\n" + line)


def _checksum(line: bytes) -> bytes:
    return b"%08x" % google_crc32c.value(line)


def _columns(rows: Sequence[Sequence[Any]]) -> tuple[Column, ...]:
    return tuple(
        Column(str(name), Kind(kind), int(depth), _columns(fields), bool(is_guessed))
        for name, kind, depth, fields, is_guessed in rows
    )
