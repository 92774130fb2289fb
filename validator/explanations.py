"""What an anomaly means, in words: expected, observed, and a sentence for somebody new to TFDV.

TFDV's own descriptions name no expectation ("Some examples have more values than expected.") or list a
thousand values; here the words come from schema and statistics, and TFDV's are the fallback for other kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tensorflow_metadata.proto.v0.schema_pb2 import Feature, FeatureType, Schema

from validator import features, text

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.anomalies_pb2 import AnomalyInfo
    from tensorflow_metadata.proto.v0.statistics_pb2 import FeatureNameStatistics

_VALUES_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Words:
    """What is said about one finding."""

    expected: str
    observed: str
    message: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about.

    Attributes:
        name: The feature's name; empty for the dataset as a whole.
        schema: What is expected of the dataset.
        declared: What the schema says of the feature; empty when it says nothing.
        found: The feature's statistics, if the data has it.
        rows: Number of examples.
        rows_before: Number of examples in the baseline; 0 without one.
        reason: What TFDV says.
    """

    name: str
    schema: Schema
    declared: Feature
    found: FeatureNameStatistics | None
    rows: int
    rows_before: int
    reason: AnomalyInfo.Reason

    @property
    def title(self) -> str:
        """The feature's name as it stands in a sentence."""
        return text.quoted(self.name)

    @property
    def domain(self) -> Sequence[str]:
        """The strings that the schema allows."""
        if self.declared.HasField("string_domain"):
            return list(self.declared.string_domain.value)
        domains = (domain for domain in self.schema.string_domain if domain.name == self.declared.domain)
        return [value for domain in domains for value in domain.value]


def explain(code: str, subject: Subject) -> Words:
    """Puts one reason of an anomaly into words.

    Args:
        code: TFDV's AnomalyInfo.Type, e.g. `SCHEMA_NEW_COLUMN`.
        subject: What the reason is about.
    """
    return _EXPLANATIONS.get(code, _in_tfdv_words)(subject)


def _in_tfdv_words(subject: Subject) -> Words:
    said = text.shown(" ".join((subject.reason.description or subject.reason.short_description).split()), 300)
    about = f"Column {subject.title}" if subject.name else "The dataset"
    return Words("as the schema says", said, f"{about} does not conform to the schema: {said}")


def _new_column(subject: Subject) -> Words:
    kind = _type_found(subject)
    if "environment" in subject.reason.short_description:
        return Words(
            "no such column in this environment",
            f"a column of type {kind}",
            f"Column {subject.title} is in the data, but the schema has it in other environments only.",
        )
    return Words(
        "no such column",
        f"a column of type {kind}",
        f"Column {subject.title} ({kind}) is in the data but not in the schema.",
    )


def _missing_column(subject: Subject) -> Words:
    kind = FeatureType.Name(subject.declared.type)
    return Words(
        f"a column of type {kind}",
        "no such column",
        f"Column {subject.title} ({kind}) is required by the schema but absent from the data.",
    )


def _never_present(subject: Subject) -> Words:
    return Words(
        _presence(subject.declared),
        f"no value in any of {text.count(subject.rows, 'row')}",
        f"Column {subject.title} is in the data, but every one of its values is missing.",
    )


def _seldom_present(subject: Subject) -> Words:
    present = features.present(subject.found) if subject.found else 0
    share = present / subject.rows if subject.rows else 0.0
    missing = subject.rows - present
    return Words(
        _presence(subject.declared),
        f"a value in {text.percent(share)} of the rows ({present:,} of {subject.rows:,})",
        f"Column {subject.title} has no value in {missing:,} of {text.count(subject.rows, 'row')}; "
        f"the schema asks for {_presence(subject.declared)}.",
    )


def _unexpected_strings(subject: Subject) -> Words:
    allowed = set(subject.domain)
    shares = features.value_shares(subject.found) if subject.found else {}
    new = {value: share for value, share in shares.items() if value not in allowed}
    shown = text.listed([f"{text.quoted(v)} ({text.percent(s)})" for v, s in new.items()], _VALUES_SHOWN)
    many = text.count(len(new), "value") + (" that the schema does not list" if new else "")
    return Words(
        _domain(subject),
        shown or text.shown(subject.reason.description, 300),
        f"Column {subject.title} has {many}: {shown}." if new else _in_tfdv_words(subject).message,
    )


def _unexpected_type(subject: Subject) -> Words:
    expected, found = FeatureType.Name(subject.declared.type), _type_found(subject)
    example = next(iter(features.value_counts(subject.found)), None) if subject.found else None
    such_as = f", such as {text.quoted(example)}" if example is not None else ""
    return Words(
        f"type {expected}",
        f"type {found}{such_as}",
        f"Column {subject.title} should hold {_KINDS.get(expected, expected)} but holds "
        f"{_KINDS.get(found, found)}{such_as}.",
    )


def _too_low(subject: Subject) -> Words:
    return _out_of_range(subject, "min", "at least", "lowest")


def _too_high(subject: Subject) -> Words:
    return _out_of_range(subject, "max", "at most", "highest")


def _out_of_range(subject: Subject, bound: str, relation: str, superlative: str) -> Words:
    declared = subject.declared
    domain = declared.float_domain if declared.HasField("float_domain") else declared.int_domain
    limit = text.exact(getattr(domain, bound))
    if subject.found is None or not features.is_numeric(subject.found):
        said = text.shown(subject.reason.description.strip(), 200)
        return Words(
            f"{relation} {limit}", said, f"Column {subject.title} has values outside its range: {said}"
        )
    extreme = text.exact(getattr(subject.found.num_stats, bound))
    return Words(
        f"{relation} {limit}",
        f"{superlative} value {extreme}",
        f"Column {subject.title} has values outside its range: the {superlative} is {extreme}, "
        f"the schema allows {relation} {limit}.",
    )


def _has_nan(subject: Subject) -> Words:
    histograms = features.histograms(subject.found) if subject.found else ()
    times = max((histogram.num_nan for histogram in histograms), default=0)
    observed = text.count(times, "value") + " that is not a number" if times == 1 else f"{times:,} NaN values"
    return Words(
        "numbers only",
        observed,
        f"Column {subject.title} has {observed}; the schema allows none.",
    )


def _has_infinity(subject: Subject) -> Words:
    return Words(
        "finite numbers only",
        "infinite values",
        f"Column {subject.title} has infinite values; the schema allows none.",
    )


def _not_utf8(subject: Subject) -> Words:
    times = subject.found.string_stats.invalid_utf8_count if subject.found else 0
    return Words(
        "text in UTF-8",
        f"{text.count(times, 'value')} in another encoding",
        f"Column {subject.title} has {text.count(times, 'value')} that cannot be read as UTF-8 text.",
    )


def _not_integers(subject: Subject) -> Words:
    return _not_convertible(subject, "whole numbers written as text")


def _not_floats(subject: Subject) -> Words:
    return _not_convertible(subject, "numbers written as text")


def _not_convertible(subject: Subject, expected: str) -> Words:
    said = text.shown(subject.reason.description.strip().rstrip("."), 200)
    return Words(expected, said, f"Column {subject.title} should hold {expected}. {said}.")


def _not_boolean(subject: Subject) -> Words:
    domain = subject.declared.bool_domain
    pair = [value for value in (domain.true_value, domain.false_value) if value]
    allowed = " or ".join(map(text.quoted, pair)) if pair else "0 or 1"
    observed = _values_found(subject, set(pair))
    return Words(
        allowed, observed, f"Column {subject.title} should hold {allowed} only but holds {observed}."
    )


def _values_found(subject: Subject, known: set[str]) -> str:
    if subject.found is None:
        return "other values"
    if features.is_numeric(subject.found):
        low, high = subject.found.num_stats.min, subject.found.num_stats.max
        return f"numbers from {text.exact(low)} to {text.exact(high)}" if low < high else text.exact(low)
    others = [text.quoted(value) for value in features.value_counts(subject.found) if value not in known]
    return text.listed(others, _VALUES_SHOWN)


def _shape(subject: Subject) -> Words:
    counts = features.common(subject.found) if subject.found else None
    size = f" {text.TIMES} ".join(str(dim.size) for dim in subject.declared.shape.dim) or "1"
    expected = (
        f"exactly {text.count(int(size), 'value') if size.isdigit() else size + ' values'} in every row"
    )
    observed = _values_a_row(counts.min_num_values, counts.max_num_values) if counts else "no values"
    if counts and counts.num_missing:
        observed = f"no value in {counts.num_missing:,} of {text.count(subject.rows, 'row')}"
    return Words(
        expected,
        observed,
        f"Column {subject.title} has {observed}; the schema gives it a fixed shape of {expected}.",
    )


def _value_count(subject: Subject) -> Words:
    counts = features.common(subject.found) if subject.found else None
    limits = subject.declared.value_count
    expected = _values_a_row(limits.min, limits.max) if limits.max else f"at least {limits.min} values a row"
    observed = _values_a_row(counts.min_num_values, counts.max_num_values) if counts else "no values"
    return Words(expected, observed, f"Column {subject.title} has {observed}; the schema allows {expected}.")


def _uniqueness(subject: Subject) -> Words:
    limits = subject.declared.unique_constraints
    found = subject.found.string_stats.unique if subject.found else 0
    expected = f"{limits.min:,} to {limits.max:,} distinct values"
    return Words(
        expected,
        text.count(found, "distinct value"),
        f"Column {subject.title} has {text.count(found, 'distinct value')}; the schema asks for {expected}.",
    )


def _uniqueness_unknown(subject: Subject) -> Words:
    return Words(
        "distinct values that can be counted",
        f"a column of type {_type_found(subject)}",
        f"The schema limits the distinct values of column {subject.title}, but they are counted for text and "
        "categories only.",
    )


def _few_examples(subject: Subject) -> Words:
    limit = text.count(subject.schema.dataset_constraints.min_examples_count, "row")
    found = text.count(subject.rows, "row")
    return Words(
        f"at least {limit}", found, f"The dataset has {found}; the schema asks for at least {limit}."
    )


def _many_examples(subject: Subject) -> Words:
    limit = text.count(subject.schema.dataset_constraints.max_examples_count, "row")
    found = text.count(subject.rows, "row")
    return Words(f"at most {limit}", found, f"The dataset has {found}; the schema asks for at most {limit}.")


def _fewer_than_before(subject: Subject) -> Words:
    limit = subject.schema.dataset_constraints.num_examples_drift_comparator.min_fraction_threshold
    return _rows_against_baseline(subject, f"at least {text.number(limit)} times the baseline's rows")


def _more_than_before(subject: Subject) -> Words:
    limit = subject.schema.dataset_constraints.num_examples_drift_comparator.max_fraction_threshold
    return _rows_against_baseline(subject, f"at most {text.number(limit)} times the baseline's rows")


def _rows_against_baseline(subject: Subject, expected: str) -> Words:
    observed = f"{text.count(subject.rows, 'row')} after {subject.rows_before:,} in the baseline"
    return Words(expected, observed, f"The dataset has {observed}; the schema asks for {expected}.")


def _not_in_baseline(subject: Subject) -> Words:
    return Words(
        "a baseline to compare with",
        "no such column in the baseline",
        f"Drift of column {subject.title} cannot be measured: the baseline does not have it.",
    )


def _type_missing(subject: Subject) -> Words:
    return Words(
        "a type in the schema",
        "none",
        f"The schema gives column {subject.title} no type: add `type: {_declarable(_type_found(subject))}`.",
    )


def _domain_of_other_type(subject: Subject) -> Words:
    kind = FeatureType.Name(subject.declared.type)
    return Words(
        f"a domain for type {kind}",
        "a domain of another type",
        f"The schema gives column {subject.title} ({kind}) a domain that its type cannot have.",
    )


def _presence(declared: Feature) -> str:
    """The strictest that the schema says about missing values, in words."""
    presence = declared.presence
    if presence.min_fraction >= 1:
        return "a value in every row"
    parts = (
        [f"in at least {text.percent(presence.min_fraction)} of the rows"] if presence.min_fraction else []
    )
    if presence.min_count > 1 or not parts:
        parts.append(f"in at least {text.count(max(presence.min_count, 1), 'row')}")
    return "a value " + " and ".join(parts)


def _domain(subject: Subject) -> str:
    allowed = subject.domain
    if not allowed:
        return "the values listed in the schema"
    return f"{'one of ' if len(allowed) > 1 else ''}{text.listed([text.quoted(v) for v in allowed], 5)}"


def _values_a_row(low: int, high: int) -> str:
    if low == high:
        return f"{text.count(low, 'value')} a row"
    return f"{low:,} to {high:,} values a row"


def _type_found(subject: Subject) -> str:
    return features.type_name(subject.found) if subject.found else "unknown"


def _declarable(kind: str) -> str:
    return "BYTES" if kind == "STRING" else kind


_KINDS: Final[Mapping[str, str]] = {
    "INT": "whole numbers (INT)",
    "FLOAT": "numbers (FLOAT)",
    "STRING": "text (STRING)",
    "BYTES": "text (BYTES)",
}

_EXPLANATIONS: Final[Mapping[str, Callable[[Subject], Words]]] = {
    "SCHEMA_NEW_COLUMN": _new_column,
    "SCHEMA_MISSING_COLUMN": _missing_column,
    "FEATURE_TYPE_NOT_PRESENT": _never_present,
    "FEATURE_TYPE_LOW_FRACTION_PRESENT": _seldom_present,
    "FEATURE_TYPE_LOW_NUMBER_PRESENT": _seldom_present,
    "FEATURE_TYPE_LOW_NUMBER_VALUES": _value_count,
    "FEATURE_TYPE_HIGH_NUMBER_VALUES": _value_count,
    "FEATURE_TYPE_LOW_UNIQUE": _uniqueness,
    "FEATURE_TYPE_HIGH_UNIQUE": _uniqueness,
    "FEATURE_TYPE_NO_UNIQUE": _uniqueness_unknown,
    "FEATURE_MISSING_TYPE": _type_missing,
    "INVALID_FEATURE_SHAPE": _shape,
    "UNEXPECTED_DATA_TYPE": _unexpected_type,
    "DOMAIN_INVALID_FOR_TYPE": _domain_of_other_type,
    "ENUM_TYPE_UNEXPECTED_STRING_VALUES": _unexpected_strings,
    "ENUM_TYPE_INVALID_UTF8": _not_utf8,
    "INT_TYPE_SMALL_INT": _too_low,
    "INT_TYPE_BIG_INT": _too_high,
    "INT_TYPE_NOT_INT_STRING": _not_integers,
    "FLOAT_TYPE_SMALL_FLOAT": _too_low,
    "FLOAT_TYPE_BIG_FLOAT": _too_high,
    "FLOAT_TYPE_STRING_NOT_FLOAT": _not_floats,
    "FLOAT_TYPE_HAS_NAN": _has_nan,
    "FLOAT_TYPE_HAS_INF": _has_infinity,
    "BOOL_TYPE_SMALL_INT": _not_boolean,
    "BOOL_TYPE_BIG_INT": _not_boolean,
    "BOOL_TYPE_UNEXPECTED_STRING": _not_boolean,
    "BOOL_TYPE_UNEXPECTED_FLOAT": _not_boolean,
    "DATASET_LOW_NUM_EXAMPLES": _few_examples,
    "DATASET_HIGH_NUM_EXAMPLES": _many_examples,
    "COMPARATOR_LOW_NUM_EXAMPLES": _fewer_than_before,
    "COMPARATOR_HIGH_NUM_EXAMPLES": _more_than_before,
    "COMPARATOR_CONTROL_DATA_MISSING": _not_in_baseline,
}
