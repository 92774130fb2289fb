"""Each role's own credentials, by the emulator's STS: a step acts as the role the template gave it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key; a session's has a token."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False, default=None)

    def environment(self) -> dict[str, str]:
        """The variables from which every AWS SDK reads them."""
        variables = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }
        return {name: value for name, value in variables.items() if value}


ADMINISTRATOR = Credentials("test", "test")
"""MiniStack's root user."""


def client(service: str, endpoint: str, region: str, credentials: Credentials = ADMINISTRATOR) -> Any:
    """A boto3 client of the emulator that acts with the given credentials."""
    import boto3  # noqa: PLC0415 - the pure parts of this package must be importable without it

    keys = {name.lower(): value for name, value in credentials.environment().items()}
    return boto3.session.Session().client(service, endpoint_url=endpoint, region_name=region, **keys)


def assume(role_arn: str, session: str, *, endpoint: str, region: str) -> Credentials:
    """A session of a role, as the service that runs its code gets one.

    Raises:
        botocore.exceptions.ClientError: no such role (under authorization), or an ARN that is none.
    """
    sts = client("sts", endpoint, region)
    issued = sts.assume_role(RoleArn=role_arn, RoleSessionName=session[:64])["Credentials"]
    return Credentials(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
