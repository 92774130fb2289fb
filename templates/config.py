"""The configuration: loaded once, validated at the door, frozen from there on.

    config.toml -> tables -> the stage's tables laid over them -> Config

Whatever is wrong is one line that names the file and the key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from zoneinfo import available_timezones

from templates import cron, hyperparameters
from templates.fargate import TaskSize, TaskSizeError
from templates.prices import PRICES
from templates.table import ConfigError, Table, overlay
from validator.contract import SchemaPolicy

__all__ = ["Config", "ConfigError", "Dataset", "ModelApproval", "NetworkMode", "Schedule", "TaskSize", "load"]

STAGES: Final = ("dev", "prod")

REPOSITORY: Final = Path(__file__).resolve().parents[1]
"""Where the reviewed schemas lie."""

NAMED: Final = "sluice-{stage}-"
"""How the names of a stage's things begin."""

GROUPS: Final = (
    "validation",
    "preparation",
    "training",
    "promotion",
    "retention",
    "network",
    "security",
)

DATASET: Final = (
    "name",
    "label",
    "drop",
    "delimiter",
    "schema",
    "monitors",
    "alarms",
    "marker",
    "schedule",
    "days_back",
    "time_zone",
    "quiet_days",
)

DELIMITERS: Final = (",", ";", "|", ":", "^", "~", "tab")
"""Signs between the fields of delimited text that the validator and Spark both read; tab by its name."""

COLUMN: Final = r"[^\x00-\x1f\x7f]{1,128}"
MONITOR: Final = r"([A-Za-z0-9-]|\{stage\}){1,63}"
ALARM: Final = r"[^\x00-\x1f\x7f]{1,255}"
PATH: Final = r"(?!/)(?!.*\.\.)[\w./-]+\.pbtxt"
MARKER: Final = r"[_.][A-Za-z0-9_-][A-Za-z0-9_.-]{0,61}"
UTC: Final = "UTC"
NOT_ZONES: Final = frozenset({"Factory", "localtime"})
"""What lies among the time zones of a machine and is none."""
OWN_NAMES: Final = tuple(NAMED.format(stage=stage) for stage in STAGES)
LOG_DAYS: Final = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2557, 3653)
"""The retentions CloudWatch Logs offers."""

MOST_CHILDREN: Final = 833
"""AWS Batch allows 10,000, but what is missing of more would not fit into an execution's history.

There are at most 1,000 shards, too: a child without one would be billed a minute for nothing.
"""

WORKERS: Final = ("G.1X", "G.2X", "G.4X")


class ModelApproval(StrEnum):
    """The status a model is registered with; only an approved one can be champion."""

    APPROVED = "Approved"
    PENDING = "PendingManualApproval"


class NetworkMode(StrEnum):
    """Whose network tasks run in, and how they reach AWS."""

    CREATE_PUBLIC = "create-public"
    CREATE_PRIVATE = "create-private"
    EXISTING = "existing"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a dataset's pipeline starts by the clock.

    Attributes:
        cron: Expression of EventBridge Scheduler, read in the dataset's time zone.
        window_minutes: How much later it may start; 0 for none.
    """

    cron: str
    window_minutes: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """Data that comes in by days, and what a model of it predicts.

    Attributes:
        name: Its name in events, object keys and the registry.
        label: The column to predict.
        drop: Columns kept out of training.
        delimiter: Between the fields of its .csv and .tsv, one of ``DELIMITERS``, or None: the suffix tells.
        schema: Path of its reviewed schema in the repository, or None: then the schema policy decides.
        monitors: Names of the Model Monitor schedules whose violations start its pipeline.
        alarms: Names of the CloudWatch alarms that start its pipeline when they go off.
        marker: Name of the object whose arrival says that a day is complete and starts its pipeline, or None.
        schedule: When its pipeline starts by the clock, or None.
        days_back: How many days before a trigger that names none (schedule, monitor, alarm) the data are of.
        time_zone: IANA name: whose clocks say which day such a trigger comes on.
        quiet_days: After how many days without a judged one an alarm goes off, or None: then none does.
    """

    name: str
    label: str
    drop: tuple[str, ...] = ()
    delimiter: str | None = None
    schema: str | None = None
    monitors: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    marker: str | None = None
    schedule: Schedule | None = None
    days_back: int = 0
    time_zone: str = UTC
    quiet_days: int | None = None

    @property
    def title(self) -> str:
        """Its name in logical ids, letters and digits: names have no capitals, so no two are alike."""
        named = self.name.replace("-", "X")
        return f"{named[0].upper()}{named[1:]}"


@dataclass(frozen=True, slots=True)
class Validation:
    """How a day is judged.

    Attributes:
        schema_policy: What to do with a dataset that has no schema.
        sizes: Task sizes Init plans with, smallest first.
        target_minutes: What profiling a day should take: Init plans size, or number of children, for it.
        most_children: Children of an array job at most; 1 means that there are no array jobs.
        timeout_minutes: Longest time of one attempt.
        max_objects: How many objects a day may have.
    """

    schema_policy: SchemaPolicy
    sizes: tuple[TaskSize, ...]
    target_minutes: float
    most_children: int
    timeout_minutes: int
    max_objects: int


@dataclass(frozen=True, slots=True)
class Preparation:
    """The Glue job: worker type, number of workers, longest time in minutes."""

    worker_type: str
    workers: int
    timeout_minutes: int


@dataclass(frozen=True, slots=True)
class Training:
    """The SageMaker training job.

    Attributes:
        instance_type: Default of the stack's parameter.
        volume_gb: Disk.
        timeout_minutes: Longest time of training itself.
        wait_minutes: Longest time of waiting for Spot capacity and training together.
        hyperparameters: Name and value, given to the training script as strings.
    """

    instance_type: str
    volume_gb: int
    timeout_minutes: int
    wait_minutes: int
    hyperparameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Promotion:
    """When a model is registered, and as what: the margin is in units of its metric."""

    approval: ModelApproval
    margin: float


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days things are kept."""

    log_days: int
    noncurrent_days: int
    trigger_days: int
    prepared_days: int


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the templates are made from.

    Attributes:
        source: The file's name as people typed it: what does not fit into a stack is refused by it, too.
        customer_managed_key: Whether a key of the account's own encrypts what the stacks keep.
    """

    source: str
    stage: str
    datasets: tuple[Dataset, ...]
    validation: Validation
    preparation: Preparation
    training: Training
    promotion: Promotion
    retention: Retention
    network: NetworkMode
    customer_managed_key: bool

    def named(self, thing: str) -> str:
        """Return the name of a thing of this stage, such as ``sluice-dev-validator``."""
        return NAMED.format(stage=self.stage) + thing


def load(path: Path, stage: str) -> Config:
    """Read the configuration of a stage.

    Args:
        path: A TOML file.
        stage: Its table ``[stages.<stage>]`` is laid over the common tables.

    Raises:
        ConfigError: The file cannot be read, or a key of it cannot be used.
    """
    try:
        return _load(path, stage)
    except RecursionError:
        raise ConfigError(f"{path}: tables or lists are nested too deep to be read") from None


def _load(path: Path, stage: str) -> Config:
    file = Table(str(path), "", _document(path))
    file.only("datasets", "stages", *GROUPS)
    if stage not in STAGES:
        raise ConfigError(f"unknown stage {stage!r}: take one of {', '.join(STAGES)}")
    stages = file.table("stages")
    stages.only(*STAGES)
    above = stages.table(stage)
    above.only(*GROUPS)
    return _config(stage, Table(file.source, "", overlay(file.values, above.values)))


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; name a file with --config") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def _config(stage: str, file: Table) -> Config:
    return Config(
        source=file.source,
        stage=stage,
        datasets=_datasets(file, stage),
        validation=_validation(file.table("validation")),
        preparation=_preparation(file.table("preparation")),
        training=_training(file.table("training")),
        promotion=_promotion(file.table("promotion")),
        retention=_retention(file.table("retention")),
        network=_network(file.table("network")),
        customer_managed_key=_customer_managed_key(file.table("security")),
    )


def _datasets(file: Table, stage: str) -> tuple[Dataset, ...]:
    tables = tuple(file.tables("datasets"))
    datasets = tuple(_dataset(table, stage) for table in tables)
    named: set[str] = set()
    monitors: dict[str, str] = {}
    alarms: dict[str, str] = {}
    for table, dataset in zip(tables, datasets, strict=True):
        if dataset.name in named:
            table.refuse("name", f"is {dataset.name!r} again: each dataset has a name of its own")
        named.add(dataset.name)
        _refuse_shared(table, "monitors", dataset.monitors, monitors)
        _refuse_shared(table, "alarms", dataset.alarms, alarms)
    return datasets


def _refuse_shared(table: Table, key: str, names: Iterable[str], owners: dict[str, str]) -> None:
    """Refuse a name that another dataset has, in capitals or not: Init starts the first that has it.

    Args:
        table: The dataset's.
        key: Under which it has the names.
        names: Those of this stage.
        owners: Name in small letters -> place of the dataset that has it; these are added.
    """
    for name in names:
        owner = owners.setdefault(name.lower(), table.place)
        if owner != table.place:
            table.refuse(key, f"holds {name!r}, and so does {owner}: it can start one dataset only")


def _dataset(table: Table, stage: str) -> Dataset:
    table.only(*DATASET)
    dataset = Dataset(
        name=table.text(
            "name", r"[a-z][a-z0-9-]{0,30}", "a lower-case letter, then up to 30 of a-z, 0-9 and '-'"
        ),
        label=table.text("label", COLUMN, "the name of a column"),
        drop=table.texts("drop", COLUMN, "a list of names of columns"),
        delimiter=_delimiter(table) if "delimiter" in table.values else None,
        schema=_schema(table) if "schema" in table.values else None,
        monitors=_of_stage(
            stage, table.texts("monitors", MONITOR, "a list of names of monitoring schedules")
        ),
        alarms=_of_stage(stage, table.texts("alarms", ALARM, "a list of names of alarms")),
        # Names that begin so are read as data by nobody.
        marker=table.text("marker", MARKER, "the name of an object that begins with '_' or '.'")
        if "marker" in table.values
        else None,
        schedule=_schedule(table.table("schedule")) if "schedule" in table.values else None,
        days_back=table.whole("days_back", 0, 366) if "days_back" in table.values else 0,
        time_zone=_time_zone(table) if "time_zone" in table.values else UTC,
        # An alarm looks back a week at most.
        quiet_days=table.whole("quiet_days", 1, 7) if "quiet_days" in table.values else None,
    )
    if dataset.label in dataset.drop:
        table.refuse("drop", f"holds the label {dataset.label!r}: there would be nothing to predict")
    for alarm in dataset.alarms:
        if alarm.lower().startswith(OWN_NAMES):
            table.refuse("alarms", f"holds {alarm!r}, a name of the pipeline's own: it would start in a loop")
    return dataset


def _schema(table: Table) -> str:
    path = table.text("schema", PATH, "a path to a .pbtxt file in the repository")
    if not _is_file(REPOSITORY / path):
        remedy = "put the reviewed schema there, or leave schema out: then schema_policy decides"
        table.refuse("schema", f"is {path!r:.80}: the repository has no such file; {remedy}")
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # Its name is too long for any file, or it lies where nobody may look.
        return False


def _of_stage(stage: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Fill in the stage: what watches the model of one must not start another in the same account."""
    return tuple(name.replace("{stage}", stage) for name in names)


def _delimiter(table: Table) -> str:
    *signs, tab = DELIMITERS
    expected = f"one of {' '.join(signs)} or the word {tab}"
    delimiter = table.text("delimiter", ".*", expected)
    if delimiter not in DELIMITERS:
        table.mismatch("delimiter", delimiter, expected)
    return delimiter


def _time_zone(table: Table) -> str:
    expected = "the IANA name of a time zone, such as Europe/Berlin"
    zone = table.text("time_zone", ".*", expected)
    if zone not in available_timezones() - NOT_ZONES:
        table.mismatch("time_zone", zone, expected)
    return zone


def _schedule(table: Table) -> Schedule:
    table.only("cron", "window_minutes")
    return Schedule(
        cron=_cron(table),
        window_minutes=table.whole("window_minutes", 0, 1440),
    )


def _cron(table: Table) -> str:
    expression = table.text("cron", ".*", "six fields, such as cron(30 3 * * ? *)")
    try:
        cron.check(expression)
    except cron.CronError as error:
        table.refuse("cron", f"is {expression!r:.80}: {error}")
    return expression


def _validation(table: Table) -> Validation:
    table.only("schema_policy", "sizes", "target_minutes", "most_children", "timeout_minutes", "max_objects")
    return Validation(
        schema_policy=table.word("schema_policy", SchemaPolicy),
        sizes=_sizes(table),
        target_minutes=table.number("target_minutes", 0.0001, 1440),
        most_children=table.whole("most_children", 1, MOST_CHILDREN),
        timeout_minutes=table.whole("timeout_minutes", 5, 1440),
        max_objects=table.whole("max_objects", 1, 10_000),
    )


def _sizes(table: Table) -> tuple[TaskSize, ...]:
    sizes = tuple(_size(size) for size in table.tables("sizes"))
    if any(smaller.memory >= larger.memory for smaller, larger in pairwise(sizes)):
        table.refuse("sizes", "do not ascend: each must have more memory than the one before it")
    return sizes


def _size(table: Table) -> TaskSize:
    table.only("cpu", "memory")
    cpu, memory = table.whole("cpu", 1, 16384), table.whole("memory", 1, 122880)
    try:
        return TaskSize(cpu, memory)
    except TaskSizeError as error:
        raise ConfigError(f"{table.source}: {table.place}: {error}") from error


def _preparation(table: Table) -> Preparation:
    table.only("worker_type", "workers", "timeout_minutes")
    return Preparation(
        worker_type=table.one_of("worker_type", WORKERS),
        workers=table.whole("workers", 2, 100),
        timeout_minutes=table.whole("timeout_minutes", 5, 1440),
    )


def _training(table: Table) -> Training:
    table.only("instance_type", "volume_gb", "timeout_minutes", "wait_minutes", "hyperparameters")
    training = Training(
        instance_type=table.one_of("instance_type", PRICES.training_hour.keys()),
        volume_gb=table.whole("volume_gb", 1, 1024),
        timeout_minutes=table.whole("timeout_minutes", 5, 1440),
        wait_minutes=table.whole("wait_minutes", 5, 2880),
        hyperparameters=hyperparameters.read(table.table("hyperparameters")),
    )
    if training.wait_minutes < training.timeout_minutes:
        table.refuse("wait_minutes", "is below timeout_minutes: waiting for Spot and training come out of it")
    return training


def _promotion(table: Table) -> Promotion:
    table.only("approval", "margin")
    return Promotion(approval=table.word("approval", ModelApproval), margin=table.number("margin", 0.0, 1.0))


def _retention(table: Table) -> Retention:
    table.only("log_days", "noncurrent_days", "trigger_days", "prepared_days")
    return Retention(
        log_days=table.one_of("log_days", LOG_DAYS),
        noncurrent_days=table.whole("noncurrent_days", 1, 3650),
        trigger_days=table.whole("trigger_days", 1, 3650),
        # A run reads them for some days at most: Glue and the training have their limits.
        prepared_days=table.whole("prepared_days", 7, 3650),
    )


def _network(table: Table) -> NetworkMode:
    table.only("mode")
    return table.word("mode", NetworkMode)


def _customer_managed_key(table: Table) -> bool:
    table.only("customer_managed_key")
    return table.flag("customer_managed_key")
