"""Show: a verdict, statistics or a schema on a terminal, for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from tensorflow_metadata.proto.v0.schema_pb2 import FeatureType

from validator import features, findings, text
from validator.contract import Severity, Verdict

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.schema_pb2 import Feature, Schema
    from tensorflow_metadata.proto.v0.statistics_pb2 import (
        DatasetFeatureStatisticsList,
        FeatureNameStatistics,
    )

    from validator.difference import Difference
    from validator.documents import Failure
    from validator.drift import Drift
    from validator.verdict import VerdictReport

_WIDTH_OFF_TERMINAL: Final = 120

_VERDICT_STYLES: Final = {
    Verdict.PASS: "bold green",
    Verdict.WARN: "bold yellow",
    Verdict.FAIL: "bold red",
}
_SEVERITY_STYLES: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "dim"}


def console(stream: TextIO) -> Console:
    """Returns a console that writes to a stream, in colour when it is a terminal and NO_COLOR is not set."""
    width = None if stream.isatty() else _WIDTH_OFF_TERMINAL
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


def verdict(report: VerdictReport, to: Console) -> None:
    """Prints a verdict with its findings and drift."""
    counts = [text.count(n, severity) for severity, n in report.counts.items() if n]
    subject = " ".join(filter(None, (report.dataset, report.run_date.isoformat(), f"run {report.run_id}")))
    line = Text(str(report.verdict), style=_VERDICT_STYLES[report.verdict])
    line.append(f"  {text.visible(subject)}, {text.count(report.rows, 'row')}", style="not bold default")
    line.append(f": {text.listed(counts)}" if counts else ": no findings", style="not bold default")
    to.print(line)
    _print_findings(report.findings, to)
    _print_drift(report.drift, to)


def failure(left: Failure, to: Console) -> None:
    """Prints why an attempt failed."""
    subject = " ".join(filter(None, (left.run_date, f"run {left.run_id}")))
    line = Text("failed", style="bold red")
    line.append(f"  {text.visible(subject)}, exit code {left.exit_code}: ", style="not bold default")
    line.append(text.visible(left.message), style="not bold default")
    to.print(line)


def statistics(content: DatasetFeatureStatisticsList, to: Console) -> None:
    """Prints statistics, one line for each feature."""
    dataset = features.overall(content)
    rows = text.count(int(dataset.num_examples), "row")
    to.print(f"{rows}, {text.count(len(dataset.features), 'column')}")
    table = _table("column", "type", "missing", "values")
    for name, feature in features.by_name(dataset).items():
        missing = text.percent(features.missing_fraction(feature))
        table.add_row(_cell(name), features.type_name(feature), missing, _cell(_values(feature)))
    _print_rows(table, to)


def schema(content: Schema, to: Console) -> None:
    """Prints a schema, one line for each feature."""
    to.print(text.count(len(content.feature), "column"))
    domains = {domain.name: list(domain.value) for domain in content.string_domain}
    table = _table("column", "type", "presence", "allowed values")
    for feature in content.feature:
        allowed = _allowed(feature, domains.get(feature.domain, list(feature.string_domain.value)))
        table.add_row(_cell(feature.name), FeatureType.Name(feature.type), _presence(feature), _cell(allowed))
    _print_rows(table, to)


def differences(found: Sequence[Difference], to: Console) -> None:
    """Prints what two schemas, or two statistics, say otherwise."""
    if not found:
        to.print("equal")
        return
    columns = {each.feature for each in found if each.feature}
    where = f" in {text.count(len(columns), 'column')}" if columns else ""
    to.print(f"{text.count(len(found), 'difference')}{where}")
    table = _table("column", "", "first", "second")
    for each in found:
        table.add_row(_cell(each.feature), _cell(each.what), _cell(each.before), _cell(each.after))
    _print_rows(table, to)


def _print_findings(found: Iterable[findings.Finding], to: Console) -> None:
    table = _table("severity", "code", "finding")
    for finding in found:
        severity = Text(str(finding.severity), style=_SEVERITY_STYLES[finding.severity])
        table.add_row(severity, _cell(finding.code), _cell(finding.message))
    _print_rows(table, to)


def _print_drift(measured: Iterable[Drift], to: Console) -> None:
    table = _table("column", "measure", "distance", "threshold", "")
    for drift in sorted(measured, key=lambda drift: -drift.excess):
        table.add_row(
            _cell(drift.feature),
            findings.MEASURES[drift.comparator],
            text.number(drift.value),
            text.number(drift.threshold),
            Text("drifted", style="yellow") if drift.is_high else "",
        )
    _print_rows(table, to)


def _table(*headers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _print_rows(table: Table, to: Console) -> None:
    if table.row_count:
        to.print(table)


def _cell(value: str) -> Text:
    """A Text is never read as markup, and nothing in it moves the cursor."""
    return Text(text.shown(value, 300))


def _values(feature: FeatureNameStatistics) -> str:
    if features.is_numeric(feature):
        numbers = feature.num_stats
        low, median, high = (text.number(v) for v in (numbers.min, numbers.median, numbers.max))
        about = features.about(feature, features.RANK_ERROR)
        return f"{low} to {high}, median {about}{median}" if features.present(feature) else ""
    shares = list(features.value_shares(feature).items())
    shown = [f"{text.shown(value, 30)} {text.percent(share)}" for value, share in shares[:3]]
    rest = feature.string_stats.unique - len(shown)
    about = features.about(feature, features.DISTINCT_RELATIVE_ERROR)
    return ", ".join([*shown, *([f"{about}{rest:,} more"] if rest > 0 else [])])


def _presence(feature: Feature) -> str:
    presence = feature.presence
    if presence.min_fraction:
        return f"in {text.percent(presence.min_fraction)} of rows"
    return f"in at least {text.count(presence.min_count, 'row')}" if presence.min_count else "optional"


def _allowed(feature: Feature, strings: list[str]) -> str:
    if strings:
        return text.listed([text.shown(value, 30) for value in strings], 5)
    for domain in (feature.int_domain, feature.float_domain):
        low = [f"at least {text.exact(domain.min)}"] if domain.HasField("min") else []
        high = [f"at most {text.exact(domain.max)}"] if domain.HasField("max") else []
        if low or high:
            return ", ".join([*low, *high])
    return "0 or 1" if feature.HasField("bool_domain") else ""
