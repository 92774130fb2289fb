"""Each role's own credentials, in the emulator's STS: a step acts as the role the template gave it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Final

_LIFETIME_SECONDS: Final = 6 * 3600


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


ADMINISTRATOR: Final = Credentials("test", "test")
"""MiniStack's root user."""


def client(service: str, endpoint: str, region: str, credentials: Credentials = ADMINISTRATOR) -> Any:
    """A boto3 client of the emulator that acts with the given credentials."""
    import boto3  # noqa: PLC0415 - the pure parts of this package must be importable without it

    keys = {name.lower(): value for name, value in credentials.environment().items()}
    return boto3.session.Session().client(service, endpoint_url=endpoint, region_name=region, **keys)


def assume(role_arn: str, session: str) -> Credentials:
    """A session of a role, as a service gets one that the role trusts.

    The session is entered into STS itself: AssumeRole by the root user meets none of the conditions, such as
    aws:SourceArn, under which a role trusts a service.

    Raises:
        ValueError: there is no such role.
    """
    from ministack.services import iam, sts  # noqa: PLC0415

    account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    if iam._roles.get_scoped(account, None, role) is None:
        raise ValueError(f"there is no role {role_arn}")
    issued = Credentials(f"ASIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), secrets.token_hex(32))
    sts.register_session(
        issued.access_key_id,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session[:64]}",
            "UserId": f"{role}:{session[:64]}",
            "SecretAccessKey": issued.secret_access_key,
            "SessionToken": issued.session_token,
            "Expiration": time.time() + _LIFETIME_SECONDS,
            "AccountId": account,
            "PrincipalType": "AssumedRole",
        },
    )
    return issued
