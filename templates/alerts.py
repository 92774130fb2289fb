"""Where people are told: one topic, and a subscription by e-mail when an address is given.

The state machine publishes under its own role. Alarms publish as a service, so the topic lets them in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from awacs import sns
from awacs.aws import Allow, ArnLike, Condition, Principal, Statement, StringEquals
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
            PolicyDocument=access.document(
                [_alarms_publish(config, topic), access.only_tls([sns.Publish], Ref(topic))]
            ),
        ),
        subscription=SubscriptionResource(
            "NotificationSubscription",
            Condition=HAS_EMAIL,
            TopicArn=Ref(topic),
            Protocol="email",
            Endpoint=Ref("NotificationEmail"),
        ),
    )


def _alarms_publish(config: Config, topic: Topic) -> Statement:
    """Let this stage's own alarms publish, and nobody else's."""
    alarms = access.local("cloudwatch", f"alarm:{config.named('*')}")
    own = Condition(
        [ArnLike({"aws:SourceArn": alarms}), StringEquals({"aws:SourceAccount": Ref("AWS::AccountId")})]
    )
    return Statement(
        Sid="AlarmsPublish",
        Effect=Allow,
        Principal=Principal("Service", "cloudwatch.amazonaws.com"),
        Action=[sns.Publish],
        Resource=[Ref(topic)],
        Condition=own,
    )
