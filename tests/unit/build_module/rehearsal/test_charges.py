"""Every attempt that ran is charged, and what never ran is not."""

from __future__ import annotations

import json
from typing import Any

from build.cost import FargateTask, GlueJob, TrainingJob, Use
from build.rehearsal.charges import charges
from build.rehearsal.history import Failure, StateRun, Status

TASK: dict[str, Any] = {
    "TaskArn": "arn:aws:ecs:…",
    "Cpu": "1024",
    "Memory": "2048",
    "CapacityProviderName": "FARGATE_SPOT",
    "PullStartedAt": 1_772_524_800_000,
    "StoppedAt": 1_772_524_890_000,
}


def state(name: str, *results: dict[str, Any], failures: tuple[dict[str, Any], ...] = ()) -> StateRun:
    failed = [Failure("States.TaskFailed", json.dumps(detail)) for detail in failures]
    return StateRun(name, "Task", Status.SUCCEEDED, results=list(results), failures=failed)


def charged(*states: StateRun, **jobs: list[dict[str, Any]]) -> list[Use]:
    return list(charges(states, lambda job: jobs.get(job, [])))


def test_an_interrupted_attempt_is_charged_beside_the_one_that_succeeded() -> None:
    on_demand = {**TASK, "CapacityProviderName": "FARGATE", "PullStartedAt": 100_000, "StoppedAt": 160_500}
    assert charged(state("Validate", on_demand, failures=(TASK,))) == [
        FargateTask("Validate", 1024, 2048, 90.0, spot=True),
        FargateTask("Validate", 1024, 2048, 60.5, spot=False),
    ]


def test_a_task_that_never_started_costs_nothing() -> None:
    assert charged(state("Validate", {"TaskArn": "arn", "StoppedAt": 1.0})) == []


def test_glue_and_training_are_charged_by_what_they_report() -> None:
    job = {"JobRunState": "SUCCEEDED", "WorkerType": "G.1X", "NumberOfWorkers": 2, "ExecutionTime": 71}
    training = {
        "TrainingJobName": "t",
        "ResourceConfig": {"InstanceType": "ml.m5.large"},
        "BillableTimeInSeconds": 40,
    }
    assert charged(state("Prepare", job), state("Train", training)) == [
        GlueJob("Prepare", "G.1X", 2, 71.0),
        TrainingJob("Train", "ml.m5.large", 40.0),
    ]


def test_states_that_use_no_capacity_are_free() -> None:
    assert charged(state("Init", {"StatusCode": 200}), state("Accept", {})) == []


def job(capacity: str, *attempts: tuple[int | None, int | None]) -> dict[str, Any]:
    """A child's JobDetail, as DescribeJobs gives it."""
    return {
        "container": {
            "resourceRequirements": [{"type": "VCPU", "value": "0.5"}, {"type": "MEMORY", "value": "1024"}],
            "environment": [{"name": "RUN_ID", "value": "r"}, {"name": "CAPACITY", "value": capacity}],
        },
        "attempts": [{"startedAt": start, "stoppedAt": stop} for start, stop in attempts],
    }


def test_every_attempt_of_an_array_jobs_children_is_charged() -> None:
    array = {"JobId": "a1", "JobQueue": "arn:aws:batch:…", "ArrayProperties": {"Size": 2}}
    lived = job("FARGATE_SPOT", (1_000, 71_000), (100_000, 190_500))
    children = [lived, job("FARGATE_SPOT", (200_000, None))]
    assert charged(state("ProfileShards", array), a1=children) == [
        FargateTask("ProfileShards", 512, 1024, 70.0, spot=True),
        FargateTask("ProfileShards", 512, 1024, 90.5, spot=True),
    ]


def test_a_failed_job_on_demand_is_charged_as_such() -> None:
    single = {"JobId": "b2", "JobQueue": "arn:aws:batch:…"}
    assert charged(state("ProfileShard", failures=(single,)), b2=[job("FARGATE", (5_000, 65_000))]) == [
        FargateTask("ProfileShard", 512, 1024, 60.0, spot=False)
    ]


def test_a_job_that_is_known_no_more_is_not_charged() -> None:
    assert charged(state("ProfileShard", {"JobId": "gone", "JobQueue": "arn:aws:batch:…"})) == []
