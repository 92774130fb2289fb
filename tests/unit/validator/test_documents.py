"""Baselines that no drift can be measured from are refused; what we write never is one."""

from __future__ import annotations

import math
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import dataset, documents, profiling, statistics, store
from validator.crew import Crew
from validator.errors import UsageError
from validator.interruption import Interruption

SOUND = "n,f,t\n" + "".join(f"{n},{n / 4},{'xyz'[n % 3]}\n" for n in range(200))


def write(folder: Path, content: str, name: str = "data.csv") -> Path:
    """Profiles a text and writes its statistics as a run does."""
    (folder / name).write_text(content)
    described = dataset.describe(store.at("").list(str(folder / name)))
    made = profiling.profile(described, str(folder / "states"), Crew(Interruption()), lambda _: None)
    path = folder / "statistics.pb"
    path.write_bytes(statistics.of(made.profile.finish()).SerializeToString())
    return path


def numeric_buckets(features: Any) -> list[Any]:
    return [bucket for histogram in features[0].num_stats.histograms for bucket in histogram.buckets]


def ranked_buckets(features: Any) -> Any:
    return features[2].string_stats.rank_histogram.buckets


def each(of: Callable[[Any], Any], **values: float) -> Callable[[Any], None]:
    """Returns the damage of giving all buckets these values."""

    def strike(features: Any) -> None:
        for bucket in of(features):
            for name, value in values.items():
                setattr(bucket, name, value)

    return strike


def without_buckets(features: Any) -> None:
    for histogram in features[0].num_stats.histograms:
        del histogram.buckets[:]


def without_histograms(features: Any) -> None:
    del features[0].num_stats.histograms[:]


def without_ranks(features: Any) -> None:
    del features[2].string_stats.rank_histogram.buckets[:]


@pytest.mark.parametrize(
    ("strike", "why"),
    [
        (each(numeric_buckets, sample_count=math.nan), "a bucket counts nan in the STANDARD .* 'n'"),
        (each(numeric_buckets, sample_count=math.inf), "a bucket counts inf in the STANDARD .* 'n'"),
        (each(numeric_buckets, sample_count=-5), "a bucket counts -5.0 in the STANDARD .* 'n'"),
        (each(numeric_buckets, sample_count=0), "all counts together are 0.0 in the STANDARD .* 'n'"),
        (each(numeric_buckets, sample_count=1e308), "all counts together are inf in the STANDARD .* 'n'"),
        (each(numeric_buckets, low_value=math.nan), "a bucket reaches from nan to .* 'n'"),
        (each(numeric_buckets, high_value=-1.0), "a bucket reaches from 0.0 to -1.0 in .* 'n'"),
        (without_buckets, "all counts together are 0 in the STANDARD histogram of feature 'n'"),
        (without_histograms, "all counts together are 0 in the STANDARD histogram of feature 'n'"),
        (each(ranked_buckets, sample_count=math.nan), "a bucket counts nan in the rank .* 't'"),
        (each(ranked_buckets, sample_count=0), "all counts together are 0.0 in the rank .* 't'"),
        (without_ranks, "all counts together are 0 in the rank histogram of feature 't'"),
    ],
)
def test_damaged_statistics_are_refused_in_one_line(
    tmp_path: Path, strike: Callable[[Any], None], why: str
) -> None:
    path = write(tmp_path, SOUND)
    damaged = DatasetFeatureStatisticsList.FromString(path.read_bytes())
    strike(damaged.datasets[0].features)
    path.write_bytes(damaged.SerializeToString())
    with pytest.raises(UsageError, match=rf"^cannot use {path}: {why}; name the statistics.pb of a sound"):
        documents.read_statistics(str(path))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.csv", SOUND),
        ("data.csv", "n,t\n"),
        ("data.csv", "n,t\n,\n,\n"),
        ("data.csv", "f\nNaN\nNaN\n"),
        ("data.csv", "f\n1.5\nNaN\n\n-inf\ninf\n"),
        ("data.csv", "f\n5e-324\n1e-323\n"),
        ("data.csv", "f\n-1.7e308\n1.7e308\n0.1\n"),
        ("data.csv", "n\n" + "7\n" * 50),
        ("data.csv", "t\n" + "".join(f"id-{n}\n" for n in range(30_000))),
        ("data.jsonl", '{"s": {"n": 1, "t": "x"}, "l": [[1], [2.5]], "e": [], "z": null}\n'),
        ("data.jsonl", '{"l": [null, null], "k": [1, null], "s": {}}\n{"l": [0.5]}\n{"s": {"z": []}}\n'),
        ("data.jsonl", '{"l": [1]}\n' + '{"l": [null]}\n' * 3),
    ],
)
def test_what_we_write_is_read(tmp_path: Path, name: str, content: str) -> None:
    path = write(tmp_path, content, name)
    assert documents.read_statistics(str(path)).SerializeToString() == path.read_bytes()


def test_statistics_that_were_replaced_since_they_were_accepted_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, SOUND)
    accepted = sha256(path.read_bytes()).hexdigest()
    documents.read_statistics(str(path), accepted)
    write(tmp_path, "n,t\n1,a\n")
    with pytest.raises(UsageError, match=rf"^cannot use {path}: it is not what was accepted: .*{accepted}; "):
        documents.read_statistics(str(path), accepted)


def test_what_tfdv_writes_of_nothing_but_infinities_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, SOUND)
    found = DatasetFeatureStatisticsList.FromString(path.read_bytes())
    each(numeric_buckets, low_value=math.inf, high_value=-math.inf)(found.datasets[0].features)
    path.write_bytes(found.SerializeToString())
    assert documents.read_statistics(str(path)) == found


def test_all_nan_is_refused_only_when_there_are_numbers_too(tmp_path: Path) -> None:
    path = write(tmp_path, "f\nNaN\nNaN\n")
    found = DatasetFeatureStatisticsList.FromString(path.read_bytes())
    found.datasets[0].features[0].num_stats.common_stats.tot_num_values = 3
    path.write_bytes(found.SerializeToString())
    with pytest.raises(UsageError, match="all counts together are 0 in"):
        documents.read_statistics(str(path))
