"""The Lambda functions Init and Evaluate, each published as a version that stays.

A state machine version names function versions, so a rollback of the alias runs the code it was made with.
Lambda publishes a version only when the function has changed, and CloudFormation asks for one only when the
version resource has: both carry the same description, made of whatever can change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from awacs import sagemaker, states
from awacs.aws import Statement
from troposphere import GetAtt, Ref, Sub, encode_to_dict
from troposphere.awslambda import Code, Environment, Function, LoggingConfig, Version
from troposphere.iam import Role
from troposphere.logs import LogGroup

from templates import access, registry
from templates.access import ARTIFACT_BUCKET, PIPELINE_BUCKET
from templates.config import UTC, Config, ConfigError, Dataset
from templates.encryption import by_key
from validator.contract import MANIFEST

RUNTIME: Final = "python3.13"

PACE: Final[Mapping[str, int]] = {
    "text": 64 << 20,
    "records": 32 << 20,
    "stream": 16 << 20,
    "columnar": 16 << 20,
}
"""Bytes as stored that one vCPU profiles in a second, by kind: the validator's own measure for its shards."""

ENVIRONMENT_LIMIT: Final = 4096
"""Bytes of a function's variables: Lambda's quota. It measures all of them as one JSON text."""

LONGEST: Final[Mapping[str, int]] = {
    PIPELINE_BUCKET: 63,
    ARTIFACT_BUCKET: 63,
    "SchemasPrefix": len("schemas/") + 16,
}
"""What only a deployment knows -> the most characters it has."""


@dataclass(frozen=True, slots=True)
class Step:
    """A pipeline step that is a Lambda function."""

    logs: LogGroup
    role: Role
    function: Function
    version: Version


def init(config: Config) -> Step:
    """Return the function that turns a trigger into a run.

    Raises:
        ConfigError: The datasets' names, labels and columns do not fit into a function's variables.
    """
    return _step(
        config,
        name="init",
        package="InitPackageKey",
        environment=_init_environment(config),
        statements=_init_statements(config),
        timeout_seconds=60,
        memory=512,
    )


def evaluate(config: Config) -> Step:
    """Return the function that compares the new model with the champion."""
    return _step(
        config,
        name="evaluate",
        package="EvaluatePackageKey",
        environment={},
        statements=_evaluate_statements(config),
        timeout_seconds=120,
        memory=512,
    )


def _init_environment(config: Config) -> dict[str, Any]:
    environment = {
        "PIPELINE_BUCKET": Ref(PIPELINE_BUCKET),
        "ARTIFACT_BUCKET": Ref(ARTIFACT_BUCKET),
        "SCHEMAS_PREFIX": Ref("SchemasPrefix"),
        "DATASETS": _json([_dataset(dataset) for dataset in config.datasets]),
        "LADDER": _json([size.overrides() for size in config.validation.sizes]),
        "PACE": _json(_pace(config)),
        "MAX_OBJECTS": str(config.validation.max_objects),
        "MODEL_GROUP_PREFIX": registry.group_prefix(config),
        "JOB_PREFIX": config.named(""),
    }
    if (size := _size(environment)) > ENVIRONMENT_LIMIT:
        raise ConfigError(
            f"{config.source}: datasets take too much room: with them the variables of the function init are "
            f"{size:,} bytes, of {ENVIRONMENT_LIMIT:,}; name fewer datasets, columns, monitors or alarms, "
            "or shorter ones"
        )
    return environment


def _size(environment: Mapping[str, Any]) -> int:
    """Return how many bytes Lambda counts, at most: a quotation mark in a value is two."""
    longest = {
        name: "x" * LONGEST[value.data["Ref"]] if isinstance(value, Ref) else value
        for name, value in environment.items()
    }
    return len(_json(longest))


def _pace(config: Config) -> dict[str, Any]:
    return {
        "bytes_per_second": PACE,
        "target_seconds": config.validation.target_minutes * 60,
        "most_children": config.validation.most_children,
    }


def _dataset(dataset: Dataset) -> dict[str, Any]:
    """Return what Init is told of a dataset; what it has not is left out, for there is little room."""
    more = {
        "drop": dataset.drop,
        "delimiter": dataset.delimiter,
        "schema": dataset.schema is not None,
        "monitors": dataset.monitors,
        "alarms": dataset.alarms,
        "marker": dataset.marker,
        "scheduled": dataset.schedule is not None,
        "days_back": dataset.days_back,
        "time_zone": dataset.time_zone if dataset.time_zone != UTC else None,
    }
    told = {key: value for key, value in more.items() if value}
    return {"name": dataset.name, "label": dataset.label, **told}


def _init_statements(config: Config) -> Iterable[Statement]:
    claims = ("triggers/*", "locks/*")
    manifest = f"runs/*/{MANIFEST}"
    return [
        access.list_objects(PIPELINE_BUCKET, "data/*", "runs/*", "accepted/*", "withdrawn/*", *claims),
        access.read_objects(PIPELINE_BUCKET, manifest, "accepted/*", *claims),
        access.write_objects(PIPELINE_BUCKET, manifest, *claims),
        access.allow(
            [states.DescribeExecution], access.local("states", f"execution:{config.named('pipeline')}:*")
        ),
        *registry.find_champion(config),
        *_read_monitors(config),
    ]


def _read_monitors(config: Config) -> Iterable[Statement]:
    if any(dataset.monitors for dataset in config.datasets):
        yield access.allow(
            [sagemaker.DescribeProcessingJob], access.local("sagemaker", "processing-job/model-monitoring-*")
        )


def _evaluate_statements(config: Config) -> Iterable[Statement]:
    return [
        access.read_objects(PIPELINE_BUCKET, f"runs/*/{MANIFEST}", "training/*"),
        access.list_objects(PIPELINE_BUCKET, "data/*", "runs/*", "training/*"),
        *registry.find_champion(config),
    ]


def _step(
    config: Config,
    *,
    name: str,
    package: str,
    environment: Mapping[str, Any],
    statements: Iterable[Statement],
    timeout_seconds: int,
    memory: int,
) -> Step:
    title = name.capitalize()
    logs = LogGroup(
        f"{title}Logs",
        LogGroupName=f"/aws/lambda/{config.named(name)}",
        RetentionInDays=config.retention.log_days,
    )
    role = access.role(
        f"{title}Role",
        access.trust_functions(),
        f"What the function {name} may do",
        [*statements, access.write_logs(GetAtt(logs, "Arn"))],
    )
    settings = {
        "FunctionName": config.named(name),
        "Handler": f"{name}.main.handler",
        "Runtime": RUNTIME,
        "Architectures": ["x86_64"],
        "Role": GetAtt(role, "Arn"),
        "Timeout": timeout_seconds,
        "MemorySize": memory,
        **(_variables(config, environment) if environment else {}),
        "LoggingConfig": LoggingConfig(LogGroup=Ref(logs)),
        "Code": Code(S3Bucket=Ref(ARTIFACT_BUCKET), S3Key=Ref(package)),
    }
    description = _description(package, environment, settings)
    function = Function(f"{title}Function", Description=description, **settings)
    return Step(logs=logs, role=role, function=function, version=_version(title, function, description))


def _variables(config: Config, environment: Mapping[str, Any]) -> dict[str, Any]:
    return {"Environment": Environment(Variables=dict(environment)), **by_key(config, "KmsKeyArn")}


def _version(title: str, function: Function, description: Sub) -> Version:
    return Version(
        f"{title}Version",
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        FunctionName=Ref(function),
        Description=description,
    )


def _description(package: str, environment: Mapping[str, Any], settings: Mapping[str, Any]) -> Sub:
    """Name all that a version depends on: parameters by value, the rest by a hash of the template's text."""
    parameters = [package, *(value.data["Ref"] for value in environment.values() if isinstance(value, Ref))]
    text = json.dumps(encode_to_dict(dict(settings)), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Sub(" ".join([*(f"${{{name}}}" for name in parameters), digest]))


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
