"""Statistics and inferred schemas of both: of made-up tables, of trips, of the file in CHICAGO_TAXI_CSV."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0.statistics_pb2 import (
    DatasetFeatureStatisticsList,
    FeatureNameStatistics,
    NumericStatistics,
)

from tests.parity import tables
from tests.parity.asking import Oracle
from tests.parity.comparison import RANK_ERROR, differences
from validator import schema
from validator.profile.sums import Floats

Kind = tuple[Any, st.SearchStrategy[Any]]
"""An Arrow type, and values of it."""

INTEGERS = st.integers(-(2**53), 2**53) | st.integers(-3, 3)
FLOATS = st.floats(width=64) | st.sampled_from(
    [0.0, -0.0, 1.0, 1.5, float("nan"), float("inf"), float("-inf")]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["a", "b", "", "1", "0"]
)
BYTES = st.binary(max_size=4) | st.sampled_from([b"\xff", b"a", b""])
BOOLEANS = st.booleans()

LEAVES = {
    pa.int64(): INTEGERS,
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.uint8(): st.integers(0, 255),
    pa.float64(): FLOATS,
    pa.float32(): st.floats(width=32),
    pa.string(): TEXTS,
    pa.binary(): BYTES,
    pa.bool_(): BOOLEANS,
}


def _lists(kind: Kind) -> Kind:
    inner, values = kind
    return pa.list_(inner), st.lists(st.none() | values, max_size=4)


@st.composite
def _structs(draw: st.DrawFn, kinds: st.SearchStrategy[Kind]) -> Kind:
    fields = draw(st.dictionaries(st.sampled_from("fgh"), kinds, min_size=1, max_size=3))
    kind = pa.struct([(name, field) for name, (field, _) in fields.items()])
    return kind, st.fixed_dictionaries({name: st.none() | values for name, (_, values) in fields.items()})


KINDS = st.recursive(
    st.sampled_from(list(LEAVES.items())), lambda kinds: kinds.map(_lists) | _structs(kinds), max_leaves=4
)


@st.composite
def columns(draw: st.DrawFn, rows: int) -> Any:
    kind, values = draw(KINDS)
    held = draw(st.lists(st.none() | values, min_size=rows, max_size=rows))
    return pa.array(held, kind)


@st.composite
def batches(draw: st.DrawFn) -> Any:
    rows = draw(st.integers(0, 25))
    names = draw(st.lists(st.sampled_from(["a", "b.c", "d e", "é"]), min_size=1, max_size=3, unique=True))
    return tables.batch({name: draw(columns(rows)) for name in names})


MANY = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@MANY
@given(data=batches())
def test_of_tables_of_all_types(oracle: Oracle, data: Any) -> None:
    ours, theirs = tables.measured(data), oracle.statistics(tables.as_tfdv(data))
    assert not differences(ours, theirs)
    assert schema.infer(ours) == oracle.infer(theirs)


@pytest.mark.parametrize("rows", [1, 10, 1_000, 50_000])
def test_of_trips(oracle: Oracle, rows: int) -> None:
    data = tables.taxi(rows)
    ours, theirs = tables.measured(data), oracle.statistics(tables.as_tfdv(data))
    assert not differences(ours, theirs)
    assert schema.infer(ours) == oracle.infer(theirs)


def test_of_quantiles_of_many_trips(oracle: Oracle) -> None:
    """TFDV's are off by no more than it states, ours by nothing."""
    data = tables.taxi(20_000)
    theirs = numeric(oracle.statistics(tables.as_tfdv(data)))
    for name, ours in numeric(tables.measured(data)).items():
        if name in data.schema.names:
            values = np.sort(data[name].drop_null().cast(pa.float64()).to_numpy())
            assert rank_error(values, boundaries(ours)) <= 1 / len(values), name
            assert rank_error(values, boundaries(theirs[name])) <= RANK_ERROR, name


@pytest.mark.skipif("CHICAGO_TAXI_CSV" not in os.environ, reason="CHICAGO_TAXI_CSV names no file")
def test_of_the_chicago_taxi_data(oracle: Oracle, tmp_path: Path) -> None:
    content = Path(os.environ["CHICAGO_TAXI_CSV"]).read_bytes()
    ours, theirs = measured_file(tmp_path, content), oracle.csv(content)
    assert not differences(ours, in_order(theirs, ours))
    assert schema.infer(ours) == oracle.infer(in_order(theirs, ours))


@pytest.mark.parametrize(
    "text",
    [
        "a,b,c\n1,x,\n2,,\n",
        "a,b\n1,2.5\n2.5,3\n",
        "a,b\nTrue,0\nFalse,1\n",
        'a,b\n"x, ""y""",1\nz,-0\n',
        "a,b\nnan,1e400\n1.5,-inf\n",
        "a,b\n007,1\n08,2\n",
        "a,b\n 1,x \n2, y\n",
        "a,b\n9223372036854775807,-9223372036854775808\n1,2\n",
    ],
)
def test_of_texts(oracle: Oracle, tmp_path: Path, text: str) -> None:
    ours, theirs = measured_file(tmp_path, text.encode()), oracle.csv(text.encode())
    assert not differences(ours, in_order(theirs, ours))


@pytest.mark.parametrize(
    ("value", "our_type", "their_type"),
    [
        ("+1", FeatureNameStatistics.FLOAT, FeatureNameStatistics.INT),
        (str(2**63), FeatureNameStatistics.FLOAT, FeatureNameStatistics.STRING),
    ],
)
def test_of_texts_that_are_typed_otherwise(
    oracle: Oracle, tmp_path: Path, value: str, our_type: int, their_type: int
) -> None:
    text = f"a\n{value}\n2\n".encode()
    assert measured_file(tmp_path, text).datasets[0].features[0].type == our_type
    assert oracle.csv(text).datasets[0].features[0].type == their_type


def test_of_frequencies_of_many_texts(oracle: Oracle) -> None:
    """Above 1,024 distinct texts TFDV's frequencies are wrong: ours are right."""
    data = tables.batch({"id": [f"trip {number}" for number in range(3_000)]})
    ours, theirs = tables.measured(data), oracle.statistics(tables.as_tfdv(data))
    assert not differences(ours, theirs)
    assert {top.frequency for top in ours.datasets[0].features[0].string_stats.top_values} == {1}
    assert {top.frequency for top in theirs.datasets[0].features[0].string_stats.top_values} != {1}


def test_of_numbers_that_are_not_finite(oracle: Oracle) -> None:
    """TFDV has no mean of them; ours is that of the finite ones."""
    data = tables.batch({"x": [1.0, 2.0, float("inf")]})
    ours, theirs = numeric(tables.measured(data))["x"], numeric(oracle.statistics(tables.as_tfdv(data)))["x"]
    assert (ours.mean, ours.std_dev) == (1.5, 0.5)
    assert not np.isfinite(theirs.mean)


def measured_file(folder: Path, content: bytes) -> DatasetFeatureStatisticsList:
    """Returns our statistics of a CSV file, by the real command."""
    path = folder / "data.csv"
    path.write_bytes(content)
    command = [
        sys.executable,
        "-m",
        "validator",
        "validate",
        "--data",
        str(path),
        "--output",
        str(folder / "out"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return DatasetFeatureStatisticsList.FromString((folder / "out" / "statistics.pb").read_bytes())


def in_order(
    theirs: DatasetFeatureStatisticsList, ours: DatasetFeatureStatisticsList
) -> DatasetFeatureStatisticsList:
    """Returns statistics with their features in the order of others: Beam's order is that of no column."""
    places = {feature.path.step[0]: place for place, feature in enumerate(ours.datasets[0].features)}
    ordered = DatasetFeatureStatisticsList()
    ordered.CopyFrom(theirs)
    ordered.datasets[0].features.sort(key=lambda feature: places[feature.path.step[0]])
    return ordered


def numeric(statistics: DatasetFeatureStatisticsList) -> Mapping[str, NumericStatistics]:
    """Returns the statistics of numbers, by feature."""
    features = statistics.datasets[0].features
    return {".".join(f.path.step): f.num_stats for f in features if f.HasField("num_stats")}


def boundaries(numbers: NumericStatistics) -> Mapping[float, float]:
    """Returns what lies at which share of all values, says the histogram of quantiles."""
    buckets = numbers.histograms[1].buckets
    found = {(place + 1) / len(buckets): bucket.high_value for place, bucket in enumerate(buckets)}
    return {**found, 0.0: buckets[0].low_value, 0.5: numbers.median}


def rank_error(values: Floats, claimed: Mapping[float, float]) -> float:
    """Returns by how large a share of all values the worst claim is off."""
    errors = []
    for share, value in claimed.items():
        first = np.searchsorted(values, value, "left") / len(values)
        last = np.searchsorted(values, value, "right") / len(values)
        errors.append(max(first - share, share - last, 0.0))
    return max(errors)
