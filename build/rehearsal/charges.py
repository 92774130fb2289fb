"""What an execution used and would be billed for: ECS tasks, Batch jobs, Glue job run, training job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from build.cost import FargateTask, GlueJob, TrainingJob, Use
from templates.container import SPOT
from templates.fargate import UNITS
from validator.contract import Environment

from .history import StateRun

Detail = Mapping[str, Any]


def charges(states: Iterable[StateRun], jobs: Callable[[str], Sequence[Detail]]) -> Iterator[Use]:
    """One use for every attempt that ran, failed ones included.

    Args:
        states: The execution's.
        jobs: Gives the JobDetails of what ran of a Batch job, by the job's id.
    """
    for run in states:
        for result in (*(failure.detail for failure in run.failures), *run.results):
            yield from _uses(run.name, result, jobs)


def _uses(name: str, result: Detail, jobs: Callable[[str], Sequence[Detail]]) -> Iterator[Use]:
    if "TaskArn" in result:
        yield from _task(name, result)
    elif "JobQueue" in result:
        for job in jobs(result["JobId"]):
            yield from _job(name, job)
    elif "JobRunState" in result:
        seconds = float(result["ExecutionTime"])
        yield GlueJob(name, result["WorkerType"], int(result["NumberOfWorkers"]), seconds)
    elif "TrainingJobName" in result and "ResourceConfig" in result:
        seconds = float(result.get("BillableTimeInSeconds", 0))
        yield TrainingJob(name, result["ResourceConfig"]["InstanceType"], seconds)


def _job(name: str, job: Detail) -> Iterator[FargateTask]:
    """Each attempt of a Batch job runs as a task of its own.

    DescribeJobs gives an attempt's start and end as milliseconds since 1970. The start is the container's:
    the pull of the image before it, some seconds, is billed too and not seen here.
    """
    container = job.get("container", {})
    sizes = {each["type"]: each["value"] for each in container.get("resourceRequirements", ())}
    settings = {each["name"]: each["value"] for each in container.get("environment", ())}
    for attempt in job.get("attempts", ()):
        if attempt.get("startedAt") and attempt.get("stoppedAt"):
            yield FargateTask(
                name,
                cpu=round(float(sizes["VCPU"]) * UNITS),
                memory=int(sizes["MEMORY"]),
                seconds=(attempt["stoppedAt"] - attempt["startedAt"]) / 1000,
                spot=settings[Environment.CAPACITY] == SPOT,
            )


def _task(name: str, task: Detail) -> Iterator[FargateTask]:
    """An ECS task is billed from the start of its image pull; one that never started is not.

    Step Functions gives a task's timestamps as milliseconds since 1970.
    """
    start, stop = task.get("PullStartedAt"), task.get("StoppedAt")
    if start and stop:
        spot = task.get("CapacityProviderName") == SPOT
        yield FargateTask(name, int(task["Cpu"]), int(task["Memory"]), (stop - start) / 1000, spot)
