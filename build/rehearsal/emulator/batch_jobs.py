"""AWS Batch: ``batch:submitJob`` runs a job, or an array job's children side by side, as processes.

MiniStack keeps the queues and the job definitions; its own jobs run nothing. A child that fails is tried
again as the definition's retry strategy says
(https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html).
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

from build.rehearsal.emulator import integrations, needs
from build.rehearsal.emulator.containers import INTERRUPTED, OUT_OF_MEMORY, says
from build.rehearsal.emulator.faults import Fault, Kind
from build.rehearsal.emulator.integrations import Attempt, StepError, now, pascal
from build.rehearsal.emulator.processes import LocalProcess
from build.rehearsal.emulator.runtime import Runtime

AT_A_TIME: Final = 2
"""Children that run side by side here; AWS runs as many as the compute environment's vCPUs allow."""

_GRACE_SECONDS: Final = 30
"""Between SIGTERM and SIGKILL: a job definition with ContainerProperties has no stopTimeout."""
_POLL_SECONDS: Final = 0.005
"""A small part's next line may follow within milliseconds."""
_OF_JOBS: Final = (Kind.INTERRUPT, Kind.CRASH, Kind.MEMORY_LIMIT)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was submitted: its definition with the overrides laid over it."""

    id: str
    name: str
    step: str
    queue: str
    """ARN."""
    definition: str
    """ARN of the revision."""
    is_spot: bool
    command: Sequence[str]
    environment: Mapping[str, str]
    sizes: Mapping[str, str]
    """VCPU, and MEMORY in MiB, as SubmitJob spells them."""
    role: str
    """ARN of the role that its code acts as."""
    agent: str
    """ARN of the role by which ECS pulls its image and writes its log."""
    containers: Mapping[str, Any]
    """The task definition that Batch would register for it, as far as its agent needs it."""
    retries: Mapping[str, Any]

    def child(self, index: int) -> Job:
        """One child of an array job."""
        own = {"AWS_BATCH_JOB_ARRAY_INDEX": str(index), "AWS_BATCH_JOB_ID": f"{self.id}:{index}"}
        return replace(self, id=f"{self.id}:{index}", environment={**self.environment, **own})

    def detail(self) -> dict[str, Any]:
        """What of a JobDetail holds from the start."""
        return {
            "jobId": self.id,
            "jobName": self.name,
            "jobQueue": self.queue,
            "jobDefinition": self.definition,
            "createdAt": now(),
        }

    def container(self) -> dict[str, Any]:
        """Its ContainerDetail."""
        return {
            "command": list(self.command),
            "environment": [{"name": name, "value": value} for name, value in self.environment.items()],
            "resourceRequirements": [{"type": kind, "value": size} for kind, size in self.sizes.items()],
        }


@dataclass(frozen=True, slots=True)
class End:
    """How one attempt of a job ended."""

    exit_code: int | None
    reason: str
    """The container's."""
    status_reason: str
    started: int
    """Epoch milliseconds, as ``stopped``."""
    stopped: int

    @property
    def is_success(self) -> bool:
        """Whether the container ended with 0."""
        return self.exit_code == 0

    @property
    def container(self) -> dict[str, Any]:
        """How its container ended."""
        return {"exitCode": self.exit_code, **({"reason": self.reason} if self.reason else {})}

    def to_json(self) -> dict[str, Any]:
        """The attempt's part of a JobDetail."""
        return {
            "container": self.container,
            "startedAt": self.started,
            "stoppedAt": self.stopped,
            "statusReason": self.status_reason,
        }


class BatchJobs:
    """The jobs that run here."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def register(self) -> None:
        """Makes the integration known."""
        integrations.register("batch:submitJob", self.submit_job)

    def submit_job(self, resource: str, arguments: dict[str, Any]) -> Any:
        """Runs a job, or all children of an array job, and waits for their end.

        Returns:
            The JobDetail (PascalCase), or SubmitJob's answer without ``.sync``.

        Raises:
            StepError: States.TaskFailed when the job, or any child, failed in its last attempt;
                Batch.ClientException for a queue or a definition that does not exist.
        """
        attempt = integrations.current("Job")
        job = _job(attempt.step, arguments)
        size = (arguments.get("ArrayProperties") or {}).get("Size")
        detail = self._array(job, int(size), attempt) if size else self._single(job, attempt)
        _describe(detail)
        if not integrations.waits(resource):
            return pascal({"jobId": job.id, "jobName": job.name})
        if detail["status"] != "SUCCEEDED":
            raise StepError("States.TaskFailed", pascal(detail))
        return pascal(detail)

    def _array(self, job: Job, size: int, attempt: Attempt) -> dict[str, Any]:
        detail = job.detail()
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            children = list(pool.map(lambda index: self._single(job.child(index), attempt), range(size)))
        _describe(*children)
        summary = Counter(str(child["status"]) for child in children)
        failed = summary["FAILED"] > 0
        return {
            **detail,
            "status": "FAILED" if failed else "SUCCEEDED",
            "statusReason": "Array Child Job failed" if failed else "Array Child Jobs succeeded",
            "arrayProperties": {"size": size, "statusSummary": dict(summary)},
        }

    def _single(self, job: Job, attempt: Attempt) -> dict[str, Any]:
        """Runs one job; its JobDetail."""
        detail = job.detail()
        ends = list(self._attempts(job, attempt))
        if not ends:
            return {**detail, "status": "FAILED", "statusReason": "Terminated by user", "attempts": []}
        last = ends[-1]
        return {
            **detail,
            "status": "SUCCEEDED" if last.is_success else "FAILED",
            "statusReason": last.status_reason,
            "startedAt": last.started,
            "stoppedAt": last.stopped,
            "attempts": [end.to_json() for end in ends],
            "container": {**job.container(), **last.container},
        }

    def _attempts(self, job: Job, attempt: Attempt) -> Iterator[End]:
        """Yields the ends of a job's attempts."""
        for number in range(1, int(job.retries.get("Attempts") or 1) + 1):
            if attempt.over():
                return
            end = self._run(job, {"AWS_BATCH_JOB_ATTEMPT": str(number)}, attempt)
            yield end
            if end.is_success or not is_retried(end, job.retries.get("EvaluateOnExit") or []):
                return

    def _run(self, job: Job, own: Mapping[str, str], attempt: Attempt) -> End:
        fault = self._runtime.faults.take(job.step, lambda fault: _applies(fault, job))
        environment = {**job.environment, **own, **self._acting(job)}
        started = now()
        process = self._runtime.start_validator(
            job.step, job.command, environment, int(job.sizes["MEMORY"]), fault
        )
        interrupted = _watch(process, fault, attempt)
        return End(
            exit_code=process.exit_code,
            reason=OUT_OF_MEMORY if process.out_of_memory else "",
            status_reason=INTERRUPTED if interrupted else "Essential container in task exited",
            started=started,
            stopped=now(),
        )

    def _acting(self, job: Job) -> dict[str, str]:
        """The variables by which a job's code acts as its role; Batch runs it as a task of ECS."""
        permissions = self._runtime.permissions
        permissions.require_trust(job.agent, "ecs-tasks")
        permissions.note(job.agent, needs.of_agent(job.containers, permissions.account))
        role = permissions.assume(job.role, "ecs-tasks", f"{job.step}-job")
        return self._runtime.environment(role, self._runtime.scratch(job.step))


def _watch(process: LocalProcess, fault: Fault | None, attempt: Attempt) -> bool:
    """Waits for a process's end; tells whether Spot took it away."""
    due = fault if fault and fault.kind is Kind.INTERRUPT else None
    while not process.wait(_POLL_SECONDS):
        interrupted = due is not None and says(process.log, due.after)
        if interrupted or attempt.over():
            process.stop(_GRACE_SECONDS)
            return interrupted
    return False


def _applies(fault: Fault, job: Job) -> bool:
    return fault.kind in _OF_JOBS and (job.is_spot or fault.kind is not Kind.INTERRUPT)


def is_retried(end: End, rules: Sequence[Mapping[str, str]]) -> bool:
    """Whether a failed attempt is followed by another: the first rule that matches decides; none: yes."""
    said = {
        "OnExitCode": "" if end.exit_code is None else str(end.exit_code),
        "OnReason": end.reason,
        "OnStatusReason": end.status_reason,
    }
    for rule in rules:
        if all(_matches(pattern, said[name]) for name, pattern in rule.items() if name in said):
            return rule["Action"].upper() == "RETRY"
    return True


def _matches(pattern: str, text: str) -> bool:
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def _describe(*details: dict[str, Any]) -> None:
    """Lets DescribeJobs know of jobs, an array job's children by their own ids among them."""
    from ministack.services import batch  # noqa: PLC0415

    for detail in details:
        batch._jobs[detail["jobId"]] = detail


def _job(step: str, arguments: Mapping[str, Any]) -> Job:
    definition = _definition(arguments["JobDefinition"])
    container = definition["ContainerProperties"]
    overrides = arguments.get("ContainerOverrides") or {}
    sizes = {
        each["Type"]: str(each["Value"])
        for each in (*container["ResourceRequirements"], *(overrides.get("ResourceRequirements") or ()))
    }
    return Job(
        id=str(uuid.uuid4()),
        name=arguments["JobName"],
        step=step,
        queue=arguments["JobQueue"],
        definition=arguments["JobDefinition"],
        is_spot=_kind(arguments["JobQueue"]) == "FARGATE_SPOT",
        command=overrides.get("Command") or container["Command"],
        environment={
            each["Name"]: each["Value"]
            for each in (*(container.get("Environment") or ()), *(overrides.get("Environment") or ()))
        },
        sizes=sizes,
        role=container["JobRoleArn"],
        agent=container["ExecutionRoleArn"],
        containers={"containerDefinitions": [_registered(container)]},
        retries=definition.get("RetryStrategy") or {},
    )


def _registered(container: Mapping[str, Any]) -> dict[str, Any]:
    options = (container.get("LogConfiguration") or {}).get("Options") or {}
    # Batch calls a job's container so.
    return {"name": "default", "image": container["Image"], "logConfiguration": {"options": options}}


def _definition(arn: str) -> Mapping[str, Any]:
    from ministack.services import batch  # noqa: PLC0415

    name, _, revision = arn.rpartition("/")[2].partition(":")
    for known in batch._job_definitions.get(name) or []:
        if str(known["revision"]) == revision and known["status"] == "ACTIVE":
            definition: Mapping[str, Any] = known["properties"]
            return definition
    raise StepError("Batch.ClientException", f"there is no active job definition {arn}")


def _kind(arn: str) -> str:
    """FARGATE or FARGATE_SPOT: the type of a queue's compute environment."""
    from ministack.services import batch  # noqa: PLC0415

    queue = batch._job_queues.get(arn.rpartition("/")[2])
    if queue is None:
        raise StepError("Batch.ClientException", f"there is no job queue {arn}")
    environment = queue["computeEnvironmentOrder"][0]["computeEnvironment"].rpartition("/")[2]
    return str(batch._compute_envs[environment]["computeResources"]["type"])
