"""Arrow's types: every one is read right, or refused by name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.formats.columnar import sizes, typed
from validator.profile import Column, Kind

NAME = UUID("00112233-4455-6677-8899-aabbccddeeff")
INT, FLOAT, BYTES = Kind.INT, Kind.FLOAT, Kind.BYTES


def told(array: Any) -> tuple[Column, list[Any]]:
    """Returns what an array is declared to be, and its values; every array is also read from its middle."""
    declared = typed.column("x", array.type)
    read = typed.typed(array, declared)
    read.validate(full=True)
    if len(array) > 1:
        assert typed.typed(array[1:], declared).to_pylist() == read.to_pylist()[1:]
    batch = typed.conformed(pa.record_batch([array], names=["x"]), [declared])
    assert batch.column(0).equals(read)
    return declared, read.to_pylist()


def runs() -> Any:
    return pa.RunEndEncodedArray.from_arrays([2, 4], ["a", None])


def words(words: list[str | None], indices: list[int | None]) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.uint8()), pa.array(words))


DAY = datetime(2026, 11, 22, 1, 2, 3)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("array", "kind", "values"),
    [
        (pa.array([True, None, False]), INT, [1, None, 0]),
        (pa.array([1, None], pa.int8()), INT, [1, None]),
        (pa.array([2**32 - 1], pa.uint32()), INT, [2**32 - 1]),
        (pa.array([1, None], pa.bool8()), INT, [1, None]),
        (pa.array([1, 2**64 - 1], pa.uint64()), FLOAT, [1.0, 2.0**64]),
        (pa.array([1.5, None], pa.float16()), FLOAT, [1.5, None]),
        (pa.array([0.1], pa.float32()), FLOAT, [float(np.float32(0.1))]),
        (pa.array([Decimal("1.23"), None], pa.decimal32(5, 2)), FLOAT, [1.23, None]),
        (pa.array([Decimal("-1.23"), None], pa.decimal64(10, 2)), FLOAT, [-1.23, None]),
        (pa.array([Decimal("1.23"), Decimal(10) ** 30], pa.decimal128(38, 2)), FLOAT, [1.23, 1e30]),
        (pa.array([None, Decimal(10) ** 60], pa.decimal256(70, 2)), FLOAT, [None, 1e60]),
        (pa.array([Decimal(1200), None], pa.decimal128(4, -2)), FLOAT, [1200.0, None]),
        (pa.array([date(1, 1, 1), None], pa.date32()), BYTES, ["0001-01-01", None]),
        (pa.array([date(2026, 11, 22)], pa.date64()), BYTES, ["2026-11-22"]),
        (pa.array([3723], pa.time32("s")), BYTES, ["01:02:03"]),
        (pa.array([1], pa.time64("us")), BYTES, ["00:00:00.000001"]),
        (pa.array([DAY, None], pa.timestamp("s")), BYTES, ["2026-11-22 01:02:03", None]),
        (pa.array([DAY], pa.timestamp("ms")), BYTES, ["2026-11-22 01:02:03.000"]),
        (pa.array([DAY], pa.timestamp("us", "Europe/Berlin")), BYTES, ["2026-11-22 01:02:03.000000Z"]),
        (pa.array([timedelta(days=1), None], pa.duration("s")), BYTES, ["PT86400S", None]),
        (pa.array([-1500, 1], pa.duration("ms")), BYTES, ["-PT1.500S", "PT0.001S"]),
        (pa.array(["a", None]), BYTES, ["a", None]),
        (pa.array(["a", None], pa.large_string()), BYTES, ["a", None]),
        (pa.array(["a", None], pa.string_view()), BYTES, ["a", None]),
        (pa.array([b"\xff", None]), BYTES, [b"\xff", None]),
        (pa.array([b"\xff", None], pa.binary_view()), BYTES, [b"\xff", None]),
        (pa.array([b"\xff\0", None], pa.binary(2)), BYTES, [b"\xff\0", None]),
        (pa.array([None, NAME.bytes], pa.uuid()), BYTES, [None, str(NAME)]),
        (pa.array([], pa.uuid()), BYTES, []),
        (pa.array([], pa.decimal128(5, 2)), FLOAT, []),
        (pa.nulls(2, pa.decimal128(5, 2)), FLOAT, [None, None]),
        (runs(), BYTES, ["a", "a", None, None]),
        (words(["a", "b"], [1, None, 0]), BYTES, ["b", None, "a"]),
        (words(["a", None], [1, 0]), BYTES, [None, "a"]),
        (words(["a", "a"], [1, 0]), BYTES, ["a", "a"]),
        (pa.array([1.5, None]).dictionary_encode(), FLOAT, [1.5, None]),
        (pa.nulls(2), INT, [None, None]),
    ],
)
def test_single_values(array: Any, kind: Kind, values: list[Any]) -> None:
    declared, found = told(array)
    assert (declared.kind, declared.depth, found) == (kind, 0, values)
    assert declared.is_guessed == pa.types.is_null(array.type)


LISTS = [[1, 2], None, [], [None, 3]]


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.int8()),
        pa.large_list(pa.int64()),
        pa.list_view(pa.int64()),
        pa.large_list_view(pa.uint8()),
        pa.list_(pa.dictionary(pa.int8(), pa.int64())),
    ],
)
def test_lists(kind: Any) -> None:
    declared, found = told(pa.array(LISTS, kind))
    assert (declared, found) == (Column("x", INT, depth=1), LISTS)


def test_lists_of_a_fixed_size() -> None:
    declared, found = told(pa.array([[1, 2], None, [None, 3]], pa.list_(pa.float32(), 2)))
    assert (declared, found) == (Column("x", FLOAT, depth=1), [[1, 2], None, [None, 3]])


def test_lists_of_lists_keep_their_levels() -> None:
    values: list[Any] = [[["a"], None, ["b", None]], None, [], [[]]]
    declared, found = told(pa.array(values))
    assert (declared, found) == (Column("x", BYTES, depth=2), values)


def test_lists_of_nothing_are_guessed() -> None:
    declared, found = told(pa.array([[None], None]))
    assert (declared, found) == (Column("x", INT, depth=1, is_guessed=True), [[None], None])


def test_structs_in_lists_in_structs() -> None:
    values = [{"a": 1, "b": [{"c": True}, None]}, None, {"a": None, "b": None}]
    declared, found = told(pa.array(values))
    inner = Column("b", Kind.STRUCT, depth=1, fields=(Column("c", INT),))
    assert declared == Column("x", Kind.STRUCT, fields=(Column("a", INT), inner))
    assert found == [{"a": 1, "b": [{"c": 1}, None]}, None, {"a": None, "b": None}]


def test_fields_of_a_missing_struct_are_missing() -> None:
    hidden = pa.StructArray.from_arrays([pa.array([1, 2])], names=["a"], mask=pa.array([False, True]))
    read = typed.typed(hidden, typed.column("x", hidden.type))
    assert read.field(0).to_pylist() == [1, None]


def test_maps_are_lists_of_structs() -> None:
    declared, found = told(pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int8())))
    assert declared == Column("x", Kind.STRUCT, depth=1, fields=(Column("key", BYTES), Column("value", INT)))
    assert found == [[{"key": "k", "value": 1}], None, []]


@pytest.mark.parametrize(
    "declared",
    [
        Column("x", FLOAT),
        Column("x", BYTES, depth=2),
        Column("x", Kind.STRUCT, depth=1, fields=(Column("a", INT, depth=1),)),
    ],
)
def test_a_part_without_values_takes_the_type_of_the_others(declared: Column) -> None:
    read = typed.typed(pa.nulls(2), declared)
    assert read.to_pylist() == [None, None]
    assert not pa.types.is_null(read.type)


def nested(levels: int) -> Any:
    kind = pa.int64()
    for _ in range(levels):
        kind = pa.list_(kind)
    return kind


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (pa.dense_union([pa.field("a", pa.int64())]), "column 'x' is dense_union<a: int64=0>"),
        (pa.struct([("y", pa.sparse_union([pa.field("a", pa.int64())]))]), "column 'y' is sparse_union"),
        (pa.month_day_nano_interval(), "column 'x' is month_day_nano_interval"),
        (pa.struct([("a", pa.int64()), ("a", pa.int64())]), "column 'x' has 2 fields named 'a'"),
        (pa.struct([("", pa.int64())]), "field 1 of column 'x' has no name"),
        (nested(33), "column 'x' is nested deeper than 32 levels"),
    ],
)
def test_what_is_not_read(kind: Any, complaint: str) -> None:
    with pytest.raises(typed.Unread) as caught:
        typed.column("x", kind)
    assert complaint in str(caught.value)


def test_the_deepest_that_is_read() -> None:
    assert typed.column("x", nested(32)).depth == 32


@settings(deadline=None)
@given(
    st.lists(
        st.none()
        | st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**20), max_value=10**20)
    ),
    st.sampled_from([pa.decimal128(38, 9), pa.decimal256(70, 9), pa.decimal256(70, 30)]),
)
def test_decimals_become_the_nearest_float(decimals: list[Decimal | None], kind: Any) -> None:
    _, found = told(pa.array(decimals, kind))
    assert found == [None if decimal is None else float(decimal) for decimal in decimals]


@settings(deadline=None)
@given(st.lists(st.none() | st.datetimes(timezones=st.just(UTC)), min_size=1))
def test_moments_are_written_as_python_writes_them(moments: list[datetime | None]) -> None:
    _, found = told(pa.array(moments, pa.timestamp("us", "UTC")))
    assert found == [m and f"{m.replace(tzinfo=None).isoformat(' ', 'microseconds')}Z" for m in moments]


@settings(deadline=None)
@given(st.lists(st.none() | st.uuids()))
def test_uuids(names: list[UUID | None]) -> None:
    storage = pa.array([name and name.bytes for name in names], pa.binary(16))
    _, found = told(pa.ExtensionArray.from_storage(pa.uuid(), storage))
    assert found == [name and str(name) for name in names]


@pytest.mark.parametrize(
    ("array", "before"),
    [
        (pa.array([True, None]), [0, 8, 16]),
        (pa.nulls(2), [0, 8, 16]),
        (pa.array(["abc", None, "d"]), [0, 11, 19, 28]),
        (pa.array(["abc", None, "d"], pa.large_string()), [0, 11, 19, 28]),
        (pa.array(["abc", None, "d" * 20], pa.string_view()), [0, 11, 19, 47]),
        (pa.array([[1], None, [2, 3]]), [0, 16, 24, 48]),
        (pa.array([[1], None, [2, 3]], pa.list_view(pa.int8())), [0, 16, 24, 48]),
        (pa.array([[1, 2], None], pa.list_(pa.int8(), 2)), [0, 24, 48]),
        (pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int8())), [0, 25, 33]),
        (pa.array([{"a": 1, "b": "x"}, None]), [0, 18, 35]),
        (words(["a", None], [1, 0]), [0, 4, 8]),
        (pa.array([1.5, None]).dictionary_encode(), [0, 8, 16]),
        (
            pa.DictionaryArray.from_arrays(pa.array([1, None, 0, 1], pa.uint8()), pa.array([[1], [1, 2]])),
            [0, 24, 24, 40, 64],
        ),
        (pa.RunEndEncodedArray.from_arrays([2, 3], pa.array([[1], []])), [0, 16, 32, 40]),
        (runs(), [0, 4, 8, 12, 16]),
        (pa.array([NAME.bytes], pa.uuid()), [0, 40]),
    ],
    ids=lambda given: str(getattr(given, "type", "")),
)
def test_sizes_unpacked(array: Any, before: list[int]) -> None:
    assert sizes.rising([array], np.arange(len(array) + 1)).tolist() == before
    middle = sizes.rising([array[1:]], np.arange(len(array)))
    assert middle.tolist() == [place - before[1] for place in before[1:]]


def test_sizes_of_more_than_a_block() -> None:
    lists = pa.DictionaryArray.from_arrays(pa.array([0, 1] * 100_000, pa.int8()), pa.array([[1], [1, 2]]))
    places = np.array([0, 65_535, 65_536, 65_537, 131_072, 200_000])
    assert sizes.rising([lists], places).tolist() == [n // 2 * 40 + n % 2 * 16 for n in places]


def test_an_index_without_a_word_is_no_crash() -> None:
    broken = pa.DictionaryArray.from_arrays(pa.array([0, 9], pa.int32()), pa.array(["a"]), safe=False)
    with pytest.raises(ValueError, match="1 words, and none at index 9"):
        typed.typed(broken, Column("x", BYTES))
