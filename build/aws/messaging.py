"""EventBridge, SNS and SQS: put an event, and listen to a topic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from build.aws.faults import asking
from build.errors import PlatformError


class EventBridge:
    """Tiny methods over one boto3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def put(self, source: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Put one event on the default bus.

        Raises:
            PlatformError: The bus did not take it; EventBridge says so without failing the call.
        """
        entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
        with asking(f"put a {detail_type} event"):
            answer = self._client.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise PlatformError(f"the bus refused {detail_type}: {answer['Entries'][0].get('ErrorMessage')}")


class Sns:
    """Tiny methods over one boto3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def subscribe_queue(self, topic: str, queue: str) -> None:
        """Let a queue receive what is published to a topic; both by ARN."""
        with asking(f"subscribe to {topic}"):
            self._client.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue by its two names."""

    url: str
    arn: str


class Sqs:
    """Tiny methods over one boto3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def create(self, name: str, *, topic: str) -> Queue:
        """Make a queue to which a topic, by its ARN, may send."""
        with asking(f"create queue {name}"):
            url = self._client.create_queue(QueueName=name, Attributes={"Policy": _from_topic(topic)})[
                "QueueUrl"
            ]
            found = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return Queue(url, found["Attributes"]["QueueArn"])

    def drain(self, url: str) -> tuple[str, ...]:
        """Take all messages there are, at most 1,000; their bodies, in the order they came."""
        bodies: list[str] = []
        for _ in range(100):
            if not (batch := self._receive(url)):
                break
            bodies += [message["Body"] for message in batch]
            self._forget(url, batch)
        return tuple(bodies)

    def _receive(self, url: str) -> list[dict[str, Any]]:
        with asking(f"read {url}"):
            answer = self._client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return list(answer.get("Messages", []))

    def _forget(self, url: str, batch: list[dict[str, Any]]) -> None:
        entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(batch)]
        with asking(f"read {url}"):
            self._client.delete_message_batch(QueueUrl=url, Entries=entries)


def _from_topic(topic: str) -> str:
    """A queue's policy that lets one topic send, and nobody else."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
