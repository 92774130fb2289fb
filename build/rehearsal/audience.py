"""A subscriber of the pipeline's topic: a queue of its own, so that what people would be told can be read."""

from __future__ import annotations

import json
from dataclasses import dataclass

from build.aws import Aws

from .outcome import Notification


@dataclass(frozen=True, slots=True)
class Audience:
    """A queue that is subscribed to the topic."""

    aws: Aws
    queue_url: str

    @classmethod
    def of(cls, aws: Aws, topic_arn: str) -> Audience:
        """Subscribe a new queue to the topic."""
        queue = aws.sqs.create("rehearsal-audience", topic=topic_arn)
        aws.sns.subscribe_queue(topic_arn, queue.arn)
        return cls(aws, queue.url)

    def heard(self) -> tuple[Notification, ...]:
        """Everything said since the last time."""
        bodies = (json.loads(body) for body in self.aws.sqs.drain(self.queue_url))
        return tuple(Notification(body.get("Subject") or "", body["Message"]) for body in bodies)
