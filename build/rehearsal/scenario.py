"""The scenarios: which day comes in, what goes wrong, and how the pipeline must end.

A scenario is data; ``play`` plays it. Each check yields one line for everything that is not as it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Final

from build.shell import last_line
from templates.config import Config, ModelApproval
from validator.contract import Environment, ExitCode, SchemaPolicy, Verdict

from .outcome import Outcome
from .sample import PARTS, Variant

Check = Callable[[Outcome], Iterator[str]]
Fault = Mapping[str, Any]

BASELINE_DAY: Final = date(2026, 3, 2)
"""The day put down as an accepted run. Fixed, so that every rehearsal sees the same data."""

MOST_ATTEMPTS: Final = 10
"""More often than any state of the definition is tried."""

KILLED: Final = 137
"""Exit code of a container that got SIGKILL."""

TRIES: Final = 8
"""How often the validator asks for an object before it gives up (validator/store/patience.py)."""

STEPS: Final = ("Init", "Validate", "Prepare", "Train", "Evaluate", "Register")


class Trigger(StrEnum):
    """What starts the execution."""

    BY_HAND = "hand"
    DRIFT_EVENT = "a ModelDriftDetected event on the bus"
    MARKER = "the day's marker in the bucket"


@dataclass(frozen=True, slots=True)
class Act:
    """One execution and how it must end.

    Attributes:
        run_date: The day that is judged.
        status: Step Functions' word for the end.
        end: The last state.
        checks: What else must hold.
        variant: The kind of day the sample makes.
        parts: How many files it comes in.
        trigger: What starts it.
        faults: What goes wrong, in the emulator's words.
    """

    run_date: date
    status: str
    end: str
    checks: tuple[Check, ...] = ()
    variant: Variant = Variant.ORDINARY
    parts: int = PARTS
    trigger: Trigger = Trigger.BY_HAND
    faults: tuple[Fault, ...] = ()

    def problems(self, outcome: Outcome) -> Iterator[str]:
        """One line for everything that is not as this act says."""
        if (outcome.status, outcome.end) != (self.status, self.end):
            # Whatever else is not as it should be follows from this.
            yield f"it ended {outcome.status} at {outcome.end or 'no state'}, not {self.status} at {self.end}"
            if outcome.failure:
                yield outcome.failure
            return
        for check in self.checks:
            yield from check(outcome)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A name, what it shows, and its executions; the last one is what the summary tells of."""

    name: str
    shows: str
    acts: tuple[Act, ...]
    configured: Callable[[Config], Config] = lambda config: config
    """The configuration it is played with."""


def verdict_is(verdict: Verdict) -> Check:
    """The validator's verdict."""

    def check(outcome: Outcome) -> Iterator[str]:
        if outcome.verdict.get("verdict") != verdict:
            yield f"the verdict is {outcome.verdict.get('verdict', 'missing')}, not {verdict}"

    return check


def visited(*names: str) -> Check:
    """Each of these states really ran and succeeded."""

    def check(outcome: Outcome) -> Iterator[str]:
        yield from (f"{name} did not succeed" for name in names if outcome.state(name).status != "SUCCEEDED")

    return check


def never_visited(*names: str) -> Check:
    """None of these states was entered."""

    def check(outcome: Outcome) -> Iterator[str]:
        yield from (f"{name} ran although it must not" for name in names if outcome.state(name).attempts)

    return check


def registered(outcome: Outcome) -> Iterator[str]:
    """A model package came out of it, with its metric."""
    if not outcome.output.get("model_package_arn"):
        yield "no model package was registered"
    if "value" not in outcome.metric:
        yield "the model has no metric"


def compared(outcome: Outcome) -> Iterator[str]:
    """The champion was scored on the same validation split, and is no worse."""
    value, champion = outcome.metric.get("value"), outcome.metric.get("champion_value")
    if champion is None:
        yield "there was no champion to compare with"
    elif value != champion:
        yield f"the same data made a model of {value}, the champion has {champion}"


def notified(outcome: Outcome) -> Iterator[str]:
    """The topic's subscribers heard of it."""
    if not outcome.notifications:
        yield "nobody was notified"


def findings_named(outcome: Outcome) -> Iterator[str]:
    """The verdict says why."""
    if not any(finding["severity"] == "error" for finding in outcome.verdict.get("findings", [])):
        yield "the verdict names no finding of severity error"


def drift_measured(outcome: Outcome) -> Iterator[str]:
    """Drift values are in the verdict, and at least one crossed its threshold."""
    drift = outcome.verdict.get("drift", [])
    if not any(item["value"] > item["threshold"] for item in drift):
        yield f"none of {len(drift)} drift values crossed its threshold"


def trained_on_what_was_judged(outcome: Outcome) -> Iterator[str]:
    """Prepare read as many rows as the validator judged."""
    judged, read = outcome.verdict.get("rows"), outcome.prepared.get("rows_read")
    if judged is None or judged != read:
        yield f"the validator judged {judged} rows, Prepare read {read}"


def started_by_its_marker(outcome: Outcome) -> Iterator[str]:
    """The input is what EventBridge tells of the marker, and of nothing else."""
    created = outcome.input.get("detail", {}).get("object", {}).get("key", "")
    if outcome.input.get("source") != "aws.s3" or PurePosixPath(created).suffix:
        yield f"it was started by {created or outcome.input}, not by a marker"


def interrupted(outcome: Outcome) -> Iterator[str]:
    """The first attempt was interrupted by Spot, saved its work and said so in its last line."""
    failures = outcome.state("Validate").failures
    if not failures:
        yield "Validate was never interrupted"
        return
    if failures[0].detail.get("StopCode") != "SpotInterruption":
        yield f"the first attempt stopped by {failures[0].detail.get('StopCode')}, not SpotInterruption"
    if failures[0].exit_code != ExitCode.INTERRUPTED:
        yield f"the interrupted task exited {failures[0].exit_code}, not {ExitCode.INTERRUPTED.value}"
    said = last_line(outcome.log("Validate-1.log"))
    if not said.startswith("interrupted: SIGTERM"):
        yield f"the interrupted task's last line was {said!r}"


def resumed(outcome: Outcome) -> Iterator[str]:
    """The next attempt took every finished shard from its saved state, and read none of them again."""
    finished = _shards("done", outcome.log("Validate-1.log"))
    taken = _shards("taken from saved state", outcome.log("Validate-2.log"))
    if not finished or finished - taken:
        again = sorted(finished - taken) or "none was finished"
        yield f"the next attempt read finished shards again: {again}"


def _shards(how: str, log: str) -> set[int]:
    return {int(number) for number in re.findall(rf"^shard (\d+) of \d+ {how}: ", log, re.MULTILINE)}


def shared(outcome: Outcome) -> Iterator[str]:
    """The children profiled each shard once, also the one that was interrupted, and the merge read none."""
    attempts = [outcome.log(path.name) for path in outcome.logs.glob("ProfileShards-*.log")]
    interrupted = [said for said in attempts if last_line(said).startswith("interrupted: SIGTERM")]
    if len(attempts) != CHILDREN + 1 or len(interrupted) != 1:
        yield f"{len(attempts)} attempts of {CHILDREN} children, {len(interrupted)} of them interrupted"
    saved = sum(len(_shards("done", said)) for said in attempts)
    if saved != PARTS_OF_MANY:
        yield f"the children profiled {saved} shards, not {PARTS_OF_MANY}: some of them twice, or not at all"
    charged = sum(use.name == "ProfileShards" for use in outcome.uses)
    if charged != len(attempts):
        yield f"{charged} attempts of children are charged, not {len(attempts)}"
    if again := _shards("done", outcome.log("Validate-1.log")):
        yield f"the merge read shards itself: {sorted(again)}"


def repaired(outcome: Outcome) -> Iterator[str]:
    """The merge named one missing part, which alone was profiled again, on demand."""
    said = last_line(outcome.log("Validate-1.log"))
    if "missing" not in said:
        yield f"the first merge's last line was {said!r}"
    if len(list(outcome.logs.glob("ProfileShard-*.log"))) != 1:
        yield "not exactly one part was profiled again"


def refused(outcome: Outcome) -> Iterator[str]:
    """One child refused its part; the merge ended as it did and said what it said."""
    said = last_line(outcome.log("Validate-1.log"))
    if not re.search(r"part-\d+\.csv: line \d+: expected \d+ fields, found \d+", said):
        yield f"the merge's last line was {said!r}"
    if not re.search(r"that is how child \d+ of \d+ ended", said):
        yield f"the merge does not say which child refused its part: {said!r}"
    if not any(said in told.message for told in outcome.notifications):
        yield "nobody was told why"


def ended_on_demand(outcome: Outcome) -> Iterator[str]:
    """Spot had no capacity, and the attempt that succeeded ran on FARGATE."""
    validate = outcome.state("Validate")
    if not any("Capacity is unavailable" in failure.cause for failure in validate.failures):
        yield "Spot never lacked capacity"
    if [result.get("CapacityProviderName") for result in validate.results] != ["FARGATE"]:
        yield "the attempt that succeeded did not run on FARGATE"


def given_more_memory(outcome: Outcome) -> Iterator[str]:
    """The first attempt ran out of memory, the next one had more."""
    validate = outcome.state("Validate")
    killed = [failure.detail for failure in validate.failures if failure.exit_code == KILLED]
    if not killed or not validate.results:
        yield "no attempt was killed for its memory and followed by one that succeeded"
        return
    before, after = int(killed[0]["Memory"]), int(validate.results[-1]["Memory"])
    if after <= before:
        yield f"the next attempt had {after} MiB, the first {before} MiB"


def given_up_after(*exit_codes: int | None) -> Check:
    """The validator's tasks ended with these exit codes (None: it never ran), and no other was tried."""
    expected = [None if code is None else int(code) for code in exit_codes]

    def check(outcome: Outcome) -> Iterator[str]:
        codes = [failure.exit_code for failure in outcome.state("Validate").failures]
        if codes != expected:
            yield f"the validator's tasks ended with {codes}, not {expected}"

    return check


def last_stopped_by(stop_code: str) -> Check:
    """ECS's word for why the last task stopped."""

    def check(outcome: Outcome) -> Iterator[str]:
        failures = outcome.state("Validate").failures
        said = failures[-1].detail.get("StopCode") if failures else None
        if said != stop_code:
            yield f"the last task stopped by {said}, not {stop_code}"

    return check


def given_the_next_size(outcome: Outcome) -> Iterator[str]:
    """The second and last task had more memory than the first."""
    sizes = [int(failure.detail.get("Memory", 0)) for failure in outcome.state("Validate").failures]
    if len(sizes) != 2 or sizes[1] <= sizes[0]:
        yield f"the tasks had {sizes} MiB, not twice and the second time more"


def storage_failed(outcome: Outcome) -> Iterator[str]:
    """The validator really met errors of S3 on its way."""
    if "injected" not in outcome.log("proxy.log"):
        yield "the storage never failed"


def told_in_its_own_words(outcome: Outcome) -> Iterator[str]:
    """The notice says what the validator said last."""
    said = last_line(outcome.log("Validate-1.log"))
    if not any(said in notification.message for notification in outcome.notifications):
        yield f"no notice says what the validator said: {said!r}"


def stopped_by_change(outcome: Outcome) -> Iterator[str]:
    """The run says that an object changed after it was judged."""
    if "object changed since it was judged" not in str(outcome.output):
        yield f"the failure does not name the changed object: {outcome.output}"


WHOLE_WAY: Final = visited(
    "Init", "Validate", "ReadGate", "Accept", "Prepare", "Train", "Evaluate", "Register"
)
TRAINED: Final = (WHOLE_WAY, registered, trained_on_what_was_judged)
JUDGED: Final = verdict_is(Verdict.FAIL)
NOTHING_TRAINED: Final = never_visited("Prepare", "Train", "Evaluate", "Register")

DAY: Final = date(2026, 3, 3)
NEXT_DAY: Final = date(2026, 3, 4)


def _rejected(*checks: Check, **how: Any) -> Act:
    """A day that breaks the schema: what a scenario shows of the validator ends at the gate, in seconds."""
    return Act(DAY, "FAILED", "DataRejected", (JUDGED, *checks), variant=Variant.BAD, **how)


def _succeeds(*checks: Check, **how: Any) -> Act:
    return Act(DAY, "SUCCEEDED", "Registered", (*TRAINED, *checks), **how)


def _fails(*checks: Check, faults: tuple[Fault, ...]) -> Act:
    """A day that is never judged: nobody's verdict, nothing trained, and somebody is told."""
    return Act(DAY, "FAILED", "Failed", (*checks, NOTHING_TRAINED, notified), faults=faults)


def _validate(kind: str, **how: Any) -> Fault:
    return {"step": "Validate", "kind": kind, **how}


CHILDREN: Final = 8
PARTS_OF_MANY: Final = 4 * CHILDREN
"""So many that a child can be interrupted between two."""
PARTS_OF_FEW: Final = 4
"""So few that their headers are read without all of their rows."""


def in_children(config: Config) -> Config:
    """A configuration in which even a sample day is too much for one task."""
    small = replace(
        config.validation,
        sizes=config.validation.sizes[:2],
        target_minutes=0.0001,
        most_children=CHILDREN,
    )
    return replace(config, validation=small)


def approving(config: Config) -> Config:
    """A configuration in which the first act's model is champion at once, and waits for nobody."""
    return replace(config, promotion=replace(config.promotion, approval=ModelApproval.APPROVED))


def bootstrapping(config: Config) -> Config:
    """A configuration that lets a dataset without a reviewed schema pass, with a warning."""
    return replace(config, validation=replace(config.validation, schema_policy=SchemaPolicy.BOOTSTRAP))


def _change(key: str) -> Fault:
    return {"step": "Prepare", "kind": "put-object", "key": key}


SCENARIOS: Final[Mapping[str, Scenario]] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "happy",
            "an ordinary day is judged, trained on and registered",
            (_succeeds(verdict_is(Verdict.PASS), notified),),
        ),
        Scenario(
            "no-better",
            "the same day again makes no better model, so the champion stays",
            (
                _succeeds(),
                Act(
                    DAY,
                    "SUCCEEDED",
                    "NotPromoted",
                    (compared, never_visited("Register"), trained_on_what_was_judged),
                ),
            ),
            configured=approving,
        ),
        Scenario(
            "older-day",
            "a day before the champion's is judged and accepted, and not trained on",
            (
                Act(NEXT_DAY, "SUCCEEDED", "Registered", TRAINED),
                Act(
                    DAY,
                    "SUCCEEDED",
                    "NotPromoted",
                    (verdict_is(Verdict.PASS), visited("Accept"), NOTHING_TRAINED),
                ),
            ),
            configured=approving,
        ),
        Scenario(
            "bad-data",
            "a day that breaks the schema is rejected, nothing is trained",
            (_rejected(findings_named, NOTHING_TRAINED, notified),),
        ),
        Scenario(
            "drift",
            "a drift event starts the execution; the day has moved, which warns",
            (
                _succeeds(
                    verdict_is(Verdict.WARN),
                    drift_measured,
                    notified,
                    variant=Variant.DRIFTED,
                    trigger=Trigger.DRIFT_EVENT,
                ),
            ),
        ),
        Scenario(
            "new-data",
            "objects of a bad day come in and start nothing; the day's marker starts the execution",
            (_rejected(started_by_its_marker, NOTHING_TRAINED, trigger=Trigger.MARKER),),
        ),
        Scenario(
            "spot-interruption",
            "Spot takes the validator's task away from a bad day; the next one goes on from saved shards",
            (_rejected(interrupted, resumed, faults=(_validate("interrupt", after="shard 1 of"),)),),
        ),
        Scenario(
            "no-capacity",
            "Spot has no capacity, so the validator judges a bad day on on-demand",
            (_rejected(ended_on_demand, faults=(_validate("no-capacity"),) * 3),),
        ),
        Scenario(
            "out-of-memory",
            "the validator is killed for its memory and judges a bad day with the next task size",
            (_rejected(given_more_memory, faults=(_validate("memory-limit", megabytes=48),)),),
        ),
        Scenario(
            "out-of-memory-twice",
            "the next task size is too small as well: the run fails, there is no third attempt",
            (
                _fails(
                    given_up_after(KILLED, KILLED),
                    given_the_next_size,
                    faults=(_validate("memory-limit", megabytes=48),) * 2,
                ),
            ),
        ),
        Scenario(
            "interrupted-on-demand",
            "an on-demand task is taken away too: the run fails instead of trying for ever",
            (
                _fails(
                    given_up_after(None, None, None, ExitCode.INTERRUPTED),
                    last_stopped_by("TerminationNotice"),
                    faults=(
                        *(_validate("no-capacity"),) * 3,
                        _validate("interrupt", after="shard 1 of", capacity="FARGATE"),
                    ),
                ),
            ),
        ),
        Scenario(
            "stopped-by-user",
            "a person stops the validator's task, and nothing starts it again",
            (
                _fails(
                    given_up_after(ExitCode.INTERRUPTED),
                    last_stopped_by("UserInitiated"),
                    faults=(_validate("stop", after="shard 1 of"),),
                ),
            ),
        ),
        Scenario(
            "usage-error",
            "the validator's configuration is wrong: the run fails and is never tried again",
            (
                _fails(
                    given_up_after(ExitCode.USAGE),
                    told_in_its_own_words,
                    faults=(_validate("setting", variable=Environment.SCHEMA_URI.value, value="none.pbtxt"),),
                ),
            ),
        ),
        Scenario(
            "our-bug",
            "the validator has a bug: the run fails and is never tried again",
            (
                _fails(
                    given_up_after(ExitCode.SOFTWARE),
                    faults=(_validate("bug", module="validator.run"),),
                ),
            ),
        ),
        Scenario(
            "scale-out",
            "eight children of an array job share a bad day; Spot takes one away, Batch tries it again",
            (
                _rejected(
                    shared,
                    parts=PARTS_OF_MANY,
                    faults=({"step": "ProfileShards", "kind": "interrupt", "after": "shard"},),
                ),
            ),
            configured=in_children,
        ),
        Scenario(
            "missing-shard",
            "a child of an array job crashes; the merge names its part, which alone is profiled again",
            (
                Act(
                    DAY,
                    "FAILED",
                    "DataRejected",
                    (repaired, verdict_is(Verdict.FAIL), findings_named, NOTHING_TRAINED),
                    variant=Variant.BAD,
                    faults=({"step": "ProfileShards", "kind": "crash"},),
                ),
            ),
            configured=in_children,
        ),
        Scenario(
            "unreadable-shard",
            "a child of an array job cannot read its part; the merge says so, and nothing is run again",
            (
                Act(
                    DAY,
                    "FAILED",
                    "Failed",
                    (
                        given_up_after(ExitCode.DATA),
                        refused,
                        never_visited("ProfileMissing"),
                        NOTHING_TRAINED,
                        notified,
                    ),
                    variant=Variant.UNREADABLE,
                    parts=PARTS_OF_FEW,
                ),
            ),
            configured=in_children,
        ),
        Scenario(
            "late-file",
            "a changed object stops the run; a file put down after the verdict is not trained on",
            (
                Act(DAY, "FAILED", "Failed", (stopped_by_change, notified), faults=(_change("part-0.csv"),)),
                Act(NEXT_DAY, "SUCCEEDED", "Registered", TRAINED, faults=(_change("late.csv"),)),
            ),
        ),
        Scenario(
            "storage-errors",
            "S3 answers with 503s and resets; the validator judges a bad day after retries",
            (_rejected(storage_failed, faults=(_validate("storage-errors", count=6),)),),
        ),
        Scenario(
            "storage-unavailable",
            "S3 fails until the validator gives up; it is tried at most twice again, and the run fails",
            (
                _fails(
                    storage_failed,
                    given_up_after(*(ExitCode.STORAGE,) * 3),
                    faults=(_validate("storage-errors", count=TRIES),) * 3,
                ),
            ),
        ),
    )
}


def step_crash(step: str) -> Scenario:
    """The scenario in which one step crashes: Failed, and the topic is told."""

    def crashed(outcome: Outcome) -> Iterator[str]:
        if outcome.state(step).status != "FAILED":
            yield f"{step} did not fail"

    # As often as the definition tries again: what crashes once may well succeed the next time.
    faults = ({"step": step, "kind": "crash"},) * MOST_ATTEMPTS
    act = Act(DAY, "FAILED", "Failed", (crashed, notified), faults=faults)
    return Scenario("step-crash", f"{step} crashes: the run fails and somebody is told", (act,))


def own_data(run_date: date) -> Scenario:
    """The scenario of people's own data: no schema, no baseline, so the gate warns and goes on."""
    act = Act(run_date, "SUCCEEDED", "Registered", (*TRAINED, verdict_is(Verdict.WARN)))
    return Scenario(
        "own-data",
        "your data got a proposed schema, and a model of it is registered",
        (act,),
        configured=bootstrapping,
    )
