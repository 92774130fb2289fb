"""Every attempt that ran is charged, and what never ran is not."""

from __future__ import annotations

import json
from typing import Any

from build.cost import FargateTask, GlueJob, TrainingJob
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


def test_an_interrupted_attempt_is_charged_beside_the_one_that_succeeded() -> None:
    on_demand = {**TASK, "CapacityProviderName": "FARGATE", "PullStartedAt": 100_000, "StoppedAt": 160_500}
    assert list(charges([state("Validate", on_demand, failures=(TASK,))])) == [
        FargateTask("Validate", 1024, 2048, 90.0, spot=True),
        FargateTask("Validate", 1024, 2048, 60.5, spot=False),
    ]


def test_a_task_that_never_started_costs_nothing() -> None:
    assert list(charges([state("Validate", {"TaskArn": "arn", "StoppedAt": 1.0})])) == []


def test_glue_and_training_are_charged_by_what_they_report() -> None:
    job = {"JobRunState": "SUCCEEDED", "WorkerType": "G.1X", "NumberOfWorkers": 2, "ExecutionTime": 71}
    training = {
        "TrainingJobName": "t",
        "ResourceConfig": {"InstanceType": "ml.m5.large"},
        "BillableTimeInSeconds": 40,
    }
    assert list(charges([state("Prepare", job), state("Train", training)])) == [
        GlueJob("Prepare", "G.1X", 2, 71.0),
        TrainingJob("Train", "ml.m5.large", 40.0),
    ]


def test_states_that_use_no_capacity_are_free() -> None:
    assert list(charges([state("Init", {"StatusCode": 200}), state("Accept", {})])) == []
