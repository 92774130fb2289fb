"""The role that CloudFormation deploys the pipeline under, as a stack of its own that administrators deploy.

    python -m tests.unit.templates.deployment > docs/deployment-role.json      # make docs

What the role may do is what CloudFormation's own schemas, which cfn-lint brings along, say that it calls for
each type of the pipeline; less what belongs to features that the pipeline does not use.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from templates.command import refusing
from tests.unit.templates.variants import ROOT, variants

ASK: Final = """
import json, sys
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as schemas
kinds = json.load(sys.stdin)
found = {kind: schemas.get_resource_schema("us-east-1", kind).schema["handlers"] for kind in kinds}
done = ("create", "read", "update", "delete")
json.dump({kind: [action for name in done for action in said.get(name, {}).get("permissions", ())]
           for kind, said in found.items()}, sys.stdout)
"""

ELSEWHERE: Final = "of a service or feature that the pipeline has nothing of"
NO_SETTING: Final = "of a setting that the template does not have"

NOT_USED: Final[Mapping[str, str]] = {
    "(autoscaling|eks|elasticfilesystem|firehose|s3files|s3tables|vpc-lattice|vpce):.*": ELSEWHERE,
    r"ec2:(\w*VpnGateways?|DescribeLaunchTemplateVersions)": ELSEWHERE,
    r"ec2:(\w+EncryptionControls?|ModifyVpcTenancy|(Ass|Disass)ociateSubnetCidrBlock)": NO_SETTING,
    r"logs:(Put|Delete)(Bearer|DataProtection|Index|LogGroupDeletion|Resource)\w+": NO_SETTING,
    "logs:(Create|Delete)LogDelivery": "the state machine's own role has its log delivered",
    r"s3:(REST\.PUT\.OBJECT|DeleteBucket(Encryption|Lifecycle))": "no action of IAM's",
    r"s3:(Put|Delete)(Bucket)?(Abac|Accelerate|Acl|Analytics|CORS|Cors|Intelligent)\w*": NO_SETTING,
    r"s3:(Put|Delete)(Bucket)?(Inventory|Logging|Metrics|Object|Replication|Website)\w*": NO_SETTING,
    r"s3:(Create|Delete|Update)BucketMetadata\w+": NO_SETTING,
    r"lambda:(Put|Delete)\w*(CodeSigning|Concurrency|Recursion|Scaling|Runtime)\w*": NO_SETTING,
    "lambda:(AssociateRuntimeAlias|GetCodeSigningConfig|GetLayerVersion|PassCapacityProvider)": NO_SETTING,
    "sns:PutDataProtectionPolicy": NO_SETTING,
    "sagemaker:PutModelPackageGroupPolicy": NO_SETTING,
    "batch:SetCapacityTags": NO_SETTING,
    "batch:UnTagResource": "misspelt: batch:UntagResource is there",
    r"ecs:PutAccountSetting\w*": "of the whole account",
    "iam:CreateServiceLinkedRole": "once per account: README.md has the commands",
    "iam:(Attach|Detach)RolePolicy": "roles have inline policies and no other",
    "iam:DeleteRolePermissionsBoundary": "a boundary stays, but for whoever set it",
    r"kms:(ScheduleKeyDeletion|Disable\w+)": "keys stay; if its creation fails, an administrator deletes it",
}
"""Pattern of actions that the schemas name and the role does not have -> why."""

STAGE: Final = "sluice-${Stage}"
NAMED: Final[Mapping[str, tuple[str, ...]]] = {
    "batch": ("compute-environment/*", f"job-queue/{STAGE}-*", f"job-definition/{STAGE}-*"),
    "cloudwatch": (f"alarm:{STAGE}-*",),
    "ecs": (f"cluster/{STAGE}-*", f"task-definition/{STAGE}-*"),
    "events": (f"rule/{STAGE}-*",),
    "glue": (f"job/{STAGE}-*",),
    "kms": ("key/*", f"alias/{STAGE}-*"),
    "lambda": (f"function:{STAGE}-*",),
    "logs": (
        "log-group:/sluice/${Stage}/*",
        f"log-group:/aws/lambda/{STAGE}-*",
        f"log-group:/aws/vendedlogs/states/{STAGE}-*",
    ),
    "sagemaker": (f"model-package-group/{STAGE}-*",),
    "scheduler": (f"schedule/default/{STAGE}-*",),
    "sns": (f"{STAGE}-*",),
    "sqs": (f"{STAGE}-*",),
    "states": (f"stateMachine:{STAGE}-*",),
}
"""Service -> what the pipeline calls its resources, as ARNs of the account's own region end."""

WITHOUT_REGION: Final[Mapping[str, tuple[str, ...]]] = {
    "cloudwatch": (f"arn:${{AWS::Partition}}:cloudwatch::${{AWS::AccountId}}:dashboard/{STAGE}-*",),
    "iam": (f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{STAGE}-pipeline-*",),
    "s3": (f"arn:${{AWS::Partition}}:s3:::{STAGE}-pipeline-*",),
}

NAMELESS: Final = re.compile(
    r"ec2:.*|(batch|logs):Describe.*|cloudwatch:DescribeAlarms"
    r"|ecs:(DescribeTaskDefinition|DeregisterTaskDefinition|DescribeCapacityProviders|CreateCluster)"
    r"|glue:\w*SecurityConfiguration|sns:(Unsubscribe|[GS]etSubscriptionAttributes)|lambda:GetFunctionScalingConfig"
)
"""Actions of which AWS knows no narrower resource, or of resources whose names AWS gives."""

POLICIES: Final[Mapping[str, tuple[str, ...]]] = {
    "DeployCompute": ("batch", "ecs", "glue", "lambda", "sagemaker", "scheduler", "states"),
    "DeploySurroundings": ("cloudwatch", "ec2", "events", "logs", "s3", "sns", "sqs"),
}
"""Managed policy -> its services; one alone would be too long for IAM."""

UNBOUND: Final[Mapping[str, str]] = {
    "DeployCompute": "ECS and Glue know no resource of what makes clusters and takes definitions back.",
    "DeploySurroundings": "EC2 names its resources itself, when it has made them.",
}
"""Managed policy -> why it may write to what it does not name."""

GRANTING: Final = frozenset({"iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"})
HANDING: Final = frozenset({"iam:PassRole"})
TAKEN: Final = ("ecs-tasks", "events", "glue", "lambda", "scheduler", "states", "vpc-flow-logs")
"""Services that the template hands a role to."""

CODE: Final = frozenset({"s3:GetObject", "s3:GetObjectVersion"})

BEFORE_ITS_ALIAS: Final = re.compile(
    r"kms:(DescribeKey|EnableKeyRotation|Get\w+|ListResourceTags|TagResource)"
)
USE: Final = re.compile("kms:(CreateGrant|Decrypt|Encrypt|GenerateDataKey)")


def kinds() -> list[str]:
    """Return the types of the pipeline stack, whatever is chosen."""
    rendered = (json.loads(each.render()) for each in variants() if each.stack == "pipeline")
    return sorted({each["Type"] for template in rendered for each in template["Resources"].values()})


@cache
def called() -> Mapping[str, frozenset[str]]:
    """Return what CloudFormation calls for each type, whatever its resources are like."""
    python = ROOT / ".venv-linters/bin/python"
    said = subprocess.run(
        [python, "-c", ASK], input=json.dumps(kinds()), capture_output=True, text=True, check=True
    )
    every = json.loads(said.stdout).items()
    return {kind: frozenset(map(_spelt, actions)) for kind, actions in every}


def _spelt(action: str) -> str:
    """Return an action with its service as IAM spells it: some schemas have capitals."""
    service, _, name = action.partition(":")
    return f"{service.lower()}:{name}"


def needed() -> frozenset[str]:
    """Return what the role has to be allowed."""
    every = {action for actions in called().values() for action in actions}
    return frozenset(action for action in every if not any(re.fullmatch(each, action) for each in NOT_USED))


def template() -> dict[str, Any]:
    """Return the stack: the role, what it may do, and its ARN."""
    always = [{"Ref": title} for title in (*POLICIES, "DeployRoles")]
    return {
        "Description": "Sluice: the role that CloudFormation deploys the pipeline of a stage under",
        "Parameters": _parameters(),
        "Conditions": {
            "HasPermissionsBoundary": {"Fn::Not": [{"Fn::Equals": [{"Ref": "PermissionsBoundaryArn"}, ""]}]},
            "HasKey": {"Fn::Equals": [{"Ref": "CustomerManagedKey"}, "true"]},
        },
        "Resources": {
            **{
                title: {**_policy(_of_services(services)), "Metadata": _accepted(UNBOUND[title])}
                for title, services in POLICIES.items()
            },
            "DeployRoles": _policy(_of_roles()),
            "DeployKeys": {**_policy(_of_keys()), "Condition": "HasKey"},
            "DeploymentRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "Description": "What CloudFormation may do to deploy the pipeline",
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [_trust()]},
                    "ManagedPolicyArns": [
                        *always,
                        {"Fn::If": ["HasKey", {"Ref": "DeployKeys"}, {"Ref": "AWS::NoValue"}]},
                    ],
                },
            },
        },
        "Outputs": {
            "DeploymentRoleArn": {
                "Description": "DeploymentRoleArn of the delivery stack, DEPLOYMENT_ROLE_ARN of make deploy",
                "Value": {"Fn::GetAtt": ["DeploymentRole", "Arn"]},
            }
        },
    }


def _parameters() -> dict[str, Any]:
    return {
        "Stage": {"Type": "String", "Description": "Stage", "AllowedPattern": "[a-z][a-z0-9-]*"},
        "PermissionsBoundaryArn": {
            "Type": "String",
            "Description": "Managed policy without which no role can be made or changed; empty means none",
            "Default": "",
            "AllowedPattern": r"|arn:[\w-]+:iam::(\d{12}|aws):policy/[\w+=,.@/-]+",
        },
        "CustomerManagedKey": {
            "Type": "String",
            "Description": "Whether customer_managed_key is chosen",
            "Default": "false",
            "AllowedValues": ["false", "true"],
        },
    }


def _trust() -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "cloudformation.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }


def _policy(statements: Iterator[dict[str, Any]]) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}


def _accepted(reason: str) -> dict[str, Any]:
    return {"checkov": {"skip": [{"id": "CKV_AWS_111", "comment": reason}]}}


def _of_services(services: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    nameless = []
    for service in services:
        actions = {each for each in needed() - CODE if each.startswith(f"{service}:")}
        nameless += [each for each in actions if NAMELESS.fullmatch(each)]
        if named := actions.difference(nameless):
            yield _allow(named, *_arns(service))
    yield _allow(nameless, "*", Sid="NothingNarrowerToName")
    if "lambda" in services:
        yield _allow(CODE, _arn(f"arn:${{AWS::Partition}}:s3:::{STAGE}-delivery-*/packages/*"))


def _of_roles() -> Iterator[dict[str, Any]]:
    every = {each for each in needed() if each.startswith("iam:")}
    roles = _arns("iam")
    bounded = {"ArnEquals": {"iam:PermissionsBoundary": {"Ref": "PermissionsBoundaryArn"}}}
    within = {"Fn::If": ["HasPermissionsBoundary", bounded, {"Ref": "AWS::NoValue"}]}
    services = [f"{service}.amazonaws.com" for service in TAKEN]
    yield _allow(every - GRANTING - HANDING, *roles)
    yield _allow(GRANTING, *roles, Condition=within)
    yield _allow(HANDING, *roles, Condition={"StringEquals": {"iam:PassedToService": services}})


def _of_keys() -> Iterator[dict[str, Any]]:
    """Yield what keys take: they have no names but aliases, and those come after them."""
    every = {each for each in needed() if each.startswith("kms:")}
    key, alias = _arns("kms")
    nameless, aliasing = {"kms:CreateKey", "kms:ListAliases"}, {each for each in every if "Alias" in each}
    before, using = (set(filter(pattern.fullmatch, every)) for pattern in (BEFORE_ITS_ALIAS, USE))
    aliasing -= nameless
    yield _allow(nameless, "*", Sid="NothingNarrowerToName")
    yield _allow(aliasing, key, alias)
    yield _allow(before, key)
    by_services = {"StringLike": {"kms:ViaService": _arn("*.${AWS::Region}.amazonaws.com")}}
    yield _allow(using, key, Condition=by_services)
    own = {"ForAnyValue:StringLike": {"kms:ResourceAliases": _arn(f"alias/{STAGE}-*")}}
    yield _allow(every - nameless - aliasing - before - using, key, Condition=own)


def _arns(service: str) -> list[dict[str, str]]:
    here = f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:"
    regional = (f"{here}{name}" for name in NAMED.get(service, ()))
    return [_arn(each) for each in (*regional, *WITHOUT_REGION.get(service, ()))]


def _arn(pattern: str) -> dict[str, str]:
    return {"Fn::Sub": pattern}


def _allow(actions: Iterable[str], *resources: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": list(resources), **more}


def text() -> str:
    """Return the stack as it lies in docs/."""
    return json.dumps(template(), indent=2) + "\n"


if __name__ == "__main__":
    with refusing():
        sys.stdout.write(text())
