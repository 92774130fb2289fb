"""The Amazon States Language, as much of it as the pipeline speaks (query language JSONata).

A state is a value: its name, its definition and the permissions it needs. Variables, assigned in one state
and read in later ones:

    run           what Init planned                          gate         gate.json of this run
    capacity      FARGATE_SPOT or FARGATE                    training     status, model_data_url, entered
    size          which of run.sizes, 0 or 1                 evaluation   what Evaluate found
    interruptions, storage_failures, repairs    attempts so far    model_package_arn
    missing       children whose states the merge did not find
    failure       state, error and cause of what went wrong
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from awacs.aws import Statement

Definition = Mapping[str, Any]


class Name(StrEnum):
    """The states of the pipeline."""

    INIT = "Init"
    PLANNED = "Planned"
    PROFILE_SHARDS = "ProfileShards"
    SHARDS_TRIED = "ShardsTried"
    READ_MISSING = "ReadMissing"
    PROFILE_MISSING = "ProfileMissing"
    PROFILE_SHARD = "ProfileShard"
    SHARD_TRIED = "ShardTried"
    TRIED = "Tried"
    NEVER_RAN = "NeverRan"
    VALIDATE = "Validate"
    CLASSIFY = "Classify"
    WAIT_FOR_CAPACITY = "WaitForCapacity"
    WAIT_FOR_STORAGE = "WaitForStorage"
    READ_ERROR = "ReadError"
    READ_GATE = "ReadGate"
    GATE = "Gate"
    NOTIFY_WARNING = "NotifyWarning"
    NOTIFY_REJECTED = "NotifyRejected"
    ACCEPT = "Accept"
    LATEST = "Latest"
    PREPARE = "Prepare"
    TRAIN = "Train"
    TRAINED = "Trained"
    EVALUATE = "Evaluate"
    BETTER = "Better"
    REGISTER = "Register"
    NOTIFY_REGISTERED = "NotifyRegistered"
    NOTIFY_FAILURE = "NotifyFailure"
    REGISTERED = "Registered"
    NOT_PROMOTED = "NotPromoted"
    NO_VIOLATION = "NoViolation"
    DUPLICATE = "Duplicate"
    INCOMPLETE = "Incomplete"
    DATA_REJECTED = "DataRejected"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class State:
    """A state, and what the state machine's role must be allowed for it.

    Attributes:
        name: Its name in the machine.
        definition: Its ASL; may hold CloudFormation's intrinsic functions.
        statements: The permissions it needs.
    """

    name: Name
    definition: Definition
    statements: tuple[Statement, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a service by a Task state.

    Attributes:
        resource: The integration, such as ``arn:aws:states:::sns:publish``.
        arguments: What it is called with.
        retried: Error names of throttling and passing failures of the service.
        timeout_seconds: Longest time of one attempt.
        statements: The permissions it needs.
    """

    resource: str
    arguments: Definition
    retried: Sequence[str]
    timeout_seconds: int
    statements: tuple[Statement, ...]


def jsonata(expression: str) -> str:
    """Return the expression between the delimiters that make a string of ASL one."""
    return f"{{% {expression} %}}"


UNCHANGED: Final = jsonata("$states.input")
"""Output of a state that hands its input on: results are kept in variables."""

NULL: Final = jsonata("null")
"""CloudFormation refuses a bare null anywhere in a template."""


def task(
    name: Name,
    call: Call,
    *,
    then: Name,
    assign: Definition | None = None,
    failed: Name = Name.NOTIFY_FAILURE,
    otherwise: Definition | None = None,
) -> State:
    """Return a state that calls a service and keeps in ``failure`` what goes wrong.

    Args:
        name: Its name.
        call: What it calls.
        then: Next state.
        assign: Variables it gives values.
        failed: Next state when it fails.
        otherwise: Values of those variables that are read after a failure too.
    """
    catch = _catch(name, failed, otherwise or {})
    return _task(name, call, then=then, assign=assign or {}, output=UNCHANGED, catch=catch)


def each(name: Name, items: str, steps: Sequence[State], *, most: int, then: Name) -> State:
    """Return a Map state that does some steps for each item of an array, ``most`` items at a time.

    Args:
        name: Its name.
        items: Expression that gives the array.
        steps: What is done with an item; the first one starts. They assign no variable.
        most: Items at a time.
        then: Next state.
    """
    definition = {
        "Type": "Map",
        "Items": jsonata(items),
        "MaxConcurrency": most,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": steps[0].name,
            "States": {step.name: step.definition for step in steps},
        },
        "Catch": [_catch(name, Name.NOTIFY_FAILURE, {})],
        "Output": UNCHANGED,
        "Next": then,
    }
    return State(name, definition, tuple(statement for step in steps for statement in step.statements))


def item_task(name: Name, call: Call, *, then: Name, failed: Name) -> State:
    """Return a state within a Map that calls a service; what goes wrong is the input of ``failed``."""
    catch = {"ErrorEquals": ["States.ALL"], "Output": _caught(name), "Next": failed}
    return _task(name, call, then=then, assign={}, output=UNCHANGED, catch=catch)


def attempt(
    name: Name, call: Call, *, then: Name, assign: Definition | None = None, output: Any = UNCHANGED
) -> State:
    """Return a state that calls a service and goes on, whether that succeeds or not."""
    catch = {"ErrorEquals": ["States.ALL"], "Output": output, "Next": then}
    return _task(name, call, then=then, assign=assign or {}, output=output, catch=catch)


def _task(name: Name, call: Call, *, then: Name, assign: Definition, output: Any, catch: Definition) -> State:
    definition = {
        "Type": "Task",
        "Resource": call.resource,
        "Arguments": call.arguments,
        "TimeoutSeconds": call.timeout_seconds,
        "Retry": [_retry(call.retried)],
        "Catch": [catch],
        **({"Assign": assign} if assign else {}),
        "Output": output,
        "Next": then,
    }
    return State(name, definition, call.statements)


def _retry(errors: Sequence[str]) -> Definition:
    return {
        "ErrorEquals": list(errors),
        "IntervalSeconds": 2,
        "BackoffRate": 2,
        "MaxAttempts": 5,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
    }


def _catch(name: Name, failed: Name, assign: Definition) -> Definition:
    return {
        "ErrorEquals": ["States.ALL"],
        "Assign": {**assign, "failure": _caught(name)},
        "Output": UNCHANGED,
        "Next": failed,
    }


def _caught(name: Name) -> Definition:
    """Keep what was caught; either text may be absent, and an undefined result would be an error itself."""
    return failure(
        name,
        error=jsonata("$states.errorOutput.Error & ''"),
        cause=jsonata("$states.errorOutput.Cause & ''"),
    )


def failure(name: Name, *, error: str, cause: str) -> Definition:
    """Return what the variable ``failure`` holds."""
    return {"state": name, "error": error, "cause": cause}


def rule(
    condition: str, then: Name, *, assign: Definition | None = None, output: Definition | None = None
) -> Definition:
    """Return a rule of a Choice state: where to go when the expression is true."""
    return {
        "Condition": jsonata(condition),
        **({"Assign": assign} if assign else {}),
        **({"Output": output} if output else {}),
        "Next": then,
    }


def choice(
    name: Name, rules: Sequence[Definition], *, otherwise: Name, assign: Definition | None = None
) -> State:
    """Return a Choice state; ``assign`` holds when no rule does."""
    chosen = {"Type": "Choice", "Choices": list(rules)}
    return State(name, {**chosen, **({"Assign": assign} if assign else {}), "Default": otherwise})


def wait(name: Name, seconds: str, *, then: Name) -> State:
    """Return a state that waits for as many seconds as the expression says."""
    return State(name, {"Type": "Wait", "Seconds": jsonata(seconds), "Next": then})


def succeed(name: Name) -> State:
    """Return an end as designed; its output is made on the way to it."""
    return State(name, {"Type": "Succeed"})


def fail(name: Name, cause: str, *, error: str = "") -> State:
    """Return an end that is no success: the error is its name, the cause one line.

    Args:
        name: Its name.
        cause: Expression of the cause.
        error: Expression of another error than its name.
    """
    return State(
        name, {"Type": "Fail", "Error": jsonata(error) if error else str(name), "Cause": jsonata(cause)}
    )
