from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import google_crc32c
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validator.profile import (
    Column,
    ColumnSummary,
    Kind,
    NumericSummary,
    Profile,
    Summary,
    TextSummary,
    archive,
)
from validator.profile.columns import widest
from validator.profile.counts import Counts, tally
from validator.profile.distribution import Counted, Sketched
from validator.profile.limits import Limits
from validator.profile.sketches import Frequent, Quantiles
from validator.profile.state import ENGINE_VERSION
from validator.profile.text import INVALID_UTF8, LARGE, RANKS

COLUMNS = (
    Column("i", Kind.INT),
    Column("f", Kind.FLOAT),
    Column("t", Kind.BYTES),
    Column("l", Kind.INT, depth=1),
)
TYPES = (pa.int64(), pa.float64(), pa.string(), pa.list_(pa.int64()))

Row = tuple[int | None, float | None, str | None, list[int] | None]

rows = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(width=64),
        st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        st.none() | st.lists(st.integers(-5, 5), max_size=3),
    ),
    max_size=30,
)


def batch(content: Sequence[Row]) -> Any:
    columns = list(zip(*content, strict=True)) or [()] * len(TYPES)
    arrays = [pa.array(list(c), t) for c, t in zip(columns, TYPES, strict=True)]
    return pa.record_batch(arrays, names=[column.name for column in COLUMNS])


def profiled(*parts: Sequence[Row]) -> Profile:
    profile = Profile(COLUMNS)
    for part in parts:
        profile.add(batch(part))
    return profile


def facts(summary: Summary) -> list[Any]:
    """Everything exact: what must not depend on how rows were cut."""
    return [summary.rows, *[_facts(column) for column in summary.columns]]


def _facts(column: ColumnSummary) -> Any:
    if not isinstance(column, NumericSummary):
        return column
    ends = column.distribution.counts_up_to(np.array([-10.0, 0.0, 10.0])).tolist()
    exact = (column.nan, column.negative_infinities, column.positive_infinities, column.zeros, column.finite)
    moments = (column.minimum, column.maximum, column.mean, column.deviation)
    return (column.column, column.presence, exact, moments, ends)


def only(summary: Summary) -> Any:
    (column,) = summary.columns
    return column


def of(values: Any, kind: Kind) -> Profile:
    profile = Profile([Column("c", kind)])
    profile.add(pa.record_batch([values], names=["c"]))
    return profile


class TestMerging:
    @given(rows, st.integers(0, 30), st.integers(0, 30))
    def test_cuts_and_their_order_change_no_exact_figure(self, content: list[Row], a: int, b: int) -> None:
        first, second = sorted((a, b))
        parts = [content[:first], content[first:second], content[second:]]
        shards = [profiled(part) for part in reversed(parts)]
        for shard in shards[1:]:
            shards[0].merge(shard)
        assert (
            facts(shards[0].finish()) == facts(profiled(*parts).finish()) == facts(profiled(content).finish())
        )

    @given(rows)
    def test_a_stored_state_is_the_state(self, content: list[Row]) -> None:
        profile = profiled(content)
        restored = Profile.from_bytes(profile.to_bytes(), COLUMNS)
        assert facts(restored.finish()) == facts(profile.finish())
        assert restored.to_bytes() == profile.to_bytes()

    @given(rows)
    def test_figures_are_those_of_plain_python(self, content: list[Row]) -> None:
        integers, floats, texts, lists = profiled(content).finish().columns
        numbers = [row[0] for row in content if row[0] is not None]
        finite = [row[1] for row in content if row[1] is not None and math.isfinite(row[1])]
        words = Counter(row[2] for row in content if row[2] is not None)
        if isinstance(integers, NumericSummary) and numbers:
            assert (integers.zeros, integers.finite) == (numbers.count(0), len(numbers))
            assert (integers.minimum, integers.maximum) == (float(min(numbers)), float(max(numbers)))
        if isinstance(floats, NumericSummary) and finite:
            assert (floats.minimum, floats.maximum, floats.finite) == (min(finite), max(finite), len(finite))
        assert isinstance(texts, TextSummary)
        assert dict(texts.ranked) == words
        assert texts.content == sum(len(word.encode()) * n for word, n in words.items())
        assert lists.presence.lengths == Counter(len(row[3]) for row in content if row[3] is not None)

    @pytest.mark.parametrize("shards", [2, 64])
    def test_also_beyond_the_limit_exact_figures_are_equal_to_the_last_bit(self, shards: int) -> None:
        values = np.random.default_rng(1).normal(41.88, 0.05, 200_000)
        whole = of(pa.array(values), Kind.FLOAT)
        parts = [of(pa.array(part), Kind.FLOAT) for part in np.array_split(values, shards)]
        for part in parts[1:]:
            parts[0].merge(part)
        first, second = only(whole.finish()), only(parts[0].finish())
        assert (first.mean, first.deviation) == (second.mean, second.deviation)
        assert (first.minimum, first.maximum, first.finite) == (second.minimum, second.maximum, 200_000)

    @pytest.mark.parametrize("distinct", [49_999, 50_000, 50_001])
    @pytest.mark.parametrize("shards", [1, 2, 64])
    def test_how_rows_are_cut_does_not_decide_what_is_exact(self, distinct: int, shards: int) -> None:
        values = np.random.default_rng(1).permutation(np.arange(150_000) % distinct)
        parts = [of(pa.array(part), Kind.INT) for part in np.array_split(values, shards)]
        for part in parts[1:]:
            parts[0].merge(part)
        assert (only(parts[0].finish()).rank_error is None) == (distinct <= 50_000)


class TestNumbers:
    def test_moments_of_great_numbers_close_together_do_not_cancel(self) -> None:
        profile = of(pa.array([1e9 + 1, 1e9 + 2, 1e9 + 3]), Kind.FLOAT)
        assert only(profile.finish()).deviation == math.sqrt(2 / 3)

    def test_the_mean_of_the_greatest_floats_is_no_infinity(self) -> None:
        assert only(of(pa.array([1.7e308, 1.7e308]), Kind.FLOAT).finish()).mean == 1.7e308

    def test_great_numbers_that_are_equal_have_no_deviation(self) -> None:
        column = only(of(pa.array([1e200, 1e200]), Kind.FLOAT).finish())
        assert (column.mean, column.deviation) == (1e200, 0.0)

    def test_infinities_and_nan_are_counted_beyond_the_limit_too(self) -> None:
        values = np.concatenate([np.arange(60_000.0), [np.nan, np.inf, -np.inf, np.inf, -0.0, 59_999.0 / 2]])
        column = only(of(pa.array(values), Kind.FLOAT).finish())
        assert (column.nan, column.positive_infinities, column.negative_infinities) == (1, 2, 1)
        assert (column.finite, column.zeros, column.maximum) == (60_002, 2, 59_999.0)
        assert column.mean == sum(range(60_000), 29_999.5) / 60_002

    def test_whole_numbers_do_not_wrap(self) -> None:
        column = only(of(pa.array([2**63 - 1, -(2**63)]), Kind.INT).finish())
        assert (column.minimum, column.maximum) == (-(2.0**63), 2.0**63)

    def test_both_zeros_are_one_value(self) -> None:
        column = only(of(pa.array([0.0, -0.0]), Kind.FLOAT).finish())
        assert (column.zeros, column.distribution.counts_up_to(np.array([0.0])).tolist()) == (2, [2.0])

    def test_beyond_the_limit_ranks_are_sketched_within_the_bound(self) -> None:
        values = np.random.default_rng(1).permutation(200_000)
        profile = Profile([Column("c", Kind.INT)])
        for part in np.split(values, 4):
            profile.add(pa.record_batch([pa.array(part)], names=["c"]))
        column = only(profile.finish())
        assert column.rank_error == pytest.approx(0.0014, rel=0.1)
        assert (column.minimum, column.maximum, column.mean) == (0.0, 199_999.0, 99_999.5)
        assert column.distribution.values_at(np.array([0, 100_000, 199_999])) == pytest.approx(
            [0, 100_000, 199_999], abs=400
        )

    @pytest.mark.parametrize("swapped", [False, True])
    def test_exact_and_sketched_states_merge(self, swapped: bool) -> None:
        few = of(pa.array([5.0] * 100_000), Kind.FLOAT)
        many = of(pa.array(np.arange(100_000.0)), Kind.FLOAT)
        first, second = (many, few) if swapped else (few, many)
        first.merge(second)
        column = only(first.finish())
        assert column.distribution.counts_up_to(np.array([4.0, 5.0])) == pytest.approx([5, 100_006], abs=400)


class TestTexts:
    def test_bytes_that_are_no_text_are_counted_and_have_a_stand_in(self) -> None:
        column = only(of(pa.array([b"\xff", b"\xff", b"a\0b", "ä".encode()]), Kind.BYTES).finish())
        assert (column.invalid_utf8, column.with_nul, column.distinct) == (2, 1, 3)
        assert column.ranked[0] == (INVALID_UTF8, 2)

    def test_a_slice_of_a_dictionary_counts_only_itself(self) -> None:
        values = pa.array(["a", "b", "c", "b"]).dictionary_encode().slice(1)
        assert only(of(values, Kind.BYTES).finish()).ranked == (("b", 2), ("c", 1))

    def test_ties_are_broken_as_tfdv_breaks_them_also_at_the_end_of_the_ranks(self) -> None:
        words = [f"w{n:05d}" for n in range(3000)]
        column = only(of(pa.array(words), Kind.BYTES).finish())
        assert len(column.ranked) == RANKS
        assert column.ranked[0] == ("w02999", 1)
        assert column.ranked[-1] == ("w02000", 1)

    def test_beyond_the_limit_counts_are_sketched_within_the_bound(self) -> None:
        profile = of(pa.array([f"id{n}" for n in range(100_000)] + ["often"] * 5000), Kind.BYTES)
        column = only(profile.finish())
        assert column.count_error == pytest.approx(0.00021, rel=0.1)
        assert column.distinct_error == pytest.approx(0.02, abs=0.01)
        assert column.distinct == pytest.approx(100_001, rel=0.03)
        assert column.ranked[0] == ("often", pytest.approx(5000, abs=30))
        assert column.content == sum(len(f"id{n}") for n in range(100_000)) + 5 * 5000

    def test_beyond_the_limit_no_value_is_said_to_occur_more_often_than_it_does(self) -> None:
        values = pa.array([f"id-{number}" for number in range(200_000)], pa.large_string())
        made = Profile((Column("t", Kind.BYTES),))
        made.add(pa.record_batch([values], ["t"]))
        (summary,) = made.finish().columns
        assert isinstance(summary, TextSummary)
        assert {count for _, count in summary.ranked} == {1}

    def test_long_texts_are_sketched_under_a_stand_in(self) -> None:
        words = [str(n) * 700 for n in range(1000, 4000)] * 2
        column = only(of(pa.array(words), Kind.BYTES).finish())
        assert (column.count_error is None, column.ranked) == (False, ((LARGE, 6000),))

    @pytest.mark.parametrize("swapped", [False, True])
    def test_exact_and_sketched_states_merge(self, swapped: bool) -> None:
        few = of(pa.array(["few"] * 500), Kind.BYTES)
        many = of(pa.array([f"id{n}" for n in range(60_000)]), Kind.BYTES)
        first, second = (many, few) if swapped else (few, many)
        first.merge(second)
        restored = Profile.from_bytes(first.to_bytes(), [Column("c", Kind.BYTES)])
        assert only(restored.finish()).ranked[0] == ("few", pytest.approx(500, abs=20))

    @pytest.mark.parametrize(("is_guessed", "kind"), [(True, Kind.BYTES), (False, Kind.INT)])
    def test_a_column_without_a_value_is_text_unless_its_kind_is_declared(
        self, is_guessed: bool, kind: Kind
    ) -> None:
        profile = Profile([Column("c", Kind.INT, is_guessed=is_guessed)])
        profile.add(pa.record_batch([pa.nulls(3, pa.int64())], names=["c"]))
        column = only(profile.finish())
        assert (column.column.kind, column.presence.missing) == (kind, 3)

    def test_lengths_are_those_of_the_bytes(self) -> None:
        column = only(of(pa.array(["a", "äö", None, ""]), Kind.BYTES).finish())
        assert (column.content, column.shortest, column.longest) == (5, 0, 4)


class TestStoredStates:
    @pytest.mark.parametrize("damage", [b"", b"PK", b"\x80\x04p", b"{}", b"[]", b"3\n", b"\n\n"])
    def test_what_is_no_state_is_refused(self, damage: bytes) -> None:
        with pytest.raises(ValueError, match=r"."):
            Profile.from_bytes(damage, COLUMNS)

    @pytest.mark.parametrize("content", [b"3\n", b"[]\n", b"{}\n", b'{"bytes": 9e9}\n', b'{"bytes": 9}\nPK'])
    def test_what_is_no_state_is_refused_under_a_right_checksum(self, content: bytes) -> None:
        with pytest.raises(ValueError, match=r"not a stored state|impossible size"):
            Profile.from_bytes(b"%08x\n" % google_crc32c.value(content) + content, COLUMNS)

    @pytest.mark.parametrize("flip", [0x01, 0x20, 0xFF])
    def test_a_state_with_a_flipped_byte_is_refused_wherever_it_is(self, flip: int) -> None:
        content = profiled([(1, 1.0, "a", [1]), (2, None, "b", [])]).to_bytes()
        for place, byte in enumerate(content):
            damaged = content[:place] + bytes([byte ^ flip]) + content[place + 1 :]
            with pytest.raises(ValueError, match=r"."):
                Profile.from_bytes(damaged, COLUMNS)

    def test_a_figure_that_became_another_is_refused(self) -> None:
        content = profiled([(1, 1.0, "a", [1])]).to_bytes()
        for rows in (b'"rows": 2', b'"rows":1 '):
            damaged = content.replace(b'"rows": 1', rows, 1)
            assert damaged != content
            with pytest.raises(ValueError, match="not the bytes that were stored"):
                Profile.from_bytes(damaged, COLUMNS)

    def test_what_is_stored_beside_a_state_is_covered_too(self) -> None:
        content = of(pa.array([1]), Kind.INT).to_bytes(b"begin 1")
        columns = [Column("c", Kind.INT)]
        assert Profile.from_bytes(content, columns, b"begin 1").rows == 1
        for beside in (b"begin 2", b""):
            with pytest.raises(ValueError, match="not the bytes that were stored"):
                Profile.from_bytes(content, columns, beside)

    @pytest.mark.parametrize("more", [-8, -1, 8])
    def test_a_sketch_of_another_size_is_refused(self, more: int) -> None:
        content = of(pa.array(range(Limits().values + 1)), Kind.INT).to_bytes()
        index, body = archive.unpack(content)
        ((name, size),) = index["columns"][0]["values"]["blobs"]
        index["columns"][0]["values"]["blobs"] = [[name, size + more]]
        # The checksum is right: what is damaged was so before it was stored.
        damaged = archive.pack(index, [(bytes(body) + bytes(8))[: size + more]])
        with pytest.raises(ValueError, match="not a stored state"):
            Profile.from_bytes(damaged, [Column("c", Kind.INT)])

    def test_a_cut_state_is_refused(self) -> None:
        content = profiled([(1, 1.0, "a", [1])]).to_bytes()
        with pytest.raises(ValueError, match="not the bytes that were stored"):
            Profile.from_bytes(content[:-10], COLUMNS)

    def test_a_state_of_other_columns_is_refused(self) -> None:
        content = of(pa.array([1]), Kind.INT).to_bytes()
        with pytest.raises(ValueError, match="column 'c', not 'd'"):
            Profile.from_bytes(content, [Column("d", Kind.INT)])

    def test_a_state_of_another_engine_is_refused(self) -> None:
        index, body = archive.unpack(of(pa.array([1]), Kind.INT).to_bytes())
        older = archive.pack({**index, "engine": 1}, [bytes(body)])
        with pytest.raises(ValueError, match=f"a state of engine 1, this is {ENGINE_VERSION}"):
            Profile.from_bytes(older, [Column("c", Kind.INT)])


class TestParts:
    def test_kinds_widen_in_one_direction(self) -> None:
        assert widest(Kind.INT, None, Kind.FLOAT) is Kind.FLOAT
        assert widest(Kind.BYTES, Kind.INT) is Kind.BYTES
        assert widest(None, None) is None

    def test_the_limit_shrinks_with_the_width_of_the_table(self) -> None:
        assert Limits.for_width(18) == Limits()
        wide = Limits.for_width(20_000)
        assert (wide.values, wide.content, wide.quantiles_k) == (384, 6_144, 1_024)

    def test_counts_are_grouped_before_they_pile_up(self) -> None:
        counts = Counts(pa.int64(), Limits(values=10))
        for _ in range(100):
            counts.add(pa.array(range(10)), np.ones(10, np.int64))
        assert not counts.is_full
        assert sorted(counts.table()[1].tolist()) == [100] * 10
        counts.add(pa.array([99]), np.ones(1, np.int64))
        assert len(counts.table()[0]) == 11
        assert counts.is_full

    @given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9)))
    def test_tallies_by_index_and_by_hash_agree(self, values: list[int]) -> None:
        found, counts = tally(pa.array(values, pa.int64()))
        assert dict(zip(found.to_pylist(), counts.tolist(), strict=True)) == Counter(values)

    def test_a_sketched_distribution_knows_its_ends(self) -> None:
        quantiles = Quantiles(2_048)
        quantiles.add_counted(np.array([1.0, 2.0, 3.0]), np.array([1, 2, 1]))
        sketched = Sketched(Quantiles.from_bytes(quantiles.to_bytes()), 4, 1.0, 3.0)
        counted = Counted.of(np.array([3.0, 2.0, 1.0]), np.array([1, 2, 1]))
        positions, values = np.arange(4), np.array([0.0, 1.0, 1.0, 2.5, 3.0])
        assert sketched.values_at(positions).tolist() == counted.values_at(positions).tolist()
        assert sketched.counts_up_to(values).tolist() == counted.counts_up_to(values).tolist()

    @pytest.mark.parametrize("rows", [3_000_000, 10**12])
    def test_ranks_of_many_equal_numbers_are_within_their_bound(self, rows: int) -> None:
        generator = np.random.default_rng(1)
        values = generator.lognormal(0, 2, 50_000)
        counts = generator.multinomial(rows, np.full(50_000, 1 / 50_000))
        quantiles = Quantiles(2_048)
        quantiles.add_counted(values, counts)
        ordered = Counted.of(values, counts)
        some = ordered.values[::500]
        off = quantiles.shares_up_to(some) - ordered.counts_up_to(some) / rows
        assert np.abs(off).max() <= quantiles.rank_error

    @pytest.mark.parametrize("seed", range(8))
    def test_there_are_no_more_distinct_texts_than_texts(self, seed: int) -> None:
        column = only(of(pa.array([f"{seed}-{number}" for number in range(60_000)]), Kind.BYTES).finish())
        assert 58_000 < column.distinct <= 60_000

    def test_texts_have_a_size_however_they_were_counted(self) -> None:
        texts = [f"{number:060d}" for number in range(12_287)]
        for parts in ([[None, *texts]], [texts[:9], texts[9:]], [texts]):
            profile = Profile([Column("c", Kind.BYTES)])
            for part in parts:
                profile.add(pa.record_batch([pa.array(part)], names=["c"]))
            assert only(profile.finish()).distinct_error is None

    def test_frequent_items_survive_storage(self) -> None:
        frequent = Frequent(14)
        frequent.add(["a", "ä"], [3, 1])
        assert sorted(Frequent.from_bytes(frequent.to_bytes()).ranked()) == [("a", 3), ("ä", 1)]
