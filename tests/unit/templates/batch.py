"""AWS Batch on Fargate: limits that only a deployment or a run would show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.unit.templates.graph import every
from tests.unit.templates.limits import FARGATE, children

Properties = Mapping[str, Any]

RULES: Final = 5
"""Most rules of evaluateOnExit; what none of them matches is tried again."""

PATTERN: Final = r"[A-Za-z0-9.: ]{0,511}\*?"
"""Of onReason and onStatusReason."""

TIME_LIMIT: Final = range(600, 86_401)
"""Seconds after which a job that waits may be given up."""

REASONS: Final = {
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
}
"""Why a job on Fargate may wait that Batch can give it up for (AWS: "Jobs stuck in a RUNNABLE status")."""


def mistakes(resources: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with job definitions and queues, one line each."""
    looks = {"AWS::Batch::JobDefinition": _definition, "AWS::Batch::JobQueue": _queue}
    for title, resource in resources.items():
        if resource["Type"] in looks:
            found = looks[resource["Type"]](resource["Properties"])
            yield from (f"{title}: {mistake}" for mistake in found)


def room(resources: Mapping[str, Any], definition: dict[str, Any]) -> Iterator[str]:
    """Yield states whose jobs, all of a day together, are too large for the environment of their queue."""
    for name, state in every(definition):
        if str(state.get("Resource")).startswith("arn:aws:states:::batch:submitJob"):
            wanted = children(resources) * _vcpus(state["Arguments"], resources)
            if (most := _environment(state["Arguments"]["JobQueue"], resources)["MaxvCpus"]) < wanted:
                yield f"{name} asks for {wanted:g} vCPU of the {most} that its environment has"


def _vcpus(arguments: Properties, resources: Mapping[str, Any]) -> float:
    """Return what one of a state's jobs asks for: a step of the ladder, or what its definition says."""
    if asked := arguments["ContainerOverrides"].get("ResourceRequirements"):
        ladder = json.loads(resources["InitFunction"]["Properties"]["Environment"]["Variables"]["LADDER"])
        (step,) = re.findall(r"\$run\.sizes\[(\d)\]\.Cpu", json.dumps(asked))
        return int(ladder[min(int(step), len(ladder) - 1)]["Cpu"]) / 1024
    container = resources[arguments["JobDefinition"]]["Properties"]["ContainerProperties"]
    return float({each["Type"]: each["Value"] for each in container["ResourceRequirements"]}["VCPU"])


def _environment(queue: str, resources: Mapping[str, Any]) -> Properties:
    (order,) = resources[queue]["Properties"]["ComputeEnvironmentOrder"]
    return dict(resources[order["ComputeEnvironment"]["Ref"]]["Properties"]["ComputeResources"])


def _queue(properties: Properties) -> Iterator[str]:
    actions = properties.get("JobStateTimeLimitActions", ())
    given_up = {action["Reason"] for action in actions}
    yield from (f"a job waits for ever for {reason}" for reason in sorted(REASONS - given_up))
    yield from (f"{reason} is no reason to give a job up" for reason in sorted(given_up - REASONS))
    for action in actions:
        if int(action["MaxTimeSeconds"]) not in TIME_LIMIT:
            yield f"gives a waiting job up after {action['MaxTimeSeconds']} s, not within 600 to 86400"


def _definition(properties: Properties) -> Iterator[str]:
    yield from _retries(properties.get("RetryStrategy", {}))
    if "EcsProperties" in properties:
        yield "EcsProperties are refused beside the container override that Step Functions adds"
    yield from _container(properties.get("ContainerProperties", {}))


def _retries(strategy: Properties) -> Iterator[str]:
    rules = strategy.get("EvaluateOnExit", ())
    if not 1 <= int(strategy.get("Attempts", 1)) <= 10:
        yield f"{strategy['Attempts']} attempts, not within 1 to 10"
    if len(rules) > RULES:
        yield f"{len(rules)} rules of what to do at an exit, of {RULES}"
    for rule in rules:
        for name in ("OnReason", "OnStatusReason"):
            if name in rule and not re.fullmatch(PATTERN, rule[name]):
                yield f"{name} {rule[name]!r} has signs that Batch does not take"
    # Action's case does not matter to Batch.
    if rules and (rules[-1]["Action"].upper() != "EXIT" or rules[-1].get("OnReason") != "*"):
        yield "what no rule matches is tried again: end with EXIT on the reason *"


def _container(container: Properties) -> Iterator[str]:
    sizes = {each["Type"]: each["Value"] for each in container.get("ResourceRequirements", ())}
    cpu, memory = float(sizes.get("VCPU", 0)) * 1024, int(sizes.get("MEMORY", 0))
    if memory not in FARGATE.get(int(cpu), range(0)):
        yield f"Fargate has no task of {sizes.get('VCPU')} vCPU and {sizes.get('MEMORY')} MiB"
    for variable in container.get("Environment", ()):
        if str(variable["Name"]).startswith("AWS_BATCH"):
            yield f"the variable {variable['Name']} is Batch's own"
