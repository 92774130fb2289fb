"""Arrow's types and ours: what kind each is, and arrays turned into the few types that are profiled.

Booleans are 0 and 1. uint64 and decimals are floats, the nearest to each value: a float does not wrap, and
the type of a column must not depend on its values. Dates, times and durations are text in ISO 8601, with a
zone in UTC. A map is a list of structs of key and value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from validator.formats.columnar import moments
from validator.formats.header import Header
from validator.profile import Column, Kind

DEPTH: Final = 32
"""Levels of lists and structs that are followed."""
MANY_WORDS: Final = 1 << 16
"""A dictionary of more may have most words for other rows."""
SHORT_BYTES: Final = 64
"""The longest word that may then be unpacked, which is faster."""

_KINDS: Final[Mapping[Callable[[Any], bool], Kind]] = {
    # Beyond int64: a float does not wrap.
    types.is_uint64: Kind.FLOAT,
    types.is_integer: Kind.INT,
    types.is_boolean: Kind.INT,
    types.is_floating: Kind.FLOAT,
    types.is_decimal: Kind.FLOAT,
    types.is_string: Kind.BYTES,
    types.is_large_string: Kind.BYTES,
    types.is_string_view: Kind.BYTES,
    types.is_binary: Kind.BYTES,
    types.is_large_binary: Kind.BYTES,
    types.is_binary_view: Kind.BYTES,
    types.is_fixed_size_binary: Kind.BYTES,
    types.is_date: Kind.BYTES,
    types.is_time: Kind.BYTES,
    types.is_timestamp: Kind.BYTES,
    types.is_duration: Kind.BYTES,
}
_TARGETS: Final = {Kind.INT: pa.int64(), Kind.FLOAT: pa.float64(), Kind.BYTES: pa.string()}
_PROFILED: Final = (pa.int64(), pa.float64(), pa.string(), pa.large_string(), pa.binary(), pa.large_binary())
_LISTS: Final = (
    types.is_list,
    types.is_large_list,
    types.is_fixed_size_list,
    types.is_list_view,
    types.is_large_list_view,
)


class Unread(ValueError):  # noqa: N818 - pyarrow's own are ValueErrors too
    """A name or a type that is not read.

    Args:
        why: Which.
        remedy: What to do about it.
    """

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.remedy = remedy


def header(schema: Any) -> Header:
    """Declares the columns of a pyarrow.Schema.

    Raises:
        Unread: A name lacks or repeats, or a type is none of ours.
    """
    _demand_names(schema.names, "its schema", "column")
    columns = [column(field.name, field.type) for field in schema]
    empty = frozenset(found.name for found in columns if found.is_guessed and not found.depth)
    return Header(columns, {field.name: str(field.type) for field in schema}, empty)


def column(name: str, kind: Any, depth: int = 0) -> Column:
    """Declares what a pyarrow.DataType holds.

    Raises:
        Unread: It, or something in it, is none of ours.
    """
    if depth > DEPTH:
        raise Unread(f"column {name!r} is nested deeper than {DEPTH} levels", "flatten it")
    bare = _bare(kind)
    if _is_list(bare):
        return _listed(column(name, bare.value_type, depth + 1))
    if types.is_map(bare):
        return _listed(column(name, _entries(bare), depth + 1))
    if types.is_struct(bare):
        _demand_names([field.name for field in bare], f"column {name!r}", "field")
        fields = tuple(column(field.name, field.type, depth + 1) for field in bare)
        return Column(name, Kind.STRUCT, fields=fields)
    if types.is_null(bare):
        # Every other kind wins against it.
        return Column(name, Kind.INT, is_guessed=True)
    return Column(name, _kind(name, bare))


def _listed(values: Column) -> Column:
    return replace(values, depth=values.depth + 1)


def conformed(batch: Any, columns: Sequence[Column]) -> Any:
    """Returns a batch of the types that are profiled.

    Args:
        batch: A pyarrow.RecordBatch of the columns, in this order.
        columns: What they were declared to hold.

    Raises:
        pyarrow.ArrowException: A value is none of its type.
    """
    arrays = [typed(array, declared) for array, declared in zip(batch.columns, columns, strict=True)]
    return pa.record_batch(arrays, names=[declared.name for declared in columns])


def typed(array: Any, declared: Column) -> Any:
    """Returns an array of one of the types that are profiled."""
    array = _bared(array)
    kind = array.type
    if kind in _PROFILED or types.is_dictionary(kind):
        return array
    if types.is_null(kind):
        # A part of the dataset may have no value where others have lists or structs.
        return pa.nulls(len(array), _target(declared))
    if types.is_map(kind):
        array = array.cast(pa.list_(_entries(kind)))
    if _is_list(array.type):
        return _lists(array, declared)
    return _struct(array, declared) if types.is_struct(kind) else _leaf(array, declared.kind)


def _bare(kind: Any) -> Any:
    """Returns the type of the values, whatever they are packed in."""
    while True:
        if isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
        elif types.is_dictionary(kind) or types.is_run_end_encoded(kind):
            kind = kind.value_type
        else:
            return kind


def _bared(array: Any) -> Any:
    """Unpacks an array; texts stay in their dictionary."""
    while True:
        if isinstance(array.type, pa.UuidType):
            return _uuids(array.storage)
        if isinstance(array.type, pa.BaseExtensionType):
            array = array.storage
        elif types.is_run_end_encoded(array.type):
            array = _texts_of_runs(array) if stays_packed(array.type.value_type) else pc.run_end_decode(array)
        elif types.is_dictionary(array.type):
            _demand_entries(array)
            if stays_packed(array.type.value_type):
                return _texts(array)
            array = array.dictionary_decode()
        else:
            return array


def stays_packed(kind: Any) -> bool:
    """Says whether words or runs of a type are texts: a long one is not repeated for each row."""
    return kind in _PROFILED[2:] or types.is_fixed_size_binary(kind)


def _texts_of_runs(runs: Any) -> Any:
    """Returns the dictionary of runs of texts."""
    first, count = runs.find_physical_offset(), runs.find_physical_length()
    ends = np.minimum(runs.run_ends.to_numpy()[first : first + count] - runs.offset, len(runs))
    places = np.repeat(np.arange(count), np.diff(ends, prepend=0))
    return pa.DictionaryArray.from_arrays(pa.array(places), runs.values.slice(first, count))


def _texts(array: Any) -> Any:
    """Returns a dictionary of texts with each word once."""
    words, indices = array.dictionary, array.indices
    if types.is_fixed_size_binary(words.type):
        words = words.cast(pa.binary())
    if len(words) > max(2 * len(array), MANY_WORDS):
        if (pc.max(pc.binary_length(words)).as_py() or 0) <= SHORT_BYTES:
            return words.take(indices)
        used = indices.dictionary_encode()
        words, indices = words.take(used.dictionary), used.indices
    if not _is_sound(words):
        distinct = words.dictionary_encode()
        words, indices = distinct.dictionary, distinct.indices.take(indices)
    return pa.DictionaryArray.from_arrays(indices.cast(pa.int32()), words, safe=False)


def _demand_entries(array: Any) -> None:
    """Looks at the indices: Parquet's reader takes them as they come."""
    least, most = pc.min_max(array.indices).values()
    if most.is_valid and not 0 <= least.as_py() <= most.as_py() < len(array.dictionary):
        raise ValueError(f"it has {len(array.dictionary)} words, and none at index {most.as_py()}")


def _is_sound(words: Any) -> bool:
    """Says whether each index stands for one value of its own; Arrow lets null and equal ones stand there."""
    return not words.null_count and len(pc.unique(words)) == len(words)


def _leaf(array: Any, kind: Kind) -> Any:
    if types.is_temporal(array.type):
        return moments.texts(array)
    if types.is_decimal(array.type):
        return _nearest(array)
    if types.is_fixed_size_binary(array.type) or types.is_binary_view(array.type):
        return array.cast(pa.binary())
    return array.cast(_TARGETS[kind], safe=kind is not Kind.FLOAT)


def _lists(lists: Any, declared: Column) -> Any:
    values = typed(lists.flatten(), replace(declared, depth=declared.depth - 1))
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]), pa.int64())
    mask = lists.is_null() if lists.null_count else None
    return pa.LargeListArray.from_arrays(offsets, values, mask=mask)


def _struct(array: Any, declared: Column) -> Any:
    if not declared.fields:
        return array
    # Fields of a struct that is missing are missing too.
    fields = [typed(*pair) for pair in zip(array.flatten(), declared.fields, strict=True)]
    names = [field.name for field in declared.fields]
    return pa.StructArray.from_arrays(fields, names=names, mask=array.is_null() if array.null_count else None)


def _target(declared: Column) -> Any:
    """Returns the type a column is given where nothing tells it."""
    fields = [(field.name, _target(field)) for field in declared.fields]
    value = pa.struct(fields) if declared.kind is Kind.STRUCT else _TARGETS[declared.kind]
    for _ in range(declared.depth):
        value = pa.large_list(value)
    return value


def _nearest(decimals: Any) -> Any:
    """Returns the nearest float of each decimal; Arrow's own cast misses it for a tenth of all prices.

    A quotient of two integers that floats hold exactly is rounded once, and so right; others go through text.
    """
    scale, width = decimals.type.scale, decimals.type.byte_width
    words = _content(decimals).view("<i4" if width == 4 else "<i8")
    unscaled = words[:, 0].astype(np.int64)
    is_narrow = (words[:, 1:] == (unscaled >> 63)[:, None]).all() and (np.abs(unscaled) <= 1 << 53).all()
    if not (is_narrow and 0 <= scale <= 22):
        return decimals.cast(pa.string()).cast(pa.float64())
    mask = decimals.is_null().to_numpy(zero_copy_only=False) if decimals.null_count else None
    return pa.array(unscaled / 10.0**scale, mask=mask)


_HEXADECIMAL: Final = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), np.uint8).reshape(256, 2)
_UUID_LETTERS: Final = [place for place in range(36) if place not in (8, 13, 18, 23)]


def _uuids(storage: Any) -> Any:
    """Returns 16 bytes as RFC 9562 writes them: 8-4-4-4-12 hexadecimal digits."""
    content = _content(storage)
    letters = np.full((len(content), 36), ord("-"), np.uint8)
    letters[:, _UUID_LETTERS] = _HEXADECIMAL[content].reshape(-1, 32)
    buffers = [None, pa.py_buffer(letters)]
    texts = pa.Array.from_buffers(pa.binary(36), len(content), buffers).cast(pa.binary()).cast(pa.string())
    return pc.if_else(storage.is_valid(), texts, None) if storage.null_count else texts


def _content(array: Any) -> Any:
    """Returns the bytes of values of a fixed width, a row each, those of nulls among them."""
    width = array.type.byte_width
    buffer = array.buffers()[1] or b""
    content = np.frombuffer(buffer, np.uint8, count=(array.offset + len(array)) * width)
    return content.reshape(-1, width)[array.offset :]


def _kind(name: str, bare: Any) -> Kind:
    for is_of, kind in _KINDS.items():
        if is_of(bare):
            return kind
    raise Unread(f"column {name!r} is {bare}, which is not read", "leave it out, or give it another type")


def _entries(kind: Any) -> Any:
    return pa.struct([("key", kind.key_type), ("value", kind.item_type)])


def _is_list(kind: Any) -> bool:
    return any(is_of(kind) for is_of in _LISTS)


def _demand_names(names: Iterable[str], where: str, what: str) -> None:
    for number, (name, times) in enumerate(Counter(names).items(), start=1):
        if not name:
            raise Unread(f"{what} {number} of {where} has no name", "give it one")
        if times > 1:
            raise Unread(f"{where} has {times} {what}s named {name!r}", "give each a name of its own")
