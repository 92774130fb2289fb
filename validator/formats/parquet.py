"""Apache Parquet, a row group after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pyarrow as pa
from pyarrow import parquet, types

from validator.cuts import Cut, Extent, Weight
from validator.errors import DataError
from validator.formats.header import Header, Reading, Seen
from validator.formats.stream import native
from validator.profile import Column, Kind
from validator.store import Object

BATCH_ROWS: Final = 100_000
BATCH_BYTES: Final = 64 << 20
"""Decoded size a batch is held below where rows are wide."""

_KINDS: Final[Mapping[Callable[[Any], bool], Kind]] = {
    # Beyond int64: a float does not wrap.
    types.is_uint64: Kind.FLOAT,
    types.is_integer: Kind.INT,
    types.is_boolean: Kind.INT,
    types.is_floating: Kind.FLOAT,
    types.is_decimal: Kind.FLOAT,
    types.is_string: Kind.BYTES,
    types.is_large_string: Kind.BYTES,
    types.is_binary: Kind.BYTES,
    types.is_large_binary: Kind.BYTES,
    types.is_fixed_size_binary: Kind.BYTES,
    types.is_temporal: Kind.BYTES,
    types.is_null: Kind.BYTES,
}
_BINARY: Final = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary)
_TARGETS: Final = {Kind.INT: pa.int64(), Kind.FLOAT: pa.float64(), Kind.BYTES: pa.large_string()}


class Parquet:
    """Reads Parquet; dates and times are text in ISO 8601, booleans are 0 and 1."""

    def header(self, target: Object) -> Header:
        """Reads the schema of the footer."""
        with _explained(target, "footer"):
            schema = parquet.ParquetFile(native(target)).schema_arrow
        _demand_names(schema.names, target)
        columns = [Column(field.name, _kind(field, target), _is_list(field.type)) for field in schema]
        return Header(columns, {field.name: str(field.type) for field in schema})

    @property
    def weight(self) -> Weight:
        """A whole object."""
        return Weight(16 << 20, is_cuttable=False)

    def survey(self, cut: Cut) -> Iterator[Sequence[Seen]]:
        """Yields the declared kinds: Parquet knows them."""
        yield [Seen(column.kind) for column in self.header(cut.target).columns]

    def read(self, cut: Cut, columns: Sequence[Column]) -> Reading:
        """Reads the rows of a cut, typed as the columns say."""
        return Reading(self._batches(cut.target, columns), Extent(cut.start, cut.stop))

    def _batches(self, target: Object, columns: Sequence[Column]) -> Iterator[Any]:
        with _explained(target, "footer"):
            file = parquet.ParquetFile(
                native(target), read_dictionary=_texts(columns), page_checksum_verification=True
            )
        for group in range(file.num_row_groups):
            with _explained(target, f"row group {group}"):
                size = _batch_rows(file.metadata.row_group(group))
                for batch in file.iter_batches(size, row_groups=[group], use_threads=False):
                    yield _conformed(batch, columns)


def _kind(field: Any, target: Object) -> Kind:
    value = _value_type(field.type)
    for is_of, kind in _KINDS.items():
        if is_of(value):
            return kind
    raise DataError(
        f"cannot read {target.uri}",
        why=f"column {field.name!r} is {field.type}, only numbers, texts, times and lists of them are read",
        remedy="leave the column out, or flatten it",
    )


def _value_type(kind: Any) -> Any:
    value = kind.value_type if _is_list(kind) else kind
    return value.value_type if types.is_dictionary(value) else value


def _is_list(kind: Any) -> bool:
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _texts(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns if column.kind is Kind.BYTES and not column.is_list]


def _batch_rows(group: Any) -> int:
    width = max(1, group.total_byte_size // max(1, group.num_rows))
    return int(min(BATCH_ROWS, max(1, BATCH_BYTES // width)))


def _conformed(batch: Any, columns: Sequence[Column]) -> Any:
    arrays = [_typed(array, column) for array, column in zip(batch.columns, columns, strict=True)]
    return pa.record_batch(arrays, names=[column.name for column in columns])


def _typed(array: Any, column: Column) -> Any:
    if column.is_list:
        lists = array.cast(pa.large_list(array.type.value_type))
        return pa.LargeListArray.from_arrays(
            lists.offsets,
            _plain(lists.values, column.kind),
            mask=lists.is_null() if lists.null_count else None,
        )
    return array if _is_text_dictionary(array.type) else _plain(array, column.kind)


def _is_text_dictionary(kind: Any) -> bool:
    return bool(types.is_dictionary(kind) and not types.is_null(kind.value_type))


def _plain(array: Any, kind: Kind) -> Any:
    decoded = array.dictionary_decode() if types.is_dictionary(array.type) else array
    if any(is_of(decoded.type) for is_of in _BINARY):
        return decoded.cast(pa.large_binary())
    # A decimal or a great unsigned number becomes the nearest float, which is what is judged.
    return decoded.cast(_TARGETS[kind], safe=kind is not Kind.FLOAT)


def _demand_names(names: Sequence[str], target: Object) -> None:
    for name, times in Counter(names).items():
        if not name:
            why = f"column {names.index(name) + 1} has no name"
            raise DataError(f"cannot read {target.uri}", why=why, remedy="give it one")
        if times > 1:
            why = f"its schema has {times} columns named {name!r}"
            raise DataError(f"cannot read {target.uri}", why=why, remedy="give each a name of its own")


@contextmanager
def _explained(target: Object, place: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot read {target.uri}", why=f"{place}: {error}") from error
