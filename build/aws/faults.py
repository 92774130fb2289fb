"""What AWS and boto3 raise, told in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from build.errors import PlatformError, UnavailableError

_NOT_SET_UP = (NoCredentialsError, NoRegionError, PartialCredentialsError, ProfileNotFound)


class RefusedError(PlatformError):
    """AWS answered with an error.

    Attributes:
        code: AWS's error code, such as `ValidationError`.
        reason: AWS's message.
    """

    def __init__(self, what: str, code: str, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(f"cannot {what}: {code}: {reason}")


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Do something with AWS; `what` completes the sentence "cannot ...".

    Raises:
        RefusedError: AWS said no.
        UnavailableError: This machine has no credentials or no region.
        PlatformError: AWS could not be asked.
    """
    try:
        yield
    except ClientError as error:
        detail: dict[str, Any] = error.response.get("Error", {})
        raise RefusedError(what, detail.get("Code", "Unknown"), detail.get("Message", str(error))) from error
    except _NOT_SET_UP as error:
        why = str(error).rstrip(".")
        raise UnavailableError(f"cannot {what}: {why}; set AWS_PROFILE and AWS_REGION, or sign in") from error
    except BotoCoreError as error:
        raise PlatformError(f"cannot {what}: {error}") from error
