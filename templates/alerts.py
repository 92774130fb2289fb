"""Where people are told: one topic, and a subscription by e-mail when an address is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from awacs import sns
from troposphere import Equals, Not, Ref
from troposphere.sns import SubscriptionResource, Topic, TopicPolicy

from templates import access
from templates.config import Config

HAS_EMAIL: Final = "HasNotificationEmail"
EMAIL_GIVEN: Final = Not(Equals(Ref("NotificationEmail"), ""))


@dataclass(frozen=True, slots=True)
class Alerts:
    """The topic and who reads it."""

    topic: Topic
    policy: TopicPolicy
    subscription: SubscriptionResource


def alerts(config: Config) -> Alerts:
    """Return the topic of the pipeline's notices."""
    topic = Topic("NotificationTopic", TopicName=config.named("notifications"), DisplayName="Sluice")
    return Alerts(
        topic=topic,
        policy=TopicPolicy(
            "NotificationTopicPolicy",
            Topics=[Ref(topic)],
            PolicyDocument=access.document([access.only_tls([sns.Publish], Ref(topic))]),
        ),
        subscription=SubscriptionResource(
            "NotificationSubscription",
            Condition=HAS_EMAIL,
            TopicArn=Ref(topic),
            Protocol="email",
            Endpoint=Ref("NotificationEmail"),
        ),
    )
