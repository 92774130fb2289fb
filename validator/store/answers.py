"""What S3's answers mean: ask again, or whose turn it is."""

from __future__ import annotations

from typing import Any, Final

from botocore import exceptions
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from validator.errors import AbsentError, DataError, StorageError, UsageError
from validator.store.changes import replaced

ERRORS: Final = (exceptions.ClientError, exceptions.BotoCoreError, HTTPError, OSError)
"""What a request may raise."""

_ABSENT: Final = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
_DENIED: Final = frozenset({"403", "AccessDenied"})
_REFUSED: Final = frozenset(
    {"400", "301", "AllAccessDisabled", "AuthorizationHeaderMalformed"}
    | {"InvalidAccessKeyId", "InvalidArgument", "InvalidBucketName", "InvalidObjectState"}
    | {"PermanentRedirect", "SignatureDoesNotMatch"}
)
_REPLACED: Final = frozenset({"PreconditionFailed", "412", "InvalidRange", "416"})
"""Another entity tag, or too short for the bytes asked for."""
_BUSY: Final = frozenset(
    {"SlowDown", "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled"}
    | {
        "RequestThrottledException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "LimitExceededException",
    }
    | {"TooManyRequestsException", "429", "RequestTimeout", "RequestTimeoutException", "InternalError"}
    | {"ServiceUnavailable", "PriorRequestNotComplete", "OperationAborted"}
)
_BROKEN: Final = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
    # An answer in XML that was cut short.
    ResponseParserError,
    HTTPError,
    ConnectionError,
)
_MISTAKES: Final = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.ParamValidationError,
    exceptions.NoRegionError,
)


def may_pass(error: BaseException) -> bool:
    """Says whether asking again may help: S3 is busy, a connection was reset, a body broke off."""
    if isinstance(error, exceptions.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return bool(status >= 500 or error.response["Error"].get("Code") in _BUSY)
    return isinstance(error, _BROKEN)


def explained(verb: str, uri: str, error: Exception, effort: str) -> DataError | UsageError | StorageError:
    """Says what became of a request.

    Args:
        verb: What was tried.
        uri: With what.
        error: What came of it.
        effort: How long it was tried.
    """
    what = f"cannot {verb} {uri}"
    if isinstance(error, _MISTAKES):
        return UsageError(what, why=error)
    if isinstance(error, exceptions.ClientError):
        return _answered(what, uri, error.response["Error"], effort)
    return StorageError(what, why=f"storage does not answer {effort} ({error})", remedy="try again later")


def _answered(
    what: str, uri: str, error: dict[str, Any], effort: str
) -> DataError | UsageError | StorageError:
    code, message = error.get("Code", ""), error.get("Message", "")
    if code in _REPLACED:
        return replaced(uri)
    if code in _ABSENT:
        return AbsentError(what, why=f"no such object or bucket ({code})")
    if code in _DENIED:
        # So it is for what is absent too, to those who may not list.
        return AbsentError(what, why=f"S3 refused ({code}: {message})")
    if code == "NoSuchBucket":
        return UsageError(what, why=f"no such object or bucket ({code})")
    if code in _REFUSED:
        return UsageError(what, why=f"S3 refused ({code}: {message})")
    return StorageError(what, why=f"S3 answers {code} {effort}: {message}", remedy="try again later")
