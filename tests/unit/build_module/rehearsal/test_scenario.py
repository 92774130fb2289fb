"""Each check of a scenario passes on what it asks for and speaks up on everything else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from build.rehearsal import scenario as checks
from build.rehearsal.history import Failure, StateRun, Status
from build.rehearsal.outcome import Notification, Outcome
from build.rehearsal.scenario import SCENARIOS, Check, Scenario, step_crash
from templates import classify

ROOT = Path(__file__).parents[4]


def ran(name: str, status: Status = Status.SUCCEEDED, **more: Any) -> StateRun:
    return StateRun(name, "Task", status, attempts=1, **more)


def failed(detail: dict[str, Any]) -> Failure:
    return Failure("States.TaskFailed", json.dumps(detail))


WAY = ("Init", "Validate", "ReadGate", "Accept", "Prepare", "Train", "Evaluate", "Register", "Registered")


@pytest.fixture
def happy(tmp_path: Path) -> Outcome:
    return Outcome(
        status="SUCCEEDED",
        input={},
        output={"model_package_arn": "arn:aws:sagemaker:…", "evaluation": {"metric": "auc", "value": 0.8}},
        states=tuple(ran(name) for name in WAY),
        uses=(),
        verdict={"verdict": "pass", "rows": 10, "findings": [], "drift": []},
        prepared={"rows_read": 10},
        notifications=(Notification("registered", "a model"),),
        notices=tmp_path,
        folder=tmp_path,
        logs=tmp_path,
    )


@pytest.fixture
def rejected(happy: Outcome) -> Outcome:
    """The end of a bad day."""
    verdict = {"verdict": "fail", "rows": 10, "findings": [{"severity": "error", "message": "…"}]}
    states = (ran("Init"), ran("Validate"), ran("DataRejected", Status.FAILED))
    return replace(happy, status="FAILED", states=states, verdict=verdict)


def with_validate(outcome: Outcome, validate: StateRun) -> Outcome:
    return replace(outcome, states=tuple(validate if s.name == "Validate" else s for s in outcome.states))


def problems(scenario: Scenario, outcome: Outcome) -> list[str]:
    return list(scenario.acts[-1].problems(outcome))


def test_the_happy_end_is_as_designed(happy: Outcome) -> None:
    assert problems(SCENARIOS["happy"], happy) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "FAILED"}, "it ended FAILED at Registered, not SUCCEEDED at Registered"),
        ({"states": ()}, "it ended SUCCEEDED at no state"),
        ({"verdict": {"verdict": "warn", "rows": 10}}, "the verdict is warn"),
        ({"verdict": {}}, "the verdict is missing"),
        ({"prepared": {"rows_read": 11}}, "judged 10 rows, Prepare read 11"),
        ({"prepared": {}}, "Prepare read None"),
        ({"output": {"evaluation": {"value": 1}}}, "no model package"),
        ({"output": {"model_package_arn": "a"}}, "no metric"),
        ({"notifications": ()}, "nobody was notified"),
    ],
)
def test_a_happy_end_that_is_not(happy: Outcome, change: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in problems(SCENARIOS["happy"], replace(happy, **change)))


def test_a_state_that_never_ran_is_named(happy: Outcome) -> None:
    without = replace(happy, states=tuple(run for run in happy.states if run.name != "Evaluate"))
    assert "Evaluate did not succeed" in problems(SCENARIOS["happy"], without)


def test_an_equal_model_is_no_better_one(happy: Outcome) -> None:
    states = (*(run for run in happy.states if run.name[:8] != "Register"), ran("NotPromoted"))
    evaluation = {"metric": "auc", "value": 0.8, "champion_value": 0.8}
    equal = replace(happy, states=states, output={"evaluation": evaluation})
    assert problems(SCENARIOS["no-better"], equal) == []
    alone = replace(equal, output={"evaluation": {**evaluation, "champion_value": None}})
    assert problems(SCENARIOS["no-better"], alone) == ["there was no champion to compare with"]
    worse = replace(equal, output={"evaluation": {**evaluation, "champion_value": 0.7}})
    assert problems(SCENARIOS["no-better"], worse) == [
        "the same data made a model of 0.8, the champion has 0.7"
    ]


def test_rejected_data_trains_nothing(rejected: Outcome) -> None:
    assert problems(SCENARIOS["bad-data"], rejected) == []
    trained = replace(rejected, states=(ran("Train"), *rejected.states))
    assert "Train ran although it must not" in problems(SCENARIOS["bad-data"], trained)
    silent = replace(rejected, verdict={**rejected.verdict, "findings": []})
    assert "the verdict names no finding of severity error" in problems(SCENARIOS["bad-data"], silent)


def test_drift_must_be_measured_and_cross(happy: Outcome) -> None:
    def moved(value: float) -> Outcome:
        drift = [{"feature": "fare", "value": value, "threshold": 0.1}]
        return replace(happy, verdict={**happy.verdict, "verdict": "warn", "drift": drift})

    assert problems(SCENARIOS["drift"], moved(0.3)) == []
    assert problems(SCENARIOS["drift"], moved(0.05)) == ["none of 1 drift values crossed its threshold"]


def interrupted(rejected: Outcome, exit_code: int, line: str, stop_code: str = "SpotInterruption") -> Outcome:
    detail = {"StopCode": stop_code, "Containers": [{"ExitCode": exit_code}]}
    (rejected.logs / "Validate-1.log").write_text(f"shard 1 of 8 done: x, 5 rows\n{line}\n")
    (rejected.logs / "Validate-2.log").write_text("shard 1 of 8 taken from saved state: x\n")
    return with_validate(rejected, ran("Validate", failures=[failed(detail)]))


def test_an_interruption_saves_its_work_and_the_next_attempt_uses_it(rejected: Outcome) -> None:
    saved = interrupted(rejected, 75, "interrupted: SIGTERM after shard 1 of 8")
    assert problems(SCENARIOS["spot-interruption"], saved) == []
    (saved.logs / "Validate-2.log").write_text("shard 1 of 8 done: x, 5 rows\n")
    assert problems(SCENARIOS["spot-interruption"], saved) == [
        "the next attempt read finished shards again: [1]"
    ]
    (saved.logs / "Validate-1.log").write_text("interrupted: SIGTERM after shard 0 of 8\n")
    assert problems(SCENARIOS["spot-interruption"], saved) == [
        "the next attempt read finished shards again: none was finished"
    ]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"exit_code": 0, "line": "interrupted: SIGTERM"}, "exited 0, not 75"),
        ({"exit_code": 75, "line": "done"}, "last line was 'done'"),
        (
            {"exit_code": 75, "line": "interrupted: SIGTERM", "stop_code": "UserInitiated"},
            "not SpotInterruption",
        ),
    ],
)
def test_an_interruption_that_is_none(rejected: Outcome, how: dict[str, Any], said: str) -> None:
    assert any(
        said in problem for problem in problems(SCENARIOS["spot-interruption"], interrupted(rejected, **how))
    )


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (checks.interrupted, "interrupted"),
        (checks.ended_on_demand, "on-demand"),
        (checks.given_more_memory, "memory"),
        (checks.storage_failed, "storage"),
        (checks.stopped_by_change, "change"),
    ],
)
def test_a_run_without_the_fault_is_not_taken_for_one(happy: Outcome, check: Check, name: str) -> None:
    assert list(check(happy)), name


def with_rejected(happy: Outcome, validate: StateRun) -> Outcome:
    """A run that ended at the gate: its day breaks the schema."""
    ends = replace(happy, status="FAILED", verdict={**happy.verdict, "verdict": "fail"})
    return replace(ends, states=(ran("Init"), validate, ran("DataRejected", Status.FAILED)))


def test_no_capacity_ends_on_demand(happy: Outcome) -> None:
    refused = Failure("ECS.AmazonECSException", "Capacity is unavailable at this time.")
    validate = ran("Validate", failures=[refused], results=[{"CapacityProviderName": "FARGATE"}])
    assert problems(SCENARIOS["no-capacity"], with_rejected(happy, validate)) == []
    validate.results[0] = {"CapacityProviderName": "FARGATE_SPOT"}
    assert problems(SCENARIOS["no-capacity"], with_rejected(happy, validate))


def test_the_next_size_has_more_memory(happy: Outcome) -> None:
    killed = failed({"Memory": "2048", "Containers": [{"ExitCode": 137}]})
    validate = ran("Validate", failures=[killed], results=[{"Memory": "4096"}])
    assert problems(SCENARIOS["out-of-memory"], with_rejected(happy, validate)) == []
    validate.results[0] = {"Memory": "2048"}
    said = problems(SCENARIOS["out-of-memory"], with_rejected(happy, validate))
    assert said == ["the next attempt had 2048 MiB, the first 2048 MiB"]


def gave_up(happy: Outcome, *tasks: dict[str, Any]) -> Outcome:
    """A run whose validator was never judged by: its tasks ended so, one after the other."""
    validate = ran("Validate", Status.FAILED, failures=[failed(task) for task in tasks])
    return replace(happy, status="FAILED", states=(ran("Init"), validate, ran("Failed", Status.FAILED)))


def ended(code: int, **more: Any) -> dict[str, Any]:
    return {"Containers": [{"ExitCode": code}], "StopCode": "EssentialContainerExited", **more}


GIVEN_UP: dict[str, tuple[dict[str, Any], ...]] = {
    "out-of-memory-twice": (ended(137, Memory="2048"), ended(137, Memory="4096")),
    "interrupted-on-demand": ({}, {}, {}, ended(75, StopCode="TerminationNotice")),
    "stopped-by-user": (ended(75, StopCode="UserInitiated"),),
    "usage-error": (ended(64),),
    "our-bug": (ended(70),),
    "storage-unavailable": (ended(69),) * 3,
}
"""How the validator's tasks end in each scenario that is never judged."""


@pytest.mark.parametrize("name", GIVEN_UP)
def test_what_is_given_up_is_given_up_in_time(happy: Outcome, name: str) -> None:
    tasks = GIVEN_UP[name]
    (happy.logs / "proxy.log").write_text("injected RESET: GET /")
    assert problems(SCENARIOS[name], gave_up(happy, *tasks)) == []
    for wrong in ((*tasks, tasks[-1]), tasks[:-1], (*tasks[:-1], ended(1))):
        assert problems(SCENARIOS[name], gave_up(happy, *wrong)), wrong
    assert problems(SCENARIOS[name], replace(gave_up(happy, *tasks), notifications=()))


def test_exit_codes_are_told_as_numbers(happy: Outcome) -> None:
    said = problems(SCENARIOS["usage-error"], gave_up(happy, {}))
    assert said == ["the validator's tasks ended with [None], not [64]"]


def test_a_second_attempt_of_the_same_size_is_no_larger_one(happy: Outcome) -> None:
    twice = gave_up(happy, *(ended(137, Memory="2048"),) * 2)
    said = problems(SCENARIOS["out-of-memory-twice"], twice)
    assert said == ["the tasks had [2048, 2048] MiB, not twice and the second time more"]


@pytest.mark.parametrize("name", ["stopped-by-user", "interrupted-on-demand"])
def test_who_stopped_the_task_is_looked_at(happy: Outcome, name: str) -> None:
    *before, last = GIVEN_UP[name]
    other = gave_up(happy, *before, {**last, "StopCode": "SpotInterruption"})
    assert [said for said in problems(SCENARIOS[name], other) if "not" in said]


LINE = "cannot read part-3.csv: line 10001: expected 18 fields, found 19; that is how child 3 of 4 ended"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (LINE, ""),
        (LINE.partition(";")[0], "does not say which child"),
        ("cannot merge: states are missing of 1 shard; run child 3 of 4 again", "the merge's last line was"),
    ],
)
def test_a_refused_part_is_told_with_its_place_and_its_child(
    happy: Outcome, tmp_path: Path, line: str, problem: str
) -> None:
    (tmp_path / "Validate-1.log").write_text(f"shard 1 of 4 taken from saved state\n{line}\n")
    given_up = replace(gave_up(happy, ended(65)), logs=tmp_path)
    told = replace(given_up, notifications=(Notification("failed", f"{line} (exit code 65)"),))
    said = problems(SCENARIOS["unreadable-shard"], told)
    assert bool(said) == bool(problem)
    assert problem in " ".join(said)
    assert "nobody was told why" in problems(SCENARIOS["unreadable-shard"], given_up)


PROOFS = {
    "interrupted, no Spot capacity": ("spot-interruption", "no-capacity"),
    "throttled": ("test_a_throttled_start_is_tried_twice_again",),
    "stopped by a user": ("stopped-by-user",),
    "interrupted on-demand": ("interrupted-on-demand",),
    "69, storage unavailable": ("storage-unavailable",),
    "66, children's states missing": ("missing-shard", "test_what_is_missing_again_and_again_is_failed"),
    "137 or OutOfMemoryError": ("out-of-memory", "out-of-memory-twice"),
    "64, 65, 70, anything else": (
        "usage-error",
        "our-bug",
        "unreadable-shard",
        "test_everything_else_is_failed_at_once_and_told",
    ),
}
"""Row of Classify's table -> the scenarios that play it, or the tests of the definition that do."""


def created(key: str, source: str = "aws.s3") -> dict[str, Any]:
    return {"source": source, "detail": {"object": {"key": key}}}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (created("data/taxi/2026-03-03/_SUCCESS"), []),
        (created("data/taxi/2026-03-03/part-0.csv"), ["it was started by data/taxi/2026-03-03/part-0.csv"]),
        (created("data/taxi/2026-03-03/_SUCCESS", "sluice.drift"), ["it was started by data/taxi"]),
        ({"dataset": "taxi"}, ["it was started by {'dataset': 'taxi'}"]),
    ],
)
def test_a_day_is_started_by_its_marker(rejected: Outcome, given: dict[str, Any], said: list[str]) -> None:
    found = problems(SCENARIOS["new-data"], replace(rejected, input=given))
    assert [problem[: len(told)] for problem, told in zip(found, said, strict=True)] == said


def test_every_row_of_classify_is_played() -> None:
    lines = (classify.classify.__doc__ or "").splitlines()
    rows = [line.split("|")[1].strip() for line in lines if line.strip().startswith("|")]
    assert rows[2:] == list(PROOFS)
    played = (ROOT / "tests/unit/templates/test_machine.py").read_text(encoding="utf-8")
    for proofs in PROOFS.values():
        for proof in proofs:
            assert proof in SCENARIOS or f"def {proof}(" in played, proof


def test_a_crashed_step_fails_the_run_and_tells_somebody(happy: Outcome) -> None:
    states = (ran("Init"), ran("Prepare", Status.FAILED), ran("Failed", Status.FAILED))
    crashed = replace(happy, status="FAILED", states=states)
    assert problems(step_crash("Prepare"), crashed) == []
    assert problems(step_crash("Init"), crashed) == ["Init did not fail"]
    assert problems(step_crash("Prepare"), replace(crashed, notifications=())) == ["nobody was notified"]


def test_every_scenario_says_what_it_shows() -> None:
    assert all(scenario.shows and scenario.acts for scenario in SCENARIOS.values())


def test_a_wrong_end_tells_the_reason_and_spares_what_follows_from_it(happy: Outcome) -> None:
    train = StateRun("Train", "Task", Status.FAILED, failures=[Failure("States.TaskFailed", "{}")])
    (happy.logs / "Train-1.log").write_text("read 400 rows\nthe label 'y' is constant: choose another\n\n")
    wrong = replace(happy, status="FAILED", states=(ran("Init"), train, ran("Failed", Status.FAILED)))
    assert problems(SCENARIOS["happy"], wrong) == [
        "it ended FAILED at Failed, not SUCCEEDED at Registered",
        "Train: the label 'y' is constant: choose another",
    ]


def test_a_failure_without_a_log_tells_its_cause(happy: Outcome) -> None:
    init = StateRun("Init", "Task", Status.FAILED, failures=[Failure("UnknownDataset", "no such dataset: x")])
    assert replace(happy, states=(init,)).failure == "Init: no such dataset: x"
    assert happy.failure == ""


def test_the_reason_of_a_later_execution_is_in_its_own_log(happy: Outcome) -> None:
    prepare = StateRun("Prepare", "Task", Status.FAILED, failures=[Failure("States.TaskFailed", "{}")])
    for number, line in ((1, "of the first"), (2, "of the second"), (10, "of the tenth")):
        (happy.logs / f"Prepare-{number}.log").write_text(f"{line}\n")
    assert replace(happy, states=(prepare,)).failure == "Prepare: of the tenth"
