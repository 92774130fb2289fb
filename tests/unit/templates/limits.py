"""Limits of the services that CloudFormation finds only while it deploys, or nobody until it runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.unit.templates.graph import every, ways

Resources = Mapping[str, Any]

NAMES: Final[Mapping[str, int]] = {
    "AWS::Batch::JobDefinition.JobDefinitionName": 128,
    "AWS::Batch::JobQueue.JobQueueName": 128,
    "AWS::CloudWatch::Alarm.AlarmName": 255,
    "AWS::CloudWatch::Alarm.MetricName": 255,
    "AWS::CloudWatch::Dashboard.DashboardName": 255,
    "AWS::CodeBuild::Project.Name": 150,
    "AWS::ECR::Repository.RepositoryName": 256,
    "AWS::ECS::Cluster.ClusterName": 255,
    "AWS::ECS::TaskDefinition.Family": 255,
    "AWS::Events::Rule.Name": 64,
    "AWS::Glue::Job.Name": 255,
    "AWS::Glue::SecurityConfiguration.Name": 255,
    "AWS::KMS::Alias.AliasName": 256,
    "AWS::Lambda::Function.FunctionName": 64,
    "AWS::Logs::LogGroup.LogGroupName": 512,
    "AWS::SNS::Topic.DisplayName": 100,
    "AWS::SNS::Topic.TopicName": 256,
    "AWS::SQS::Queue.QueueName": 80,
    "AWS::SageMaker::ModelPackageGroup.ModelPackageGroupName": 63,
    "AWS::Scheduler::Schedule.Name": 64,
    "AWS::StepFunctions::StateMachine.StateMachineName": 80,
    "AWS::StepFunctions::StateMachineAlias.Name": 80,
}
"""Property that is a name -> the most characters it may have."""

STATE_NAME: Final = 80
PAYLOAD_BYTES: Final = 256 * 1024
EVENTS: Final = 25_000
"""Of an execution's history; the next one ends it, and nothing can catch that."""
POLICY_CHARACTERS: Final = 10_240
"""Of a role's inline policies together, without white space."""

VARIABLES: Final = 4096
"""Bytes of a function's variables; Lambda measures all of them as one JSON text."""
DEPLOYED: Final[Mapping[str, int]] = {"PipelineBucket": 63, "ArtifactBucketName": 63, "SchemasPrefix": 24}
"""What variables refer to -> the most characters it has: names of buckets, ``schemas/`` and 16 of a hash."""

FARGATE: Final[Mapping[int, range]] = {
    256: range(512, 2049, 512),
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16385, 1024),
    4096: range(8192, 30721, 1024),
    8192: range(16384, 61441, 4096),
    16384: range(32768, 122881, 8192),
}
"""CPU units -> MiB (AWS: "Task CPU and memory"); written down apart from templates/fargate.py."""


def long_names(resources: Resources) -> Iterator[str]:
    """Yield names that are too long, or whose limit nobody has looked up."""
    for title, resource in resources.items():
        for key, name in resource.get("Properties", {}).items():
            # What is referred to by name is measured where it is named.
            if (key == "Family" or key.endswith("Name")) and isinstance(name, str):
                place = f"{resource['Type']}.{key}"
                if place not in NAMES:
                    yield f"{title}: look up how long {place} may be"
                elif len(name) > (most := NAMES[place]):
                    yield f"{title}: the name {name} has {len(name)} characters, of {most}"
        if len(title) > 255 or not title.isalnum():
            yield f"{title} is no logical id"


def payloads(definition: dict[str, Any]) -> Iterator[str]:
    """Yield states whose result may outgrow a payload, which nothing can catch."""
    for name, state in every(definition):
        if len(name) > STATE_NAME:
            yield f"{name}: the name of a state has at most {STATE_NAME} characters"
        if str(state.get("Resource", "")).endswith(":aws-sdk:s3:getObject"):
            found = re.fullmatch(r"bytes=0-(\d+)", str(state["Arguments"].get("Range")))
            # JSON may write one byte of a body as six characters.
            if not found or 6 * (int(found[1]) + 1) > PAYLOAD_BYTES:
                yield f"{name} reads an object of any size: a payload above 256 KiB ends the run uncaught"


def history(resources: Resources, definition: dict[str, Any]) -> Iterator[str]:
    """Yield Map states whose items may write a history too long for an execution."""
    for name, state in definition["States"].items():
        if state["Type"] == "Map":
            times = re.search(r"\$repairs < (\d+) and", json.dumps(definition["States"]["Classify"]))
            events = children(resources) * _events(state) * (int(times[1]) if times else EVENTS)
            # A fifth is left to calls that are tried again and to the other states.
            if events > EVENTS * 0.8:
                yield f"{name} may write {events} events, of {EVENTS} an execution has in all"


def children(resources: Resources) -> int:
    """Return how many children Init may plan."""
    told = resources["InitFunction"]["Properties"]["Environment"]["Variables"]["PACE"]
    return int(json.loads(told)["most_children"])


def _events(state: dict[str, Any]) -> int:
    """Return how many events an item of a Map state writes when nothing is tried again."""
    machine = state["ItemProcessor"]
    # An item begins and ends.
    return 2 + _on_longest_way(machine["States"], machine["StartAt"])


def _on_longest_way(states: dict[str, Any], name: str) -> int:
    # So does a state; a job is scheduled, started, submitted and done as well.
    own = 6 if states[name]["Type"] == "Task" else 2
    return own + max((_on_longest_way(states, to) for to, _ in ways(states[name])), default=0)


def sizes(resources: Resources) -> Iterator[str]:
    """Yield task definitions, and sizes Init may choose, that Fargate does not have."""
    for title, resource in resources.items():
        if resource["Type"] == "AWS::ECS::TaskDefinition":
            properties = resource["Properties"]
            yield from _pair(title, properties.get("Cpu"), properties.get("Memory"))
        variables = resource.get("Properties", {}).get("Environment", {})
        if resource["Type"] == "AWS::Lambda::Function" and "LADDER" in variables.get("Variables", {}):
            for size in json.loads(variables["Variables"]["LADDER"]):
                yield from _pair(f"LADDER of {title}", size.get("Cpu"), size.get("Memory"))


def _pair(title: str, cpu: Any, memory: Any) -> Iterator[str]:
    if int(memory or 0) not in FARGATE.get(int(cpu or 0), range(0)):
        yield f"{title}: Fargate has no task of {cpu} CPU units and {memory} MiB"


def policies(resources: Resources) -> Iterator[str]:
    """Yield roles whose inline policies IAM would not take."""
    for title, resource in resources.items():
        if resource["Type"] == "AWS::IAM::Role":
            length = len(re.sub(r"\s", "", str(resource["Properties"].get("Policies", ""))))
            # Names take the place of ARNs here, which are longer.
            if length > POLICY_CHARACTERS * 0.8:
                yield f"{title}: its policies have some {length} characters, of {POLICY_CHARACTERS}"


def variables(resources: Resources) -> Iterator[str]:
    """Yield functions whose variables Lambda would not take."""
    for title, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            size = room(resource["Properties"].get("Environment", {}).get("Variables", {}))
            if size > VARIABLES:
                yield f"{title}: its variables have {size} bytes, of {VARIABLES}"


def room(told: Mapping[str, Any]) -> int:
    """Return how many bytes Lambda may count of a function's variables."""
    longest = {
        name: value if isinstance(value, str) else "x" * DEPLOYED[value["Ref"]]
        for name, value in told.items()
    }
    return len(json.dumps(longest, separators=(",", ":")).encode())
