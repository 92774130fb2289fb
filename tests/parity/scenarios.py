"""Data, schemas and baselines that together raise every anomaly TFDV raises on tabular data.

Each scenario names the anomalies it raises; `IMPOSSIBLE` says of every other type why no data raises it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
from google.protobuf import text_format
from tensorflow_metadata.proto.v0.schema_pb2 import Feature, Schema

from tests.parity import tables
from tests.parity.tables import Columns

INF: Final = float("inf")
NAN: Final = float("nan")


@dataclass(frozen=True)
class Scenario:
    """A dataset to judge, and what is expected of it."""

    name: str
    raises: str
    """Types of anomalies, separated by blanks; none if there is nothing wrong."""
    schema: str
    data: Columns
    baseline: Columns | None = None
    environment: str = ""
    composites: bool = False
    """Whether TFDV's statistics are judged: of sparse and weighted features ours know nothing."""

    @property
    def declared(self) -> Schema:
        """The schema: it is written whole, or only what is in the one feature `x`."""
        try:
            return Schema(feature=[text_format.Parse(self.schema, Feature(name="x"))])
        except text_format.ParseError:
            return text_format.Parse(self.schema, Schema())

    @property
    def batch(self) -> Any:
        """The data."""
        return tables.batch(self.data)

    @property
    def baseline_batch(self) -> Any:
        """The data of the baseline, if there is one."""
        return None if self.baseline is None else tables.batch(self.baseline)


def x(*values: Any, kind: Any = None) -> Columns:
    """One column x."""
    return {"x": pa.array(list(values), kind)}


PAY = "type: BYTES string_domain { value: 'Cash' value: 'Card' }"
ZERO_TO_NINE = "type: INT int_domain { min: 0 max: 9 }"
SHARE = "type: FLOAT float_domain { min: 0 max: 1 disallow_nan: true disallow_inf: true }"
YES_NO = "type: BYTES bool_domain { true_value: 'yes' false_value: 'no' }"
NESTED = pa.list_(pa.list_(pa.int64()))
STRUCT = (
    "type: STRUCT struct_domain { "
    "feature { name: 'f' type: INT presence { min_fraction: 1 } int_domain { max: 5 } } }"
)
L_INFTY = "type: BYTES drift_comparator { infinity_norm { threshold: 0.1 } }"
DIVERGENCE = "drift_comparator { jensen_shannon_divergence { threshold: 0.1 } }"
QUANTILES = "drift_comparator { jensen_shannon_divergence { threshold: 0.1 source { type: QUANTILES } } }"
COUNTS = "type: BYTES drift_comparator { normalized_abs_difference { threshold: 0.1 } }"
ENVIRONMENTS = "default_environment: 'TRAINING' default_environment: 'SERVING' "
LABEL = ENVIRONMENTS + (
    "feature { name: 'x' type: INT } "
    "feature { name: 'label' type: INT presence { min_count: 1 } not_in_environment: 'SERVING' }"
)
SPARSE = (
    "feature { name: 'i' type: INT } feature { name: 'v' type: FLOAT } "
    "sparse_feature { name: 's' index_feature { name: 'i' } value_feature { name: 'v' } }"
)
WEIGHTED = (
    "feature { name: 'w' type: FLOAT } feature { name: 'v' type: FLOAT } "
    "weighted_feature { name: 's' feature { step: 'v' } weight_feature { step: 'w' } }"
)


def _lists(*lists: Any, kind: Any) -> Any:
    return pa.array(list(lists), pa.list_(kind))


def _sparse(indices: list[Any], values: list[Any]) -> Columns:
    return {"i": _lists(*indices, kind=pa.int64()), "v": _lists(*values, kind=pa.float64())}


def _weighted(weights: list[Any], values: list[Any]) -> Columns:
    return {"w": _lists(*weights, kind=pa.float64()), "v": _lists(*values, kind=pa.float64())}


SCENARIOS: Final = [
    # Booleans
    Scenario("booleans as numbers", "", "type: INT bool_domain {}", x(True, False, None)),
    Scenario("booleans above one", "BOOL_TYPE_BIG_INT", "type: INT bool_domain {}", x(0, 1, 2)),
    Scenario("booleans below zero", "BOOL_TYPE_SMALL_INT", "type: INT bool_domain {}", x(-1, 0, 1)),
    Scenario("booleans as words", "", YES_NO, x("yes", "no", None)),
    Scenario("a word that is no boolean", "BOOL_TYPE_UNEXPECTED_STRING", YES_NO, x("yes", "perhaps")),
    Scenario("booleans as floats", "", "type: FLOAT bool_domain {}", x(0.0, 1.0)),
    Scenario("a half boolean", "BOOL_TYPE_UNEXPECTED_FLOAT", "type: FLOAT bool_domain {}", x(0.0, 0.5, 1.0)),
    Scenario("a NaN boolean", "BOOL_TYPE_UNEXPECTED_FLOAT", "type: FLOAT bool_domain {}", x(0.0, NAN, 1.0)),
    Scenario("a great boolean", "BOOL_TYPE_UNEXPECTED_FLOAT", "type: FLOAT bool_domain {}", x(0.0, 7.5)),
    Scenario("words for numbers", "", "type: INT bool_domain { true_value: 'y' }", x(0, 1)),
    Scenario("no words for words", "BOOL_TYPE_UNEXPECTED_STRING", "type: BYTES bool_domain {}", x("yes")),
    # Categories
    Scenario("known categories", "", PAY, x("Cash", "Card", None)),
    Scenario("a new category", "ENUM_TYPE_UNEXPECTED_STRING_VALUES", PAY, x("Cash", "Cash", "Crypto")),
    Scenario("an empty category", "ENUM_TYPE_UNEXPECTED_STRING_VALUES", PAY, x("Cash", "")),
    Scenario(
        "a category of quotes", "ENUM_TYPE_UNEXPECTED_STRING_VALUES", PAY, x("Cash", 'a "b" \\ é\n', "Card")
    ),
    Scenario(
        "rare new categories may be",
        "",
        PAY + " distribution_constraints { min_domain_mass: 0.7 }",
        x("Cash", "Cash", "Card", "Crypto"),
    ),
    Scenario(
        "too many new categories",
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        PAY + " distribution_constraints { min_domain_mass: 0.8 }",
        x("Cash", "Cash", "Card", "Crypto"),
    ),
    Scenario("a category that is no text", "ENUM_TYPE_INVALID_UTF8", PAY, x(b"Cash", b"\xff\xfe")),
    Scenario(
        "categories of a domain that two columns share",
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        "string_domain { name: 'pay' value: 'Cash' } feature { name: 'x' type: BYTES domain: 'pay' } "
        "feature { name: 'y' type: BYTES domain: 'pay' }",
        {"x": ["Cash"], "y": ["Card"]},
    ),
    # How many values
    Scenario("one value each", "", "type: INT value_count { min: 1 max: 1 }", x(1, 2)),
    Scenario(
        "more values than allowed",
        "FEATURE_TYPE_HIGH_NUMBER_VALUES",
        "type: INT value_count { max: 1 }",
        x([1], [2, 3]),
    ),
    Scenario(
        "fewer values than needed",
        "FEATURE_TYPE_LOW_NUMBER_VALUES",
        "type: INT value_count { min: 2 }",
        x([1, 2], [3]),
    ),
    Scenario(
        "an empty list", "FEATURE_TYPE_LOW_NUMBER_VALUES", "type: INT value_count { min: 1 }", x([1], [])
    ),
    Scenario(
        "inner lists too long",
        "FEATURE_TYPE_HIGH_NUMBER_VALUES",
        "type: INT value_counts { value_count { max: 2 } value_count { max: 1 } }",
        x([[1], [2, 3]], kind=NESTED),
    ),
    Scenario(
        "inner lists too short",
        "FEATURE_TYPE_LOW_NUMBER_VALUES",
        "type: INT value_counts { value_count { min: 1 } value_count { min: 2 } }",
        x([[1], [2, 3]], kind=NESTED),
    ),
    Scenario(
        "lists in lists",
        "VALUE_NESTEDNESS_MISMATCH",
        "type: INT value_count { min: 1 }",
        x([[1]], kind=NESTED),
    ),
    Scenario(
        "no lists in lists",
        "VALUE_NESTEDNESS_MISMATCH",
        "type: INT value_counts { value_count { min: 1 } value_count { min: 1 } }",
        x([1]),
    ),
    Scenario(
        "a shape that fits",
        "",
        "type: INT shape { dim { size: 2 } } presence { min_fraction: 1 }",
        x([1, 2], [3, 4]),
    ),
    Scenario(
        "a shape that varies", "INVALID_FEATURE_SHAPE", "type: INT shape { dim { size: 2 } }", x([1, 2], [3])
    ),
    Scenario("a shape with nothing in it", "INVALID_FEATURE_SHAPE", "type: INT shape {}", x(1, None)),
    Scenario(
        "another shape", "INVALID_FEATURE_SHAPE", "type: INT shape { dim { size: 3 } }", x([1, 2], [3, 4])
    ),
    # Presence
    Scenario("present everywhere", "", "type: INT presence { min_fraction: 1 min_count: 2 }", x(1, 2)),
    Scenario(
        "missing where it must not",
        "FEATURE_TYPE_LOW_FRACTION_PRESENT",
        "type: INT presence { min_fraction: 1 }",
        x(1, None, 3),
    ),
    Scenario(
        "missing too often",
        "FEATURE_TYPE_LOW_FRACTION_PRESENT",
        "type: INT presence { min_fraction: 0.7 }",
        x(1, None, 3),
    ),
    Scenario("missing as often as allowed", "", "type: INT presence { min_fraction: 0.6 }", x(1, None, 3)),
    Scenario(
        "too few values in all",
        "FEATURE_TYPE_LOW_NUMBER_PRESENT",
        "type: INT presence { min_count: 3 }",
        x(1, None, 3),
    ),
    Scenario(
        "no value at all",
        "FEATURE_TYPE_NOT_PRESENT",
        "type: INT presence { min_count: 1 }",
        x(None, None, kind=pa.int64()),
    ),
    Scenario("no value, and none needed", "", "type: INT", x(None, None, kind=pa.int64())),
    Scenario("no value of any type", "", "type: FLOAT", x(None, None, kind=pa.null())),
    Scenario(
        "a column is gone",
        "SCHEMA_MISSING_COLUMN SCHEMA_NEW_COLUMN",
        "type: INT presence { min_count: 1 }",
        {"y": pa.nulls(1)},
    ),
    Scenario("a column is new", "SCHEMA_NEW_COLUMN", "type: INT", {"x": [1], "y": ["a"]}),
    Scenario(
        "a struct is new", "SCHEMA_NEW_COLUMN", "type: INT", {"x": [1], "y": [{"f": 1, "g": {"h": "a"}}]}
    ),
    Scenario("the label where it belongs", "", LABEL, {"x": [1], "label": [0]}, environment="TRAINING"),
    Scenario("no label in training", "SCHEMA_MISSING_COLUMN", LABEL, {"x": [1]}, environment="TRAINING"),
    Scenario("no label in serving", "", LABEL, {"x": [1]}, environment="SERVING"),
    Scenario(
        "a label in serving", "SCHEMA_NEW_COLUMN", LABEL, {"x": [1], "label": [0]}, environment="SERVING"
    ),
    Scenario("deprecated, whatever it holds", "", "type: INT lifecycle_stage: DEPRECATED", x("a")),
    # Distinct values
    Scenario(
        "as many distinct values as wanted",
        "",
        "type: BYTES unique_constraints { min: 2 max: 2 }",
        x("a", "b"),
    ),
    Scenario(
        "too many distinct values",
        "FEATURE_TYPE_HIGH_UNIQUE",
        "type: BYTES unique_constraints { min: 1 max: 2 }",
        x("a", "b", "c"),
    ),
    Scenario(
        "too few distinct values",
        "FEATURE_TYPE_LOW_UNIQUE",
        "type: BYTES unique_constraints { min: 3 max: 9 }",
        x("a", "b", "b"),
    ),
    Scenario(
        "numbers have no distinct values",
        "FEATURE_TYPE_NO_UNIQUE",
        "type: FLOAT unique_constraints { min: 1 max: 9 }",
        x(1.0, 2.0),
    ),
    # Numbers
    Scenario("integers in range", "", ZERO_TO_NINE, x(0, 9, None)),
    Scenario("too great an integer", "INT_TYPE_BIG_INT", ZERO_TO_NINE, x(0, 10)),
    Scenario("too small an integer", "INT_TYPE_SMALL_INT", ZERO_TO_NINE, x(-1, 9)),
    Scenario("the greatest integers", "INT_TYPE_SMALL_INT", ZERO_TO_NINE, x(-(2**63), 2**63 - 1)),
    Scenario("integers as text", "", "type: BYTES int_domain { min: 0 max: 9 }", x("1", "9")),
    Scenario(
        "too great an integer as text", "INT_TYPE_BIG_INT", "type: BYTES int_domain { max: 9 }", x("1", "10")
    ),
    Scenario(
        "text that is no integer",
        "INT_TYPE_NOT_INT_STRING",
        "type: BYTES int_domain { max: 9 }",
        x("1", "n/a"),
    ),
    Scenario("floats in range", "", SHARE, x(0.0, 0.5, 1.0, None)),
    Scenario("too great a float", "FLOAT_TYPE_BIG_FLOAT", SHARE, x(0.5, 1.5)),
    Scenario("too small a float", "FLOAT_TYPE_SMALL_FLOAT", SHARE, x(-0.5, 1.0)),
    Scenario("a float that is not a number", "FLOAT_TYPE_HAS_NAN", SHARE, x(0.5, NAN)),
    Scenario("nothing but NaN", "FLOAT_TYPE_HAS_NAN", SHARE, x(NAN, NAN)),
    Scenario("an infinite float", "FLOAT_TYPE_BIG_FLOAT FLOAT_TYPE_HAS_INF", SHARE, x(0.5, INF)),
    Scenario("a float below all", "FLOAT_TYPE_SMALL_FLOAT FLOAT_TYPE_HAS_INF", SHARE, x(0.5, -INF)),
    Scenario("null in a list of floats", "FLOAT_TYPE_HAS_NAN", SHARE, x([0.5, None], [1.0])),
    Scenario("floats as text", "", "type: BYTES float_domain { min: 0 max: 1 }", x("0.5", "1")),
    Scenario(
        "text that is no float",
        "FLOAT_TYPE_STRING_NOT_FLOAT",
        "type: BYTES float_domain { max: 1 }",
        x("0.5", "n/a"),
    ),
    Scenario(
        "NaN as text",
        "FLOAT_TYPE_HAS_NAN",
        "type: BYTES float_domain { disallow_nan: true }",
        x("0.5", "nan"),
    ),
    # Types
    Scenario("text for integers", "UNEXPECTED_DATA_TYPE", "type: INT", x("1", "n/a")),
    Scenario("floats for integers", "UNEXPECTED_DATA_TYPE", "type: INT", x(1.0, 0.5)),
    Scenario("integers for floats", "UNEXPECTED_DATA_TYPE", "type: FLOAT", x(1, 2)),
    Scenario("integers for text", "UNEXPECTED_DATA_TYPE", "type: BYTES", x(1, 2)),
    Scenario("integers for categories", "UNEXPECTED_DATA_TYPE", PAY, x(1, 2)),
    Scenario("a struct for integers", "UNEXPECTED_DATA_TYPE", "type: INT", x({"f": 1})),
    Scenario("integers for a struct", "UNEXPECTED_DATA_TYPE SCHEMA_MISSING_COLUMN", STRUCT, x(1, 2)),
    Scenario("text, floats and range at once", "UNEXPECTED_DATA_TYPE", ZERO_TO_NINE, x(0.5, 99.5)),
    # Structs
    Scenario("a struct that fits", "", STRUCT, x({"f": 1}, {"f": 5}, None)),
    Scenario("a field out of range", "INT_TYPE_BIG_INT", STRUCT, x({"f": 1}, {"f": 6})),
    Scenario("a field is missing", "FEATURE_TYPE_LOW_FRACTION_PRESENT", STRUCT, x({"f": 1}, {"f": None})),
    Scenario("a struct in a list is null", "FEATURE_TYPE_LOW_FRACTION_PRESENT", STRUCT, x([{"f": 1}, None])),
    Scenario("a field is new", "SCHEMA_NEW_COLUMN", STRUCT, x({"f": 1, "g": "a"})),
    Scenario("a field is gone", "SCHEMA_MISSING_COLUMN SCHEMA_NEW_COLUMN", STRUCT, x({"g": "a"})),
    # Images
    Scenario("small images", "", "type: BYTES image_domain { max_image_byte_size: 3 }", x(b"abc", b"\xff")),
    Scenario(
        "a great image",
        "MAX_IMAGE_BYTE_SIZE_EXCEEDED",
        "type: BYTES image_domain { max_image_byte_size: 2 }",
        x(b"abc", b"\xff"),
    ),
    # Schemas that cannot be
    Scenario("a type is missing", "FEATURE_MISSING_TYPE", "presence { min_count: 1 }", x(1)),
    Scenario(
        "a type is missing beside a domain", "FEATURE_MISSING_TYPE", "string_domain { value: 'a' }", x("a")
    ),
    Scenario(
        "a domain of another type", "DOMAIN_INVALID_FOR_TYPE", "type: INT string_domain { value: 'a' }", x(1)
    ),
    Scenario(
        "more than everywhere",
        "INVALID_SCHEMA_SPECIFICATION",
        "type: INT presence { min_fraction: 1.5 }",
        x(1),
    ),
    Scenario(
        "mass without a domain",
        "INVALID_SCHEMA_SPECIFICATION",
        "type: INT distribution_constraints { min_domain_mass: 0.5 }",
        x(1),
    ),
    Scenario(
        "at most less than at least",
        "INVALID_SCHEMA_SPECIFICATION",
        "type: INT value_count { min: 3 max: 1 }",
        x([1, 2, 3]),
    ),
    Scenario(
        "a domain that is not there", "INVALID_DOMAIN_SPECIFICATION", "type: BYTES domain: 'gone'", x("a")
    ),
    Scenario(
        "constraints of language",
        "STATS_NOT_AVAILABLE",
        "type: BYTES natural_language_domain { coverage { min_coverage: 0.5 } }",
        x("a"),
    ),
    Scenario(
        "derived, and its stage does not say so",
        "DERIVED_FEATURE_BAD_LIFECYCLE",
        "type: INT validation_derived_source { deriver_name: 'd' }",
        x(1),
    ),
    Scenario(
        "two meanings of a name",
        "SPARSE_FEATURE_NAME_COLLISION",
        "feature { name: 'x' type: INT } sparse_feature { name: 'x' }",
        x(1),
    ),
    Scenario(
        "another two meanings of a name",
        "WEIGHTED_FEATURE_NAME_COLLISION",
        "feature { name: 'x' type: INT } weighted_feature { name: 'x' }",
        x(1),
    ),
    # Rows
    Scenario(
        "enough rows",
        "",
        "dataset_constraints { min_examples_count: 2 max_examples_count: 2 } feature { name: 'x' type: INT }",
        x(1, 2),
    ),
    Scenario(
        "too few rows",
        "DATASET_LOW_NUM_EXAMPLES",
        "dataset_constraints { min_examples_count: 3 } feature { name: 'x' type: INT }",
        x(1, 2),
    ),
    Scenario(
        "too many rows",
        "DATASET_HIGH_NUM_EXAMPLES",
        "dataset_constraints { min_examples_count: 0 max_examples_count: 1 } feature { name: 'x' type: INT }",
        x(1, 2),
    ),
    Scenario("no rows", "", "type: INT presence { min_count: 1 }", x(kind=pa.int64())),
    Scenario(
        "fewer rows than before",
        "COMPARATOR_LOW_NUM_EXAMPLES",
        "dataset_constraints { num_examples_drift_comparator { min_fraction_threshold: 0.9 } } "
        "feature { name: 'x' type: INT }",
        x(1),
        x(1, 2),
    ),
    Scenario(
        "more rows than before",
        "COMPARATOR_HIGH_NUM_EXAMPLES",
        "dataset_constraints { num_examples_drift_comparator { max_fraction_threshold: 1.5 } } "
        "feature { name: 'x' type: INT }",
        x(1, 2),
        x(1),
    ),
    # Drift
    Scenario("categories as before", "", L_INFTY, x(*"aabb"), x(*"abab")),
    Scenario("categories shift", "COMPARATOR_L_INFTY_HIGH", L_INFTY, x(*"aaab"), x(*"abab")),
    Scenario("a category that was not there", "COMPARATOR_L_INFTY_HIGH", L_INFTY, x(*"abcc"), x(*"abab")),
    Scenario(
        "invalid texts come",
        "COMPARATOR_L_INFTY_HIGH",
        L_INFTY,
        x(b"a", b"\xff", b"\xfe"),
        x(b"a", b"b", b"c"),
    ),
    Scenario(
        "numbers as before",
        "",
        "type: FLOAT " + DIVERGENCE,
        x(*map(float, range(50))),
        x(*map(float, range(50))),
    ),
    Scenario(
        "numbers shift",
        "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH",
        "type: FLOAT " + DIVERGENCE,
        x(*map(float, range(50, 100))),
        x(*map(float, range(50))),
    ),
    Scenario(
        "integers shift in quantiles",
        "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH",
        "type: INT " + QUANTILES,
        x(*range(40, 90)),
        x(*range(50)),
    ),
    Scenario(
        "categories diverge",
        "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH",
        "type: BYTES " + DIVERGENCE,
        x(*"aaab"),
        x(*"bccc"),
    ),
    Scenario("counts as before", "", COUNTS, x(*"aabb"), x(*"abab")),
    Scenario(
        "counts change", "COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH", COUNTS, x(*"aaab"), x(*"abab")
    ),
    Scenario("not there before", "COMPARATOR_CONTROL_DATA_MISSING", L_INFTY, x("a"), {"y": ["a"]}),
    Scenario("nothing to compare with", "", L_INFTY, x("a")),
    # What TFDV alone measures, if it is given the schema
    Scenario("a sparse feature", "", SPARSE, _sparse([[1], [2, 3]], [[0.5], [1.0, 2.0]]), composites=True),
    Scenario(
        "a sparse feature without values",
        "SPARSE_FEATURE_MISSING_VALUE SPARSE_FEATURE_LENGTH_MISMATCH",
        SPARSE,
        _sparse([[1], [2]], [[0.5], None]),
        composites=True,
    ),
    Scenario(
        "a sparse feature without indices",
        "SPARSE_FEATURE_MISSING_INDEX SPARSE_FEATURE_LENGTH_MISMATCH",
        SPARSE,
        _sparse([[1], None], [[0.5], [1.0]]),
        composites=True,
    ),
    Scenario("a weighted feature", "", WEIGHTED, _weighted([[1.0]], [[0.5]]), composites=True),
    Scenario(
        "a weighted feature without values",
        "WEIGHTED_FEATURE_MISSING_VALUE WEIGHTED_FEATURE_LENGTH_MISMATCH",
        WEIGHTED,
        _weighted([[1.0], [1.0]], [[0.5], None]),
        composites=True,
    ),
    Scenario(
        "a weighted feature without weights",
        "WEIGHTED_FEATURE_MISSING_WEIGHT WEIGHTED_FEATURE_LENGTH_MISMATCH",
        WEIGHTED,
        _weighted([[1.0], None], [[0.5], [1.0]]),
        composites=True,
    ),
]


def _all(types: str, reason: str) -> Mapping[str, str]:
    return dict.fromkeys(types.split(), reason)


IMPOSSIBLE: Final[Mapping[str, str]] = {
    **_all(
        """
        UNKNOWN_TYPE BOOL_TYPE_BYTES_NOT_INT BOOL_TYPE_BYTES_NOT_STRING BOOL_TYPE_FLOAT_NOT_INT
        BOOL_TYPE_FLOAT_NOT_STRING BOOL_TYPE_INT_NOT_STRING BOOL_TYPE_STRING_NOT_INT
        ENUM_TYPE_BYTES_NOT_STRING ENUM_TYPE_FLOAT_NOT_STRING ENUM_TYPE_INT_NOT_STRING
        FEATURE_TYPE_NO_VALUES FEATURE_TYPE_UNEXPECTED_REPEATED FLOAT_TYPE_NOT_FLOAT FLOAT_TYPE_NON_STRING
        FLOAT_TYPE_UNKNOWN_TYPE_NUMBER INT_TYPE_INT_EXPECTED INT_TYPE_NOT_STRING INT_TYPE_STRING_EXPECTED
        INT_TYPE_UNKNOWN_TYPE_NUMBER SCHEMA_TRAINING_SERVING_SKEW STRING_TYPE_NOW_FLOAT STRING_TYPE_NOW_INT
        COMPARATOR_TREATMENT_DATA_MISSING NO_DATA_IN_SPAN NLP_WRONG_LOCATION EMBEDDING_SHAPE_INVALID
        MULTIPLE_REASONS
        """,
        "TFDV's core has no code that raises it (its anomalies reference: not detected)",
    ),
    **_all(
        """
        SEQUENCE_VALUE_TOO_FEW_OCCURRENCES SEQUENCE_VALUE_TOO_MANY_OCCURRENCES
        SEQUENCE_VALUE_TOO_SMALL_FRACTION SEQUENCE_VALUE_TOO_LARGE_FRACTION FEATURE_COVERAGE_TOO_LOW
        FEATURE_COVERAGE_TOO_SHORT_AVG_TOKEN_LENGTH
        """,
        "from nl_statistics, which TFDV computes for text with a vocabulary: not tabular",
    ),
    "LOW_SUPPORTED_IMAGE_FRACTION": "from image_format_histogram, which TFDV computes of decoded images only",
    "SEMANTIC_DOMAIN_UPDATE": "from domain_info, which TFDV's semantic statistics guess; off by default",
    "DERIVED_FEATURE_INVALID_SOURCE": "from features that TFDV's own preprocessing derives of a schema",
    "FEATURE_MISSING_NAME": "a schema with a nameless feature is refused when it is loaded, exit 64",
    "BOOL_TYPE_INVALID_CONFIG": "in TFDV's reference; neither version raised it for any type and bool_domain",
    "CUSTOM_VALIDATION": "from SQL of a CustomValidationConfig, which 1.21 has no more",
}
