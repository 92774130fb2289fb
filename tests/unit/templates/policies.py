"""The policies of the templates as IAM would see them: each reference resolved to a sample of what it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tests.unit.templates.variants import ROOT, Variant, variants

DEPLOYMENT: Final = ROOT / "docs/deployment-role.json"
"""The stack of the role that deploys the pipeline."""

ACCOUNT: Final = "123456789012"
HERE: Final = f"us-east-1:{ACCOUNT}"
IDENTIFIER: Final = "00000000-0000-4000-8000-000000000000"

PSEUDO: Final[Mapping[str, str]] = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "sluice",
    "AWS::URLSuffix": "amazonaws.com",
}

PARAMETERS: Final[Mapping[str, str]] = {
    "ArtifactBucketName": "artifact-bucket",
    "ArtifactKeyArn": f"arn:aws:kms:{HERE}:key/{IDENTIFIER}",
    "CheckConnectionArn": f"arn:aws:codeconnections:{HERE}:connection/{IDENTIFIER}",
    "ConnectionArn": f"arn:aws:codeconnections:{HERE}:connection/{IDENTIFIER}",
    "PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    "Stage": "dev",
    "DeploymentRoleArn": f"arn:aws:iam::{ACCOUNT}:role/deployment",
}

ARNS: Final[Mapping[str, str]] = {
    "AWS::ECR::Repository": f"arn:aws:ecr:{HERE}:repository/{{0}}",
    "AWS::ECS::Cluster": f"arn:aws:ecs:{HERE}:cluster/{{0}}",
    "AWS::Events::Rule": f"arn:aws:events:{HERE}:rule/{{0}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{0}}",
    "AWS::KMS::Key": f"arn:aws:kms:{HERE}:key/{IDENTIFIER}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{HERE}:log-group:{{0}}:*",
    "AWS::SNS::Topic": f"arn:aws:sns:{HERE}:{{0}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{HERE}:{{0}}",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{HERE}:stateMachine:{{0}}",
}
"""Type of resource -> what its ARN looks like."""

REF_IS_ARN: Final = frozenset({"AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"})

Template = Mapping[str, Any]


def resolved(value: Any, template: Template) -> Any:
    """Return a value with samples in the place of CloudFormation's functions; every condition holds.

    Raises:
        KeyError: Something is referred to that has no sample yet: add it above.
    """
    match value:
        case list():
            value = [resolved(item, template) for item in value]
        case {"Ref": str(name)}:
            value = _reference(name, template)
        case {"Fn::GetAtt": [str(name), "Arn"]}:
            value = ARNS[template["Resources"][name]["Type"]].format(name)
        case {"Fn::If": [str(), chosen, _]}:
            value = resolved(chosen, template)
        case {"Fn::Sub": [str(pattern), dict(given)]}:
            value = _filled(pattern, template, dict.fromkeys(given, ACCOUNT))
        case {"Fn::Sub": str(pattern)}:
            value = _filled(pattern, template, {})
        case dict():
            value = {key: resolved(item, template) for key, item in value.items()}
    return value


def _filled(pattern: str, template: Template, given: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return given[match[1]] if match[1] in given else _reference(match[1], template)

    return re.sub(r"\$\{([\w:]+)\}", value, pattern)


def _reference(name: str, template: Template) -> str:
    if name in PSEUDO:
        return PSEUDO[name]
    if name in template["Parameters"]:
        return PARAMETERS[name]
    kind = template["Resources"][name]["Type"]
    return ARNS[kind].format(name) if kind in REF_IS_ARN else name.lower()


def policies(variant: Variant) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each role's policy, by the role's name."""
    template = json.loads(variant.render())
    for title, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            (policy,) = resource["Properties"]["Policies"]
            yield title, resolved(policy["PolicyDocument"], template)


def of_deployment() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the policies of the role that deploys the pipeline, by their names."""
    template = json.loads(DEPLOYMENT.read_text(encoding="utf-8"))
    for title, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            yield title, resolved(resource["Properties"]["PolicyDocument"], template)


def write(folder: Path) -> None:
    """Write the policies of all variants, equal ones once, and those of the deployment role."""
    folder.mkdir(parents=True, exist_ok=True)
    seen: set[str] = set()
    for variant in variants():
        for title, policy in policies(variant):
            text = json.dumps(policy, indent=2)
            if text not in seen:
                seen.add(text)
                (folder / f"{variant}.{title}.json").write_text(text, encoding="utf-8")
    for title, policy in of_deployment():
        (folder / f"deployment.{title}.json").write_text(json.dumps(policy, indent=2), encoding="utf-8")
