"""What lies open: buckets, the network, the container's rights, what starts the pipeline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Resource = Mapping[str, Any]
Resources = Mapping[str, Any]

STOP_SECONDS: Final = 120
"""The longest Fargate grants between SIGTERM and SIGKILL."""


def mistakes(resources: Resources) -> Iterator[str]:
    """Yield what lies open, one line each."""
    for title, resource in resources.items():
        looked = LOOKS.get(resource["Type"], _nothing)(resource.get("Properties", {}))
        yield from (f"{title} {mistake}" for mistake in looked)
        if resource["Type"] == "AWS::S3::Bucket" and not _tls_only(resources, title):
            yield f"{title} may be read without TLS"


def _nothing(_properties: Resource) -> Iterator[str]:
    yield from ()


def _bucket(properties: Resource) -> Iterator[str]:
    blocks = properties.get("PublicAccessBlockConfiguration", {})
    if set(blocks.values()) != {True} or len(blocks) != 4:
        yield "may be made public"
    if properties.get("VersioningConfiguration") != {"Status": "Enabled"}:
        yield "keeps no versions"
    if "BucketEncryption" not in properties:
        yield "is not encrypted by its own rule"


def _tls_only(resources: Resources, title: str) -> bool:
    policies = (each for each in resources.values() if each["Type"] == "AWS::S3::BucketPolicy")
    return any(
        each["Properties"]["Bucket"] == {"Ref": title}
        and '"aws:SecureTransport": "false"' in json.dumps(each["Properties"]["PolicyDocument"])
        for each in policies
    )


def _security_group(properties: Resource) -> Iterator[str]:
    for rule in properties.get("SecurityGroupIngress", ()):
        if "0.0.0.0/0" in str(rule) or "::/0" in str(rule):
            yield "lets everybody in"


def _log_group(properties: Resource) -> Iterator[str]:
    if not properties.get("RetentionInDays"):
        yield "is kept for ever"


def _task(properties: Resource) -> Iterator[str]:
    for container in properties["ContainerDefinitions"]:
        if container.get("ReadonlyRootFilesystem") is not True:
            yield "may write to its root"
        if container.get("LinuxParameters", {}).get("Capabilities") != {"Drop": ["ALL"]}:
            yield "keeps capabilities"
        if re.match(r"0|root|$", str(container.get("User", ""))) or container.get("Privileged"):
            yield "runs as root"
        if container.get("StopTimeout") != STOP_SECONDS:
            yield f"has {container.get('StopTimeout')} s to save its work, of {STOP_SECONDS}"


def _rule(properties: Resource) -> Iterator[str]:
    for target in properties.get("Targets", ()):
        if target["Arn"] != {"Ref": "StateMachineAlias"}:
            yield "starts something else than the alias"
        if "DeadLetterConfig" not in target:
            yield "loses what it cannot deliver"
        if {"Input", "InputPath", "InputTransformer"} & target.keys():
            yield "hands on another event than came"


def _machine(properties: Resource) -> Iterator[str]:
    if properties.get("LoggingConfiguration", {}).get("IncludeExecutionData"):
        yield "writes data into its log"


LOOKS: Final[Mapping[str, Callable[[Resource], Iterator[str]]]] = {
    "AWS::EC2::SecurityGroup": _security_group,
    "AWS::ECS::TaskDefinition": _task,
    "AWS::Events::Rule": _rule,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::StepFunctions::StateMachine": _machine,
}
