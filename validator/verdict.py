"""The verdict: what a run's evidence amounts to, and verdict.json, which says so to machines."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Protocol

from validator import features as statistics_of
from validator import findings as found
from validator import layout
from validator.contract import VERDICT_VERSION, Severity, Verdict
from validator.cost import Cost
from validator.drift import Drift
from validator.errors import UsageError
from validator.findings import Defect, Finding

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies
    from tensorflow_metadata.proto.v0.schema_pb2 import Schema
    from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList


class Typed(Protocol):
    """A feature with the type it was judged as."""

    @property
    def name(self) -> str:
        """Name of the feature."""

    @property
    def type(self) -> str:
        """INT, FLOAT or BYTES."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature with the type it was judged as: later steps read its column as this type.

    Attributes:
        name: Name of the feature.
        type: INT, FLOAT or BYTES.
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Run:
    """Which run this is.

    Attributes:
        run_date: The date whose data is judged.
        run_id: The run's id.
        dataset: Name of the dataset; empty outside a pipeline.
    """

    run_date: date
    run_id: str
    dataset: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a verdict is made of.

    Attributes:
        run: Which run this is.
        statistics: Statistics of the data.
        schema: What is expected of it.
        anomalies: Where the statistics break the schema.
        baseline: Statistics of an earlier accepted run, if there is one.
        drift: Distances from the baseline.
        defects: What is wrong with columns beyond their statistics.
        features: The features with the types they were judged as.
        rows: Number of rows.
        bytes: Size of the data as stored.
        schema_inferred: Whether the schema was inferred from this very data.
        artifacts: URIs of the files below the output, by name.
        versions: What judged: image digest, engine, TFDV, schema hash.
        cost: Estimate of what the run costs, if its size is known.
        timings: Seconds by stage.
    """

    run: Run
    statistics: DatasetFeatureStatisticsList
    schema: Schema
    anomalies: Anomalies
    baseline: DatasetFeatureStatisticsList | None = None
    drift: Sequence[Drift] = ()
    defects: Sequence[Defect] = ()
    features: Sequence[Typed] = ()
    rows: int = 0
    bytes: int = 0
    schema_inferred: bool = False
    artifacts: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    cost: Cost | None = None
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VerdictReport:
    """verdict.json: the verdict and everything that speaks for it (docs/verdict.schema.json).

    Attributes are those of `Evidence` unless named here.

    Attributes:
        verdict: pass, warn or fail.
        findings: By severity, then code, then feature.
        version: Version of the layout.
    """

    verdict: Verdict
    run_date: date
    run_id: str
    dataset: str
    rows: int
    bytes: int
    findings: tuple[Finding, ...]
    drift: tuple[Drift, ...]
    features: tuple[Feature, ...]
    artifacts: Mapping[str, str]
    versions: Mapping[str, str]
    cost: Cost | None
    timings: Mapping[str, float]
    version: int = VERDICT_VERSION

    @property
    def counts(self) -> Mapping[Severity, int]:
        """Number of findings of each severity."""
        return {s: sum(finding.severity is s for finding in self.findings) for s in Severity}

    def to_json(self) -> str:
        """Returns the content of verdict.json."""
        fields = dataclasses.asdict(self)
        fields = {"version": fields.pop("version"), **fields}
        return json.dumps(fields, ensure_ascii=True, indent=2, default=str, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, source: str) -> VerdictReport:
        """Reads the content of a verdict.json.

        Args:
            text: The content.
            source: Where it is from, for the message of an error.

        Raises:
            UsageError: The text is no verdict of this version.
        """
        try:
            return layout.read(cls, json.loads(text), VERDICT_VERSION)
        except (ValueError, RecursionError) as error:
            what = f"cannot read verdict {source}"
            raise UsageError(what, why=error, remedy="name a verdict.json") from error


def judge(evidence: Evidence) -> VerdictReport:
    """Weighs the evidence: any error fails the data, else any warning warns, else it passes."""
    findings = found.ordered(_findings(evidence))
    return VerdictReport(
        verdict=weigh(findings),
        run_date=evidence.run.run_date,
        run_id=evidence.run.run_id,
        dataset=evidence.run.dataset,
        rows=evidence.rows,
        bytes=evidence.bytes,
        findings=findings,
        drift=tuple(evidence.drift),
        features=tuple(Feature(feature.name, str(feature.type)) for feature in evidence.features),
        artifacts=dict(evidence.artifacts),
        versions=dict(evidence.versions),
        cost=evidence.cost,
        timings=dict(evidence.timings),
    )


def weigh(findings: Sequence[Finding]) -> Verdict:
    """Returns the verdict that findings amount to."""
    severities = {finding.severity for finding in findings}
    if Severity.ERROR in severities:
        return Verdict.FAIL
    return Verdict.WARN if Severity.WARNING in severities else Verdict.PASS


def _findings(evidence: Evidence) -> Iterator[Finding]:
    if evidence.rows == 0:
        yield found.no_data()
    if evidence.schema_inferred:
        yield found.schema_inferred()
    if evidence.baseline is None:
        yield found.no_baseline()
    yield from found.of_defects(evidence.defects)
    yield from _judged(evidence)


def _judged(evidence: Evidence) -> Iterator[Finding]:
    """Drift is measured for all features, so what the schema's own comparators found is in it already."""
    now = statistics_of.overall(evidence.statistics)
    before = statistics_of.overall(evidence.baseline) if evidence.baseline else None
    drifted = list(found.of_drift(evidence.drift, now, before))
    told = {(finding.code, finding.feature) for finding in drifted}
    yield from drifted
    for finding in found.of_anomalies(evidence.anomalies, evidence.schema, now, before):
        if (finding.code, finding.feature) not in told:
            yield finding
