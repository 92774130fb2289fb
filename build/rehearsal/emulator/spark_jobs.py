"""Glue: ``glue:startJobRun`` runs the job's script with PySpark, as a process, under the job's role.

PySpark has no filesystem for ``s3://`` here. Every argument that is such a URI is therefore staged: what it
names is brought into a folder before the start; an argument whose name ends in ``output_uri`` names a new
folder that is stored below the URI after success.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from build.rehearsal.emulator import integrations, needs, spark
from build.rehearsal.emulator.faults import Fault, Kind
from build.rehearsal.emulator.integrations import Attempt, StepError
from build.rehearsal.emulator.processes import LocalProcess, last_line
from build.rehearsal.emulator.runtime import Runtime
from build.rehearsal.emulator.storage import Storage, split

_OF_JOBS: Final = (Kind.CRASH, Kind.PUT_OBJECT)
_SCRIPT: Final = "--scriptLocation"
"""Glue's own argument: another script than the job's."""
_POLL_SECONDS: Final = 0.1
_STOP_SECONDS: Final = 10


class SparkJobs:
    """The runs of Glue's jobs."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def register(self) -> None:
        """Makes the integration known."""
        integrations.register("glue:startJobRun", self.start_job_run)

    def start_job_run(self, resource: str, arguments: dict[str, Any]) -> Any:
        """Runs a job and waits for its end.

        Returns:
            The JobRun, or its JobRunId without ``.sync``.

        Raises:
            StepError: States.TaskFailed when the run ends otherwise than SUCCEEDED;
                Glue.EntityNotFoundException, Glue.ConcurrentRunsExceededException.
        """
        attempt = integrations.current("Glue")
        job, run = _new_run(arguments)
        self._carry_out(attempt, job, run)
        if not integrations.waits(resource):
            return {"JobRunId": run["Id"], "JobName": run["JobName"]}
        result = _shown(run)
        if run["JobRunState"] != "SUCCEEDED":
            raise StepError("States.TaskFailed", result)
        return result

    def _carry_out(self, attempt: Attempt, job: Mapping[str, Any], run: dict[str, Any]) -> None:
        run.update(JobRunState="RUNNING")
        try:
            state, message = self._run(attempt, job, run)
        except Exception as error:
            state, message = "FAILED", str(error)
        now = time.time()
        run.update(
            JobRunState=state,
            CompletedOn=now,
            LastModifiedOn=now,
            ExecutionTime=round(now - run["StartedOn"]),
        )
        if message:
            run["ErrorMessage"] = message

    def _run(self, attempt: Attempt, job: Mapping[str, Any], run: Mapping[str, Any]) -> tuple[str, str]:
        """Runs the script; the run's state and its message."""
        fault = self._runtime.faults.take(attempt.step, lambda fault: fault.kind in _OF_JOBS)
        if fault and fault.kind is Kind.PUT_OBJECT:
            self._put(fault, run["Arguments"])
        permissions = self._runtime.permissions
        role = permissions.assume(job["Role"], "glue", f"GlueJobRunnerSession-{run['Id'][:8]}")
        permissions.note(job["Role"], needs.of_job(permissions.account))
        storage = Storage(self._runtime.client("s3", role))
        scratch = self._runtime.scratch(attempt.step)
        script = storage.download(_script(job, run["Arguments"]), scratch / "script")
        staging = stage(run["Arguments"], storage, scratch / "s3")
        python = self._runtime.settings.jobs_python
        process = LocalProcess(
            [str(python), str(script), *staging.argv],
            environment={**self._runtime.environment(role, scratch), **spark.environment(python, scratch)},
            cwd=scratch,
            log=self._runtime.log(attempt.step),
        )
        if fault and fault.kind is Kind.CRASH:
            process.crash()
        state, message = _outcome(process, _await(process, attempt, job), attempt)
        if state == "SUCCEEDED":
            staging.store(storage)
        return state, staging.named(message)

    def _put(self, fault: Fault, arguments: Mapping[str, str]) -> None:
        bucket = fault.bucket or split(arguments["--data_uri"])[0]
        self._runtime.client("s3").upload_file(fault.file, bucket, fault.key)


@dataclass(frozen=True, slots=True)
class Staging:
    """A script's arguments with folders in the place of URIs."""

    argv: tuple[str, ...]
    outputs: Mapping[str, Path]
    places: Mapping[str, Path]
    """Where each URI lies, inputs and outputs."""

    def named(self, message: str) -> str:
        """A script's message with URIs in the place of folders."""
        for uri, place in self.places.items():
            message = message.replace(str(place), uri.rstrip("/"))
        return message

    def store(self, storage: Storage) -> None:
        """Stores what the script wrote."""
        for uri, folder in self.outputs.items():
            storage.upload(folder, uri)


def stage(arguments: Mapping[str, str], storage: Storage, folder: Path) -> Staging:
    """Brings in what the arguments name and makes the folders for what they shall name."""
    outputs: dict[str, Path] = {}
    places: dict[str, Path] = {}
    argv: list[str] = []
    for name, value in arguments.items():
        if name == _SCRIPT or not value.startswith("s3://"):
            argv += [name, value]
            continue
        place = folder / name.lstrip("-")
        if name.endswith("output_uri"):
            outputs[value] = place
        else:
            place = storage.download(value, place)
        places[value] = place
        argv += [name, str(place)]
    return Staging(tuple(argv), outputs, places)


def _script(job: Mapping[str, Any], arguments: Mapping[str, str]) -> str:
    return arguments.get(_SCRIPT) or str(job["Command"]["ScriptLocation"])


def _new_run(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    from ministack.services import glue  # noqa: PLC0415

    name = arguments["JobName"]
    job = glue._jobs.get(name)
    if job is None:
        raise StepError(
            "Glue.EntityNotFoundException", f"Failed to start job run due to missing metadata: {name}"
        )
    runs = glue._job_runs.setdefault(name, [])
    running = sum(run["JobRunState"] in ("STARTING", "RUNNING") for run in runs)
    if running >= (job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns", 1):
        raise StepError("Glue.ConcurrentRunsExceededException", f"Concurrent runs exceeded for {name}")
    run = dict(_run_fields(job, f"jr_{uuid.uuid4().hex * 2}", arguments.get("Arguments") or {}))
    runs.append(run)
    return job, run


def _run_fields(
    job: Mapping[str, Any], run_id: str, arguments: Mapping[str, str]
) -> Iterator[tuple[str, Any]]:
    now = time.time()
    yield from (("Id", run_id), ("JobName", job["Name"]), ("Attempt", 0), ("JobRunState", "STARTING"))
    yield from (("StartedOn", now), ("LastModifiedOn", now), ("PredecessorRuns", []))
    # Glue adds the job's name and the run's id to what the script gets.
    own = {"--JOB_NAME": job["Name"], "--JOB_RUN_ID": run_id}
    yield "Arguments", {**(job.get("DefaultArguments") or {}), **own, **arguments}
    for name in ("GlueVersion", "WorkerType", "NumberOfWorkers", "Timeout", "MaxCapacity"):
        if job.get(name) is not None:
            yield name, job[name]


def _shown(run: Mapping[str, Any]) -> dict[str, Any]:
    times = {
        name: round(run[name] * 1000)
        for name in ("StartedOn", "CompletedOn", "LastModifiedOn")
        if name in run
    }
    return {**run, **times}


def _await(process: LocalProcess, attempt: Attempt, job: Mapping[str, Any]) -> bool:
    """Waits; stops a run that takes too long or that nobody waits for. Tells whether it ended by itself."""
    deadline = time.monotonic() + 60 * float(job.get("Timeout") or 2880)
    while not process.wait(_POLL_SECONDS):
        if attempt.over() or time.monotonic() > deadline:
            process.stop(_STOP_SECONDS)
            return False
    return True


def _outcome(process: LocalProcess, ended: bool, attempt: Attempt) -> tuple[str, str]:
    if not ended:
        return ("STOPPED", "") if attempt.over() else ("TIMEOUT", "Timeout")
    if process.exit_code == 0:
        return "SUCCEEDED", ""
    return "FAILED", last_line(process.log) or f"Command failed with exit code {process.exit_code}"
