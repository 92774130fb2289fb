"""TFRecord of tf.Example, plain or gzipped: every feature is a column of lists.

Columns are the features; an absent one, and one whose kind is not set, is missing, as TFX has it. Both
checksums of every record are verified.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import pyarrow as pa

from validator.cuts import Cut, Extent, Weight
from validator.errors import DataError
from validator.formats.batches import CELLS, gathered, of_columns
from validator.formats.header import Header, Misfit, Reading, Sight, Sights
from validator.formats.shape import MAX_KEYS, Form, Shape
from validator.formats.stream import unpacked
from validator.formats.tfrecord import example
from validator.formats.tfrecord.example import LISTS, NAMES, Features, NoExample
from validator.formats.tfrecord.framing import Frames, frames
from validator.formats.tfrecord.wire import UNSET, Block, Keys, Layout, Odd
from validator.formats.trouble import Trouble, Unfit
from validator.profile import Column, Kind
from validator.store import Object

PROBE_BYTES: Final = 1 << 20
"""Records whose features decide the columns first tried."""

_PROBE_BLOCK_BYTES: Final = 128 << 10
_FEW: Final = 250
"""Records decoded one by one once there is something new in them: most often all others have it too."""
_SURVEYED: Final = 1 << 14
"""Records of a batch of a survey: some megabytes may have hundreds of thousands that are empty."""
_GZIP: Final = b"\x1f\x8b"
_FORMS: Final = {Kind.BYTES: Form.TEXT, Kind.FLOAT: Form.REAL, Kind.INT: Form.INTEGER}


class TfRecord:
    """Reads TFRecord.

    Args:
        packing: What the bytes are packed with, in pyarrow's words, or None.
    """

    def __init__(self, packing: str | None = None) -> None:
        self._packing = packing

    @property
    def weight(self) -> Weight:
        """A whole object: from its middle nobody finds the next record."""
        return Weight(32 << 20, is_cuttable=False)

    def header(self, target: Object) -> Header:
        """Finds the features of the first records."""
        met = _Met()
        for part in self._frames(target, _PROBE_BLOCK_BYTES):
            with self._explained(target):
                met.look(part)
            if part.offset + len(part.content) > PROBE_BYTES:
                break
        columns = met.columns
        types = {column.name: "" if column.is_guessed else NAMES[column.kind] for column in columns}
        return Header(columns, types, is_open=True)

    def survey(self, cut: Cut) -> Sights:
        """Finds all features."""
        return Sights(self._seen(cut.target), Extent(cut.start, cut.stop))

    def read(self, cut: Cut, columns: Sequence[Column]) -> Reading:
        """Reads the records of a cut, typed as the columns say."""
        return Reading(gathered(self._tables(cut.target, tuple(columns))), Extent(cut.start, cut.stop))

    def _seen(self, target: Object) -> Iterator[Sight]:
        met = _Met()
        for part in self._frames(target):
            with self._explained(target):
                for some in _parts(part, _SURVEYED):
                    met.look(some)
                    yield Sight(len(some), list(met.shape.harvest()))

    def _tables(self, target: Object, columns: Sequence[Column]) -> Iterator[Any]:
        keys = Keys([column.name for column in columns])
        for part in self._frames(target):
            with self._explained(target):
                yield from _made(part, columns, keys)

    def _frames(self, target: Object, *block: int) -> Iterator[Frames]:
        with self._explained(target), unpacked(target, self._packing) as source:
            yield from frames(source, *block)

    @contextmanager
    def _explained(self, target: Object) -> Iterator[None]:
        what = f"cannot read {target.uri}"
        try:
            yield
        except Trouble as trouble:
            why = f"{trouble.place}: {trouble.why}"
            if isinstance(trouble.__cause__, Unfit):
                raise Misfit(what, why=why) from trouble
            raise DataError(what, why=why, remedy=self._remedy(target, trouble)) from trouble
        except (pa.ArrowException, ValueError) as error:
            raise DataError(what, why=error) from error

    def _remedy(self, target: Object, trouble: Trouble) -> str:
        if self._packing or trouble.at:
            return ""
        with unpacked(target, None) as source:
            return "it is gzip: name it .tfrecord.gz" if source.read(2) == _GZIP else ""


class _Met:
    """Features met so far."""

    def __init__(self) -> None:
        self.shape = Shape()
        self._records: dict[str, int] = {}
        """The first record of each feature that has a kind."""

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.shape.columns()

    def look(self, part: Frames) -> None:
        """Takes in the features of records."""
        columns = self.columns
        for some in _pieces(part, columns):
            if not _is_known(some, columns):
                self._look_closer(some)
        if len(self.shape.fields) > MAX_KEYS:
            raise part.trouble(0, f"there are more than {MAX_KEYS:,} features; are some of them values?")

    def _look_closer(self, part: Frames) -> None:
        for few in _parts(part, _FEW):
            if not _is_known(few, self.columns):
                for number, record in enumerate(few):
                    self._learn(few, number, _parsed(few, number, record))

    def _learn(self, part: Frames, number: int, features: Features) -> None:
        for name, (kind, _) in features.items():
            if not name:
                raise part.trouble(number, "a feature has no name")
            field = self.shape.field(name)
            field.meet_list(1)
            if kind is None:
                continue
            first = self._records.setdefault(name, part.number + number)
            if field.forms not in (Form(0), _FORMS[kind]):
                earlier = NAMES[field.forms.kind or kind]
                why = f"feature {name!r} is {NAMES[kind]} here and {earlier} in record {first + 1}"
                raise part.trouble(number, why)
            field.meet(_FORMS[kind], 1)


def _is_known(part: Frames, columns: Sequence[Column]) -> bool:
    """Says whether records have nothing but these features, of these kinds."""
    try:
        layout = _layout(part, Keys([column.name for column in columns]))
    except Odd:
        return False
    wanted = [UNSET if column.is_guessed else LISTS[column.kind] for column in columns]
    kinds = layout.kinds
    return bool(((kinds == 0) | (kinds == UNSET) | (kinds == np.array(wanted)[:, None])).all())


def _made(part: Frames, columns: Sequence[Column], keys: Keys) -> Iterator[Any]:
    """Yields records as tables of the columns."""
    for some in _pieces(part, columns):
        try:
            layout = _layout(some, keys)
            arrays = [layout.array(number, LISTS[column.kind]) for number, column in enumerate(columns)]
        except Odd:
            yield _decoded(some, columns)
        else:
            yield of_columns(arrays, [column.name for column in columns], len(some))


def _decoded(part: Frames, columns: Sequence[Column]) -> Any:
    """Returns records as a table, one after the other."""
    rows = []
    for number, record in enumerate(part):
        features = _parsed(part, number, record)
        try:
            rows.append(list(example.fitted(features, columns)))
        except Unfit as unfit:
            raise part.trouble(number, str(unfit)) from unfit
    return example.table(rows, columns)


def _parsed(part: Frames, number: int, record: bytes) -> Features:
    try:
        return example.parsed(record)
    except NoExample as error:
        raise part.trouble(number, str(error)) from error


def _layout(part: Frames, keys: Keys) -> Layout:
    return Layout.of(Block(part.content), part.starts, part.stops, keys)


def _pieces(part: Frames, columns: Sequence[Column]) -> Iterator[Frames]:
    """Cuts records so that no piece has more cells than memory is meant for."""
    return _parts(part, max(1, CELLS // max(1, len(columns))))


def _parts(part: Frames, size: int) -> Iterator[Frames]:
    """Cuts records into parts of so many."""
    for start in range(0, len(part), size):
        yield part.part(start, start + size)
