"""What an execution used and would be billed for: its ECS tasks, Glue job run and training job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from build.cost import FargateTask, GlueJob, TrainingJob, Use

from .history import StateRun


def charges(states: Iterable[StateRun]) -> Iterator[Use]:
    """One use for every attempt that ran, failed ones included."""
    for run in states:
        for result in (*(failure.detail for failure in run.failures), *run.results):
            use = _use(run.name, result)
            if use is not None:
                yield use


def _use(name: str, result: Mapping[str, Any]) -> Use | None:
    if "TaskArn" in result:
        return _task(name, result)
    if "JobRunState" in result:
        return GlueJob(
            name, result["WorkerType"], int(result["NumberOfWorkers"]), float(result["ExecutionTime"])
        )
    if "TrainingJobName" in result and "ResourceConfig" in result:
        seconds = float(result.get("BillableTimeInSeconds", 0))
        return TrainingJob(name, result["ResourceConfig"]["InstanceType"], seconds)
    return None


def _task(name: str, task: Mapping[str, Any]) -> FargateTask | None:
    """An ECS task is billed from the start of its image pull; one that never started is not.

    Step Functions gives a task's timestamps as milliseconds since 1970.
    """
    start, stop = task.get("PullStartedAt"), task.get("StoppedAt")
    if not start or not stop:
        return None
    spot = task.get("CapacityProviderName") == "FARGATE_SPOT"
    return FargateTask(name, int(task["Cpu"]), int(task["Memory"]), (stop - start) / 1000, spot)
