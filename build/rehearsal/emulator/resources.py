"""The CloudFormation types MiniStack refuses, by its registry of types."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from build.rehearsal.emulator import model_registry

Properties = Mapping[str, Any]
Resource = tuple[str, dict[str, Any]]
"""What Ref gives, and what Fn::GetAtt gives by attribute."""


class Type(Protocol):
    """A type and what is done with a resource of it; without ``update``, a change makes a new one."""

    name: str
    replacing: frozenset[str]
    """Properties of which a change makes a new resource: createOnlyProperties of the type's schema."""

    @property
    def called_by(self) -> str | None:
        """The property that names it; under a name that stays no new one can be made."""

    def create(self, logical_id: str, properties: Properties, stack: str) -> Resource:
        """Makes the resource."""

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Removes it."""


def types() -> tuple[Type, ...]:
    """What MiniStack lacks."""
    return (
        CapacityProviders(),
        ComputeEnvironment(),
        JobQueue(),
        JobDefinition(),
        MachineVersion(),
        MachineAlias(),
        ModelPackageGroup(),
        Connection(),
        ReportGroup(),
        JobSecurity(),
        FlowLog(),
    )


def register() -> None:
    """Makes the types known."""
    from ministack.services.cloudformation import provisioners  # noqa: PLC0415

    for kind in types():
        handlers = {
            name: getattr(kind, name) for name in ("create", "update", "delete") if hasattr(kind, name)
        }
        provisioners._RESOURCE_HANDLERS.setdefault(kind.name, handlers)
        provisioners._REPLACING_PROPERTIES.setdefault(kind.name, kind.replacing)
        if kind.called_by:
            provisioners._CUSTOM_NAME_REPLACEMENT.setdefault(kind.name, {"name": kind.called_by})
    served = provisioners._RESOURCE_HANDLERS[ALARM]
    served["create"], served["update"] = _plain(served["create"]), _plain(served["update"])


ALARM: Final = "AWS::CloudWatch::Alarm"


def _plain(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Lets MiniStack, which has no metric math, take an expression for the one metric that it is made of."""

    def handle(*arguments: Any, **named: Any) -> Any:
        return handler(*map(without_expression, arguments), **named)

    return handle


def without_expression(argument: Any) -> Any:
    """An alarm's properties with the metric of its expression as its own; anything else as it is."""
    if not isinstance(argument, Mapping) or not argument.get("Metrics"):
        return argument
    (measured,) = (query["MetricStat"] for query in argument["Metrics"] if "MetricStat" in query)
    named = {"Statistic": measured["Stat"], "Period": measured["Period"], **measured["Metric"]}
    return {**{name: value for name, value in argument.items() if name != "Metrics"}, **named}


class CapacityProviders:
    """Ref is the cluster's name."""

    name = "AWS::ECS::ClusterCapacityProviderAssociations"
    replacing = frozenset({"Cluster"})
    called_by = None

    def create(self, _logical_id: str, properties: Properties, _stack: str) -> Resource:
        """Gives the cluster its providers."""
        self._put(properties, properties["CapacityProviders"], properties["DefaultCapacityProviderStrategy"])
        return properties["Cluster"], {}

    def update(self, physical_id: str, _old: Properties, new: Properties, stack: str) -> Resource:
        """Replaces the cluster's providers."""
        return self.create(physical_id, new, stack)

    def delete(self, _physical_id: str, properties: Properties) -> None:
        """Takes the cluster's providers away."""
        self._put(properties, [], [])

    def _put(self, properties: Properties, providers: list[str], strategy: list[dict[str, Any]]) -> None:
        from ministack.services import ecs, stepfunctions  # noqa: PLC0415

        request = {"capacityProviders": providers, "defaultCapacityProviderStrategy": strategy}
        _call(
            ecs._put_cluster_capacity_providers,
            {"cluster": properties["Cluster"], **stepfunctions._pascal_to_camel(request)},
        )


class ComputeEnvironment:
    """Ref is the compute environment's ARN."""

    name = "AWS::Batch::ComputeEnvironment"
    replacing = frozenset({"ComputeEnvironmentName", "Tags", "Type"})
    called_by = "ComputeEnvironmentName"

    def create(self, logical_id: str, properties: Properties, stack: str) -> Resource:
        """Makes it, with a name of its own when it has none."""
        from ministack.services import batch, stepfunctions  # noqa: PLC0415

        name = properties.get("ComputeEnvironmentName") or f"{stack}-{logical_id}-{uuid.uuid4().hex[:8]}"
        request = stepfunctions._pascal_to_camel(dict(properties))
        answer = _call(batch._create_compute_environment, {**request, "computeEnvironmentName": name})
        return _by_arn("ComputeEnvironmentArn", answer["computeEnvironmentArn"])

    def update(self, physical_id: str, _old: Properties, new: Properties, _stack: str) -> Resource:
        """Changes it in place."""
        from ministack.services import batch, stepfunctions  # noqa: PLC0415

        request = stepfunctions._pascal_to_camel(dict(new))
        _call(batch._update_compute_environment, {**request, "computeEnvironment": physical_id})
        return _by_arn("ComputeEnvironmentArn", physical_id)

    def delete(self, physical_id: str, _properties: Properties) -> None:
        """Forgets it."""
        from ministack.services import batch  # noqa: PLC0415

        batch._compute_envs.pop(physical_id.rpartition("/")[2], None)


class JobQueue:
    """Ref is the queue's ARN."""

    name = "AWS::Batch::JobQueue"
    replacing = frozenset({"JobQueueName", "JobQueueType"})
    called_by = "JobQueueName"

    def create(self, _logical_id: str, properties: Properties, _stack: str) -> Resource:
        """Makes it."""
        from ministack.services import batch, stepfunctions  # noqa: PLC0415

        answer = _call(batch._create_job_queue, stepfunctions._pascal_to_camel(dict(properties)))
        return _by_arn("JobQueueArn", answer["jobQueueArn"])

    def update(self, physical_id: str, _old: Properties, new: Properties, _stack: str) -> Resource:
        """Changes it in place."""
        from ministack.services import batch, stepfunctions  # noqa: PLC0415

        batch._job_queues[physical_id.rpartition("/")[2]].update(stepfunctions._pascal_to_camel(dict(new)))
        return _by_arn("JobQueueArn", physical_id)

    def delete(self, physical_id: str, _properties: Properties) -> None:
        """Forgets it."""
        from ministack.services import batch  # noqa: PLC0415

        batch._job_queues.pop(physical_id.rpartition("/")[2], None)


class JobDefinition:
    """Ref is the ARN of a revision, which a change leaves behind for a new one."""

    name = "AWS::Batch::JobDefinition"
    replacing = frozenset({"JobDefinitionName"})
    called_by = "JobDefinitionName"

    def create(self, _logical_id: str, properties: Properties, _stack: str) -> Resource:
        """Registers a revision, and keeps its properties as the template has them."""
        from ministack.services import batch  # noqa: PLC0415

        name = properties["JobDefinitionName"]
        request = {"jobDefinitionName": name, "type": properties["Type"]}
        arn = _call(batch._register_job_definition, request)["jobDefinitionArn"]
        batch._job_definitions[name][-1]["properties"] = dict(properties)
        return _by_arn("JobDefinitionArn", arn)

    def update(self, physical_id: str, _old: Properties, new: Properties, stack: str) -> Resource:
        """Registers the next revision; the one before stays active only where the template says so."""
        fresh = self.create("", new, stack)
        if not (new.get("ResourceRetentionPolicy") or {}).get("SkipDeregisterOnUpdate"):
            self.delete(physical_id, new)
        return fresh

    def delete(self, physical_id: str, _properties: Properties) -> None:
        """Deregisters the revision."""
        from ministack.services import batch  # noqa: PLC0415

        for revisions in batch._job_definitions.values():
            for revision in revisions:
                if revision["jobDefinitionArn"] == physical_id:
                    revision["status"] = "INACTIVE"


def _by_arn(attribute: str, arn: str) -> Resource:
    """A resource whose Ref is the ARN that an attribute gives too."""
    return arn, {attribute: arn}


class MachineVersion:
    """Ref is the version's ARN. Every property is create-only: a change publishes another version."""

    name = "AWS::StepFunctions::StateMachineVersion"
    replacing = frozenset({"Description", "StateMachineArn", "StateMachineRevisionId"})
    called_by = None

    def create(self, _logical_id: str, properties: Properties, _stack: str) -> Resource:
        """Publishes the machine's definition as it stands; a revision published before keeps its version."""
        from ministack.services import stepfunctions  # noqa: PLC0415

        machine = properties["StateMachineArn"]
        arn = (
            self._published(machine)
            or _call(
                stepfunctions._publish_state_machine_version,
                {
                    "stateMachineArn": machine,
                    "revisionId": properties.get("StateMachineRevisionId"),
                    "description": properties.get("Description", ""),
                },
            )["stateMachineVersionArn"]
        )
        return _by_arn("Arn", arn)

    def delete(self, physical_id: str, _properties: Properties) -> None:
        """Deletes the version; one that an alias routes to stays, with an error."""
        from ministack.services import stepfunctions  # noqa: PLC0415

        _call(stepfunctions._delete_state_machine_version, {"stateMachineVersionArn": physical_id})

    def _published(self, machine: str) -> str | None:
        from ministack.services import stepfunctions  # noqa: PLC0415

        revision = stepfunctions._state_machines[machine].get("revisionId")
        of_machine = (
            item
            for item in stepfunctions._state_machine_versions.values()
            if item["stateMachineArn"] == machine
        )
        return next(
            (
                item["stateMachineVersionArn"]
                for item in of_machine
                if item["stateMachineRevisionId"] == revision
            ),
            None,
        )


class MachineAlias:
    """Ref is the alias's ARN. A DeploymentPreference moves all traffic at once: nobody waits here."""

    name = "AWS::StepFunctions::StateMachineAlias"
    replacing = frozenset({"Name"})
    called_by = "Name"

    def create(self, logical_id: str, properties: Properties, stack: str) -> Resource:
        """Makes the alias."""
        from ministack.services import stepfunctions  # noqa: PLC0415

        request = {**_alias(properties), "name": properties.get("Name") or f"{stack}-{logical_id}"}
        arn = _call(stepfunctions._create_state_machine_alias, request)["stateMachineAliasArn"]
        return _by_arn("Arn", arn)

    def update(self, physical_id: str, _old: Properties, new: Properties, _stack: str) -> Resource:
        """Moves the alias."""
        from ministack.services import stepfunctions  # noqa: PLC0415

        _call(stepfunctions._update_state_machine_alias, {**_alias(new), "stateMachineAliasArn": physical_id})
        return physical_id, {"Arn": physical_id}

    def delete(self, physical_id: str, _properties: Properties) -> None:
        """Removes the alias."""
        from ministack.services import stepfunctions  # noqa: PLC0415

        _call(stepfunctions._delete_state_machine_alias, {"stateMachineAliasArn": physical_id})


def _alias(properties: Properties) -> dict[str, Any]:
    return {"description": properties.get("Description", ""), "routingConfiguration": routing(properties)}


def routing(properties: Properties) -> list[dict[str, Any]]:
    """The versions an alias routes to, with their weights.

    Raises:
        ValueError: not exactly one of RoutingConfiguration and DeploymentPreference is given.
    """
    given = [name for name in ("RoutingConfiguration", "DeploymentPreference") if properties.get(name)]
    if len(given) != 1:
        raise ValueError("an alias needs exactly one of RoutingConfiguration and DeploymentPreference")
    if given == ["DeploymentPreference"]:
        return [
            {
                "stateMachineVersionArn": properties["DeploymentPreference"]["StateMachineVersionArn"],
                "weight": 100,
            }
        ]
    return [
        {"stateMachineVersionArn": item["StateMachineVersionArn"], "weight": int(item["Weight"])}
        for item in properties["RoutingConfiguration"]
    ]


class ModelPackageGroup:
    """Ref is the group's ARN."""

    name = "AWS::SageMaker::ModelPackageGroup"
    replacing = frozenset({"ModelPackageGroupDescription", "ModelPackageGroupName"})
    called_by = "ModelPackageGroupName"

    def create(self, _logical_id: str, properties: Properties, _stack: str) -> Resource:
        """Makes the group."""
        allowed = ("ModelPackageGroupName", "ModelPackageGroupDescription", "Tags")
        request = {name: properties[name] for name in allowed if name in properties}
        arn = model_registry.call("CreateModelPackageGroup", **request)["ModelPackageGroupArn"]
        return arn, {"ModelPackageGroupArn": arn, "ModelPackageGroupStatus": "Completed"}

    def update(self, physical_id: str, _old: Properties, _new: Properties, _stack: str) -> Resource:
        """Keeps the group and its models: only tags can change in place."""
        return physical_id, {"ModelPackageGroupArn": physical_id, "ModelPackageGroupStatus": "Completed"}

    def delete(self, _physical_id: str, properties: Properties) -> None:
        """Removes the group."""
        model_registry.forget_group(properties["ModelPackageGroupName"])


class Connection:
    """Ref is the connection's ARN; a person has to finish it, so it is PENDING."""

    name = "AWS::CodeConnections::Connection"
    replacing = frozenset({"ConnectionName", "HostArn", "ProviderType"})
    called_by = "ConnectionName"

    def create(self, _logical_id: str, _properties: Properties, _stack: str) -> Resource:
        """Makes up the connection's ARN; there is no such service here."""
        arn = _arn("codeconnections", f"connection/{uuid.uuid4()}")
        return arn, {"ConnectionArn": arn, "ConnectionStatus": "PENDING"}

    def update(self, physical_id: str, _old: Properties, _new: Properties, _stack: str) -> Resource:
        """Only tags change in place."""
        return physical_id, {"ConnectionArn": physical_id, "ConnectionStatus": "PENDING"}

    def delete(self, _physical_id: str, _properties: Properties) -> None:
        """There is nothing to remove."""


class FlowLog:
    """Ref is the flow log's id."""

    name = "AWS::EC2::FlowLog"
    replacing = frozenset(
        {
            "DeliverCrossAccountRole",
            "DeliverLogsPermissionArn",
            "DestinationOptions",
            "LogDestination",
            "LogDestinationType",
            "LogFormat",
            "LogGroupName",
            "MaxAggregationInterval",
            "ResourceId",
            "ResourceType",
            "TagFieldSpecifications",
            "TrafficType",
        }
    )
    called_by = None

    def create(self, _logical_id: str, _properties: Properties, _stack: str) -> Resource:
        """Makes up the id; no packet flows here."""
        flow_log = f"fl-{uuid.uuid4().hex[:17]}"
        return flow_log, {"Id": flow_log}

    def delete(self, _physical_id: str, _properties: Properties) -> None:
        """There is nothing to remove."""


class ReportGroup:
    """Ref is the report group's ARN."""

    name = "AWS::CodeBuild::ReportGroup"
    replacing = frozenset({"Name", "Type"})
    called_by = "Name"

    def create(self, logical_id: str, properties: Properties, stack: str) -> Resource:
        """Makes up the report group's ARN; nothing reports here."""
        arn = _arn("codebuild", f"report-group/{properties.get('Name') or f'{stack}-{logical_id}'}")
        return _by_arn("Arn", arn)

    def update(self, physical_id: str, _old: Properties, _new: Properties, _stack: str) -> Resource:
        """Nothing is kept of it that could change."""
        return physical_id, {"Arn": physical_id}

    def delete(self, _physical_id: str, _properties: Properties) -> None:
        """There is nothing to remove."""


class JobSecurity:
    """Ref is its name. Nothing of it can be changed: its type has no update."""

    name = "AWS::Glue::SecurityConfiguration"
    replacing = frozenset({"EncryptionConfiguration", "Name"})
    called_by = "Name"

    def create(self, _logical_id: str, properties: Properties, _stack: str) -> Resource:
        """Takes the name; nothing is encrypted here."""
        return properties["Name"], {}

    def delete(self, _physical_id: str, _properties: Properties) -> None:
        """There is nothing to remove."""


def _arn(service: str, resource: str) -> str:
    from ministack.core.responses import get_account_id, get_region  # noqa: PLC0415

    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


def _call(handler: Any, request: dict[str, Any]) -> dict[str, Any]:
    status, _headers, body = handler(request)
    content: dict[str, Any] = json.loads(body or b"{}")
    if status >= 400:
        raise ValueError(content.get("message") or str(content))
    return content
