"""Saved surveys: what the values of a shard are, for others who read with the same columns.

Beside the states, under names that only equal work has. A file is a line with the CRC-32C, in hexadecimal, of
the next, which is JSON. A mark, one for the dataset, says that surveys are wanted: somebody met a value that
the first ones had not shown. Only proven surveys are saved: what a wrong guess shows must widen nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import google_crc32c

from validator import store
from validator.contract import Environment
from validator.cuts import Shard
from validator.dataset import Dataset
from validator.errors import AbsentError
from validator.formats import Delimited, Seen
from validator.formats.shape import MAX_DEPTH, MAX_KEYS
from validator.profile import Kind
from validator.settings import blamed
from validator.states import Names, is_pinned
from validator.survey import FIRST_TEXT, Path, Stretch, Survey

SUFFIX: Final = ".survey"
MARK_SUFFIX: Final = ".misfit"

_UNREADABLE: Final = (AbsentError, ValueError, KeyError, TypeError, RecursionError)
_LARGEST: Final = 1 << 62


class Surveys:
    """Saved surveys of shards.

    Args:
        uri: Folder or prefix they lie below.
        dataset: With the columns that the first values showed.
    """

    def __init__(self, uri: str, dataset: Dataset) -> None:
        self._dataset = dataset
        self._names = Names(uri, dataset)
        self._mark = self._names.of_all(dataset.shards, MARK_SUFFIX)

    def are_wanted(self) -> bool:
        """Says whether somebody met a value that does not fit."""
        try:
            # The first look at the states that every run takes.
            with blamed(Environment.STATES_URI):
                store.at(self._mark).read(self._mark)
        except AbsentError:
            return False
        return True

    def want(self) -> None:
        """Tells everybody that the first values did not show the types of all."""
        store.write(self._mark, b"")

    def take(self, shard: Shard) -> Survey | None:
        """Returns the saved survey of exactly this shard, or None; one that is no survey is none."""
        if not is_pinned(shard):
            return None
        uri = self.name(shard)
        try:
            checksum, _, line = store.at(uri).read(uri).partition(b"\n")
            if checksum != _checksum(line):
                return None
            document = json.loads(line)
            # A copy under the name of another shard is sound, and of other values.
            if document["key"] != self._names.key(shard):
                return None
            return _survey(document, shard, self._known(shard))
        except _UNREADABLE:
            return None

    def save(self, shard: Shard, survey: Survey) -> None:
        """Saves a survey, unless nobody could tell whether it is of the same bytes."""
        if is_pinned(shard):
            line = json.dumps({"key": self._names.key(shard), **_document(shard, survey)}).encode()
            store.write(self.name(shard), _checksum(line) + b"\n" + line)

    def name(self, shard: Shard) -> str:
        """Returns where a survey lies."""
        return self._names.of(shard, SUFFIX)

    def _known(self, shard: Shard) -> Collection[str] | None:
        """Returns the columns there can be; None where rows name them themselves."""
        if isinstance(self._dataset.format_of(shard.cuts[0].target), Delimited):
            return frozenset(column.name for column in self._dataset.columns)
        return None


def _checksum(line: bytes) -> bytes:
    return b"%08x" % google_crc32c.value(line)


def _document(shard: Shard, survey: Survey) -> Mapping[str, Any]:
    return {
        "shard": str(shard),
        "begin": survey.begin,
        "end": survey.end,
        "stretches": [
            {"rows": stretch.rows, "seen": [_row(path, seen) for path, seen in stretch.seen.items()]}
            for stretch in survey.stretches
        ],
    }


def _row(path: Path, seen: Seen) -> Sequence[Any]:
    return [path, seen.kind, seen.numbers, seen.texts, seen.first_text, seen.first_row, seen.depth]


def _survey(document: Mapping[str, Any], shard: Shard, known: Collection[str] | None) -> Survey:
    """Reads what `_document` returned, believing nothing of it.

    Raises:
        ValueError, KeyError or TypeError: It is laid out otherwise, or says what no survey says.
    """
    stretches = tuple(map(_stretch, document["stretches"]))
    _demand(len(stretches) == len(shard.cuts))
    for stretch in stretches:
        if known is None:
            _demand(len(stretch.seen) <= MAX_KEYS)
        else:
            _demand(all(len(path) == 1 and path[0] in known for path in stretch.seen))
    return Survey(_whole(document["begin"]), _whole(document["end"]), stretches)


def _stretch(document: Mapping[str, Any]) -> Stretch:
    rows = _whole(document["rows"])
    found = [_seen(row, rows) for row in document["seen"]]
    seen = dict(found)
    _demand(len(seen) == len(found))
    for path in seen:
        # What has fields is a struct.
        _demand(len(path) == 1 or seen[path[:-1]].kind is Kind.STRUCT)
    return Stretch(rows, seen)


def _seen(row: Sequence[Any], rows: int) -> tuple[Path, Seen]:
    path, kind, numbers, texts, first_text, first_row, depth = row
    _demand(isinstance(path, list) and 0 < len(path) <= MAX_DEPTH + 1)
    for text in (*path, first_text):
        # Half a surrogate pair is no text, and nothing that is read has one: encoding it is a ValueError.
        _demand(isinstance(text, str) and text.encode() is not None)
    _demand(len(first_text) <= FIRST_TEXT)
    seen = Seen(
        kind=None if kind is None else Kind(kind),
        numbers=_whole(numbers),
        texts=_whole(texts),
        first_text=first_text,
        first_row=_whole(first_row),
        depth=_whole(depth),
    )
    _demand(seen.depth <= MAX_DEPTH and seen.first_row < max(rows, 1))
    return tuple(path), seen


def _whole(value: object) -> int:
    if not (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST):
        raise ValueError(f"{value!r:.80} is no count")
    return value


def _demand(is_so: bool) -> None:
    if not is_so:
        raise ValueError("not what a survey says")
