"""A release, as CodeBuild makes one, with nothing but the credentials of the release build's role.

The commands are those of `make release`; a script stands in for the container engine and pushes by the calls
of ECR that an engine makes. Every call is held against the role's policy. What CloudFormation makes under the
deployment role is not: the emulator makes it as root, and `test_deployment` judges that role by the schemas.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from build import package
from build.aws import connect
from build.aws.cloudformation import Target, Template
from build.aws.ecr import Manifest
from build.deploy import Deployer, Planner
from build.execute import always, carry_out
from build.patience import Patience
from build.plan import make
from build.rehearsal import folder
from build.rehearsal.cloud import Cloud, Environments, running
from templates.config import Config
from tests.configuration import PATH, configuration
from tests.functional.test_choices import ROOT, Plans
from tests.unused_permissions import NO_RELEASE

pytestmark = pytest.mark.xdist_group("release")

CONNECTION = "arn:aws:codeconnections:us-east-1:000000000000:connection/2b6f1c1e-0000-4000-8000-000000000000"

ENGINE = """#!{python}
import hashlib, json, sys
import boto3

if sys.argv[1] == "login":
    sys.stdin.read()
if sys.argv[1] == "push":
    name, _, tag = sys.argv[2].partition("/")[2].partition(":")
    ecr, layer = boto3.client("ecr"), b"layer"
    digest = "sha256:" + hashlib.sha256(layer).hexdigest()
    ecr.batch_check_layer_availability(repositoryName=name, layerDigests=[digest])
    upload = ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
    part = {{"partFirstByte": 0, "partLastByte": len(layer) - 1, "layerPartBlob": layer}}
    ecr.upload_layer_part(repositoryName=name, uploadId=upload, **part)
    ecr.complete_layer_upload(repositoryName=name, uploadId=upload, layerDigests=[digest])
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {{"schemaVersion": 2, "mediaType": kind, "layers": [{{"digest": digest, "size": len(layer)}}]}}
    ecr.put_image(
        repositoryName=name, imageManifest=json.dumps(manifest), imageManifestMediaType=kind, imageTag=tag
    )
"""


@dataclass(frozen=True, slots=True)
class Account:
    """An account whose administrators have deployed the delivery stack and own the deployment role."""

    cloud: Cloud
    logs: Path
    config: Config
    outputs: Mapping[str, str]
    environment: Mapping[str, str]
    """Of the release build: the credentials of its role, and what CodeBuild is told."""

    def client(self, service: str) -> Any:
        """A client of the root user."""
        return client(self.cloud, service)

    def role(self, logical_id: str) -> str:
        return role_of(self.cloud, self.config, logical_id)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of `make release`."""
        return subprocess.run(
            [sys.executable, "-m", "build", *arguments, "--config", str(PATH)],
            cwd=ROOT,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )

    def deploy(self, image: str) -> subprocess.CompletedProcess[str]:
        return self.run("deploy", "pipeline", "--stage", "dev", "--image", image, "--yes")

    def another_image(self) -> str:
        """The URI of an image that somebody has pushed."""
        uri, name = self.outputs["ValidatorRepositoryUri"], uuid4().hex
        manifest = Manifest(f"sha256:{name * 2}", name, "application/x")
        connect(self.cloud.settings).ecr.put(uri.partition("/")[2], manifest, f"build-{name}")
        return f"{uri}@{manifest.digest}"

    def calls(self, role: str) -> list[dict[str, Any]]:
        """What a role asked for so far."""
        lines = (self.logs / "permissions.jsonl").read_text(encoding="utf-8").splitlines()
        return [call for call in map(json.loads, lines) if call["who"] == self.role(role)]

    def policy(self, logical_id: str) -> tuple[str, list[dict[str, Any]]]:
        """The name and the statements of a role's one policy."""
        iam, role = self.client("iam"), self.role(logical_id)
        (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        return name, document["Statement"]

    def give(self, logical_id: str, name: str, statements: list[dict[str, Any]]) -> None:
        """Put another policy in the place of a role's own."""
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        role = self.role(logical_id)
        self.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    @contextmanager
    def without(self, action: str) -> Iterator[None]:
        """Take an action away from the release build's role for a while."""
        name, statements = self.policy("ReleaseBuildRole")
        poorer = [{**each, "Action": [one for one in each["Action"] if one != action]} for each in statements]
        self.give("ReleaseBuildRole", name, [each for each in poorer if each["Action"]])
        try:
            yield
        finally:
            self.give("ReleaseBuildRole", name, statements)


def client(cloud: Cloud, service: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=cloud.endpoint_url, region_name="us-east-1", **keys)


def role_of(cloud: Cloud, config: Config, logical_id: str) -> str:
    found = client(cloud, "cloudformation").describe_stack_resource(
        StackName=config.named("delivery"), LogicalResourceId=logical_id
    )
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def trust(principal: Mapping[str, str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": dict(principal), "Action": "sts:AssumeRole"}


def deployment_role(cloud: Cloud, config: Config) -> str:
    """The ARN of the role that CloudFormation takes, deployed as docs/security.md says."""
    aws, stack = connect(cloud.settings), config.named("deployment")
    body = (ROOT / "docs/deployment-role.json").read_text(encoding="utf-8")
    patience = Patience(deadline=60, first=0.05, longest=0.5)
    plan = make(aws.cloudformation, Target(stack, Template(body=body), {"Stage": config.stage}), patience)
    return carry_out(aws.cloudformation, plan, Plans(), always, patience)["DeploymentRoleArn"]


def credentials(cloud: Cloud, role: str) -> dict[str, str]:
    """A session of a role, which CodeBuild would get: here the root user takes it in its place."""
    iam = client(cloud, "iam")
    found = iam.get_role(RoleName=role)["Role"]
    root = trust({"AWS": "arn:aws:iam::000000000000:root"})
    document = {"Statement": [*found["AssumeRolePolicyDocument"]["Statement"], root]}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))
    keys = client(cloud, "sts").assume_role(RoleArn=found["Arn"], RoleSessionName="release")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    place = folder.create(tmp_path_factory.mktemp("release"), "release")
    engine = place.path / "engine"
    engine.write_text(ENGINE.format(python=sys.executable), encoding="utf-8")
    engine.chmod(0o755)
    config = configuration()
    with running(ROOT, place, Environments.below(ROOT, Path(sys.executable)), faults=()) as cloud:
        role = deployment_role(cloud, config)
        given = {
            "SourceURL": "https://github.com/example/sluice",
            "ConnectionArn": CONNECTION,
            "DeploymentRoleArn": role,
        }
        patience = Patience(deadline=120, first=0.05, longest=0.5)
        planner = Planner(connect(cloud.settings), config, package.collect(config, ROOT), patience, given)
        outputs = Deployer(planner, Plans(), always).delivery()
        environment = {
            **{name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ},
            **credentials(cloud, role_of(cloud, config, "ReleaseBuildRole")),
            "AWS_ENDPOINT_URL": cloud.endpoint_url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "DEPLOYMENT_ROLE_ARN": role,
            "DOCKER": str(engine),
        }
        yield Account(cloud, place.logs, config, outputs, environment)


@pytest.fixture(scope="module")
def released(account: Account) -> str:
    """The image that was released, by digest: made, deployed, deployed again unchanged."""
    for project in ("check", "release"):
        account.client("codebuild").start_build(projectName=account.config.named(project))
    image = account.run("image", "--stage", "dev")
    assert image.returncode == 0, image.stderr
    for _ in range(2):
        deployed = account.deploy(image.stdout.strip())
        assert deployed.returncode == 0, deployed.stderr
    return image.stdout.strip()


def test_a_release_asks_for_nothing_that_aws_would_refuse(account: Account, released: str) -> None:
    deployed = account.deploy(account.another_image())
    assert deployed.returncode == 0, deployed.stderr
    assert released.startswith(account.outputs["ValidatorRepositoryUri"])
    refused = [call for call in account.calls("ReleaseBuildRole") if call["decision"] != "Allow"]
    assert refused == []


@pytest.mark.parametrize("role", ["CheckBuildRole", "ReleaseBuildRole"])
def test_what_a_build_may_do_it_does_or_there_is_a_reason(account: Account, released: str, role: str) -> None:
    _, statements = account.policy(role)
    held = {action for statement in statements for action in statement["Action"]}
    used = {call["action"] for call in account.calls(role) if call["decision"] == "Allow"}
    assert {(role, action) for action in held - used} == {key for key in NO_RELEASE if key[0] == role}


@pytest.mark.parametrize(
    "action",
    [
        "iam:PassRole",
        "s3:GetObject",
        "s3:PutObject",
        "cloudformation:CreateChangeSet",
        "cloudformation:DescribeChangeSet",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:GetTemplate",
        "ecr:PutImage",
    ],
)
def test_a_release_that_may_not_do_it_ends_in_one_line(account: Account, released: str, action: str) -> None:
    image = account.another_image()
    with account.without(action):
        refused = account.deploy(image)
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
    calls = account.calls("ReleaseBuildRole")
    assert action in {call["action"] for call in calls if call["decision"] == "ImplicitDeny"}


def test_cloudformation_takes_no_role_that_does_not_trust_it(account: Account, released: str) -> None:
    iam, role = account.client("iam"), account.environment["DEPLOYMENT_ROLE_ARN"].rpartition("/")[2]
    kept = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    other = {"Version": "2012-10-17", "Statement": [trust({"Service": "lambda.amazonaws.com"})]}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(other))
    refused = account.deploy(account.another_image())
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(kept))
    assert refused.returncode != 0
    assert f"cloudformation may not take the role {role}" in refused.stderr
