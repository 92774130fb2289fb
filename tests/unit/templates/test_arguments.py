"""What the states call services with, compared with the services' own models: no linter does."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cache
from typing import Any, NamedTuple

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

CALLS = {
    "Init": ("lambda", "Invoke"),
    "Evaluate": ("lambda", "Invoke"),
    "Validate": ("ecs", "RunTask"),
    "ReadGate": ("s3", "GetObject"),
    "Accept": ("s3", "PutObject"),
    "Prepare": ("glue", "StartJobRun"),
    "Train": ("sagemaker", "CreateTrainingJob"),
    "Register": ("sagemaker", "CreateModelPackage"),
    "NotifyWarning": ("sns", "Publish"),
    "NotifyRejected": ("sns", "Publish"),
    "NotifyRegistered": ("sns", "Publish"),
    "NotifyFailure": ("sns", "Publish"),
}

NEEDED = {
    "Register": {"ModelPackageGroupName", "ModelApprovalStatus", "InferenceSpecification", "ClientToken"},
    "NotifyFailure": {"TopicArn", "Message"},
    "Validate": {"Cluster", "CapacityProviderStrategy", "NetworkConfiguration"},
}
"""What the model does not mark as required and the call is nothing without."""

FREE = {"Payload", "Body"}
"""Step Functions takes JSON where the service takes bytes."""


class Mistake(NamedTuple):
    """Where in the arguments, and what."""

    place: str
    why: str


def compare(place: str, value: Any, shape: Any) -> list[Mistake]:
    """Return where a value is not what the service's model says."""
    if isinstance(value, str) and value.startswith("{%"):
        return []
    kind = {
        "structure": dict,
        "map": dict,
        "list": list,
        "integer": int,
        "long": int,
        "boolean": bool,
        "string": str,
        "float": float,
    }.get(shape.type_name)
    if kind and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        return [Mistake(place, f"is {value!r}, not a {shape.type_name}")]
    if shape.type_name == "structure":
        return members(place, value, shape)
    if shape.type_name == "list":
        return [found for item in value for found in compare(f"{place}[]", item, shape.member)]
    if shape.type_name == "map":
        return [
            found for key, item in value.items() for found in compare(f"{place}.{key}", item, shape.value)
        ]
    return allowed(place, value, shape)


def members(place: str, value: dict[str, Any], shape: Any) -> list[Mistake]:
    # Step Functions writes PascalCase throughout; ECS's own names are camelCase.
    known = {name[:1].upper() + name[1:]: member for name, member in shape.members.items()}
    required = {name[:1].upper() + name[1:] for name in shape.required_members}
    found = [Mistake(f"{place}.{name}", "is missing") for name in sorted(required - value.keys())]
    for name, item in value.items():
        if name not in known:
            found.append(Mistake(f"{place}.{name}", "is not known"))
        elif name not in FREE:
            found += compare(f"{place}.{name}", item, known[name])
    return found


def allowed(place: str, value: Any, shape: Any) -> list[Mistake]:
    enumeration = getattr(shape, "enum", None)
    # Names of parameters and resources stand in the place of what only a deployment knows.
    if enumeration and re.fullmatch(r"[A-Z][A-Za-z]+|\$.*", value) is None and value not in enumeration:
        return [Mistake(place, f"is {value!r}, not one of {enumeration}")]
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if isinstance(value, int) and ((low is not None and value < low) or (high is not None and value > high)):
        return [Mistake(place, f"is {value}, not within {low} to {high}")]
    return []


def check(name: str, state: dict[str, Any]) -> list[Mistake]:
    missing = NEEDED.get(name, set()) - state["Arguments"].keys()
    found = compare("", state["Arguments"], taken(*CALLS[name]))
    return found + [Mistake(f".{key}", "is missing") for key in missing]


@cache
def taken(service: str, operation: str) -> Any:
    """Return the shape of what an operation takes."""
    model = Loader().load_service_model(service, "service-2")
    return ServiceModel(model, service).operation_model(operation).input_shape


def test_every_task_is_compared(definition: dict[str, Any]) -> None:
    tasks = {name for name, state in definition["States"].items() if state["Type"] == "Task"}
    assert tasks == set(CALLS)
    for name in tasks:
        operation = CALLS[name][1]
        resource = definition["States"][name]["Resource"].removesuffix(".sync")
        assert resource.rpartition(":")[2].lower() == operation.lower()


@pytest.mark.parametrize("name", CALLS)
def test_arguments_are_what_the_service_takes(definition: dict[str, Any], name: str) -> None:
    assert check(name, definition["States"][name]) == []


@pytest.mark.parametrize(
    ("name", "path", "value", "told"),
    [
        ("Register", ["ModelPackageGroup"], "x", ".ModelPackageGroup is not known"),
        ("Register", ["ClientToken"], None, ".ClientToken is missing"),
        ("Train", ["RoleArn"], None, ".RoleArn is missing"),
        (
            "Train",
            ["ResourceConfig", "VolumeSizeInGB"],
            "30",
            ".ResourceConfig.VolumeSizeInGB is '30', not a",
        ),
        (
            "Train",
            ["StoppingCondition", "MaxRuntimeInSeconds"],
            0,
            ".StoppingCondition.MaxRuntimeInSeconds is 0",
        ),
        ("Train", ["HyperParameters", "eta"], 0.1, ".HyperParameters.eta is 0.1, not a string"),
        (
            "Validate",
            ["Overrides", "ContainerOverrides"],
            {},
            ".Overrides.ContainerOverrides is {}, not a list",
        ),
        ("Validate", ["LaunchTyp"], "x", ".LaunchTyp is not known"),
        ("Prepare", ["Arguments", "--label"], 1, ".Arguments.--label is 1, not a string"),
        ("NotifyFailure", ["Topic"], "x", ".Topic is not known"),
    ],
)
def test_a_planted_mistake_is_found(
    definition: dict[str, Any], name: str, path: list[str], value: Any, told: str
) -> None:
    state = deepcopy(definition["States"][name])
    *above, last = path
    target = state["Arguments"]
    for key in above:
        target = target[key]
    if value is None:
        del target[last]
    else:
        target[last] = value
    assert any(" ".join(mistake).startswith(told) for mistake in check(name, state)), check(name, state)


def test_capacity_is_chosen_by_provider_alone(definition: dict[str, Any]) -> None:
    arguments = definition["States"]["Validate"]["Arguments"]
    assert "LaunchType" not in arguments
    overrides = arguments["Overrides"]
    assert {"Cpu", "Memory"} <= overrides.keys()
    assert all(not {"Cpu", "Memory"} & each.keys() for each in overrides["ContainerOverrides"])


def test_spot_training_may_wait_at_least_as_long_as_it_runs(definition: dict[str, Any]) -> None:
    train = definition["States"]["Train"]
    stopping = train["Arguments"]["StoppingCondition"]
    assert stopping["MaxWaitTimeInSeconds"] >= stopping["MaxRuntimeInSeconds"]
    assert train["TimeoutSeconds"] > stopping["MaxWaitTimeInSeconds"]
