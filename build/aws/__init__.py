"""The one door to boto3, split by service; `connect` is the only place that makes clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from build.aws.batch import Batch
from build.aws.cloudformation import CloudFormation
from build.aws.ec2 import Ec2
from build.aws.ecr import Ecr
from build.aws.faults import asking, refuse_pages
from build.aws.messaging import EventBridge, Sns, Sqs
from build.aws.s3 import S3
from build.aws.stepfunctions import StepFunctions
from build.errors import UserError
from build.settings import Settings

__all__ = ["Aws", "connect"]


@dataclass(frozen=True, slots=True)
class Aws:
    """The services this tooling speaks to, in one account and region."""

    batch: Batch
    cloudformation: CloudFormation
    s3: S3
    ec2: Ec2
    ecr: Ecr
    stepfunctions: StepFunctions
    eventbridge: EventBridge
    sns: Sns
    sqs: Sqs


def connect(settings: Settings | None = None) -> Aws:
    """Make the clients; what the settings leave open boto3 finds (environment, profile, role).

    Raises:
        UnavailableError: This machine has no region or no such profile.
        UserError: The region or the endpoint cannot be one.
    """
    with asking("connect to AWS"):
        try:
            return _clients(settings or Settings())
        except ValueError as error:
            hint = "look at AWS_REGION and AWS_ENDPOINT_URL"
            raise UserError(f"cannot connect to AWS: {error}; {hint}") from error


def _clients(given: Settings) -> Aws:
    keys = given.credentials
    session = boto3.Session(
        region_name=given.region,
        aws_access_key_id=keys.access_key_id if keys else None,
        aws_secret_access_key=keys.secret_access_key if keys else None,
    )
    session.events.register("before-parse", refuse_pages)
    retries = Config(retries={"mode": "standard", "max_attempts": 5})

    def client(service: str) -> Any:
        made = session.client(service, endpoint_url=given.endpoint_url, config=retries)
        # Wherever the endpoint was found, botocore looks at its port when it is asked, not before.
        _ = urlsplit(made.meta.endpoint_url).port
        return made

    return Aws(
        batch=Batch(client("batch")),
        cloudformation=CloudFormation(client("cloudformation")),
        s3=S3(client("s3")),
        ec2=Ec2(client("ec2")),
        ecr=Ecr(client("ecr")),
        stepfunctions=StepFunctions(client("stepfunctions")),
        eventbridge=EventBridge(client("events")),
        sns=Sns(client("sns")),
        sqs=Sqs(client("sqs")),
    )
