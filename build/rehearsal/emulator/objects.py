"""``aws-sdk:s3:getObject`` and ``putObject`` as Step Functions has them: a body is a string or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree

from build.rehearsal.emulator import integrations
from build.rehearsal.emulator.integrations import StepError

_SENT: Final = {
    "CacheControl": "cache-control",
    "ContentType": "content-type",
    "IfMatch": "if-match",
    "IfNoneMatch": "if-none-match",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
}
_SHOWN: Final = {
    "content-length": "ContentLength",
    "content-type": "ContentType",
    "etag": "ETag",
    "last-modified": "LastModified",
    "x-amz-server-side-encryption": "ServerSideEncryption",
    "x-amz-version-id": "VersionId",
}


def register() -> None:
    """Makes both integrations known."""
    integrations.register("aws-sdk:s3:getObject", get_object)
    integrations.register("aws-sdk:s3:putObject", put_object)


def get_object(_resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Reads an object; its body is text.

    Raises:
        StepError: S3.NoSuchKeyException and its like.
    """
    query = {"versionId": [arguments["VersionId"]]} if "VersionId" in arguments else {}
    headers, body = _call("GET", arguments, b"", query)
    return {**_shown(headers), "Body": body.decode("utf-8", errors="replace")}


def put_object(_resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Writes an object; a body that is no string is serialized as JSON."""
    headers, _body = _call("PUT", arguments, serialize(arguments.get("Body", "")), {})
    return {name: value for name, value in _shown(headers).items() if not name.startswith("Content")}


def serialize(body: Any) -> bytes:
    """The bytes of a Body argument."""
    text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _call(
    method: str, arguments: Mapping[str, Any], body: bytes, query: Mapping[str, Any]
) -> tuple[Mapping[str, str], bytes]:
    from ministack import app  # noqa: PLC0415

    path = f"/{arguments['Bucket']}/{quote(arguments['Key'])}"
    status, headers, content = app.call_service_handler_sync(
        app.SERVICE_HANDLERS["s3"], method, path, _headers(arguments, body), body, dict(query)
    )
    if status >= 400:
        raise failure(status, content)
    return {name.lower(): str(value) for name, value in headers.items()}, content or b""


def _headers(arguments: Mapping[str, Any], body: bytes) -> dict[str, str]:
    region = "us-east-1"  # only names the scope; the account and region are this thread's own
    return {
        "host": f"s3.{region}.amazonaws.com",
        "authorization": f"AWS4-HMAC-SHA256 Credential=test/20260101/{region}/s3/aws4_request",
        "content-length": str(len(body)),
        **{header: str(arguments[name]) for name, header in _SENT.items() if name in arguments},
    }


def _shown(headers: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {name: headers[header] for header, name in _SHOWN.items() if header in headers}
    if "ContentLength" in shown:
        shown["ContentLength"] = int(shown["ContentLength"])
    return shown


def failure(status: int, content: bytes) -> StepError:
    """S3's answer as the error that Step Functions raises, say ``S3.NoSuchKeyException``."""
    code, message = "S3Exception", f"S3 returned status {status}"
    if content:
        document = ElementTree.fromstring(content)  # noqa: S314 - MiniStack's own answer
        code, message = document.findtext("Code") or code, document.findtext("Message") or message
    # Only errors that S3's model names have a class of their own.
    named = (
        f"{code}Exception" if code in ("NoSuchKey", "NoSuchBucket", "InvalidObjectState") else "S3Exception"
    )
    return StepError(f"S3.{named}", f"{message} (Service: S3, Status Code: {status}, Error Code: {code})")
