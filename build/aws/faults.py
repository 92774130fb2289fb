"""What AWS and boto3 raise, told in our words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError

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


class PageError(BotoCoreError):  # type: ignore[misc]
    """A web page came where AWS's answer should be: a portal, a proxy, a server that is none of AWS's."""

    fmt = "a web page came for an answer of AWS; look at AWS_ENDPOINT_URL and at proxies"


def refuse_pages(operation_model: OperationModel, response_dict: Mapping[str, Any], **_: object) -> None:
    """Refuse a web page before botocore reads it: its parsers end in a KeyError, or find an empty answer.

    A handler of botocore's event ``before-parse``. An error's status says enough without its page, and an
    object may well be a page: it comes as a stream, or without a body when it is only looked at.

    Raises:
        PageError: That is what came.
    """
    succeeded = response_dict["status_code"] < HTTPStatus.MULTIPLE_CHOICES
    if succeeded and not operation_model.has_streaming_output and _is_page(response_dict):
        raise PageError


def _is_page(response: Mapping[str, Any]) -> bool:
    """Believe the page where its type says nothing; in XML of AWS's own no such element begins."""
    body: bytes = response["body"]
    claimed = response["headers"].get("Content-Type", "").startswith("text/html")
    return bool(body) and (claimed or (body.lstrip().startswith(b"<") and b"<html" in body[:1000].lower()))


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
    except ResponseParserError as error:
        # Its own text quotes all that came.
        why = "what came cannot be read as an answer of AWS; look at AWS_ENDPOINT_URL and at proxies"
        raise PlatformError(f"cannot {what}: {why}") from error
    except BotoCoreError as error:
        raise PlatformError(f"cannot {what}: {error}") from error
