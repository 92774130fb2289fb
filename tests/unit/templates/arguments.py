"""Integrations and what they are called with, held against the services' own models: no linter does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from math import inf
from typing import Any, Final, NamedTuple

from botocore.loaders import Loader
from botocore.model import ServiceModel

from tests.unit.templates.conftest import Reference

State = dict[str, Any]

OPTIMIZED: Final[dict[str, tuple[str, str, frozenset[str]]]] = {
    "batch:submitJob": ("batch", "SubmitJob", frozenset({"", "sync", "waitForTaskToken"})),
    "ecs:runTask": ("ecs", "RunTask", frozenset({"", "sync", "waitForTaskToken"})),
    "events:putEvents": ("events", "PutEvents", frozenset({"", "waitForTaskToken"})),
    "glue:startJobRun": ("glue", "StartJobRun", frozenset({"", "sync"})),
    "lambda:invoke": ("lambda", "Invoke", frozenset({"", "waitForTaskToken"})),
    "sagemaker:createTrainingJob": ("sagemaker", "CreateTrainingJob", frozenset({"", "sync"})),
    "sns:publish": ("sns", "Publish", frozenset({"", "waitForTaskToken"})),
    "sqs:sendMessage": ("sqs", "SendMessage", frozenset({"", "waitForTaskToken"})),
    "states:startExecution": (
        "stepfunctions",
        "StartExecution",
        frozenset({"", "sync", "sync:2", "waitForTaskToken"}),
    ),
}
"""Optimized integration -> service and operation in botocore, and how it may be waited for."""

NEEDED: Final[dict[str, frozenset[str]]] = {
    "sagemaker.CreateModelPackage": frozenset(
        {"ModelPackageGroupName", "ModelApprovalStatus", "InferenceSpecification", "ClientToken"}
    ),
    "sns.Publish": frozenset({"TopicArn", "Message"}),
    "ecs.RunTask": frozenset({"Cluster", "CapacityProviderStrategy", "NetworkConfiguration"}),
    "lambda.Invoke": frozenset({"Payload"}),
    "s3.GetObject": frozenset({"Range"}),
    "batch.SubmitJob": frozenset(),
}
"""What botocore does not mark as required and our call is nothing without."""

FREE: Final = {"Payload", "Body"}
"""Step Functions takes JSON where the service takes bytes."""

KINDS: Final = {
    "structure": dict,
    "map": dict,
    "list": list,
    "integer": int,
    "long": int,
    "boolean": bool,
    "string": str,
    "float": float,
}


class MisspeltError(Exception):
    """A Resource that names no integration."""


class Operation(NamedTuple):
    """What an integration calls."""

    service: str
    name: str

    @property
    def takes(self) -> Any:
        """The shape of its arguments."""
        return model(self.service).operation_model(self.name).input_shape

    def __str__(self) -> str:
        return f"{self.service}.{self.name}"


@cache
def model(service: str) -> ServiceModel:
    """Return botocore's model of a service."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def operation(resource: str) -> Operation:
    """Return what a state's Resource calls.

    Raises:
        MisspeltError: There is no such integration; the message says why.
    """
    found = re.fullmatch(
        r"arn:aws:states:::(?P<name>[A-Za-z0-9:-]+)(?:\.(?P<how>[A-Za-z]+(?::2)?))?", resource
    )
    if not found:
        raise MisspeltError(f"{resource} is no integration's ARN")
    name, how = found["name"], found["how"] or ""
    if name.startswith("aws-sdk:"):
        return _of_sdk(name.removeprefix("aws-sdk:"), how)
    if name not in OPTIMIZED:
        raise MisspeltError(f"{name} is no optimized integration")
    service, action, ways = OPTIMIZED[name]
    if how not in ways:
        raise MisspeltError(f"{name} cannot be waited for by .{how}")
    return Operation(service, action)


def _of_sdk(name: str, how: str) -> Operation:
    service, _, action = name.partition(":")
    known = service in Loader().list_available_services("service-2")
    if not known or action[:1].upper() + action[1:] not in model(service).operation_names:
        raise MisspeltError(f"aws-sdk has no {name}")
    if action[:1].isupper() or how not in ("", "waitForTaskToken"):
        raise MisspeltError(f"aws-sdk:{name} is not how an action is spelt")
    return Operation(service, action[:1].upper() + action[1:])


def mistakes(state: State) -> Iterator[str]:
    """Yield what is wrong with a Task state's Resource and arguments, one line each."""
    try:
        called = operation(state["Resource"])
    except MisspeltError as error:
        yield str(error)
        return
    arguments = state["Arguments"]
    yield from (
        f".{name} is missing" for name in sorted(NEEDED.get(str(called), frozenset()) - arguments.keys())
    )
    yield from compare("", arguments, called.takes)
    yield from COMBINED.get(str(called), _fine)(arguments)


def compare(place: str, value: Any, shape: Any) -> Iterator[str]:
    """Yield where a value is not what the service's model says."""
    if isinstance(value, str) and value.startswith("{%"):
        return
    kind = KINDS.get(shape.type_name)
    if kind and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        yield f"{place} is {value!r}, not a {shape.type_name}"
    elif not isinstance(value, Reference):
        yield from _allowed(place, value, shape)
        yield from _within(place, value, shape)


def _within(place: str, value: Any, shape: Any) -> Iterator[str]:
    if shape.type_name == "structure":
        yield from _members(place, value, shape)
    elif shape.type_name == "list":
        for item in value:
            yield from compare(f"{place}[]", item, shape.member)
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from compare(f"{place}.{key}", item, shape.value)


def _members(place: str, value: Mapping[str, Any], shape: Any) -> Iterator[str]:
    # Step Functions writes PascalCase throughout; ECS's own names are camelCase.
    known = {name[:1].upper() + name[1:]: member for name, member in shape.members.items()}
    required = {name[:1].upper() + name[1:] for name in shape.required_members}
    yield from (f"{place}.{name} is missing" for name in sorted(required - value.keys()))
    for name, item in value.items():
        if name not in known:
            yield f"{place}.{name} is not known"
        elif name not in FREE:
            yield from compare(f"{place}.{name}", item, known[name])


def _allowed(place: str, value: Any, shape: Any) -> Iterator[str]:
    enumeration = getattr(shape, "enum", None)
    if enumeration and value not in enumeration:
        yield f"{place} is {value!r}, not one of {enumeration}"
    low, high = shape.metadata.get("min", -inf), shape.metadata.get("max", inf)
    size = len(value) if isinstance(value, (str, list, dict)) else value
    if not low <= size <= high:
        what = "is" if size is value else "has a length of"
        yield f"{place} {what} {size}, not within {low} to {high}"


def _fine(_arguments: Mapping[str, Any]) -> Iterator[str]:
    yield from ()


def _run_task(arguments: Mapping[str, Any]) -> Iterator[str]:
    if "LaunchType" in arguments and "CapacityProviderStrategy" in arguments:
        yield ".LaunchType excludes .CapacityProviderStrategy"
    overrides = arguments.get("Overrides", {})
    if ("Cpu" in overrides) != ("Memory" in overrides):
        yield ".Overrides has one of Cpu and Memory: Fargate knows pairs only"
    for container in overrides.get("ContainerOverrides", ()):
        if {"Cpu", "Memory"} & container.keys():
            yield ".Overrides.ContainerOverrides has a size: on Fargate the task's alone counts"
    network = arguments.get("NetworkConfiguration", {})
    if not network.get("AwsvpcConfiguration", {}).get("Subnets"):
        yield ".NetworkConfiguration names no subnets: Fargate knows awsvpc only"


def _train(arguments: Mapping[str, Any]) -> Iterator[str]:
    stopping = arguments.get("StoppingCondition", {})
    runs, waits = stopping.get("MaxRuntimeInSeconds"), stopping.get("MaxWaitTimeInSeconds")
    if arguments.get("EnableManagedSpotTraining") and (waits is None or runs is None or waits < runs):
        yield f".StoppingCondition waits {waits} s for Spot and runs {runs} s: waiting includes running"
    if arguments.get("EnableNetworkIsolation") is not True:
        yield ".EnableNetworkIsolation is not true: code and image could send the data anywhere"
    code = str(arguments.get("HyperParameters", {}).get("sagemaker_submit_directory", ""))
    if not code.startswith("/opt/ml/input/data/code/"):
        yield f".HyperParameters.sagemaker_submit_directory is {code}: without a network it is not there"


def _register(arguments: Mapping[str, Any]) -> Iterator[str]:
    for container in arguments.get("InferenceSpecification", {}).get("Containers", ()):
        if not {"Image", "ModelDataUrl"} <= container.keys():
            yield ".InferenceSpecification.Containers[] lacks Image or ModelDataUrl"


def _submit(arguments: Mapping[str, Any]) -> Iterator[str]:
    size = arguments.get("ArrayProperties", {}).get("Size")
    if isinstance(size, int) and not 2 <= size <= 10_000:
        yield f".ArrayProperties.Size is {size}, not within 2 to 10000"
    if "EcsPropertiesOverride" in arguments:
        yield ".EcsPropertiesOverride is refused beside the container override that Step Functions adds"
    for each in arguments.get("ContainerOverrides", {}).get("Environment", ()):
        if str(each.get("Name", "")).startswith("AWS_BATCH"):
            yield f".ContainerOverrides.Environment names {each['Name']}: AWS_BATCH is Batch's own"


COMBINED: Final = {
    "batch.SubmitJob": _submit,
    "ecs.RunTask": _run_task,
    "sagemaker.CreateModelPackage": _register,
    "sagemaker.CreateTrainingJob": _train,
}
"""Rules about several arguments at once, which no model states."""
