"""All checks of the templates by name: each looks at what is rendered and yields a line for each mistake."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from troposphere import encode_to_dict

from templates.asl import State
from templates.config import Config
from templates.stacks import pipeline_parts, render
from templates.workflow import graph
from tests.needed import NEEDED
from tests.unit.templates import arguments, batch, exposure, expressions, limits, retention
from tests.unit.templates import graph as graphs
from tests.unit.templates.conftest import resolved


@dataclass(frozen=True)
class Rendered:
    """Both stacks of a configuration, as CloudFormation would get them."""

    config: Config

    @cached_property
    def template(self) -> Mapping[str, Any]:
        return dict(json.loads(render("pipeline", self.config)))

    @property
    def pipeline(self) -> Mapping[str, Any]:
        """The pipeline stack's resources."""
        return dict(self.template["Resources"])

    @cached_property
    def resources(self) -> Mapping[str, Any]:
        """Those of both stacks; no logical id is in both."""
        return {**json.loads(render("delivery", self.config))["Resources"], **self.pipeline}

    @cached_property
    def definition(self) -> dict[str, Any]:
        lists = {
            name
            for name, parameter in self.template["Parameters"].items()
            if parameter["Type"].startswith(("List<", "CommaDelimitedList"))
        }
        return dict(resolved(_listing(self.pipeline["StateMachine"]["Properties"]["Definition"], lists)))

    @cached_property
    def states(self) -> tuple[State, ...]:
        return graph(self.config, pipeline_parts(self.config))


def _listing(value: Any, lists: set[str]) -> Any:
    """Put a list in the place of each parameter that is one."""
    match value:
        case {"Ref": name} if name in lists:
            return [value]
        case dict():
            return {key: _listing(item, lists) for key, item in value.items()}
        case list():
            return [_listing(item, lists) for item in value]
    return value


Check = Callable[[Rendered], Iterator[str]]

EVERYWHERE: Final = {
    "DescribingJobsHasNoResource",
    "ListingPackagesHasNoResource",
    "LogDeliveryHasNoResource",
    "LoginHasNoResource",
    "MetricsHaveNoResource",
    "TracesHaveNoResource",
}
"""Sids of the statements that may have the resource ``*``: each is its reason."""


def _arguments(rendered: Rendered) -> Iterator[str]:
    for name, state in graphs.every(rendered.definition):
        if state["Type"] == "Task":
            yield from (f"{name}{mistake}" for mistake in arguments.mistakes(state))


def permissions(state: State) -> Iterator[str]:
    """Yield where a state's statements are not what its integration needs."""
    tasks = graphs.every({"States": {state.name: state.definition}})
    needed = {action for _, task in tasks for action in NEEDED.get(task.get("Resource", ""), ())}
    held = {action for each in state.statements for action in encode_to_dict(each)["Action"]}
    yield from (f"{state.name} may not {action}" for action in sorted(needed - held))
    yield from (f"{state.name} may {action} for nothing" for action in sorted(held - needed))


def _wildcards(rendered: Rendered) -> Iterator[str]:
    """No action that is allowed is a wildcard; a Deny may refuse whatever there is."""
    allowed = (each for each in _statements(rendered.resources) if each[1]["Effect"] == "Allow")
    for title, statement in allowed:
        for action in _listed(statement["Action"]):
            if "*" in action:
                yield f"{title} may {action}"
        if "*" in _listed(statement["Resource"]) and statement.get("Sid") not in EVERYWHERE:
            yield f"{title} has the resource * without a reason"


def _handing_over(rendered: Rendered) -> Iterator[str]:
    """A role is passed to one service, and a start is by the alias."""
    for title, statement in _statements(rendered.resources):
        condition = json.dumps(statement.get("Condition", {}))
        actions = _listed(statement["Action"])
        if "iam:PassRole" in actions and "iam:PassedToService" not in condition:
            yield f"{title} hands a role to any service"
        if "states:StartExecution" in actions and "states:StateMachineQualifier" not in condition:
            yield f"{title} starts any version"


def _statements(resources: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for title, resource in resources.items():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", ()):
                for statement in policy.get("PolicyDocument", {}).get("Statement", ()):
                    # What a condition adds is rendered, and looked at, in the variant that has it.
                    if "Effect" in statement:
                        yield title, statement
        if resource["Type"] in POLICIES:
            for statement in resource["Properties"]["PolicyDocument"].get("Statement", ()):
                yield title, statement


POLICIES: Final = frozenset({"AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"})
"""What resources say of themselves; a key's own policy is held to `test_encryption.py`."""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _order(rendered: Rendered) -> Iterator[str]:
    """The machine comes after the capacity it asks for, which nothing else says."""
    waits_for = rendered.pipeline["StateMachine"].get("DependsOn", [])
    for title, resource in rendered.pipeline.items():
        if resource["Type"] == "AWS::ECS::ClusterCapacityProviderAssociations" and title not in waits_for:
            yield f"StateMachine does not wait for {title}"


def _letters(rendered: Rendered) -> Iterator[str]:
    """EventBridge may put a rule's dead letters where they are kept."""
    queues = {
        queue["Ref"]
        for resource in rendered.pipeline.values()
        if resource["Type"] == "AWS::SQS::QueuePolicy" and "events.amazonaws.com" in json.dumps(resource)
        for queue in resource["Properties"]["Queues"]
    }
    for title, resource in rendered.pipeline.items():
        if resource["Type"] == "AWS::Events::Rule":
            for target in resource["Properties"]["Targets"]:
                kept = target.get("DeadLetterConfig", {}).get("Arn", {}).get("Fn::GetAtt", [""])[0]
                if kept and kept not in queues:
                    yield f"{title} may not write to {kept}"


CHECKS: Final[Mapping[str, Check]] = {
    "graph": lambda rendered: graphs.mistakes(rendered.definition),
    "retries": lambda rendered: graphs.careless_retries(rendered.definition),
    "gate": lambda rendered: graphs.open_doors(rendered.definition),
    "expressions": lambda rendered: expressions.mistakes(rendered.definition),
    "arguments": _arguments,
    "payloads": lambda rendered: limits.payloads(rendered.definition),
    "history": lambda rendered: limits.history(rendered.resources, rendered.definition),
    "names": lambda rendered: limits.long_names(rendered.resources),
    "sizes": lambda rendered: limits.sizes(rendered.resources),
    "variables": lambda rendered: limits.variables(rendered.resources),
    "policy sizes": lambda rendered: limits.policies(rendered.resources),
    "batch": lambda rendered: batch.mistakes(rendered.resources),
    "room": lambda rendered: batch.room(rendered.resources, rendered.definition),
    "permissions": lambda rendered: (told for state in rendered.states for told in permissions(state)),
    "wildcards": _wildcards,
    "handing over": _handing_over,
    "retention": lambda rendered: retention.mistakes(rendered.resources),
    "routing": lambda rendered: retention.routing(rendered.resources),
    "exposure": lambda rendered: exposure.mistakes(rendered.resources),
    "order": _order,
    "dead letters": _letters,
}
"""Name -> check."""


def found(rendered: Rendered) -> dict[str, list[str]]:
    """Return what each check finds; checks that find nothing are left out."""
    every = {name: list(check(rendered)) for name, check in CHECKS.items()}
    return {name: mistakes for name, mistakes in every.items() if mistakes}
