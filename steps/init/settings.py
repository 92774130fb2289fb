"""What the deployed configuration tells Init, read once from the function's environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset of the deployed configuration."""

    name: str
    label: str
    drop: tuple[str, ...]
    schema: bool
    """Whether a reviewed schema was released with it."""
    monitors: tuple[str, ...]
    """Names of the Model Monitor schedules that watch it."""
    alarms: tuple[str, ...]
    """Names of the CloudWatch alarms that watch it."""
    delimiter: str = ""
    """Between the fields of its delimited texts; "" when their suffix tells."""
    marker: str = ""
    """Name of the object whose arrival completes a day; "" when new objects start nothing."""
    scheduled: bool = False
    """Whether it is started by the clock."""
    days_back: int = 0
    """How many days before a trigger that names none the data are of."""
    time_zone: str = "UTC"
    """IANA name, such as ``Europe/Berlin``: whose clocks say which day a trigger comes on."""

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> Self:
        """Read one entry of ``DATASETS``."""
        return cls(
            name=entry["name"],
            label=entry["label"],
            drop=tuple(entry.get("drop", ())),
            schema=bool(entry.get("schema")),
            monitors=tuple(entry.get("monitors", ())),
            alarms=tuple(entry.get("alarms", ())),
            delimiter=entry.get("delimiter", ""),
            marker=entry.get("marker", ""),
            scheduled=entry.get("scheduled", False),
            days_back=entry.get("days_back", 0),
            time_zone=entry.get("time_zone", "UTC"),
        )


@dataclass(frozen=True, slots=True)
class Size:
    """A Fargate task size: CPU units and MiB, as the strings that RunTask's overrides take."""

    cpu: str
    memory: str

    def to_json(self) -> dict[str, str]:
        """Return the size as RunTask's overrides spell it."""
        return {"Cpu": self.cpu, "Memory": self.memory}


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a vCPU profiles, and how long a day's data may take.

    Attributes:
        bytes_per_second: Bytes as stored that one vCPU profiles in a second, by kind of data.
        target_seconds: What profiling a day should take.
        most_children: Children of an array job at most; 1 means that there are no array jobs.
    """

    bytes_per_second: Mapping[str, float]
    target_seconds: float
    most_children: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``PACE``, JSON with these names."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment, typed."""

    pipeline_bucket: str
    artifact_bucket: str
    schemas_prefix: str
    datasets: Mapping[str, Dataset]
    ladder: tuple[Size, ...]
    """Task sizes, smallest first."""
    pace: Pace
    max_objects: int
    model_group_prefix: str
    """What stands before a dataset's name in that of its model package group."""
    job_prefix: str
    """What the names of this stage's jobs begin with: two stages may share an account."""

    @classmethod
    def parse(cls, environment: Mapping[str, str]) -> Self:
        """Read the environment; KeyError for a name it lacks: then the template is wrong."""
        datasets = (Dataset.parse(entry) for entry in json.loads(environment["DATASETS"]))
        ladder = json.loads(environment["LADDER"])
        return cls(
            pipeline_bucket=environment["PIPELINE_BUCKET"],
            artifact_bucket=environment["ARTIFACT_BUCKET"],
            schemas_prefix=environment["SCHEMAS_PREFIX"],
            datasets={dataset.name: dataset for dataset in datasets},
            ladder=tuple(Size(size["Cpu"], size["Memory"]) for size in ladder),
            pace=Pace.parse(environment["PACE"]),
            max_objects=int(environment["MAX_OBJECTS"]),
            model_group_prefix=environment["MODEL_GROUP_PREFIX"],
            job_prefix=environment["JOB_PREFIX"],
        )
