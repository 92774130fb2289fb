"""How many bytes rows have unpacked: a word of a dictionary, a run and what views share are stored only once.

Nothing is unpacked for it. Sizes are floats: sums of what a file claims could be beyond int64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import types

from validator.formats.columnar import typed

_NUMBER_BYTES: Final = 8
"""Of an int64 or a float64, and of the offset of a text or list."""
_INDEX_BYTES: Final = 4
_MOMENT_BYTES: Final = 40
"""Of the text of a date, a time or a UUID, and its index."""
_MOST_BYTES: Final = 2.0**40
"""Taken for whatever is greater, so that sums with it stay exact to a few bytes."""
_TEXTS: Final[tuple[Any, ...]] = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())
_BLOCK: Final = 1 << 16
"""Values that are looked at together where their sizes differ."""


def can_grow(array: Any) -> bool:
    """Says whether a column may be much greater unpacked; one of numbers or texts is not."""
    kind = array.type
    if types.is_dictionary(kind):
        return _are_many(array) or not typed.stays_packed(kind.value_type)
    if types.is_run_end_encoded(kind):
        return not typed.stays_packed(kind.value_type)
    return types.is_nested(kind) or _is_view(kind) or isinstance(kind, pa.BaseExtensionType)


def rising(arrays: Sequence[Any], places: Any) -> Any:
    """Returns how many bytes some arrays have together before each of some places, which rise."""
    return sum((_before(array, places) for array in arrays), np.zeros(len(places)))


def _before(array: Any, places: Any) -> Any:
    """Returns how many bytes an array, which is valid, has unpacked before each of some places."""
    kind = array.type
    if not len(array):
        return np.zeros(len(places))
    if types.is_dictionary(kind) and typed.stays_packed(kind.value_type) and _are_many(array):
        return places * float(typed.SHORT_BYTES + _NUMBER_BYTES)
    if (width := _width(kind)) is not None:
        return places * float(width)
    for is_of, before in _BEFORE.items():
        if is_of(kind):
            return before(array, places)
    raise typed.Unread(f"{kind} is not read", "leave it out, or give it another type")


def _width(kind: Any) -> int | None:
    """Returns the bytes of each value of a type; None where they differ."""
    if isinstance(kind, pa.UuidType) or types.is_temporal(kind):
        return _MOMENT_BYTES
    if types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        return _INDEX_BYTES if typed.stays_packed(kind.value_type) else _width(kind.value_type)
    if types.is_fixed_size_binary(kind):
        return int(kind.byte_width) + _NUMBER_BYTES
    if types.is_decimal(kind):
        return int(kind.byte_width)
    return _NUMBER_BYTES if types.is_primitive(kind) or types.is_null(kind) else None


def _of_extension(array: Any, places: Any) -> Any:
    return _before(array.storage, places)


def _of_texts(array: Any, places: Any) -> Any:
    width = "<i8" if types.is_large_string(array.type) or types.is_large_binary(array.type) else "<i4"
    offsets = np.frombuffer(array.buffers()[1], width)[array.offset + places]
    return offsets - float(offsets[0]) + places * float(_NUMBER_BYTES)


def _of_struct(array: Any, places: Any) -> Any:
    return rising([array.field(number) for number in range(array.type.num_fields)], places) + places


def _of_lists(array: Any, places: Any) -> Any:
    return _within([array.values], array.offsets.to_numpy()[places]) + places * float(_NUMBER_BYTES)


def _of_maps(array: Any, places: Any) -> Any:
    found = _within([array.keys, array.items], array.offsets.to_numpy()[places])
    return found + places * float(_NUMBER_BYTES)


def _of_equal_lists(array: Any, places: Any) -> Any:
    found = _within([array.values], (array.offset + places) * array.type.list_size)
    return found + places * float(_NUMBER_BYTES)


def _within(arrays: Sequence[Any], places: Any) -> Any:
    """Returns the bytes from the first place on; only what is between the places is looked at."""
    first, last = int(places[0]), int(places[-1])
    return rising([array.slice(first, last - first) for array in arrays], places - first)


def _of_list_views(array: Any, places: Any) -> Any:
    def sizes(block: Any) -> Any:
        lengths = np.where(block.is_valid(), block.sizes, 0).astype(np.int64)
        starts = np.where(lengths, block.offsets, 0).astype(np.int64)
        # Views may lie in any order, and on each other.
        bounds, place = np.unique([starts, starts + lengths], return_inverse=True)
        found = _within([block.values], bounds)[place.reshape(2, -1)]
        return found[1] - found[0] + _NUMBER_BYTES

    return _summed(array, places, sizes)


def _of_views(array: Any, places: Any) -> Any:
    def sizes(block: Any) -> Any:
        # A view begins with its length; under a null it may be any.
        lengths = np.frombuffer(block.buffers()[1], "<i4").reshape(-1, 4)[block.offset :][: len(block), 0]
        return np.where(block.is_valid(), lengths, 0) + _NUMBER_BYTES

    return _summed(array, places, sizes)


def _of_dictionary(array: Any, places: Any) -> Any:
    words = np.append(_each(array.dictionary), 0)
    # Behind the last word is what a null is given.
    return _summed(array.indices, places, lambda block: words[block.cast(pa.int64()).fill_null(-1)])


def _of_runs(array: Any, places: Any) -> Any:
    first, count = array.find_physical_offset(), array.find_physical_length()
    ends = np.minimum(array.run_ends.to_numpy()[first : first + count] - array.offset, len(array))
    begins = np.append(0, ends[:-1])
    each = _each(array.values.slice(first, count))
    before = np.append(0, np.cumsum(each * (ends - begins)))
    run = np.minimum(np.searchsorted(ends, places, "right"), count - 1)
    return before[run] + (places - begins[run]) * each[run]


def _each(array: Any) -> Any:
    return np.minimum(np.diff(_before(array, np.arange(len(array) + 1))), _MOST_BYTES)


def _summed(array: Any, places: Any, sizes: Callable[[Any], Any]) -> Any:
    """Sums the sizes of values block by block: all at once they could be many times what is stored."""
    found, total = np.zeros(len(places)), 0.0
    for start in range(0, len(array), _BLOCK):
        block = np.append(0.0, np.cumsum(np.minimum(sizes(array.slice(start, _BLOCK)), _MOST_BYTES)))
        begin, end = np.searchsorted(places, [start, start + len(block)])
        found[begin:end] = total + block[places[begin:end] - start]
        total += float(block[-1])
    return found


def _are_many(array: Any) -> bool:
    return len(array.dictionary) > typed.MANY_WORDS


def _is_view(kind: Any) -> bool:
    return bool(types.is_string_view(kind) or types.is_binary_view(kind))


def _is_text(kind: Any) -> bool:
    return any(kind == text for text in _TEXTS)


_BEFORE: Final[dict[Callable[[Any], bool], Callable[[Any, Any], Any]]] = {
    lambda kind: isinstance(kind, pa.BaseExtensionType): _of_extension,
    _is_text: _of_texts,
    _is_view: _of_views,
    types.is_struct: _of_struct,
    types.is_map: _of_maps,
    types.is_list: _of_lists,
    types.is_large_list: _of_lists,
    types.is_fixed_size_list: _of_equal_lists,
    types.is_list_view: _of_list_views,
    types.is_large_list_view: _of_list_views,
    types.is_dictionary: _of_dictionary,
    types.is_run_end_encoded: _of_runs,
}
