"""Schemas: inferred as TFDV's API infers them, refused with the line at fault."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tensorflow_metadata.proto.v0.schema_pb2 import BYTES, FLOAT, INT, Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import schema as schemas
from validator.contract import ExitCode
from validator.errors import DataError, UsageError

Build = Callable[..., DatasetFeatureStatisticsList]
Read = Callable[[str], Schema]


def test_types_presence_and_shape_are_inferred(statistics: Build) -> None:
    inferred = schemas.infer(statistics(fare=[1.5, None], hour=[1, 2], pay=["Cash", "Card"]))
    assert {f.name: f.type for f in inferred.feature} == {"fare": FLOAT, "hour": INT, "pay": BYTES}
    fare, hour, _ = inferred.feature
    assert (hour.presence.min_fraction, hour.HasField("shape")) == (1.0, True)
    assert (fare.presence.min_fraction, fare.HasField("shape")) == (0.0, False)


def test_a_string_feature_of_100_values_gets_a_domain_of_101_none(statistics: Build) -> None:
    few = schemas.infer(statistics(pay=[f"v{i}" for i in range(100)] * 10))
    many = schemas.infer(statistics(pay=[f"v{i}" for i in range(101)] * 10))
    assert (len(few.string_domain), len(many.string_domain)) == (1, 0)


def test_composite_features_are_left_out(statistics: Build) -> None:
    day = statistics(fare=[1.0])
    day.datasets[0].features.add(name="sparse").custom_stats.add(name="missing_value", num=1)
    assert [feature.name for feature in schemas.infer(day).feature] == ["fare"]
    assert len(day.datasets[0].features) == 2, "the caller's statistics are not touched"


def test_the_default_slice_is_taken(statistics: Build) -> None:
    day = statistics(fare=[1.0])
    day.datasets[0].name = "All Examples"
    day.datasets.add(name="country_US")
    assert [feature.name for feature in schemas.infer(day).feature] == ["fare"]


def test_statistics_without_a_default_slice_are_refused(statistics: Build) -> None:
    day = statistics(fare=[1.0])
    day.datasets.add(name="country_US")
    with pytest.raises(DataError, match="none of their 2 datasets is 'All Examples'"):
        schemas.infer(day)


def test_no_columns_make_an_empty_schema(statistics: Build) -> None:
    assert not schemas.infer(statistics()).feature


def test_text_is_read_and_written() -> None:
    written = 'feature {\n  name: "fare"\n  type: FLOAT\n}\n'
    assert schemas.format(schemas.parse(written, "taxi.pbtxt")) == written


def test_a_mistake_names_source_and_line() -> None:
    with pytest.raises(UsageError) as caught:
        schemas.parse('feature {\n  name: "fare"\n  kind: FLOAT\n}\n', "s3://b/taxi.pbtxt")
    message = str(caught.value)
    assert message.startswith("cannot read schema s3://b/taxi.pbtxt line 3: ")
    assert '"kind"' in message
    assert "\n" not in message
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("text", ["feature {", "\x00", "{}", "<xml/>", 'feature { name: "\\xff" }'])
def test_what_is_no_schema_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"^cannot (read|use) schema x[^\n]*$"):
        schemas.parse(text, "x")


@pytest.mark.parametrize("kind", ["INT", "FLOAT"])
@pytest.mark.parametrize("comparator", ["drift_comparator", "skew_comparator"])
def test_l_infinity_on_numbers_is_refused(kind: str, comparator: str) -> None:
    text = f'feature {{ name: "fare" type: {kind} {comparator} {{ infinity_norm {{ threshold: 0.1 }} }} }}'
    with pytest.raises(UsageError, match=rf"the {comparator} of numeric feature 'fare'.*Jensen-Shannon"):
        schemas.parse(text, "x")


@pytest.mark.parametrize("feature", ["type: BYTES", "type: INT int_domain { is_categorical: true }"])
def test_l_infinity_on_categories_is_fine(feature: str) -> None:
    text = f'feature {{ name: "pay" {feature} drift_comparator {{ infinity_norm {{ threshold: 0.1 }} }} }}'
    assert schemas.parse(text, "x").feature[0].drift_comparator.infinity_norm.threshold == 0.1


def test_l_infinity_on_a_nested_number_is_refused() -> None:
    inner = 'feature { name: "km" type: INT drift_comparator { infinity_norm { threshold: 1 } } }'
    with pytest.raises(UsageError, match="'km'"):
        schemas.parse(f'feature {{ name: "trip" type: STRUCT struct_domain {{ {inner} }} }}', "x")


def test_jensen_shannon_on_numbers_is_fine() -> None:
    comparator = "drift_comparator { jensen_shannon_divergence { threshold: 0.1 } }"
    assert schemas.parse(f'feature {{ name: "fare" type: FLOAT {comparator} }}', "x").feature


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('feature { name: "a" } feature { name: "a" }', "feature 'a' is declared 2 times"),
        ("feature { type: INT }", "feature number 1 has no name"),
        ('feature { name: "a" type: BYTES domain: "d" }', "'a' names string_domain 'd', which is missing"),
    ],
)
def test_what_tfdv_would_take_silently_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        schemas.parse(text, "x")


THRESHOLDS = [
    "drift_comparator { jensen_shannon_divergence { threshold: %s } }",
    "skew_comparator { jensen_shannon_divergence { threshold: %s } }",
    "type: BYTES drift_comparator { infinity_norm { threshold: %s } }",
    "type: BYTES drift_comparator { normalized_abs_difference { threshold: %s } }",
]
OTHER_NUMBERS = [
    "float_domain { min: %s }",
    "float_domain { max: %s }",
    "presence { min_fraction: %s }",
    "distribution_constraints { min_domain_mass: %s }",
    "image_domain { minimum_supported_image_fraction: %s }",
    "natural_language_domain { coverage { min_coverage: %s } }",
]


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("text", THRESHOLDS)
def test_a_threshold_that_is_not_finite_is_refused(text: str, number: str) -> None:
    feature = f'feature {{ name: "a" {text % number} }}'
    refusal = rf"^cannot use schema x: the \w+_comparator\.\w+\.threshold of feature 'a' is {number}; give"
    for written in (feature, f'feature {{ name: "s" type: STRUCT struct_domain {{ {feature} }} }}'):
        with pytest.raises(UsageError, match=refusal):
            schemas.parse(written, "x")


@pytest.mark.parametrize("text", OTHER_NUMBERS)
def test_nan_is_no_limit_but_infinity_may_be(text: str) -> None:
    with pytest.raises(UsageError, match=r"the \w+\.[\w.]+ of feature 'a' is nan; give it a finite number$"):
        schemas.parse(f'feature {{ name: "a" {text % "nan"} }}', "x")
    assert schemas.parse(f'feature {{ name: "a" {text % "inf"} }}', "x").feature


def test_nan_is_no_limit_of_the_dataset() -> None:
    text = "dataset_constraints { num_examples_drift_comparator { max_fraction_threshold: %s } }"
    with pytest.raises(UsageError, match="max_fraction_threshold of the dataset_constraints is nan"):
        schemas.parse(text % "nan", "x")
    assert schemas.parse(text % "2", "x").HasField("dataset_constraints")


def test_the_digest_is_of_what_a_schema_says(schema: Read) -> None:
    one = schemas.parse('feature { name: "a" type: INT }', "x")
    same = schemas.parse('# hourly\nfeature {\n  type: INT\n  name: "a"\n}', "y")
    other = schema('feature { name: "a" type: FLOAT }')
    assert schemas.digest(one) == schemas.digest(same) != schemas.digest(other)
    assert len(schemas.digest(one)) == 64


def test_defaults_compare_categories_and_numbers_each_in_its_way(schema: Read) -> None:
    declared = schema('feature { name: "pay" type: BYTES } feature { name: "fare" type: FLOAT }')
    pay, fare = schemas.with_default_comparators(declared).feature
    assert pay.drift_comparator.infinity_norm.threshold == schemas.L_INFINITY_THRESHOLD
    assert fare.drift_comparator.jensen_shannon_divergence.threshold == schemas.JENSEN_SHANNON_THRESHOLD
    assert not declared.feature[0].HasField("drift_comparator"), "the schema itself is not touched"


def test_a_comparator_of_its_own_is_kept(schema: Read) -> None:
    own = "drift_comparator { jensen_shannon_divergence { threshold: 0.9 } }"
    declared = schema(f'feature {{ name: "pay" type: BYTES {own} }}')
    assert schemas.with_default_comparators(declared) == declared


ENVIRONMENTS = 'default_environment: "TRAINING" default_environment: "SERVING"'


@pytest.mark.parametrize(
    ("text", "asked", "used"),
    [("", "TRAINING", ""), (ENVIRONMENTS, "SERVING", "SERVING"), (ENVIRONMENTS, "", "")],
)
def test_the_environment_is_one_the_schema_knows(schema: Read, text: str, asked: str, used: str) -> None:
    assert schemas.environment_of(schema(text), asked) == used


def test_an_unknown_environment_is_refused(schema: Read) -> None:
    with pytest.raises(UsageError, match=r"'TRIANING': the schema has SERVING, TRAINING; choose"):
        schemas.environment_of(schema(ENVIRONMENTS), "TRIANING")


def test_images_are_found_at_any_depth() -> None:
    declared = schemas.parse(
        """
        feature { name: "photo" type: BYTES image_domain {} }
        feature { name: "name" type: BYTES }
        feature {
          name: "owner" type: STRUCT struct_domain { feature { name: "face" type: BYTES image_domain {} } }
        }
        """,
        "here",
    )
    assert schemas.images(declared) == {("photo",), ("owner", "face")}
