"""Where the tooling's surroundings are read: the only module of build/ that sees the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """AWS keys given by hand; the secret never shows in a repr."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the tooling stands on; None leaves it to boto3's own chain (environment, profile, role).

    Attributes:
        region: AWS region.
        endpoint_url: Where AWS answers, for an emulator.
        credentials: Keys, for an emulator.
        docker: Command of the container engine; podman's is a drop-in.
        deployment_role: ARN of the role CloudFormation works under for the pipeline; None: the caller's own.
    """

    region: str | None = None
    endpoint_url: str | None = None
    credentials: Credentials | None = None
    docker: str = "docker"
    deployment_role: str | None = None

    def environment(self) -> Mapping[str, str]:
        """This process's environment, with these settings in it: for a child that meets the same AWS."""
        keys = self.credentials
        given = {
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": keys and keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys and keys.secret_access_key,
        }
        return {**os.environ, **{name: value for name, value in given.items() if value}}


def load() -> Settings:
    """Read the environment; what is not named here and concerns AWS boto3 finds by itself.

    `AWS_REGION` is what people and every other AWS tool set; boto3 alone reads `AWS_DEFAULT_REGION` only.
    """
    return Settings(
        region=os.environ.get("AWS_REGION") or None,
        docker=os.environ.get("DOCKER") or "docker",
        deployment_role=os.environ.get("DEPLOYMENT_ROLE_ARN") or None,
    )
