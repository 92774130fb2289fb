"""Anomalies: for each kind that tabular data can raise, data that does, data that does not, and words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import anomalies, findings
from validator.contract import Severity
from validator.errors import UsageError
from validator.findings import Finding

Build = Callable[..., DatasetFeatureStatisticsList]
Read = Callable[[str], Schema]
Column = Sequence[object]


@dataclass(frozen=True)
class Kind:
    """One kind of anomaly of a column x: when it is raised, when not, and what is said."""

    code: str
    declared: str
    bad: Column
    good: Column
    says: str


INT_DOMAIN = "type: INT int_domain { min: 0 max: 9 }"
FLOAT_DOMAIN = "type: FLOAT float_domain { min: 0 max: 1 disallow_nan: true disallow_inf: true }"
PAY = 'type: BYTES string_domain { value: "Cash" value: "Card" }'
YES_NO = 'type: BYTES bool_domain { true_value: "yes" false_value: "no" }'

KINDS = [
    Kind(
        "UNEXPECTED_DATA_TYPE",
        "type: INT",
        ["n/a"],
        [1],
        "whole numbers (INT) but holds text (STRING), such as “n/a”",
    ),
    Kind(
        "UNEXPECTED_DATA_TYPE",
        "type: INT",
        [0.5],
        [1],
        "should hold whole numbers (INT) but holds numbers (FLOAT)",
    ),
    Kind(
        "UNEXPECTED_DATA_TYPE", "type: BYTES", [1], ["1"], "should hold text (BYTES) but holds whole numbers"
    ),
    Kind(
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        PAY,
        ["Cash"] * 3 + ["Crypto"],
        ["Cash"],
        "1 value that the schema does not list: “Crypto” (25%)",
    ),
    Kind("INT_TYPE_SMALL_INT", INT_DOMAIN, [-1, 5], [0, 5], "the lowest is -1, the schema allows at least 0"),
    Kind(
        "INT_TYPE_BIG_INT", INT_DOMAIN, [5, 1000], [5, 9], "the highest is 1,000, the schema allows at most 9"
    ),
    Kind(
        "FLOAT_TYPE_SMALL_FLOAT",
        FLOAT_DOMAIN,
        [-0.5, 1.0],
        [0.0, 1.0],
        "the lowest is -0.5, the schema allows at least 0",
    ),
    Kind(
        "FLOAT_TYPE_BIG_FLOAT",
        FLOAT_DOMAIN,
        [0.5, 1.25],
        [0.5, 1.0],
        "the highest is 1.25, the schema allows at most 1",
    ),
    Kind(
        "FLOAT_TYPE_HAS_NAN",
        FLOAT_DOMAIN,
        [0.5, math.nan, math.nan],
        [0.5, 1.0],
        "has 2 NaN values; the schema allows none",
    ),
    Kind(
        "FLOAT_TYPE_HAS_INF",
        "type: FLOAT float_domain { disallow_inf: true }",
        [0.5, math.inf],
        [0.5],
        "has infinite values",
    ),
    Kind(
        "INT_TYPE_NOT_INT_STRING",
        "type: BYTES int_domain { min: 0 }",
        ["1", "abc"],
        ["1"],
        "should hold whole numbers written as text",
    ),
    Kind("INT_TYPE_BIG_INT", "type: BYTES int_domain { max: 5 }", ["9"], ["5"], "values outside its range"),
    Kind(
        "FLOAT_TYPE_STRING_NOT_FLOAT",
        "type: BYTES float_domain { min: 0 }",
        ["1.5", "abc"],
        ["1.5"],
        "should hold numbers written as text",
    ),
    Kind(
        "BOOL_TYPE_BIG_INT",
        "type: INT bool_domain {}",
        [0, 2],
        [0, 1],
        "should hold 0 or 1 only but holds numbers from 0 to 2",
    ),
    Kind(
        "BOOL_TYPE_SMALL_INT", "type: INT bool_domain {}", [-1, 1], [0, 1], "but holds numbers from -1 to 1"
    ),
    Kind("BOOL_TYPE_UNEXPECTED_FLOAT", "type: FLOAT bool_domain {}", [0.5, 0.5], [1.0, 1.0], "but holds 0.5"),
    Kind(
        "BOOL_TYPE_UNEXPECTED_STRING",
        YES_NO,
        ["yes", "maybe"],
        ["yes", "no"],
        "should hold “yes” or “no” only but holds “maybe”",
    ),
    Kind(
        "FEATURE_TYPE_NOT_PRESENT",
        "type: FLOAT presence { min_count: 1 }",
        [None, None],
        [1.0, None],
        "every one of its values is missing",
    ),
    Kind(
        "FEATURE_TYPE_LOW_FRACTION_PRESENT",
        "type: FLOAT presence { min_fraction: 0.8 }",
        [1.0, None],
        [1.0] * 4 + [None],
        "no value in 1 of 2 rows; the schema asks for a value in at least 80% of the rows",
    ),
    Kind(
        "FEATURE_TYPE_LOW_NUMBER_PRESENT",
        "type: FLOAT presence { min_count: 2 }",
        [1.0, None],
        [1.0, 2.0],
        "the schema asks for a value in at least 2 rows",
    ),
    Kind(
        "INVALID_FEATURE_SHAPE",
        "type: FLOAT shape { dim { size: 1 } }",
        [1.0, None],
        [1.0],
        "no value in 1 of 2 rows; the schema gives it a fixed shape of exactly 1 value in every row",
    ),
    Kind(
        "FEATURE_TYPE_LOW_UNIQUE",
        "type: BYTES unique_constraints { min: 2 max: 3 }",
        ["a"],
        ["a", "b"],
        "has 1 distinct value; the schema asks for 2 to 3 distinct values",
    ),
    Kind(
        "FEATURE_TYPE_HIGH_UNIQUE",
        "type: BYTES unique_constraints { min: 1 max: 1 }",
        ["a", "b"],
        ["a"],
        "has 2 distinct values; the schema asks for",
    ),
    Kind(
        "FEATURE_TYPE_NO_UNIQUE",
        "type: FLOAT unique_constraints { min: 1 max: 1 }",
        [1.0],
        [],
        "they are counted for text and categories only",
    ),
    Kind(
        "DOMAIN_INVALID_FOR_TYPE",
        'type: FLOAT string_domain { value: "a" }',
        [1.0],
        [],
        "a domain that its type cannot have",
    ),
    Kind("FEATURE_MISSING_TYPE", "", [1.0], [], "no type: add `type: FLOAT`"),
    Kind("FEATURE_MISSING_TYPE", "", ["a"], [], "no type: add `type: BYTES`"),
]


def found_in(
    day: DatasetFeatureStatisticsList,
    declared: Schema,
    baseline: DatasetFeatureStatisticsList | None = None,
    environment: str = "",
) -> dict[str, Finding]:
    found = anomalies.find(day, declared, baseline=baseline, environment=environment)
    before = baseline.datasets[0] if baseline else None
    return {f.code: f for f in findings.of_anomalies(found, declared, day.datasets[0], before)}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.code}-{kind.declared[:20]}")
def test_a_bad_column_is_found_and_told(kind: Kind, statistics: Build, schema: Read) -> None:
    found = found_in(statistics(x=kind.bad), schema(f'feature {{ name: "x" {kind.declared} }}'))
    assert kind.code in found
    finding = found[kind.code]
    assert kind.says in finding.message
    assert (finding.severity, finding.feature) == (Severity.ERROR, "x")
    assert finding.expected
    assert finding.observed


@pytest.mark.parametrize("kind", [k for k in KINDS if k.good], ids=lambda k: f"{k.code}-{k.declared[:20]}")
def test_a_good_column_is_not_found(kind: Kind, statistics: Build, schema: Read) -> None:
    assert not found_in(statistics(x=kind.good), schema(f'feature {{ name: "x" {kind.declared} }}'))


def test_a_new_and_a_missing_column(statistics: Build, schema: Read) -> None:
    declared = schema('feature { name: "fare" type: FLOAT presence { min_count: 1 } }')
    found = found_in(statistics(toll=[1.0]), declared)
    assert found["SCHEMA_NEW_COLUMN"].message == "Column “toll” (FLOAT) is in the data but not in the schema."
    assert "“fare” (FLOAT) is required by the schema but absent" in found["SCHEMA_MISSING_COLUMN"].message
    assert not found_in(statistics(fare=[1.0]), declared)


def test_invalid_utf8(statistics: Build, schema: Read) -> None:
    day, declared = statistics(x=["Cash"]), schema(f'feature {{ name: "x" {PAY} }}')
    assert not found_in(day, declared)
    day.datasets[0].features[0].string_stats.invalid_utf8_count = 3
    assert (
        "3 values that cannot be read as UTF-8" in found_in(day, declared)["ENUM_TYPE_INVALID_UTF8"].message
    )


@pytest.mark.parametrize(
    ("low", "high", "code"),
    [(0, 2, "FEATURE_TYPE_LOW_NUMBER_VALUES"), (1, 5, "FEATURE_TYPE_HIGH_NUMBER_VALUES"), (1, 2, None)],
)
def test_the_number_of_values_a_row(
    statistics: Build, schema: Read, low: int, high: int, code: str | None
) -> None:
    day = statistics(x=[1.0])
    counts = day.datasets[0].features[0].num_stats.common_stats
    counts.min_num_values, counts.max_num_values = low, high
    found = found_in(day, schema('feature { name: "x" type: FLOAT value_count { min: 1 max: 2 } }'))
    assert list(found) == ([code] if code else [])
    if code:
        assert f"{low} to {high} values a row; the schema allows 1 to 2 values a row" in found[code].message


def test_the_dataset_as_a_whole(statistics: Build, schema: Read) -> None:
    declared = schema('feature { name: "x" type: INT } dataset_constraints { min_examples_count: 3 }')
    finding = found_in(statistics(x=[1]), declared)["DATASET_LOW_NUM_EXAMPLES"]
    assert finding.message == "The dataset has 1 row; the schema asks for at least 3 rows."
    assert (finding.feature, finding.severity) == ("", Severity.ERROR)
    assert not found_in(statistics(x=[1, 2, 3]), declared)


@pytest.mark.parametrize(
    ("rows", "code"), [(1, "COMPARATOR_LOW_NUM_EXAMPLES"), (9, "COMPARATOR_HIGH_NUM_EXAMPLES"), (4, None)]
)
def test_the_number_of_rows_against_the_baseline(
    statistics: Build, schema: Read, rows: int, code: str | None
) -> None:
    limits = "min_fraction_threshold: 0.5 max_fraction_threshold: 2"
    declared = schema(
        'feature { name: "x" type: INT }'
        f"dataset_constraints {{ num_examples_drift_comparator {{ {limits} }} }}"
    )
    found = found_in(statistics(x=[1] * rows), declared, baseline=statistics(x=[1] * 4))
    assert list(found) == ([code] if code else [])
    if code:
        assert found[code].severity is Severity.WARNING
        assert "after 4 in the baseline" in found[code].message


def test_a_comparator_without_a_baseline_column(statistics: Build, schema: Read) -> None:
    own = "drift_comparator { jensen_shannon_divergence { threshold: 0.1 } }"
    declared = schema(f'feature {{ name: "x" type: INT {own} }} feature {{ name: "y" type: INT }}')
    found = found_in(statistics(x=[1]), declared, baseline=statistics(y=[1]))
    assert found["COMPARATOR_CONTROL_DATA_MISSING"].severity is Severity.WARNING
    assert "the baseline does not have it" in found["COMPARATOR_CONTROL_DATA_MISSING"].message
    assert not found_in(statistics(x=[1]), declared, baseline=statistics(x=[1]))


def test_a_column_of_another_environment(statistics: Build, schema: Read) -> None:
    declared = schema(
        'default_environment: "TRAINING" default_environment: "SERVING"'
        'feature { name: "x" type: INT }'
        'feature { name: "tip" type: INT presence { min_count: 1 } not_in_environment: "SERVING" }'
    )
    assert not found_in(statistics(x=[1]), declared, environment="SERVING")
    assert "SCHEMA_MISSING_COLUMN" in found_in(statistics(x=[1]), declared, environment="TRAINING")
    served = found_in(statistics(x=[1], tip=[1]), declared, environment="SERVING")
    assert "in other environments only" in served["SCHEMA_NEW_COLUMN"].message
    with pytest.raises(UsageError):
        anomalies.find(statistics(x=[1]), declared, environment="EVALUATION")


def test_a_schema_without_environments_ignores_them(statistics: Build, schema: Read) -> None:
    assert not found_in(statistics(x=[1]), schema('feature { name: "x" type: INT }'), environment="TRAINING")


def test_no_rows_are_marked(statistics: Build, schema: Read) -> None:
    assert anomalies.find(statistics(), schema('feature { name: "x" type: INT }')).data_missing
    assert not anomalies.find(statistics(x=[1]), schema('feature { name: "x" type: INT }')).data_missing


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<script>alert(1)</script>", "“<script>alert(1)</script>”"),
        ("a.b'\"\n", "“a.b'\"\\u000a”"),
        ("\u202egnp.exe", "“\\u202egnp.exe”"),
        ("x" * 10_000, f"“{'x' * 59}…”"),
        ("", "“”"),
    ],
)
def test_a_hostile_name_is_kept_but_shown_tamed(
    statistics: Build, schema: Read, name: str, shown: str
) -> None:
    finding = found_in(statistics({name: [1.0]}), schema('feature { name: "x" type: INT }'))[
        "SCHEMA_NEW_COLUMN"
    ]
    assert finding.feature == name
    assert finding.message.startswith(f"Column {shown} (FLOAT) ")


def test_a_thousand_new_values_make_a_short_message(statistics: Build, schema: Read) -> None:
    day = statistics(x=[f"{'v' * 500}{i}" for i in range(1000)])
    finding = found_in(day, schema(f'feature {{ name: "x" {PAY} }}'))["ENUM_TYPE_UNEXPECTED_STRING_VALUES"]
    assert "1,000 values that the schema does not list" in finding.message
    assert finding.message.endswith("and 997 more.")
    assert len(finding.message) < 400


def test_a_kind_without_words_of_ours_has_tfdvs(statistics: Build, schema: Read) -> None:
    declared = schema('feature { name: "x" type: BYTES domain: "absent" }')
    finding = found_in(statistics(x=["a"]), declared)["INVALID_DOMAIN_SPECIFICATION"]
    assert finding.message == "Column “x” does not conform to the schema: missing domain:"


def test_the_text_form_is_readable(statistics: Build, schema: Read) -> None:
    text = anomalies.format(anomalies.find(statistics(toll=[1]), schema("")))
    assert "SCHEMA_NEW_COLUMN" in text
