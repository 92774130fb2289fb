"""The one place that knows the order.

Dataset -> statistics -> schema -> anomalies -> verdict -> report -> gate.

The gate is written last: who reads it finds every other file in place. What an earlier attempt left below
the same output is gone by then (`leftovers.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import (
    anomalies,
    budget,
    core,
    cost,
    cuts,
    dataset,
    defects,
    documents,
    drift,
    gate,
    machine,
    missing,
    profiling,
    proposal,
    refusals,
    report,
    schema,
    source,
    spending,
    statistics,
    store,
    text,
    verdict,
)
from validator.contract import Artifact, Environment
from validator.crew import Crew
from validator.cuts import Shard
from validator.dataset import Dataset
from validator.defects import Defect
from validator.errors import DataError, MissingError, UsageError, ValidatorError
from validator.formats import Dialect
from validator.headers import Headers
from validator.interruption import Interruption
from validator.profile import ENGINE_VERSION, Column
from validator.profiling import Profiling
from validator.settings import Child, Settings, blamed
from validator.source import Source
from validator.states import is_pinned
from validator.verdict import Evidence, Feature, VerdictReport

Log = Callable[[str], None]

LOOKUPS: Final = 8
"""Objects looked at, or headers read, at a time: of many small objects in S3 that is waiting, not work."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is profiled, by whom, and where the states of finished shards lie."""

    source: Source
    dataset: Dataset
    states_uri: str
    crew: Crew


@dataclass(frozen=True, slots=True)
class Expectations:
    """What the data is held against; both are read before the data, so that a mistake costs nothing."""

    schema: Schema | None
    baseline: DatasetFeatureStatisticsList | None


@dataclass(frozen=True, slots=True)
class Profiled:
    """What is known of the data."""

    dataset: str
    statistics: DatasetFeatureStatisticsList
    statistics_sha256: str
    """Of the file they were written to."""
    rows: int
    bytes: int
    """As stored."""
    features: tuple[Feature, ...]
    defects: tuple[Defect, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict and the anomalies it rests on."""

    report: VerdictReport
    anomalies: Anomalies


@dataclass(slots=True)
class Stopwatch:
    """Seconds by stage.

    Args:
        clock: Seconds since any time.
    """

    clock: Callable[[], float] = time.monotonic
    seconds: dict[str, float] = field(default_factory=dict)
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        self._last = self.clock()

    def lap(self, stage: str) -> None:
        """Ends a stage."""
        now = self.clock()
        self.seconds[stage] = round(now - self._last, 3)
        self._last = now


def validate(settings: Settings, interruption: Interruption, log: Log) -> VerdictReport:
    """Profiles, judges and reports; writes every file below the output, the gate last.

    Raises:
        ValidatorError: Of the class whose turn it is; no gate is written then.
    """
    watch = Stopwatch()
    expected = _expectations(settings)
    profiled = _profiled(settings, expected.schema, interruption, log)
    watch.lap("profile")
    return _concluded(settings, expected, profiled, watch)


def profile(settings: Settings, interruption: Interruption, log: Log) -> Profiled:
    """Profiles all of the data and writes their statistics; judges nothing.

    Raises:
        ValidatorError: Of the class whose turn it is.
    """
    return _profiled(settings, _schema(settings), interruption, log)


def profile_part(settings: Settings, child: Child, interruption: Interruption, log: Log) -> str:
    """Profiles the part of the data that is one child's, saves its states, and says what came of it.

    Raises:
        ValidatorError: Of the class whose turn it is.
    """
    try:
        return _part_profiled(settings, child, interruption, log)
    finally:
        # What cannot be written here is missing in an estimate.
        with suppress(ValidatorError):
            spending.save(settings, child, datetime.now(UTC))


def _part_profiled(settings: Settings, child: Child, interruption: Interruption, log: Log) -> str:
    work = _work(settings, _schema(settings), interruption)
    part = cuts.part(work.dataset.shards, child.index, child.count)
    _demand_states(work.dataset.shards[part.start : part.stop])
    shards = text.count(len(part), "shard")
    if profiling.profile_part(work.dataset, work.states_uri, work.crew, log, part):
        return f"{child}: {shards} saved below {work.states_uri}"
    return f"{child}: {shards} surveyed, columns have to be wider; merge names the children to run again"


def merge(settings: Settings, interruption: Interruption, log: Log) -> VerdictReport:
    """Puts together what children saved, then judges and reports as `validate` does.

    Raises:
        MissingError: Some of it is absent or damaged; missing.json names the children to run again.
        ValidatorError: Of the class whose turn it is, also a child's; no gate is written then.
    """
    watch = Stopwatch()
    expected = _expectations(settings)
    work = _work(settings, expected.schema, interruption)
    try:
        made = profiling.merge(work.dataset, work.states_uri, work.crew, log)
    except profiling.Incomplete as incomplete:
        raise _unmerged(settings, work, incomplete.shards) from incomplete
    profiled = _summed_up(settings, work, made)
    watch.lap("merge")
    children = spending.of_children(settings, Crew(interruption, LOOKUPS))
    if children.tasks:
        watch.seconds[cost.CHILDREN] = round(children.seconds, 3)
    return _concluded(settings, expected, profiled, watch, children)


def _concluded(
    settings: Settings,
    expected: Expectations,
    profiled: Profiled,
    watch: Stopwatch,
    children: cost.Usage | None = None,
) -> VerdictReport:
    """Judges and reports; writes every file but the statistics below the output, the gate last."""
    judged = _judged(settings, expected, profiled, watch, children)
    _write(settings, Artifact.ANOMALIES, judged.anomalies.SerializeToString(deterministic=True))
    _write(settings, Artifact.ANOMALIES_TEXT, anomalies.format(judged.anomalies))
    _write(settings, Artifact.VERDICT, judged.report.to_json())
    _write(settings, Artifact.REPORT, report.render(judged.report, profiled.statistics, expected.baseline))
    summary = gate.summarize(judged.report, judged.report.artifacts, profiled.statistics_sha256)
    _write(settings, Artifact.GATE, summary)
    return judged.report


def infer(settings: Settings, interruption: Interruption, log: Log) -> str:
    """Profiles the data, writes the schema it seems to have, and returns where.

    Raises:
        DataError: There are no rows.
    """
    profiled = _profiled(settings, None, interruption, log)
    if profiled.rows == 0:
        raise DataError("cannot infer a schema", why="the data has no rows", remedy="name data that has some")
    return _write(settings, Artifact.SCHEMA, schema.format(proposal.of(profiled.statistics)))


def _profiled(settings: Settings, declared: Schema | None, interruption: Interruption, log: Log) -> Profiled:
    """Profiles the data, typed as its schema asks for, and writes its statistics."""
    work = _work(settings, declared, interruption)
    return _summed_up(settings, work, profiling.profile(work.dataset, work.states_uri, work.crew, log))


def _work(settings: Settings, declared: Schema | None, interruption: Interruption) -> Work:
    """Returns what has to be done: every process that has the same settings gets the same shards."""
    lookups = Crew(interruption, LOOKUPS)
    found = source.of(settings, lookups)
    with blamed(Environment.OUTPUT_URI):
        store.prepare(settings.output_uri)
    states_uri = _states_uri(settings)
    described = _described(settings, found, declared, states_uri, lookups)
    return Work(found, described, states_uri, Crew(interruption, _workers(settings, described.columns)))


def _states_uri(settings: Settings) -> str:
    """Returns where the states of finished shards lie; a place that is given is tried first."""
    if settings.states_uri is None:
        return store.child(settings.output_uri, Artifact.STATES)
    with blamed(Environment.STATES_URI):
        store.prepare(settings.states_uri)
    return settings.states_uri


def _described(
    settings: Settings, found: Source, declared: Schema | None, states_uri: str, crew: Crew
) -> Dataset:
    """Describes the data; of several processes the first that reads all headers spares the others that."""
    kinds = schema.kinds(declared) if declared else {}
    dialect = Dialect(settings.delimiter, settings.columns)
    saved = Headers(states_uri, found.objects, kinds, dialect)
    known = saved.take() if _is_shared(settings) else None
    described = dataset.describe(found.objects, kinds, found.root, dialect, crew=crew, known=known)
    if _is_shared(settings) and known is None:
        saved.save(described.own)
    return described


def _is_shared(settings: Settings) -> bool:
    return settings.child is not None or settings.children > 1


def _summed_up(settings: Settings, work: Work, made: Profiling) -> Profiled:
    """Returns what is known of the data, and writes their statistics."""
    summary = made.profile.finish()
    found = statistics.of(summary)
    content = found.SerializeToString(deterministic=True)
    _write(settings, Artifact.STATISTICS, content)
    return Profiled(
        dataset=work.source.dataset,
        statistics=found,
        statistics_sha256=sha256(content).hexdigest(),
        rows=summary.rows,
        bytes=work.dataset.size,
        features=tuple(Feature(c.column.name, c.column.kind) for c in summary.columns),
        defects=(
            *defects.of_first_line(made.dataset.first_line),
            *defects.of_ends(made.unterminated),
            *defects.of_mixtures(made.mixtures),
            *defects.of_values(summary),
        ),
    )


def _demand_states(shards: Sequence[Shard]) -> None:
    """What is not saved never gets to the merge."""
    if unknown := next((shard for shard in shards if not is_pinned(shard)), None):
        raise UsageError(
            f"cannot save what is known of {unknown}",
            why="nobody could tell whether it is of the same bytes",
            remedy="name ETags in the manifest, or allow to list the objects",
        )


def _unmerged(settings: Settings, work: Work, shards: Sequence[int]) -> ValidatorError:
    """Says why there is no merge: a child refused its part, or some of them have to run again."""
    owners = cuts.owners(work.dataset.shards, settings.children)
    indexes = sorted({owners[place] for place in shards})
    children = [Child(index, settings.children) for index in indexes]
    lookups = Crew(work.crew.interruption, LOOKUPS)
    return refusals.of_children(settings, children, lookups) or _missing(settings, work, len(shards), indexes)


def _missing(settings: Settings, work: Work, shards: int, indexes: Sequence[int]) -> MissingError:
    """Writes which children have to run again, and says so."""
    uri = _write(settings, Artifact.MISSING, missing.summarize(settings.run_id, settings.children, indexes))
    noun = "child" if len(indexes) == 1 else "children"
    numbers = text.listed([str(Child(index, settings.children).number) for index in indexes], 10)
    named = text.listed([str(index) for index in indexes], 10)
    return MissingError(
        f"cannot merge below {work.states_uri}",
        why=f"states are missing or damaged: {shards:,} of {text.count(len(work.dataset.shards), 'shard')}",
        remedy=f"run {noun} {numbers} of {settings.children} again (SHARD_INDEX {named}), as {uri} says",
    )


def _workers(settings: Settings, columns: Sequence[Column]) -> int:
    given = settings.memory_budget_mb
    return settings.workers or budget.workers(
        columns,
        wanted=machine.cpus(),
        budget=machine.memory_budget() if given is None else given << 20,
        used=machine.resident(),
    )


def _schema(settings: Settings) -> Schema | None:
    with blamed(Environment.SCHEMA_URI):
        return documents.read_schema(settings.schema_uri) if settings.schema_uri else None


def _expectations(settings: Settings) -> Expectations:
    declared = _schema(settings)
    if declared:
        schema.environment_of(declared, settings.data_environment)
    return Expectations(declared, _baseline(settings))


def _baseline(settings: Settings) -> DatasetFeatureStatisticsList | None:
    if not settings.baseline_uri:
        return None
    with blamed(Environment.BASELINE_URI):
        return documents.read_statistics(settings.baseline_uri, settings.baseline_sha256)


def _judged(
    settings: Settings,
    expected: Expectations,
    profiled: Profiled,
    watch: Stopwatch,
    children: cost.Usage | None,
) -> Judged:
    declared = expected.schema or proposal.of(profiled.statistics)
    proposed = expected.schema is None and profiled.rows > 0
    if proposed:
        _write(settings, Artifact.SCHEMA_PROPOSED, schema.format(declared))
    found = anomalies.find(
        profiled.statistics,
        declared,
        baseline=expected.baseline,
        environment=settings.data_environment,
    )
    measured = _drift(settings, expected, profiled, declared)
    task = cost.read_task(settings.task_metadata_uri)
    watch.lap("judge")
    evidence = Evidence(
        run=verdict.Run(settings.run_date, settings.run_id, profiled.dataset),
        statistics=profiled.statistics,
        schema=declared,
        anomalies=found,
        baseline=expected.baseline,
        drift=measured,
        defects=profiled.defects,
        features=profiled.features,
        rows=profiled.rows,
        bytes=profiled.bytes,
        schema_inferred=expected.schema is None,
        artifacts=_artifacts(settings, proposed=proposed),
        versions=_versions(declared, task),
        cost=cost.estimate(
            task,
            datetime.now(UTC),
            _prices(settings),
            capacity=settings.capacity or "",
            children=children,
        ),
        timings=watch.seconds,
    )
    return Judged(verdict.judge(evidence), found)


def _drift(
    settings: Settings, expected: Expectations, profiled: Profiled, declared: Schema
) -> tuple[drift.Drift, ...]:
    if expected.baseline is None:
        return ()
    return drift.measure(
        profiled.statistics,
        expected.baseline,
        declared,
        environment=settings.data_environment,
        baseline_uri=settings.baseline_uri or "",
    )


def _artifacts(settings: Settings, *, proposed: bool) -> Mapping[str, str]:
    names = {
        "statistics": Artifact.STATISTICS,
        "anomalies": Artifact.ANOMALIES,
        "verdict": Artifact.VERDICT,
        "report": Artifact.REPORT,
    }
    if proposed:
        names["schema_proposed"] = Artifact.SCHEMA_PROPOSED
    return {name: store.child(settings.output_uri, file) for name, file in names.items()}


def _versions(declared: Schema, task: cost.Task | None) -> Mapping[str, str]:
    return {
        "engine": str(ENGINE_VERSION),
        "tfdv": core.version(),
        "schema": schema.digest(declared),
        "image": task.image_digest if task else "",
    }


def _prices(settings: Settings) -> cost.Prices | None:
    if settings.price_vcpu_hour is None or settings.price_gb_hour is None:
        return None
    return cost.Prices(settings.price_vcpu_hour, settings.price_gb_hour)


def _write(settings: Settings, artifact: Artifact, content: str | bytes) -> str:
    uri = store.child(settings.output_uri, artifact)
    with blamed(Environment.OUTPUT_URI):
        store.write(uri, content.encode() if isinstance(content, str) else content)
    return uri
