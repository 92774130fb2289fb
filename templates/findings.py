"""Findings of checkov that are accepted, each with its reason, kept in the template beside the resource.

Whoever runs checkov over a rendered template sees the reasons too. A finding that is not here is a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from troposphere import AWSObject, ecr, glue
from troposphere.awslambda import Function
from troposphere.logs import LogGroup
from troposphere.sns import Topic
from troposphere.sqs import Queue

from templates.config import Config

FUNCTION: Final = {
    "CKV_AWS_115": "A share kept for it is taken from the account's; the state machine bounds how many run.",
    "CKV_AWS_116": "The state machine calls it and waits: what fails is caught there, nothing is left over.",
    "CKV_AWS_117": "It calls AWS only, and listens to nobody.",
}

BUCKET: Final = {
    "CKV_AWS_18": "Who read what is CloudTrail's to tell, by data events, for all buckets of an account.",
}

BY_TITLE: Final[Mapping[str, Mapping[str, str]]] = {
    "InitFunction": FUNCTION,
    "EvaluateFunction": FUNCTION,
    "PipelineBucket": BUCKET,
    "ArtifactBucket": BUCKET,
    "Cluster": {
        "CKV_AWS_65": "Container Insights cost by the metric; tasks are short and tell of themselves."
    },
}
"""Title of a resource -> check -> why its finding is accepted."""

BY_CHOICE: Final = "Encrypted by a key of AWS's; customer_managed_key = true gives it one of your own."

WITHOUT_KEY: Final[Mapping[type[AWSObject], str]] = {
    LogGroup: "CKV_AWS_158",
    Topic: "CKV_AWS_26",
    Queue: "CKV_AWS_27",
    ecr.Repository: "CKV_AWS_136",
    glue.Job: "CKV_AWS_195",
    Function: "CKV_AWS_173",
}
"""Kind of resource -> the check that asks for a customer-managed key."""


def accept(config: Config, resources: Iterable[AWSObject]) -> None:
    """Write down with each resource which findings are accepted, and why."""
    for resource in resources:
        reasons = dict(BY_TITLE.get(resource.title, {}))
        if not config.customer_managed_key and (check := WITHOUT_KEY.get(type(resource))):
            reasons[check] = BY_CHOICE
        if reasons:
            resource.Metadata = {"checkov": {"skip": list(map(_skip, reasons.items()))}}


def _skip(reason: tuple[str, str]) -> dict[str, Any]:
    check, comment = reason
    return {"id": check, "comment": comment}
