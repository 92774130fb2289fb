"""The stacks: which parts they have, and what others need to know of them.

    config -> parts -> template -> JSON

Pure functions of the configuration: no AWS call, no clock, no random; the same configuration gives the same
bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from troposphere import AWSObject, Equals, Export, GetAtt, Not, Output, Ref, Sub, Template

from templates import (
    access,
    alarms,
    alerts,
    batch,
    container,
    dashboard,
    delivery,
    encryption,
    findings,
    functions,
    jobs,
    network,
    parameters,
    registry,
    storage,
    triggers,
    workflow,
)
from templates.config import Config


def delivery_stack(config: Config) -> Template:
    """Return the stack that changes come in by; deployed first, once per account and stage."""
    what = f"Sluice {config.stage}: image registry, artifact bucket, builds"
    template = _template(what, parameters.delivery_groups())
    for name, condition in delivery.CONDITIONS.items():
        template.add_condition(name, condition)
    stores = delivery.stores(config)
    _add(template, config, "delivery", stores, delivery.check(config), delivery.release(config, stores))
    template.add_output(_delivery_outputs(config, stores))
    return template


def pipeline_stack(config: Config) -> Template:
    """Return the stack of the pipeline itself."""
    what = f"Sluice {config.stage}: a gate for training data, and the pipeline behind it"
    template = _template(what, parameters.pipeline_groups(config))
    template.add_mapping(jobs.IMAGE_MAP, jobs.IMAGE_ACCOUNTS)
    template.add_condition(jobs.OWN_IMAGE, Not(Equals(Ref("TrainingImageURI"), "")))
    template.add_condition(alerts.HAS_EMAIL, alerts.EMAIL_GIVEN)

    bucket = storage.pipeline_bucket(config.retention)
    groups = registry.model_package_groups(config)
    parts = pipeline_parts(config)
    machine = workflow.workflow(config, parts)
    policy = storage.pipeline_bucket_policy(bucket, machine.role)
    starts = triggers.triggers(config, machine)
    watch = alarms.alarms(config, alarms.Watched(parts.alerts.topic, machine.machine, starts.dead_letters))
    screen = dashboard.dashboard(config, watch)
    _add(template, config, "pipeline", bucket, policy, groups, parts, machine, starts, watch, screen)
    template.add_output(_pipeline_outputs(config, bucket, parts, machine))
    return template


def pipeline_parts(config: Config) -> workflow.Parts:
    """Return what the pipeline's states call."""
    surroundings, validator = network.network(config), container.validator(config)
    return workflow.Parts(
        network=surroundings,
        validator=validator,
        batch=batch.batch(config, validator, surroundings.placement)
        if config.validation.most_children > 1
        else None,
        init=functions.init(config),
        evaluate=functions.evaluate(config),
        preparation=jobs.preparation(config),
        training_role=jobs.training_role(config),
        alerts=alerts.alerts(config),
    )


def _pipeline_outputs(
    config: Config, bucket: AWSObject, parts: workflow.Parts, machine: workflow.Workflow
) -> list[Output]:
    groups = [registry.group_name(config, dataset) for dataset in config.datasets]
    return [
        _output("PipelineBucketName", "Data comes in below data/<dataset>/<run_date>/", Ref(bucket)),
        _output("StateMachineAliasArn", "What triggers start", Ref(machine.alias)),
        _output("StateMachineArn", "The state machine", Ref(machine.machine)),
        _output("NotificationTopicArn", "Where people are told", Ref(parts.alerts.topic)),
        _output("ModelPackageGroupNames", "Where models are registered, by datasets", ",".join(groups)),
        _output("ClusterName", "Where the validator runs", Ref(parts.validator.cluster)),
        _output("EventBusName", "Bus of the events that start the pipeline", "default"),
        *_key_output(config, "PipelineKeyArn", "Key that encrypts the pipeline's bucket, queue and topic"),
    ]


def _delivery_outputs(config: Config, stores: delivery.Stores) -> list[Output]:
    uri = GetAtt(stores.repository, "RepositoryUri")
    return [
        _output("ArtifactBucketName", "Bucket of packages and schemas", Ref(stores.bucket)),
        _output("ValidatorRepositoryUri", "Where the validator's image is pushed", uri),
        *_key_output(config, encryption.ARTIFACT_KEY, "Key that encrypts the artifact bucket"),
    ]


def _key_output(config: Config, title: str, what: str) -> Iterator[Output]:
    if config.customer_managed_key:
        yield _output(title, what, encryption.key_arn())


STACKS: Final[Mapping[str, Callable[[Config], Template]]] = {
    "delivery": delivery_stack,
    "pipeline": pipeline_stack,
}
"""Name -> stack, in the order they are deployed."""


def render(stack: str, config: Config) -> str:
    """Return a stack's template as JSON, in the order it was written down, with a newline at its end.

    Args:
        stack: A key of ``STACKS``.
        config: The configuration of a stage.
    """
    return json.dumps(STACKS[stack](config).to_dict(), indent=2, ensure_ascii=False) + "\n"


def _template(what: str, groups: tuple[parameters.Group, ...]) -> Template:
    """Return a template with its parameters, and what every role of it depends on."""
    template = Template(what)
    parameters.add(template, groups)
    template.add_condition(access.HAS_BOUNDARY, access.BOUNDARY_GIVEN)
    return template


def _add(template: Template, config: Config, stack: str, *parts: object) -> None:
    resources = encryption.throughout(config, stack, list(_resources(parts)))
    findings.accept(config, resources)
    for resource in resources:
        template.add_resource(resource)


def _resources(part: Any) -> Iterator[AWSObject]:
    """Yield the resources of a part: itself, its items, or its fields; None is what nobody asked for."""
    if part is None:
        return
    if isinstance(part, AWSObject):
        yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from _resources(item)
    elif isinstance(part, network.Placement):
        # Names resources and has none.
        return
    else:
        for each in fields(part):
            yield from _resources(getattr(part, each.name))


def _output(title: str, what: str, value: object) -> Output:
    export = Export(Sub(f"${{AWS::StackName}}-{title}"))
    return Output(title, Description=what, Value=value, Export=export)
