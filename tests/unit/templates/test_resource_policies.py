"""What the policies of buckets, topic and queue allow and deny, by the emulator's evaluator; none is idle."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.unit.templates.test_permissions import plain
from tests.unit.templates.variants import Variant

ROOT = Path(__file__).parents[3]
DATA = "arn:${AWS::Partition}:s3:::${PipelineBucket}"
ARTIFACTS = "arn:${AWS::Partition}:s3:::${ArtifactBucket}"
ALARM = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:sluice-dev-dead-letters"
OTHER_ALARM = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:other"
EVENTS, CLOUDWATCH = "events.amazonaws.com", "cloudwatch.amazonaws.com"


class Asked(NamedTuple):
    """A request, and what the resource's own policy says to it; ImplicitDeny leaves it to the role's."""

    policy: str
    who: str
    action: str
    resource: str
    decision: str
    tls: bool = True
    context: Mapping[str, str] = {}


RELEASE = "ReleaseBuildRole.Arn"
CREATES, ONLY_NEW = "s3:ObjectCreationOperation", "s3:if-none-match"

OPEN, DENIED, ALLOWED = "ImplicitDeny", "Deny", "Allow"

REQUESTS = (
    Asked("PipelineBucketPolicy", "TaskRole.Arn", "s3:GetObject", f"{DATA}/data/taxi/x", OPEN),
    Asked("PipelineBucketPolicy", "TaskRole.Arn", "s3:GetObject", f"{DATA}/data/taxi/x", DENIED, tls=False),
    Asked("PipelineBucketPolicy", "InitRole.Arn", "s3:ListBucket", DATA, DENIED, tls=False),
    Asked("PipelineBucketPolicy", "StateMachineRole.Arn", "s3:PutObject", f"{DATA}/accepted/a.json", OPEN),
    Asked("PipelineBucketPolicy", "InitRole.Arn", "s3:PutObject", f"{DATA}/accepted/a.json", DENIED),
    Asked("PipelineBucketPolicy", "Administrator", "s3:DeleteObject", f"{DATA}/accepted/a.json", DENIED),
    Asked(
        *(
            "PipelineBucketPolicy",
            "Administrator",
            "s3:DeleteObjectVersion",
            f"{DATA}/accepted/a.json",
            DENIED,
        )
    ),
    Asked("PipelineBucketPolicy", "Administrator", "s3:PutObject", f"{DATA}/withdrawn/taxi/run", OPEN),
    Asked("PipelineBucketPolicy", "Administrator", "s3:GetBucketTagging", DATA, DENIED, tls=False),
    Asked(
        *("PipelineBucketPolicy", "TaskRole.Arn", "s3:GetObjectVersion", f"{DATA}/data/x", DENIED), tls=False
    ),
    Asked("PipelineBucketPolicy", "InitRole.Arn", "s3:GetObject", f"{DATA}/accepted/a.json", OPEN),
    Asked("PipelineBucketPolicy", "PrepareRole.Arn", "s3:PutObject", f"{DATA}/prepared/x/y", OPEN),
    Asked("ArtifactBucketPolicy", "TaskRole.Arn", "s3:GetObject", f"{ARTIFACTS}/schemas/x", OPEN),
    Asked(
        "ArtifactBucketPolicy", "TaskRole.Arn", "s3:GetObject", f"{ARTIFACTS}/schemas/x", DENIED, tls=False
    ),
    Asked(
        *("ArtifactBucketPolicy", RELEASE, "s3:PutObject", f"{ARTIFACTS}/packages/prepare-0.py", DENIED),
        context={CREATES: "true"},
    ),
    Asked(
        *("ArtifactBucketPolicy", "Administrator", "s3:PutObject", f"{ARTIFACTS}/schemas/0/x", DENIED),
        context={CREATES: "true"},
    ),
    Asked(
        *("ArtifactBucketPolicy", RELEASE, "s3:PutObject", f"{ARTIFACTS}/templates/x.json", OPEN),
        context={CREATES: "true", ONLY_NEW: "*"},
    ),
    # A part of an upload, whose end has to bear the header.
    Asked(
        *("ArtifactBucketPolicy", RELEASE, "s3:PutObject", f"{ARTIFACTS}/packages/x.zip", OPEN),
        context={CREATES: "false"},
    ),
    Asked("NotificationTopicPolicy", "StateMachineRole.Arn", "sns:Publish", "NotificationTopic", OPEN),
    Asked(
        "NotificationTopicPolicy",
        "StateMachineRole.Arn",
        "sns:Publish",
        "NotificationTopic",
        DENIED,
        tls=False,
    ),
    Asked(
        *("NotificationTopicPolicy", CLOUDWATCH, "sns:Publish", "NotificationTopic", ALLOWED),
        context={"aws:SourceArn": ALARM, "aws:SourceAccount": "AWS::AccountId"},
    ),
    Asked(
        *("NotificationTopicPolicy", CLOUDWATCH, "sns:Publish", "NotificationTopic", OPEN),
        context={"aws:SourceArn": OTHER_ALARM, "aws:SourceAccount": "AWS::AccountId"},
    ),
    Asked(
        *("NotificationTopicPolicy", CLOUDWATCH, "sns:Publish", "NotificationTopic", OPEN),
        context={"aws:SourceArn": ALARM, "aws:SourceAccount": "999999999999"},
    ),
    Asked(
        *("DeadLettersPolicy", EVENTS, "sqs:SendMessage", "DeadLetters.Arn", ALLOWED),
        context={"aws:SourceArn": "DriftRule.Arn"},
    ),
    Asked(
        *("DeadLettersPolicy", EVENTS, "sqs:SendMessage", "DeadLetters.Arn", OPEN),
        context={"aws:SourceArn": "SomebodysRule.Arn"},
    ),
    Asked(
        *("DeadLettersPolicy", EVENTS, "sqs:SendMessage", "DeadLetters.Arn", DENIED),
        tls=False,
        context={"aws:SourceArn": "DriftRule.Arn"},
    ),
    Asked("DeadLettersPolicy", CLOUDWATCH, "sqs:SendMessage", "DeadLetters.Arn", OPEN),
)


def judged(policies: Mapping[str, Any], requests: Iterable[Asked]) -> list[str]:
    """Return what the policies say to the requests."""
    lines = (json.dumps({**asked._asdict(), "policy": policies[asked.policy]}) for asked in requests)
    command = [str(ROOT / ".venv-emulator/bin/python"), str(Path(__file__).parent / "judge.py")]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.fixture(scope="module")
def policies() -> dict[str, Any]:
    """Policies of resources, with names in the place of CloudFormation's functions."""
    return {
        title: plain(resource["Properties"]["PolicyDocument"])
        for stack in ("delivery", "pipeline")
        for title, resource in json.loads(Variant(stack, "dev").render())["Resources"].items()
        if resource["Type"] in ("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy")
    }


def test_each_request_is_judged_as_it_should_be(policies: dict[str, Any]) -> None:
    assert {asked.policy for asked in REQUESTS} == set(policies)
    said = judged(policies, REQUESTS)
    wrong = [asked for asked, decision in zip(REQUESTS, said, strict=True) if asked.decision != decision]
    assert wrong == []


def test_each_statement_that_is_taken_away_is_missed(policies: dict[str, Any]) -> None:
    right = [asked.decision for asked in REQUESTS]
    for title, policy in policies.items():
        for index, statement in enumerate(policy["Statement"]):
            left = [each for other, each in enumerate(policy["Statement"]) if other != index]
            poorer = {**policies, title: {**policy, "Statement": left}}
            assert judged(poorer, REQUESTS) != right, (title, statement["Sid"])


def test_each_condition_that_is_taken_away_is_missed(policies: dict[str, Any]) -> None:
    right = [asked.decision for asked in REQUESTS]
    for title, policy in policies.items():
        for index, statement in enumerate(policy["Statement"]):
            for operator in statement["Condition"]:
                rest = {name: value for name, value in statement["Condition"].items() if name != operator}
                wider = [
                    {**each, "Condition": rest} if each is statement else each for each in policy["Statement"]
                ]
                changed = {**policies, title: {**policy, "Statement": wider}}
                assert judged(changed, REQUESTS) != right, (title, index, operator)
