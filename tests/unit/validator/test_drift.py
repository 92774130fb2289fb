"""Drift: measured always, by the right comparator, in both directions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import core, drift
from validator import schema as schemas
from validator.drift import Comparator, Drift
from validator.errors import UsageError
from validator.schema import JENSEN_SHANNON_THRESHOLD, L_INFINITY_THRESHOLD

Build = Callable[..., DatasetFeatureStatisticsList]
Read = Callable[[str], Schema]

TAXI = 'feature { name: "pay" type: BYTES } feature { name: "fare" type: FLOAT }'
FARES = np.random.default_rng(3).normal(10, 2, 2000)
PAYS = ["Cash"] * 1200 + ["Card"] * 800


def test_one_day_against_itself_has_not_drifted(statistics: Build, schema: Read) -> None:
    day = statistics(pay=PAYS, fare=FARES.tolist())
    measured = drift.measure(day, day, schema(TAXI), baseline_uri="s3://b/statistics.pb")
    assert measured == (
        Drift(
            "fare",
            Comparator.JENSEN_SHANNON_DIVERGENCE,
            0.0,
            JENSEN_SHANNON_THRESHOLD,
            "s3://b/statistics.pb",
        ),
        Drift("pay", Comparator.L_INFTY, 0.0, L_INFINITY_THRESHOLD, "s3://b/statistics.pb"),
    )


@pytest.mark.parametrize("swap", [False, True])
def test_both_directions_drift(statistics: Build, schema: Read, swap: bool) -> None:
    days = [
        statistics(pay=PAYS, fare=FARES.tolist()),
        statistics(pay=PAYS[:1000] + ["Crypto"] * 1000, fare=(FARES * 100).tolist()),
    ]
    now, before = reversed(days) if swap else days
    fare, pay = drift.measure(now, before, schema(TAXI))
    assert fare.is_high
    assert pay.is_high
    assert pay.value == pytest.approx(0.5)
    assert fare.value == pytest.approx(1.0)


def test_two_samples_of_one_distribution_have_not_drifted(statistics: Build, schema: Read) -> None:
    other = np.random.default_rng(4).normal(10, 2, 2000)
    (fare,) = drift.measure(statistics(fare=other.tolist()), statistics(fare=FARES.tolist()), schema(TAXI))
    assert not fare.is_high


def test_one_outlier_is_no_drift(statistics: Build, schema: Read) -> None:
    with_outlier = statistics(fare=[*FARES.tolist(), 1e6])
    (fare,) = drift.measure(with_outlier, statistics(fare=FARES.tolist()), schema(TAXI))
    assert not fare.is_high


def test_a_shift_of_two_deviations_is_drift(statistics: Build, schema: Read) -> None:
    (fare,) = drift.measure(
        statistics(fare=(FARES + 4).tolist()), statistics(fare=FARES.tolist()), schema(TAXI)
    )
    assert fare.is_high


def test_a_feature_keeps_its_own_comparator(statistics: Build, schema: Read) -> None:
    own = "drift_comparator { jensen_shannon_divergence { threshold: 0.9 } }"
    declared = schema(f'feature {{ name: "pay" type: BYTES {own} }}')
    (pay,) = drift.measure(statistics(pay=PAYS), statistics(pay=PAYS[::-1][:1000]), declared)
    assert (pay.comparator, pay.threshold) == (Comparator.JENSEN_SHANNON_DIVERGENCE, 0.9)
    assert not pay.is_high


def test_normalized_absolute_difference_is_measured(statistics: Build, schema: Read) -> None:
    own = "drift_comparator { normalized_abs_difference { threshold: 0.1 } }"
    declared = schema(f'feature {{ name: "pay" type: BYTES {own} }}')
    (pay,) = drift.measure(statistics(pay=["a"] * 9 + ["b"]), statistics(pay=["a"] * 5 + ["b"] * 5), declared)
    assert pay.comparator is Comparator.NORMALIZED_ABSOLUTE_DIFFERENCE
    assert pay.is_high


@pytest.mark.parametrize("own", ["", "drift_comparator { infinity_norm { threshold: 0.1 } }"])
def test_text_against_numbers_has_no_distance(statistics: Build, schema: Read, own: str) -> None:
    declared = schema(f'feature {{ name: "pay" type: BYTES {own} }}')
    text, numbers = statistics(pay=PAYS), statistics(pay=FARES.tolist())
    assert drift.measure(text, numbers, declared) == drift.measure(numbers, text, declared) == ()


def test_numbers_where_the_schema_says_text_have_no_distance(statistics: Build, schema: Read) -> None:
    declared = schema('feature { name: "fare" type: BYTES }')
    now, before = statistics(fare=(FARES * 9).tolist()), statistics(fare=FARES.tolist())
    assert drift.measure(now, before, declared) == ()


@pytest.mark.parametrize("missing_now", [True, False])
def test_a_column_of_one_side_only_has_no_distance(
    statistics: Build, schema: Read, missing_now: bool
) -> None:
    sides = [statistics(pay=PAYS), statistics(pay=PAYS, fare=FARES.tolist())]
    now, before = sides if missing_now else sides[::-1]
    assert [d.feature for d in drift.measure(now, before, schema(TAXI))] == ["pay"]


def test_no_rows_have_no_distance(statistics: Build, schema: Read) -> None:
    day = statistics(pay=PAYS)
    assert drift.measure(statistics(), day, schema(TAXI)) == ()
    assert drift.measure(day, statistics(), schema(TAXI)) == ()


def test_all_missing_against_values_does_not_fail(statistics: Build, schema: Read) -> None:
    gone = statistics(fare=[None, None])
    drift.measure(gone, statistics(fare=[1.0, 2.0]), schema(TAXI))
    drift.measure(statistics(fare=[1.0, 2.0]), gone, schema(TAXI))


def test_the_environment_is_one_the_schema_knows(statistics: Build, schema: Read) -> None:
    declared = schema(
        'default_environment: "TRAINING" default_environment: "SERVING"'
        'feature { name: "pay" type: BYTES }'
        'feature { name: "tip" type: FLOAT not_in_environment: "SERVING" }'
    )
    day = statistics(pay=PAYS)
    assert [d.feature for d in drift.measure(day, day, declared, environment="SERVING")] == ["pay"]
    with pytest.raises(UsageError):
        drift.measure(day, day, declared, environment="EVALUATION")


def test_many_columns_are_measured_as_the_core_measures_them_together(statistics: Build) -> None:
    random = np.random.default_rng(8)
    days = [
        statistics(
            {
                **{f"n{i}": random.normal(i * shift, 1, 50).tolist() for i in range(30)},
                **{f"t{i}": random.choice(["a", "b", "c"][: 2 + shift], 50).tolist() for i in range(30)},
            }
        )
        for shift in (0, 1)
    ]
    declared = schemas.infer(days[0])
    together = core.validate(
        days[1].datasets[0], schemas.with_default_comparators(declared), previous=days[0].datasets[0]
    )
    measured = {d.feature: d.value for d in drift.measure(days[1], days[0], declared)}
    assert measured == {i.path.step[0]: i.drift_measurements[0].value for i in together.drift_skew_info}
    assert len(measured) == 60


def test_the_excess_is_relative_to_the_threshold() -> None:
    assert Drift("a", Comparator.L_INFTY, 0.3, 0.1, "").excess == pytest.approx(3)
    assert Drift("a", Comparator.L_INFTY, 0.3, 0.0, "").excess == float("inf")
