"""The order of a rehearsal: emulator, deployment, a baseline day, then each act of the scenario."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from build import cost, image, shell
from build.aws import Aws, connect
from build.aws.cloudformation import StackEvent
from build.aws.ecr import Manifest
from build.deploy import Deployment, deploy
from build.patience import Patience
from build.plan import Plan
from templates.config import Config, Dataset, NetworkMode
from validator.contract import Artifact, Verdict

from . import sample, watch
from .audience import Audience
from .charges import charges
from .cloud import Cloud, Environments, running
from .folder import Folder
from .history import StateRun, json_object
from .outcome import Notification, Outcome
from .own_data import OwnData
from .permissions import Permissions
from .scenario import BASELINE_DAY, Act, Fault, Scenario, Trigger
from .summary import Summary

BASELINE_RUN: Final = "baseline"
LATE: Final = "late.csv"
EVENT_SECONDS: Final = 20.0
"""How long an event may take to start its execution."""

Files = Iterable[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is played, where, and with whose data (None: the sample's)."""

    scenario: Scenario
    config: Config
    root: Path
    folder: Folder
    environments: Environments
    data: OwnData | None = None

    @property
    def dataset(self) -> Dataset:
        """The dataset that is judged: the only one of its configuration."""
        (dataset,) = self.config.datasets
        return dataset

    def day(self, act: Act) -> Files:
        """The files of an act's day."""
        if self.data is not None:
            return ((key, file.read_bytes()) for key, file in self.data.files.items())
        return sample.day(act.run_date, parts=act.parts, variant=act.variant)

    def faults(self) -> list[Fault]:
        """The faults of all acts, in the emulator's words."""
        return [self._complete(fault, act) for act in self.scenario.acts for fault in act.faults]

    def _complete(self, fault: Fault, act: Act) -> Fault:
        """An object that is put down late gets its key below the act's day, and its file."""
        if fault["kind"] != "put-object":
            return fault
        key = f"{_prefix(self.dataset, act.run_date)}/{fault['key']}"
        return {**fault, "key": key, "file": str(self.folder.data / LATE)}


@dataclass(frozen=True, slots=True)
class Stage:
    """The deployed pipeline, ready for an act."""

    rehearsal: Rehearsal
    cloud: Cloud
    aws: Aws
    deployment: Deployment
    audience: Audience

    @property
    def bucket(self) -> str:
        """The pipeline's bucket."""
        return self.deployment.pipeline["PipelineBucketName"]


def play(rehearsal: Rehearsal, console: Console) -> Summary:
    """Play a scenario from an empty emulator to its end.

    Raises:
        BuildError: the rehearsal itself could not be held.
    """
    _write_late_file(rehearsal)
    with running(rehearsal.root, rehearsal.folder, rehearsal.environments, rehearsal.faults()) as cloud:
        stage = _set(rehearsal, cloud, console)
        if rehearsal.data is None:
            _accept_baseline(stage, console)
        problems: list[str] = []
        for number, act in enumerate(rehearsal.scenario.acts, start=1):
            outcome = _perform(stage, act, number, console)
            problems += act.problems(outcome)
    estimate = cost.estimate(outcome.uses)
    permissions = Permissions.read(rehearsal.folder.logs, rehearsal.config.named("pipeline"))
    problems += permissions.refused
    return Summary(rehearsal.scenario, outcome, estimate, permissions, tuple(problems))


def _set(rehearsal: Rehearsal, cloud: Cloud, console: Console) -> Stage:
    aws = connect(cloud.settings)
    console.print(f"[dim]The emulator answers at {cloud.endpoint_url}; deploying both stacks[/]")
    deployment = deploy(
        aws,
        rehearsal.config,
        image_of=lambda delivery: _image_uri(rehearsal, aws, delivery),
        root=rehearsal.root,
        out=_Deploying(console),
        given=_given(rehearsal.config, aws),
    )
    topic = deployment.pipeline["NotificationTopicArn"]
    return Stage(rehearsal, cloud, aws, deployment, Audience.of(aws, topic))


def _given(config: Config, aws: Aws) -> Mapping[str, str]:
    """The parameters a person has to give, of what an account would have: a network of its own."""
    if config.network is not NetworkMode.EXISTING:
        return {}
    network = aws.ec2.create_network(config.named("rehearsed"))
    return {"SubnetIds": network.subnet, "SecurityGroupId": network.group}


class _Deploying:
    """Tells of a deployment in few words: a rehearsal's stacks are always new."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def planned(self, plan: Plan) -> None:
        self._console.print(f"[dim]{plan.stack}: {len(plan.changes)} resources[/]")

    def uploaded(self, key: str, size: int) -> None:
        """Packages are small and many: not told."""

    def happened(self, event: StackEvent) -> None:
        if event.status.endswith("FAILED"):
            self._console.print(f"{event.logical_id}: {event.status}: {event.reason}", markup=False)


def _image_uri(rehearsal: Rehearsal, aws: Aws, delivery: Mapping[str, str]) -> str:
    """The URI of an image that stands for the validator's content; the emulator runs the code itself."""
    tag, uri = image.tag_of(rehearsal.root), delivery["ValidatorRepositoryUri"]
    _, _, name = uri.partition("/")
    digest = f"sha256:{sha256(tag.encode()).hexdigest()}"
    aws.ecr.put(name, Manifest(digest, tag, "application/vnd.oci.image.manifest.v1+json"), tag)
    return f"{uri}@{digest}"


def _accept_baseline(stage: Stage, console: Console) -> None:
    """Judge the day before by the validator itself and put it down as an accepted run."""
    dataset, day = stage.rehearsal.dataset, BASELINE_DAY.isoformat()
    console.print(f"[dim]Judging {day} as the accepted run before[/]")
    _upload(stage, BASELINE_DAY, sample.day(BASELINE_DAY))
    output = f"s3://{stage.bucket}/validation/{day}/{BASELINE_RUN}"
    shell.run(
        [
            *(str(stage.rehearsal.environments.validator), "-m", "validator", "validate"),
            *("--run-date", day, "--run-id", BASELINE_RUN, "--output", output),
            *("--data", f"s3://{stage.bucket}/{_prefix(dataset, BASELINE_DAY)}/"),
            *("--schema", str(stage.rehearsal.root / str(dataset.schema)), "--fail-on", "warn"),
        ],
        environment=stage.cloud.settings.environment(),
        log=stage.rehearsal.folder.logs / "baseline.log",
    )
    said = json.loads(stage.aws.s3.read(stage.bucket, f"validation/{day}/{BASELINE_RUN}/{Artifact.GATE}"))
    accepted = {
        "dataset": dataset.name,
        "run_date": day,
        "run_id": BASELINE_RUN,
        "verdict": Verdict.PASS,
        "statistics_uri": f"{output}/{Artifact.STATISTICS}",
        "statistics_sha256": said["statistics_sha256"],
        "manifest_uri": "",
    }
    stage.aws.s3.put(stage.bucket, f"accepted/{dataset.name}/{day}.json", json.dumps(accepted).encode())


def _perform(stage: Stage, act: Act, number: int, console: Console) -> Outcome:
    _upload(stage, act.run_date, stage.rehearsal.day(act))
    execution = _start(stage, act, number)
    console.print(f"\n[bold]{execution.rpartition(':')[2]}[/], started by {act.trigger}", soft_wrap=True)
    states = watch.follow(stage.aws.stepfunctions, execution, console, sleep=Patience().sleep)
    return _outcome(stage, act, execution, states)


def _upload(stage: Stage, run_date: date, files: Files) -> None:
    prefix = _prefix(stage.rehearsal.dataset, run_date)
    kept = stage.rehearsal.folder.data / run_date.isoformat()
    kept.mkdir(exist_ok=True)
    for name, body in files:
        (kept / name).write_bytes(body)
        stage.aws.s3.put(stage.bucket, f"{prefix}/{name}", body)


def _prefix(dataset: Dataset, run_date: date) -> str:
    """Where a day's data lies in the pipeline's bucket."""
    return f"data/{dataset.name}/{run_date.isoformat()}"


def _write_late_file(rehearsal: Rehearsal) -> None:
    if any(fault["kind"] == "put-object" for act in rehearsal.scenario.acts for fault in act.faults):
        _, body = next(iter(sample.day(BASELINE_DAY)))
        (rehearsal.folder.data / LATE).write_bytes(body)


def _start(stage: Stage, act: Act, number: int) -> str:
    """Start an execution through the alias, under a name of its own; return its ARN."""
    asked = {"dataset": stage.rehearsal.dataset.name, "run_date": act.run_date.isoformat()}
    if act.trigger is Trigger.BY_HAND:
        alias = stage.deployment.pipeline["StateMachineAliasArn"]
        name = f"{stage.rehearsal.scenario.name}-{act.run_date.isoformat()}-{number}"
        return stage.aws.stepfunctions.start(alias, name, asked)
    if act.trigger is Trigger.MARKER:
        prefix = _prefix(stage.rehearsal.dataset, act.run_date)
        stage.aws.s3.put(stage.bucket, f"{prefix}/{stage.rehearsal.dataset.marker}", b"")
    else:
        told = {"stage": stage.rehearsal.config.stage, **asked}
        stage.aws.eventbridge.put("sluice.drift", "ModelDriftDetected", told)
    machine = stage.deployment.pipeline["StateMachineArn"]

    def newest() -> str | None:
        return next((found.arn for found in stage.aws.stepfunctions.executions(machine, 1)), None)

    return Patience(deadline=EVENT_SECONDS).until(newest, "the execution that the event starts")


def _outcome(stage: Stage, act: Act, execution: str, states: tuple[StateRun, ...]) -> Outcome:
    ended = stage.aws.stepfunctions.describe(execution)
    _write_history(stage, execution)
    run = f"{act.run_date.isoformat()}/{execution.rpartition(':')[2]}"
    folder = stage.rehearsal.folder
    _download(stage, f"validation/{run}/", folder.output)
    heard = stage.audience.heard()
    _keep(heard, folder.notices)
    return Outcome(
        status=ended.status,
        input=ended.input,
        output=ended.output,
        states=states,
        uses=tuple(charges(states, stage.aws.batch.runs)),
        verdict=_read_json(folder.output / Artifact.VERDICT),
        prepared=_prepared(stage, f"prepared/{run}/summary/"),
        notifications=heard,
        notices=folder.notices,
        folder=folder.output,
        logs=folder.logs,
    )


def _keep(notices: Iterable[Notification], folder: Path) -> None:
    """Write down what people would get by mail, in the order in which it came."""
    for number, notice in enumerate(notices, start=1 + sum(1 for _ in folder.iterdir())):
        (folder / f"{number:02}.txt").write_text(notice.to_text(), encoding="utf-8")


def _write_history(stage: Stage, execution: str) -> None:
    """Keep the events: when something went wrong they are what one looks at first."""
    events = stage.aws.stepfunctions.history(execution)
    path = stage.rehearsal.folder.logs / f"{execution.rpartition(':')[2]}.history.json"
    path.write_text(json.dumps(events, indent=1, default=str), encoding="utf-8")


def _download(stage: Stage, prefix: str, folder: Path) -> None:
    """Bring what lies below a prefix into the folder, in the place of an earlier execution's files."""
    shutil.rmtree(folder)
    folder.mkdir()
    for key in stage.aws.s3.keys(stage.bucket, prefix):
        path = folder / key.removeprefix(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stage.aws.s3.read(stage.bucket, key))


def _prepared(stage: Stage, prefix: str) -> Mapping[str, Any]:
    """Prepare's summary: the one JSON line that Spark wrote."""
    for key in stage.aws.s3.keys(stage.bucket, prefix):
        if key.endswith(".json"):
            return json_object(stage.aws.s3.read(stage.bucket, key))
    return {}


def _read_json(path: Path) -> Mapping[str, Any]:
    return json_object(path.read_bytes()) if path.is_file() else {}
