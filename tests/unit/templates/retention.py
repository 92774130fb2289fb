"""What must outlive its replacement: running executions and rollbacks of the alias need it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Resources = Mapping[str, Any]

KEPT: Final = {
    "AWS::ECS::TaskDefinition": "an inactive revision cannot run",
    "AWS::Lambda::Version": "versions of the state machine name it",
    "AWS::StepFunctions::StateMachineVersion": "the alias may go back to it",
}
"""Type -> why a replaced or removed resource of it stays."""

DATA: Final = {"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::SageMaker::ModelPackageGroup"}
"""Types that hold what nobody can make again, or guard it."""

SHIFTS: Final = {"ALL_AT_ONCE", "CANARY", "LINEAR"}


def mistakes(resources: Resources) -> Iterator[str]:
    """Yield resources that go although something still names them, one line each."""
    for title, resource in resources.items():
        kind = resource["Type"]
        policies = (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
        if kind in KEPT and policies != ("Retain", "Retain"):
            yield f"{title} goes when it is replaced: {KEPT[kind]}"
        if kind in DATA and (policies[0] == "Delete" or policies[0] is None or policies[1] != "Retain"):
            yield f"{title} goes with its stack, and what it holds"
        if kind == "AWS::Batch::JobDefinition":
            retention = resource["Properties"].get("ResourceRetentionPolicy", {})
            if retention.get("SkipDeregisterOnUpdate") is not True:
                yield f"{title} is deregistered when it changes: versions of the state machine name it"


def routing(resources: Resources) -> Iterator[str]:
    """Yield aliases that CloudFormation refuses: cfn-lint does not look."""
    for title, resource in resources.items():
        if resource["Type"] == "AWS::StepFunctions::StateMachineAlias":
            properties = resource["Properties"]
            yield from (f"{title}: {mistake}" for mistake in _alias(properties))


def _alias(properties: Mapping[str, Any]) -> Iterator[str]:
    preference, routes = properties.get("DeploymentPreference"), properties.get("RoutingConfiguration")
    if bool(preference) == bool(routes):
        yield "exactly one of DeploymentPreference and RoutingConfiguration"
    if routes and (len(routes) > 2 or sum(int(route["Weight"]) for route in routes) != 100):
        yield "at most two versions, whose weights are 100 together"
    if preference:
        yield from _preference(preference)


def _preference(preference: Mapping[str, Any]) -> Iterator[str]:
    kind = preference.get("Type")
    if kind not in SHIFTS:
        yield f"a shift of type {kind}, not one of {', '.join(sorted(SHIFTS))}"
    if not preference.get("StateMachineVersionArn"):
        yield "a shift to no version"
    bounds = {"Interval": (1, 2100), "Percentage": (1, 99)}
    for name, (low, high) in bounds.items():
        value = preference.get(name)
        if kind == "ALL_AT_ONCE" and value is not None:
            yield f"{name} says nothing of a shift all at once"
        if kind in SHIFTS - {"ALL_AT_ONCE"} and (not isinstance(value, int) or not low <= value <= high):
            yield f"{name} is {value}, not within {low} to {high}"
