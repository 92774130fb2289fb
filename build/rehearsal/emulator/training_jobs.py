"""SageMaker training: ``sagemaker:createTrainingJob`` runs the submitted script as a process, as its role.

The folder that a training container has as /opt/ml is made below the emulator's temporary folder; a script
finds its parts by the SM_* variables, as the SageMaker Training Toolkit gives them
(https://github.com/aws/sagemaker-training-toolkit/blob/master/ENVIRONMENT_VARIABLES.md). A job with
EnableNetworkIsolation has neither endpoint nor credentials; that it can open no socket is not shown.
"""

from __future__ import annotations

import json
import os
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from build.rehearsal.emulator import integrations, needs
from build.rehearsal.emulator.faults import Kind
from build.rehearsal.emulator.integrations import Attempt, StepError, now
from build.rehearsal.emulator.processes import LocalProcess, last_line
from build.rehearsal.emulator.runtime import Runtime
from build.rehearsal.emulator.storage import Storage

_POLL_SECONDS: Final = 0.1
_STOP_SECONDS: Final = 120
"""SageMaker sends SIGTERM and waits so long before SIGKILL."""


@dataclass(frozen=True, slots=True)
class Disk:
    """What a training container has as /opt/ml."""

    root: Path

    @property
    def code(self) -> Path:
        """The script and what was packed with it."""
        return self.root / "code"

    @property
    def model(self) -> Path:
        """What becomes model.tar.gz."""
        return self.root / "model"

    @property
    def output(self) -> Path:
        """Holds data/, which becomes output.tar.gz, and failure, the reason a script gives."""
        return self.root / "output"

    @property
    def data(self) -> Path:
        """One folder per channel."""
        return self.root / "input" / "data"

    def make(self) -> None:
        """Makes the folders."""
        for folder in (self.code, self.model, self.output / "data", self.data, self.root / "checkpoints"):
            folder.mkdir(parents=True)


class TrainingJobs:
    """The training jobs; a name is used once, for ever."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._jobs: dict[str, dict[str, Any]] = {}

    def register(self) -> None:
        """Makes the integration known."""
        integrations.register("sagemaker:createTrainingJob", self.create_training_job)

    def describe(self, name: str) -> dict[str, Any] | None:
        """The job of this name."""
        return self._jobs.get(name)

    def create_training_job(self, resource: str, arguments: dict[str, Any]) -> Any:
        """Trains and waits for the end.

        Returns:
            The training job (as DescribeTrainingJob has it), or its ARN without ``.sync``. A job stopped at
            its MaxRuntimeInSeconds is a result too: its status is Stopped.

        Raises:
            StepError: States.TaskFailed when the job fails; SageMaker.ResourceInUseException for a used name.
        """
        attempt = integrations.current("Training")
        job = self._new(arguments)
        self._carry_out(attempt, job)
        if not integrations.waits(resource):
            return {"TrainingJobArn": job["TrainingJobArn"]}
        if job["TrainingJobStatus"] == "Failed":
            raise StepError("States.TaskFailed", job)
        return job

    def _new(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        settings, name = self._runtime.settings, arguments["TrainingJobName"]
        arn = f"arn:aws:sagemaker:{settings.region}:{settings.account}:training-job/{name.lower()}"
        fresh = {"TrainingJobArn": arn, "TrainingJobStatus": "InProgress", "SecondaryStatus": "Starting"}
        job = {**arguments, **fresh, "CreationTime": now()}
        if self._jobs.setdefault(name, job) is not job:
            raise StepError(
                "SageMaker.ResourceInUseException",
                f"Job name must be unique within an AWS account and region: {name}",
            )
        return job

    def _carry_out(self, attempt: Attempt, job: dict[str, Any]) -> None:
        job["TrainingStartTime"] = now()
        try:
            outcome = self._train(attempt, job)
        except Exception as error:
            outcome = _failure(f"ClientError: {error}")
        job.update(outcome, TrainingEndTime=now(), LastModifiedTime=now())
        seconds = max(1, (job["TrainingEndTime"] - job["TrainingStartTime"]) // 1000)
        job.update(TrainingTimeInSeconds=seconds, BillableTimeInSeconds=seconds)

    def _train(self, attempt: Attempt, job: Mapping[str, Any]) -> dict[str, Any]:
        permissions = self._runtime.permissions
        role = permissions.assume(job["RoleArn"], "sagemaker", f"SageMaker-{job['TrainingJobName']}")
        permissions.note(job["RoleArn"], needs.of_training(job, permissions.account))
        storage = Storage(self._runtime.client("s3", role))
        disk = Disk(self._runtime.scratch(attempt.step) / "ml")
        disk.make()
        parameters = decode(job.get("HyperParameters") or {})
        _fill(storage, job.get("InputDataConfig") or [], disk)
        is_isolated = bool(job.get("EnableNetworkIsolation"))
        _unpack(None if is_isolated else storage, parameters["sagemaker_submit_directory"], disk)
        process = LocalProcess(
            [str(self._runtime.settings.jobs_python), parameters["sagemaker_program"], *command(parameters)],
            environment={
                **(
                    self._runtime.isolated_environment(disk.root.parent)
                    if is_isolated
                    else self._runtime.environment(role, disk.root.parent)
                ),
                **script_mode(job, parameters, disk),
            },
            cwd=disk.code,
            log=self._runtime.log(attempt.step),
        )
        if self._runtime.faults.take(attempt.step, lambda fault: fault.kind is Kind.CRASH):
            process.crash()
        if not _await(process, attempt, job):
            return _stopped(attempt)
        if process.exit_code:
            return _failure(_reason(process, disk))
        return {**_COMPLETED, "ModelArtifacts": {"S3ModelArtifacts": _store(storage, job, disk)}}


_COMPLETED: Final = {"TrainingJobStatus": "Completed", "SecondaryStatus": "Completed"}


def _stopped(attempt: Attempt) -> dict[str, Any]:
    secondary = "Stopped" if attempt.over() else "MaxRuntimeExceeded"
    return {"TrainingJobStatus": "Stopped", "SecondaryStatus": secondary}


def _failure(reason: str) -> dict[str, Any]:
    return {"TrainingJobStatus": "Failed", "SecondaryStatus": "Failed", "FailureReason": reason[:1024]}


def _reason(process: LocalProcess, disk: Disk) -> str:
    said = disk.output / "failure"
    text = said.read_text(encoding="utf-8", errors="replace") if said.is_file() else last_line(process.log)
    return f'AlgorithmError: ExecuteUserScriptError:\nExitCode {process.exit_code}\nErrorMessage "{text}"'


def _await(process: LocalProcess, attempt: Attempt, job: Mapping[str, Any]) -> bool:
    """Waits; stops a job at MaxRuntimeInSeconds or when nobody waits. Tells whether it ended by itself."""
    limit = (job.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", 86_400)
    deadline = time.monotonic() + limit
    while not process.wait(_POLL_SECONDS):
        if attempt.over() or time.monotonic() > deadline:
            process.stop(_STOP_SECONDS)
            return False
    return True


def decode(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Hyperparameters as the toolkit reads them: JSON where a value is JSON, else the string it is."""
    return {name: _decoded(value) for name, value in parameters.items()}


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def of_the_user(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters that are the script's, not SageMaker's own."""
    return {name: value for name, value in sorted(parameters.items()) if not name.startswith("sagemaker_")}


def command(parameters: Mapping[str, Any]) -> list[str]:
    """The script's arguments: ``--name value`` in the order of the names, ``-n`` for a name of one letter."""
    argv: list[str] = []
    for name, value in of_the_user(parameters).items():
        argv += [f"-{name}" if len(name) == 1 else f"--{name}", _text(value)]
    return argv


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def script_mode(job: Mapping[str, Any], parameters: Mapping[str, Any], disk: Disk) -> dict[str, str]:
    """The SM_* variables of a job on one instance."""
    own = of_the_user(parameters)
    channels = sorted(channel["ChannelName"] for channel in job.get("InputDataConfig") or [])
    texts: dict[str, Any] = {
        "SM_MODEL_DIR": disk.model,
        "SM_INPUT_DIR": disk.root / "input",
        "SM_OUTPUT_DIR": disk.output,
        "SM_OUTPUT_DATA_DIR": disk.output / "data",
        "SM_MODULE_DIR": parameters["sagemaker_submit_directory"],
        "SM_MODULE_NAME": str(parameters["sagemaker_program"]).removesuffix(".py"),
        "SM_USER_ENTRY_POINT": parameters["sagemaker_program"],
        "SM_CURRENT_HOST": "algo-1",
        "SM_NUM_CPUS": os.cpu_count(),
        "SM_NUM_GPUS": 0,
        "TRAINING_JOB_NAME": job["TrainingJobName"],
        "TRAINING_JOB_ARN": job["TrainingJobArn"],
        **{f"SM_CHANNEL_{name.upper()}": disk.data / name for name in channels},
        **{f"SM_HP_{_variable(name)}": _text(value) for name, value in own.items()},
    }
    lists: dict[str, Any] = {
        "SM_CHANNELS": channels,
        "SM_HOSTS": ["algo-1"],
        "SM_HPS": own,
        "SM_USER_ARGS": command(parameters),
    }
    return {name: str(value) for name, value in texts.items()} | {
        name: json.dumps(value) for name, value in lists.items()
    }


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _unpack(storage: Storage | None, place: str, disk: Disk) -> None:
    """Unpacks the code as the container does: from its own disk, or from S3 when it has a network."""
    if not place.startswith("s3://"):
        packed = disk.root / place.removeprefix("/opt/ml/")
    elif storage:
        packed = storage.download(place, disk.root / "source")
    else:
        raise ConnectionError(f"cannot download {place}: the container has no network")
    with tarfile.open(packed) as source:
        source.extractall(disk.code, filter="data")


def _fill(storage: Storage, channels: list[Mapping[str, Any]], disk: Disk) -> None:
    for channel in channels:
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        storage.download_prefix(uri, disk.data / channel["ChannelName"])


def _store(storage: Storage, job: Mapping[str, Any], disk: Disk) -> str:
    """Stores what the script left; returns the model's URI."""
    place = f"{job['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{job['TrainingJobName']}/output"
    if any((disk.output / "data").iterdir()):
        storage.store(_pack(disk.output / "data", disk.root / "output.tar.gz"), f"{place}/output.tar.gz")
    model = f"{place}/model.tar.gz"
    storage.store(_pack(disk.model, disk.root / "model.tar.gz"), model)
    return model


def _pack(folder: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as packed:
        for entry in sorted(folder.iterdir()):
            packed.add(entry, entry.name)
    return archive
