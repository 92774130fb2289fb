"""Findings: anomalies, drift and defects as one list, each with a code, a severity and words for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from tensorflow_metadata.proto.v0.anomalies_pb2 import AnomalyInfo
from tensorflow_metadata.proto.v0.schema_pb2 import Feature

from validator import features, text
from validator.contract import Severity
from validator.drift import Comparator, Drift
from validator.explanations import Subject, explain

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies
    from tensorflow_metadata.proto.v0.schema_pb2 import Schema
    from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatistics, FeatureNameStatistics

NO_DATA: Final = "NO_DATA"
NO_BASELINE: Final = "NO_BASELINE"
SCHEMA_INFERRED: Final = "SCHEMA_INFERRED"
INVALID_UTF8: Final = "INVALID_UTF8"
NON_FINITE_VALUES: Final = "NON_FINITE_VALUES"
NUL_BYTES: Final = "NUL_BYTES"
MIXED_TYPES: Final = "MIXED_TYPES"
INVALID_DATES: Final = "INVALID_DATES"
NO_FINAL_LINE_END: Final = "NO_FINAL_LINE_END"
HEADER_OF_VALUES: Final = "HEADER_OF_VALUES"

_SEVERITIES: Final = list(Severity)
_COMPARISON: Final = ("COMPARATOR_", "SCHEMA_TRAINING_SERVING_SKEW")
"""Codes of drift and skew begin so; every other anomaly of TFDV's is an error."""

_DEFECT_SEVERITIES: Final = {
    **dict.fromkeys(
        (HEADER_OF_VALUES, INVALID_DATES, MIXED_TYPES, NON_FINITE_VALUES, NUL_BYTES), Severity.WARNING
    ),
    NO_FINAL_LINE_END: Severity.INFO,
}
_DEFECT_EXPECTATIONS: Final = {
    HEADER_OF_VALUES: "names of columns in the first line",
    INVALID_DATES: "days there are",
    INVALID_UTF8: "text in UTF-8",
    MIXED_TYPES: "numbers, as its first values are",
    NON_FINITE_VALUES: "finite numbers",
    NO_FINAL_LINE_END: "a line end after every row",
    NUL_BYTES: "text without NUL bytes",
}

MEASURES: Final = {
    Comparator.L_INFTY: "L-infinity distance",
    Comparator.JENSEN_SHANNON_DIVERGENCE: "Jensen-Shannon divergence",
    Comparator.NORMALIZED_ABSOLUTE_DIFFERENCE: "normalized absolute difference",
}


class Defect(Protocol):
    """Something wrong with a column's bytes or values that statistics cannot express."""

    @property
    def code(self) -> str:
        """A stable code, e.g. `INVALID_UTF8`."""

    @property
    def feature(self) -> str:
        """Name of the feature; empty for the dataset as a whole."""

    @property
    def detail(self) -> str:
        """What was seen."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that speaks for or against the data.

    Attributes:
        code: A stable code: TFDV's AnomalyInfo.Type, or one of ours such as `NO_DATA`.
        severity: How much it weighs.
        feature: Name of the feature; empty for the dataset as a whole.
        slice: Which examples it is about.
        expected: What the schema, the baseline or the contract asks for.
        observed: What was seen.
        message: Both in a sentence.
    """

    code: str
    severity: Severity
    feature: str
    expected: str
    observed: str
    message: str
    slice: str = features.DEFAULT_SLICE


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Returns the findings by severity, then code, then feature."""
    return tuple(
        sorted(findings, key=lambda f: (_SEVERITIES.index(f.severity), f.code, f.feature, f.observed))
    )


def of_anomalies(
    anomalies: Anomalies,
    schema: Schema,
    statistics: DatasetFeatureStatistics,
    baseline: DatasetFeatureStatistics | None,
) -> Iterator[Finding]:
    """Yields one finding for each reason of each anomaly, of features and of the dataset as a whole."""
    declared, found = {f.name: f for f in schema.feature}, features.by_name(statistics)
    rows_before = int(baseline.num_examples) if baseline else 0
    for info in (*anomalies.anomaly_info.values(), anomalies.dataset_anomaly_info):
        name = features.dotted(info.path)
        for reason in info.reason:
            subject = Subject(
                name=name,
                schema=schema,
                declared=declared.get(name, Feature()),
                found=found.get(name),
                rows=int(statistics.num_examples),
                rows_before=rows_before,
                reason=reason,
            )
            yield _anomalous(AnomalyInfo.Type.Name(reason.type), subject)


def of_drift(
    measured: Iterable[Drift],
    statistics: DatasetFeatureStatistics,
    baseline: DatasetFeatureStatistics | None,
) -> Iterator[Finding]:
    """Yields one warning for each distance above its threshold."""
    now, before = features.by_name(statistics), features.by_name(baseline) if baseline else {}
    for drift in measured:
        if drift.is_high:
            yield _drifted(drift, change(now.get(drift.feature), before.get(drift.feature)))


def of_defects(defects: Iterable[Defect]) -> Iterator[Finding]:
    """Yields one finding for each defect; a kind unknown here is an error."""
    for defect in defects:
        about = f"Column {text.quoted(defect.feature)}" if defect.feature else "The dataset"
        expected, observed = _DEFECT_EXPECTATIONS.get(defect.code, ""), text.shown(defect.detail, 300)
        yield Finding(
            code=defect.code,
            severity=_DEFECT_SEVERITIES.get(defect.code, Severity.ERROR),
            feature=defect.feature,
            expected=expected,
            observed=observed,
            message=f"{about} should hold {expected}: {observed}." if expected else f"{about}: {observed}",
        )


def no_data() -> Finding:
    """There is nothing to judge: no object for the date, or no row in them."""
    return Finding(
        NO_DATA,
        Severity.ERROR,
        "",
        expected="at least one row",
        observed="no row",
        message="There is no data for this date: no object, or no row in the objects there are.",
    )


def no_baseline() -> Finding:
    """There is no earlier accepted run to compare with."""
    return Finding(
        NO_BASELINE,
        Severity.INFO,
        "",
        expected="statistics of an earlier accepted run",
        observed="none",
        message="Drift was not measured: there is no earlier accepted run to compare with.",
    )


def schema_inferred() -> Finding:
    """There is no schema: one was inferred from the very data that is judged."""
    return Finding(
        SCHEMA_INFERRED,
        Severity.WARNING,
        "",
        expected="a schema reviewed by a person",
        observed="none; one was inferred from this data",
        message="There is no schema, so the data was held against no expectations. One was inferred from "
        "this very data and proposed: review it, then release it.",
    )


def change(now: FeatureNameStatistics | None, before: FeatureNameStatistics | None) -> str:
    """Says what changed most between two sides of a feature: a median, or a value's share."""
    if now is None or before is None:
        return ""
    if features.is_numeric(now) and features.is_numeric(before):
        return _moved(before, now)
    return _largest_change(features.value_shares(before), features.value_shares(now))


def _moved(before: FeatureNameStatistics, now: FeatureNameStatistics) -> str:
    """The median when it moved, else the mean: a few large values leave the median where it was."""
    for measure in ("median", "mean"):
        a, b = getattr(before.num_stats, measure), getattr(now.num_stats, measure)
        if text.number(a) != text.number(b):
            return f"{measure} {text.number(a)} → {text.number(b)}{_ratio(a, b)}"
    return f"median still {text.number(now.num_stats.median)}, the shape changed"


def _ratio(before: float, now: float) -> str:
    if before == 0 or now / before < 0:
        return ""
    ratio = now / before
    return f" ({text.TIMES}{text.number(ratio)})" if ratio >= 1.5 or ratio <= 1 / 1.5 else ""


def _largest_change(before: Mapping[str, float], now: Mapping[str, float]) -> str:
    values = {*before, *now}
    if not values:
        return ""
    value = max(sorted(values), key=lambda v: abs(now.get(v, 0.0) - before.get(v, 0.0)))
    a, b = before.get(value, 0.0), now.get(value, 0.0)
    note = " (new)" if value not in before else " (gone)" if value not in now else ""
    return f"share of {text.quoted(value)} {text.percent(a)} → {text.percent(b)}{note}"


def _drifted(drift: Drift, changed: str) -> Finding:
    measure = MEASURES[drift.comparator]
    value, limit = text.number(drift.value), text.number(drift.threshold)
    what = f": {changed}" if changed else ""
    return Finding(
        code=f"COMPARATOR_{drift.comparator}_HIGH",
        severity=Severity.WARNING,
        feature=drift.feature,
        expected=f"{measure} of at most {limit}",
        observed=f"{value}; {changed}" if changed else value,
        message=f"Column {text.quoted(drift.feature)} drifted away from the baseline{what}. "
        f"Its {measure} is {value}; at most {limit} is expected.",
    )


def _anomalous(code: str, subject: Subject) -> Finding:
    words = explain(code, subject)
    return Finding(code, _anomaly_severity(code), subject.name, words.expected, words.observed, words.message)


def _anomaly_severity(code: str) -> Severity:
    return Severity.WARNING if code.startswith(_COMPARISON) else Severity.ERROR
