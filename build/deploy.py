"""The order of a deployment: delivery first, its outputs and the packages into the pipeline.

The only place that knows this order. Each stack goes plan -> approval -> execute -> events -> outputs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from build import image, package, plan
from build.aws import Aws
from build.aws.cloudformation import CloudFormation, Target, Template
from build.errors import PlatformError, UserError
from build.execute import Approve, Events, always, carry_out, clear_failed_creation
from build.package import Packages
from build.patience import Patience
from build.plan import Plan
from templates.config import Config

IMAGE_PARAMETER: Final = "ValidatorImageURI"

_BY_DIGEST: Final = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Deployment:
    """What stands after a deployment: the outputs of both stacks."""

    delivery: Mapping[str, str]
    pipeline: Mapping[str, str]


def deploy(
    aws: Aws,
    config: Config,
    *,
    image_of: Callable[[Mapping[str, str]], str],
    root: Path,
    out: Events,
    approve: Approve = always,
    patience: Patience | None = None,
    given: Mapping[str, str] | None = None,
) -> Deployment:
    """Deploy both stacks: delivery, then what it makes room for.

    Args:
        aws: Where to.
        config: What.
        image_of: Given the delivery stack's outputs, returns the validator's image, by digest.
        root: Folder that holds the steps' code and the schemas.
        out: Is told of plans, uploads and stack events.
        approve: Is asked before a plan is executed.
        patience: How long a stack may take.
        given: Parameters that a person would give by hand.

    Raises:
        DeclinedError: A plan was not approved.
        StackFailedError: A stack failed; names the first resource to fail. A failed creation is gone again.
        UserError: A package cannot be made.
        PlatformError: AWS refused something.
    """
    planner = Planner(aws, config, package.collect(config, root), patience or Patience(), given or {})
    deployer = Deployer(planner, out, approve)
    delivery = deployer.delivery()
    return Deployment(delivery, deployer.pipeline(delivery, image_of(delivery)))


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes the plans of both stacks of one configuration.

    Attributes:
        given: Parameters that a person gives by hand, of either stack.
        role: ARN of the role that CloudFormation works under for the pipeline; None: the caller's own.
    """

    aws: Aws
    config: Config
    packages: Packages
    patience: Patience
    given: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None

    def delivery(self) -> Plan:
        """Plan the stack that holds the artifact bucket and the image repository."""
        body, name = self.packages.delivery, self.config.named("delivery")
        return self._make(Target(name, Template(body=body), self._values(name, body, {})))

    def pipeline(self, delivery: Mapping[str, str], image_uri: str) -> Plan:
        """Plan the stack that runs the packages.

        Its template is uploaded, which is harmless: a body this long reaches CloudFormation by URL only.
        """
        bucket, name = bucket_of(delivery), self.config.named("pipeline")
        key, body = self.packages.released(delivery)
        self.aws.s3.put_new(bucket, key, body)
        values = {
            **self._values(name, self.packages.pipeline, delivery),
            **self.packages.parameters,
            IMAGE_PARAMETER: image_uri,
        }
        return self._make(Target(name, Template(url=self.aws.s3.url(bucket, key)), values, self.role))

    def _values(self, stack: str, body: str, inherited: Mapping[str, str]) -> Mapping[str, str]:
        """A stack's parameters as people chose, give and inherit them, as far as it declares them."""
        known = {**chosen(self.aws.cloudformation, stack), **self.given, **inherited}
        declared = declared_in(body)
        return {name: value for name, value in known.items() if name in declared}

    def _make(self, target: Target) -> Plan:
        return plan.make(self.aws.cloudformation, target, self.patience)


@dataclass(frozen=True, slots=True)
class Deployer:
    """Carries plans out, one stack at a time, in front of whoever watches and approves."""

    planner: Planner
    out: Events
    approve: Approve

    def delivery(self) -> Mapping[str, str]:
        """Deploy the delivery stack; returns its outputs."""
        self._clear("delivery")
        return self._carry_out(self.planner.delivery())

    def pipeline(self, delivery: Mapping[str, str], image_uri: str) -> Mapping[str, str]:
        """Upload the packages, keep the image and deploy the pipeline stack; returns its outputs.

        Raises:
            UserError: There is no such image where the pipeline's tasks may pull from.
        """
        check_home(delivery, image_uri)
        self._clear("pipeline")
        # Before the stack names it, so that nothing it ever names can expire.
        image.keep(self.planner.aws.ecr, image_uri)
        upload(self.planner.aws, bucket_of(delivery), self.planner.packages.objects, self.out)
        return self._carry_out(self.planner.pipeline(delivery, image_uri))

    def _clear(self, stack: str) -> None:
        cloudformation, patience = self.planner.aws.cloudformation, self.planner.patience
        clear_failed_creation(cloudformation, self.planner.config.named(stack), patience)

    def _carry_out(self, made: Plan) -> Mapping[str, str]:
        return carry_out(self.planner.aws.cloudformation, made, self.out, self.approve, self.planner.patience)


def declared_in(body: str) -> frozenset[str]:
    """Names of the parameters that a template declares."""
    return frozenset(json.loads(body).get("Parameters", {}))


def outputs_of(body: str) -> frozenset[str]:
    """Names of the outputs of a template."""
    return frozenset(json.loads(body).get("Outputs", {}))


def check_given(packages: Packages, given: Mapping[str, str]) -> None:
    """Make sure that parameters given by hand exist, and are not ours to fill in.

    Raises:
        UserError: One of them is not.
    """
    ours = {*packages.parameters, IMAGE_PARAMETER, *outputs_of(packages.delivery)}
    free = (declared_in(packages.delivery) | declared_in(packages.pipeline)) - ours
    if unknown := sorted(given.keys() - free):
        raise UserError(f"cannot set parameter {unknown[0]}: take one of {', '.join(sorted(free))}")


def chosen(cloudformation: CloudFormation, stack: str) -> Mapping[str, str]:
    """Deployed parameters that differ from their template's default: a person chose them, so they stay.

    All others follow the defaults of the new template, which the configuration has rendered.
    """
    deployed = cloudformation.stack(stack)
    if deployed is None or not deployed.parameters:
        return {}
    defaults = cloudformation.defaults(stack)
    return {name: value for name, value in deployed.parameters.items() if value != defaults.get(name)}


def upload(aws: Aws, bucket: str, objects: Mapping[str, bytes], out: Events) -> None:
    """Upload what is not there yet; a key carries the hash of its content."""
    for key, body in objects.items():
        if aws.s3.put_new(bucket, key, body):
            out.uploaded(key, len(body))


def check_home(delivery: Mapping[str, str], image_uri: str) -> None:
    """Make sure that an image lies where the roles of the pipeline may pull it from.

    Raises:
        UserError: It lies elsewhere: each task would fail to start.
    """
    home = delivery.get("ValidatorRepositoryUri")
    if image_uri.partition("@")[0] != home:
        raise UserError(f"cannot deploy {image_uri}: the pipeline may pull from {home} alone; push it there")


def bucket_of(delivery: Mapping[str, str]) -> str:
    """The artifact bucket among delivery's outputs."""
    try:
        return delivery["ArtifactBucketName"]
    except KeyError:
        raise PlatformError("the delivery stack has no output ArtifactBucketName; deploy it first") from None


def image_to_deploy(aws: Aws, config: Config, given: str | None) -> str:
    """The image to deploy: the one given, by digest, or the one that is deployed already.

    Raises:
        UserError: It is named by a tag, or there is none; the message tells how to come by one.
    """
    if given is not None:
        return by_digest(given)
    deployed = aws.cloudformation.stack(config.named("pipeline"))
    image = deployed.parameters.get(IMAGE_PARAMETER) if deployed else None
    if not image:
        message = f"cannot deploy {config.named('pipeline')}: it has no validator image yet"
        steps = f"make deploy STACK=delivery STAGE={config.stage}, then make image STAGE={config.stage}"
        raise UserError(f"{message}; make one ({steps}) and give what it prints as IMAGE=URI (--image URI)")
    return image


def by_digest(image_uri: str) -> str:
    """The image's URI when it is named by digest.

    Raises:
        UserError: It is named by a tag, which can move after it was reviewed.
    """
    if not _BY_DIGEST.fullmatch(image_uri):
        message = f"cannot deploy image {image_uri}: it is not named by digest"
        raise UserError(f"{message}; pass REPOSITORY@sha256:..., as make image prints it")
    return image_uri
