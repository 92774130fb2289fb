"""The report: one self-contained HTML page that says the verdict first, then why, then everything else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from validator import features, findings, text
from validator.contract import Severity, Verdict
from validator.cost import CHILDREN
from validator.pictures import HEIGHT, WIDTH, Picture, draw

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.statistics_pb2 import (
        DatasetFeatureStatistics,
        DatasetFeatureStatisticsList,
        FeatureNameStatistics,
    )

    from validator.drift import Drift
    from validator.findings import Finding
    from validator.verdict import VerdictReport

_FOLDER: Final = Path(__file__).parent
_NAME: Final = 80
"""Characters of a feature's name that the page shows; verdict.json has them all."""

_COMMON: Final = 0.01
"""Values with a smaller share are not typical of a column."""

_HEADLINES: Final = {
    Verdict.PASS: "Accepted",
    Verdict.WARN: "Accepted with warnings",
    Verdict.FAIL: "Rejected",
}
_LOOK_FOR_DATA: Final = (
    "Check that the data of this date was delivered where the run looked for it, then start the run again."
)
_MEND_OR_AGREE: Final = (
    "Nothing is trained on this data. Mend it at its source and start the run again; or, if the change is "
    "meant to stay, change the schema, have it reviewed and release it."
)
_REVIEW_SCHEMA: Final = (
    "Review the proposed schema (schema.proposed.pbtxt beside this report), keep what should hold every day, "
    "and release it: until then the data is held against nothing but itself."
)
_EXPLAIN_DRIFT: Final = (
    "Look at the drifted columns: has the world changed, or a source? If so much change is normal, give the "
    "column a drift_comparator with a higher threshold in the schema."
)
_AWAIT_BASELINE: Final = "Drift is measured from the next run on, once this one is accepted as its baseline."
_LOUDNESS: Final = (Severity.ERROR, Severity.WARNING)


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One row of the findings table."""

    finding: Finding
    anchor: str
    """Id of the feature's row; empty when the finding has none."""


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One row of the drift table."""

    drift: Drift
    measure: str
    change: str
    anchor: str
    width: float
    """Length of the bar: the value's share of the axis, 0 to 100."""
    mark: float
    """Where the threshold stands on the axis, 0 to 100."""


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One row of the features table."""

    name: str
    anchor: str
    type: str
    severity: Severity | None
    note: str
    """What is the matter, in a few words."""
    missing: str
    values: str
    """The typical values in words."""
    picture: Picture | None


def render(
    verdict: VerdictReport,
    statistics: DatasetFeatureStatisticsList,
    baseline: DatasetFeatureStatisticsList | None = None,
) -> str:
    """Renders report.html.

    Args:
        verdict: The verdict of the run.
        statistics: Statistics of the data, for one row a feature.
        baseline: Statistics of the earlier accepted run, drawn as an outline on the same bins.

    Returns:
        A page that needs no network and no script, and forbids both.
    """
    now = features.overall(statistics)
    before = features.overall(baseline) if baseline else None
    anchors = {name: f"feature-{number}" for number, name in enumerate(features.by_name(now), start=1)}
    style = _style()
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            verdict=verdict,
            title=f"{_subject(verdict)}: {_HEADLINES[verdict.verdict].lower()}",
            subject=_subject(verdict),
            headline=_HEADLINES[verdict.verdict],
            reason=reason(verdict, len(anchors)),
            advice=list(advice(verdict)),
            facts=list(_facts(verdict, now, before)),
            details=list(_details(verdict)),
            findings=[FindingRow(finding, anchors.get(finding.feature, "")) for finding in verdict.findings],
            drift=_drift_rows(verdict, now, before, anchors),
            features=_feature_rows(verdict, now, before, anchors),
            has_baseline=before is not None,
            picture_width=WIDTH,
            picture_height=HEIGHT,
            style=style,
            style_hash=_csp_hash(style),
        )
    )


def reason(verdict: VerdictReport, columns: int) -> str:
    """Says in half a sentence, with names, why the verdict is what it is."""
    if verdict.rows == 0:
        return "there is no data for this date"
    loud = [finding for finding in verdict.findings if finding.severity in _LOUDNESS]
    parts = [*_broken(loud), *_drifted(loud), *_general(loud)]
    if parts:
        return "; ".join(parts)
    size = f"{text.count(verdict.rows, 'row')} in {text.count(columns, 'column')} conform to the schema"
    return f"{size}, and none drifted" if verdict.drift else size


def advice(verdict: VerdictReport) -> Iterator[str]:
    """Yields what to do next, most urgent first."""
    codes = {finding.code for finding in verdict.findings}
    if verdict.rows == 0:
        yield _LOOK_FOR_DATA
        return
    if verdict.verdict is Verdict.FAIL:
        yield _MEND_OR_AGREE
    if findings.SCHEMA_INFERRED in codes:
        yield _REVIEW_SCHEMA
    if any(drift.is_high for drift in verdict.drift):
        yield _EXPLAIN_DRIFT
    if findings.NO_BASELINE in codes and verdict.verdict is not Verdict.FAIL:
        yield _AWAIT_BASELINE


def _broken(loud: Sequence[Finding]) -> Iterator[str]:
    """Names the columns that break the schema."""
    names = _names(finding for finding in loud if finding.severity is Severity.ERROR and finding.feature)
    if names:
        verb = "breaks" if len(names) == 1 else "break"
        yield f"{text.count(len(names), 'column')} {verb} the schema: {text.listed(names)}"


def _drifted(loud: Sequence[Finding]) -> Iterator[str]:
    names = _names(finding for finding in loud if _is_drift(finding) and finding.feature)
    if names:
        yield f"{text.count(len(names), 'column')} drifted from the baseline: {text.listed(names)}"


def _general(loud: Sequence[Finding]) -> Iterator[str]:
    """What is said of the dataset as a whole, and warnings that are not drift."""
    if any(finding.code == findings.SCHEMA_INFERRED for finding in loud):
        yield "there is no schema yet"
    others = [f for f in loud if not f.feature and f.code != findings.SCHEMA_INFERRED]
    yield from (finding.message.rstrip(".") for finding in others)
    warned = _names(f for f in loud if f.feature and f.severity is Severity.WARNING and not _is_drift(f))
    if warned:
        yield f"{text.count(len(warned), 'column')} with warnings: {text.listed(warned)}"


def _is_drift(finding: Finding) -> bool:
    return finding.code.startswith("COMPARATOR_") and finding.code.endswith("_HIGH")


def _names(of: Iterator[Finding]) -> list[str]:
    return [text.shown(name, 40) for name in dict.fromkeys(finding.feature for finding in of)]


def _subject(verdict: VerdictReport) -> str:
    day = f"{verdict.run_date.day} {verdict.run_date:%B %Y}"
    return f"{verdict.dataset}, {day}" if verdict.dataset else day


def _facts(
    verdict: VerdictReport, now: DatasetFeatureStatistics, before: DatasetFeatureStatistics | None
) -> Iterator[tuple[str, str]]:
    """What the first screen says of the run."""
    yield "Rows", f"{verdict.rows:,}"
    yield "Rows of the baseline", f"{int(before.num_examples):,}" if before else "no baseline"
    yield "Columns", f"{len(now.features):,}"
    yield "Size", text.size(verdict.bytes)
    if verdict.timings:
        label = "Time, of all tasks" if CHILDREN in verdict.timings else "Time"
        yield label, text.seconds(sum(verdict.timings.values()))
    if verdict.cost is not None and verdict.cost.usd is not None:
        label = "Cost, at most" if verdict.cost.is_limit else "Cost, estimated"
        yield label, f"${text.number(verdict.cost.usd)}"


def _details(verdict: VerdictReport) -> Iterator[tuple[str, str]]:
    """What the end of the page says of the run."""
    yield "Run", verdict.run_id
    yield from (("Baseline", uri) for uri in dict.fromkeys(d.baseline for d in verdict.drift if d.baseline))
    yield "Cost", verdict.cost.basis if verdict.cost else "unknown: it is measured in ECS only"
    yield from ((f"Time: {name}", text.seconds(seconds)) for name, seconds in verdict.timings.items())
    yield from ((f"Version: {name}", version) for name, version in verdict.versions.items() if version)
    yield from ((f"File: {name}", uri) for name, uri in verdict.artifacts.items())


def _drift_rows(
    verdict: VerdictReport,
    now: DatasetFeatureStatistics,
    before: DatasetFeatureStatistics | None,
    anchors: Mapping[str, str],
) -> list[DriftRow]:
    current, previous = features.by_name(now), features.by_name(before) if before else {}
    worst_first = sorted(verdict.drift, key=lambda d: (not d.is_high, -d.excess, d.feature))
    return [
        DriftRow(
            drift=drift,
            measure=findings.MEASURES[drift.comparator],
            change=findings.change(current.get(drift.feature), previous.get(drift.feature))
            if drift.is_high
            else "",
            anchor=anchors.get(drift.feature, ""),
            width=round(min(drift.value, 1.0) * 100, 1),
            mark=round(min(drift.threshold, 1.0) * 100, 1),
        )
        for drift in worst_first
    ]


def _feature_rows(
    verdict: VerdictReport,
    now: DatasetFeatureStatistics,
    before: DatasetFeatureStatistics | None,
    anchors: Mapping[str, str],
) -> list[FeatureRow]:
    """Those with findings first, then in the order of the data."""
    previous = features.by_name(before) if before else {}
    about: dict[str, list[Finding]] = {}
    for finding in verdict.findings:
        about.setdefault(finding.feature, []).append(finding)
    rows = [
        _feature_row(feature, previous.get(name), anchors[name], about.get(name, []))
        for name, feature in features.by_name(now).items()
    ]
    loudest_first = [*_LOUDNESS, Severity.INFO, None]
    return sorted(rows, key=lambda row: loudest_first.index(row.severity))


def _feature_row(
    now: FeatureNameStatistics,
    before: FeatureNameStatistics | None,
    anchor: str,
    about: Sequence[Finding],
) -> FeatureRow:
    return FeatureRow(
        name=features.name(now),
        anchor=anchor,
        type=features.type_name(now),
        severity=about[0].severity if about else None,
        note=_note(about),
        missing=_missing(now, before),
        values=_values(now, before),
        picture=draw(now, before),
    )


def _note(about: Sequence[Finding]) -> str:
    errors = sum(finding.severity is Severity.ERROR for finding in about)
    drifted = any(_is_drift(finding) for finding in about)
    warned = any(f.severity is Severity.WARNING and not _is_drift(f) for f in about)
    words = [text.count(errors, "error")] if errors else []
    return ", ".join([*words, *(["drifted"] if drifted else []), *(["warning"] if warned else [])])


def _missing(now: FeatureNameStatistics, before: FeatureNameStatistics | None) -> str:
    share = text.percent(features.missing_fraction(now))
    earlier = text.percent(features.missing_fraction(before)) if before else share
    return share if share == earlier else f"{earlier} → {share}"


def _values(now: FeatureNameStatistics, before: FeatureNameStatistics | None) -> str:
    if features.present(now) == 0:
        return "no value"
    if not features.is_numeric(now):
        return _categories(now, before)
    statistics = now.num_stats
    earlier = before.num_stats if before is not None and features.is_numeric(before) else statistics
    if statistics.min == statistics.max == earlier.median:
        return f"always {text.number(statistics.min)}"
    median = features.about(now, features.RANK_ERROR) + _from_to(earlier.median, statistics.median)
    mean = _from_to(earlier.mean, statistics.mean)
    extremes = f"{text.number(statistics.min)} to {text.number(statistics.max)}"
    return f"median {median}, mean {mean}, from {extremes}"


def _categories(now: FeatureNameStatistics, before: FeatureNameStatistics | None) -> str:
    shares = features.value_shares(now)
    about = features.about(now, features.DISTINCT_RELATIVE_ERROR)
    if max(shares.values(), default=0.0) < _COMMON:
        return f"{about}{text.count(now.string_stats.unique, 'distinct value')}, none common"
    known = (
        features.value_shares(before) if before is not None and not features.is_numeric(before) else shares
    )
    shown = [
        f"{text.shown(value, 24) or '(empty)'} {text.percent(share)}{'' if value in known else ' (new)'}"
        for value, share in list(shares.items())[:2]
    ]
    rest = now.string_stats.unique - len(shown)
    return ", ".join([*shown, *([f"{about}{rest:,} more"] if rest > 0 else [])])


def _from_to(before: float, now: float) -> str:
    a, b = text.number(before), text.number(now)
    return b if a == b else f"{a} → {b}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters.update(cut=lambda name: text.shown(name, _NAME), number=text.number)
    return environment


def _finalize(value: object) -> object:
    """Makes control and bidi characters visible in everything that the template prints."""
    return text.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _style() -> Markup:
    return Markup((_FOLDER / "report.css").read_text(encoding="utf-8"))  # noqa: S704  # our own file


def _csp_hash(style: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
