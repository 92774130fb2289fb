"""What a Parquet footer says of the values of a row group, held against those that were decoded.

A flipped byte of a page without checksum and compression decodes to another value: only least, greatest and
number of nulls in the footer can contradict it. They are held to where writers are known to be right: columns
of numbers and moments in signed order, in no list and no struct. What pyarrow says is set is free of the
writers that Arrow knows to be wrong (PARQUET-251, PARQUET-686).

https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift: Statistics, ColumnOrder
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import types

_COUNTING: Final = ("parquet-cpp", "parquet-mr")
"""Writers whose numbers of nulls are right; not all are (pola-rs/polars#29321, NVIDIA/cudf#9221)."""
_PLAIN: Final = (types.is_signed_integer, types.is_float32, types.is_float64, types.is_boolean)
_MOMENTS: Final = (types.is_date32, types.is_time, types.is_timestamp, types.is_duration)
_PHYSICAL: Final = frozenset({"BOOLEAN", "INT32", "INT64", "FLOAT", "DOUBLE"})


class Contradiction(ValueError):  # noqa: N818 - pyarrow's own are ValueErrors too
    """Decoded values are not what the footer says of them.

    Args:
        name: Of the column.
        why: What contradicts what.
    """

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


@dataclass(slots=True)
class Claim:
    """What is said of a column in a row group."""

    name: str
    least: Any
    """In the stored type; None where the footer does not say."""
    greatest: Any
    nulls: int | None
    seen: int = 0
    """Nulls so far."""

    def look(self, array: Any) -> None:
        """Looks at some of the values.

        Raises:
            Contradiction: One is beyond least or greatest.
        """
        self.seen += array.null_count
        if self.least is None or not len(array):
            return
        with np.errstate(invalid="ignore"):
            beyond = self._beyond(array)
        if len(beyond):
            why = f"the value {beyond[0]} contradicts its footer, which says {self.least} to {self.greatest}"
            raise Contradiction(self.name, why)

    def _beyond(self, array: Any) -> Sequence[Any]:
        values = _stored(array)
        # False for NaN too, and for what stands where nulls are: then each value is looked at.
        if self.least <= values.min() and values.max() <= self.greatest:
            return ()
        is_beyond = (values < self.least) | (values > self.greatest)
        is_beyond &= array.is_valid().to_numpy(zero_copy_only=False)
        return values[is_beyond] if is_beyond.any() else ()

    def demand(self) -> None:
        """Takes it that all values were looked at.

        Raises:
            Contradiction: There are more nulls, or fewer.
        """
        if self.nulls is not None and self.seen != self.nulls:
            why = f"its {self.seen} nulls contradict its footer, which says {self.nulls}"
            raise Contradiction(self.name, why)


def claims(footer: Any, number: int, schema: Any) -> Sequence[Claim]:
    """Returns what a footer says of the columns of a row group that can be held to it.

    Args:
        footer: A pyarrow.parquet.FileMetaData.
        number: Of the row group.
        schema: The pyarrow.Schema that is decoded to.
    """
    return list(_claims(footer, number, schema))


def _claims(footer: Any, number: int, schema: Any) -> Iterator[Claim]:
    group = footer.row_group(number)
    is_counting = str(footer.created_by).startswith(_COUNTING)
    for leaf in range(group.num_columns):
        kind = footer.schema.column(leaf)
        # Of a column in a struct or list the path is longer than the name.
        if kind.path != kind.name or kind.max_repetition_level or kind.physical_type not in _PHYSICAL:
            continue
        if _is_held(schema.field(kind.name).type) and (said := group.column(leaf).statistics) is not None:
            nulls = said.null_count if is_counting and said.has_null_count else None
            yield Claim(kind.name, *_range(said), nulls)


def _range(said: Any) -> tuple[Any, Any]:
    # Old writers let NaN be least or greatest; it compares as False with everything.
    if said.has_min_max and said.min_raw <= said.max_raw:
        return said.min_raw, said.max_raw
    return None, None


def _is_held(kind: Any) -> bool:
    return any(is_of(kind) for is_of in (*_PLAIN, *_MOMENTS))


def _stored(array: Any) -> Any:
    """Returns values as they are stored, those of nulls among them."""
    if types.is_boolean(array.type):
        array = array.cast(pa.int8())
    width = array.type.bit_width // 8
    kind = f"f{width}" if types.is_floating(array.type) else f"i{width}"
    return np.frombuffer(array.buffers()[1], kind, count=array.offset + len(array))[array.offset :]
