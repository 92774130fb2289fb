"""A customer-managed key throughout a stack: one pass over its finished parts.

Who adds a bucket, a log group, a topic or a role need not think of the key: each resource that takes one is
given it, each role what its own statements make it need of it, and the key's policy names the services that
act by themselves. Only what is no property of a resource (SageMaker's arguments), and a function's variables,
say it themselves, by `by_key`.
"""

from __future__ import annotations

from collections.abc import Sequence

from troposphere import AWSObject

from templates.config import Config
from templates.encryption import coverage, key, use
from templates.encryption.key import ARTIFACT_KEY, by_key, key_arn

__all__ = ["ARTIFACT_KEY", "by_key", "key_arn", "throughout"]


def throughout(config: Config, stack: str, resources: Sequence[AWSObject]) -> list[AWSObject]:
    """Return a stack's resources encrypted by a key of the stack's own, the key first.

    Args:
        config: Where no customer-managed key is asked for, the resources are returned as they are.
        stack: Name of the stack, which names the key.
        resources: All the stack has; they are changed.
    """
    if not config.customer_managed_key:
        return list(resources)
    for resource in resources:
        coverage.encrypt(resource)
    use.allow(resources)
    return [*key.resources(config, stack, resources), *coverage.companions(config, resources), *resources]
