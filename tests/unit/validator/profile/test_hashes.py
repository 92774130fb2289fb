from __future__ import annotations

from collections import Counter

import datasketches
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from validator.profile import hashes
from validator.profile.sketches import Distinct

TEXTS = st.lists(
    st.binary(max_size=40) | st.binary(min_size=7, max_size=9) | st.binary(min_size=126, max_size=300),
    max_size=50,
)


def of(texts: list[bytes]) -> list[int]:
    found: list[int] = hashes.of(pa.array(texts, pa.binary())).tolist()
    return found


@given(TEXTS)
def test_a_hash_is_that_of_the_text_whatever_stands_beside_it(texts: list[bytes]) -> None:
    assert of(texts) == [of([text])[0] for text in texts]


@given(TEXTS)
@example([b"\x06", bytes(7)])
def test_other_texts_have_other_hashes(texts: list[bytes]) -> None:
    assert len(set(of(texts))) == len(set(texts))


@given(TEXTS, st.integers(0, 5))
def test_a_slice_has_the_hashes_of_its_part(texts: list[bytes], start: int) -> None:
    part = pa.array(texts, pa.binary()).slice(start)
    assert hashes.of(part).tolist() == of(texts[start:])


def test_hashes_are_part_of_stored_states() -> None:
    """To change one is to raise the engine's version."""
    assert of([b"", b"a", b"0123456789abcdef", b"taxi-1234", b"a" * 128, b"a" * 129]) == [
        11286133854226296554,
        2046032697766374122,
        4127801831935247036,
        10796555951321793244,
        16918786238234750230,
        11070628195267207908,
    ]


@pytest.mark.parametrize("length", [1, 7, 8, 9, 16, 33, 128, 129])
def test_texts_that_differ_in_one_bit_have_unrelated_hashes(length: int) -> None:
    texts = []
    for bit in range(8 * length):
        text = bytearray(length)
        text[bit // 8] = 1 << bit % 8
        texts.append(bytes(text))
    different = [(a ^ b).bit_count() for a, b in zip(of(texts), of(texts)[1:], strict=False)]
    assert 24 < np.mean(different) < 40


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=200))
def test_theta_is_the_hash_of_the_library(values: list[int]) -> None:
    sketch = datasketches.update_theta_sketch(14)
    for value in np.array(values, np.uint64).view(np.int64).tolist():
        sketch.update(value)
    assert sorted(sketch) == sorted(set(hashes.theta(np.array(values, np.uint64)).tolist()))


def test_a_sketch_that_is_spared_calls_is_the_same_sketch() -> None:
    values = np.random.default_rng(1).integers(0, 2**63, 300_000).astype(np.uint64)
    spared, every = Distinct(12), datasketches.update_theta_sketch(12)
    for part in np.array_split(values, 10):
        spared.add(part)
    for value in values.view(np.int64).tolist():
        every.update(value)
    union = datasketches.theta_union(12)
    union.update(every)
    assert spared.count == round(union.get_result().get_estimate())
    assert spared.count == pytest.approx(300_000, rel=3 * spared.error)


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 9), max_size=60))
def test_what_is_repeated_is_found(values: list[int]) -> None:
    counts = Counter(values)
    found = hashes.repeated(np.array(values, np.uint64)).tolist()
    assert found == [counts[value] > 1 for value in values]


def test_what_is_repeated_is_found_among_many() -> None:
    values = np.random.default_rng(1).integers(0, 2**63, 200_000).astype(np.uint64)
    values[[5, 100_000, 199_999]] = 7
    assert np.flatnonzero(hashes.repeated(values)).tolist() == [5, 100_000, 199_999]
