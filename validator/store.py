"""The door to storage: paths and s3:// URIs behind the same five words.

boto3 is imported here alone, and only once an s3:// URI is used.
"""

from __future__ import annotations

import errno
import glob
import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, TypeVar, cast
from urllib.parse import unquote, urlsplit

from validator.errors import DataError, StorageError, UsageError
from validator.manifest import Object

if TYPE_CHECKING:
    from tenacity import Retrying

__all__ = ["Object", "Store", "at", "child", "exists", "is_remote", "prepare", "write"]

_T = TypeVar("_T")

FIRST_RANGE_BYTES: Final = 1 << 20
"""The first read of an object: its header, and the probe of its types."""
RANGE_BYTES: Final = 8 << 20
"""Every further read."""
ATTEMPTS: Final = 4
"""Tries of one read whose body broke off, each with botocore's own retries inside."""

_GLOB_SIGNS: Final = "*?["
_ABSENT: Final = frozenset({"NoSuchKey", "NoSuchBucket", "NoSuchVersion", "404"})
_REFUSED: Final = frozenset(
    {"400", "403", "301", "AccessDenied", "AllAccessDisabled", "AuthorizationHeaderMalformed"}
    | {"InvalidAccessKeyId", "InvalidArgument", "InvalidBucketName", "InvalidObjectState"}
    | {"PermanentRedirect", "SignatureDoesNotMatch"}
)
_EXHAUSTED: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
"""What a disk says that is full or fails: no mistake of whom names it."""
_REPLACED: Final = frozenset({"PreconditionFailed", "412"})


class Store(Protocol):
    """Five words a run needs of a storage."""

    def read(self, uri: str) -> bytes:
        """Returns the whole content of a small object."""

    def write(self, uri: str, content: bytes) -> None:
        """Puts an object down whole: nobody ever sees half of it."""

    def prepare(self, uri: str) -> None:
        """Makes a folder that can be written; a prefix needs no making."""

    def open(self, target: Object) -> BinaryIO:
        """Opens exactly the object named, seekable; one that changed since is a DataError."""

    def list(self, uri: str) -> Sequence[Object]:
        """Lists an object, all below a folder or prefix, or a glob, sorted by URI.

        Below a folder, names that begin with _ or . are no data.
        """


def at(uri: str) -> Store:
    """Returns the storage a URI lies in.

    Raises:
        UsageError: The URI is of a kind nobody reads.
    """
    scheme, separator, _ = uri.partition("://")
    if not separator or scheme == "file":
        return _FILES
    if scheme == "s3":
        return _buckets()
    raise UsageError(f"cannot use {uri}", why=f"{scheme}:// is unknown", remedy="give a path or s3://")


def write(uri: str, content: bytes) -> None:
    """Puts an object down whole, wherever it lies."""
    at(uri).write(uri, content)


def prepare(uri: str) -> None:
    """Makes the folder that results go below, wherever it lies."""
    at(uri).prepare(uri)


def exists(uri: str) -> bool:
    """Says whether there is an object of this name."""
    return bool(at(uri).list(uri)) if is_remote(uri) else local_path(uri).is_file()


def child(uri: str, *names: str) -> str:
    """Returns the URI of something below a folder or prefix."""
    return "/".join((uri.rstrip("/") or uri, *names))


def is_remote(uri: str) -> bool:
    """Says whether a URI lies in S3."""
    return uri.startswith("s3://")


class Files:
    """Files of this machine. Only regular files are ever opened: a pipe would wait for ever."""

    def read(self, uri: str) -> bytes:
        path = self._regular(uri)
        return self._attempt(uri, path.read_bytes)

    def write(self, uri: str, content: bytes) -> None:
        path = local_path(uri)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, content)
        except OSError as error:
            raise _unwritable(uri, error) from error

    def prepare(self, uri: str) -> None:
        path = local_path(uri)
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            raise _unwritable(uri, error) from error

    def open(self, target: Object) -> BinaryIO:
        path = self._regular(target.uri)
        if _differs(self._describe(path, target.uri), target):
            raise _replaced(target.uri)
        return self._attempt(target.uri, lambda: path.open("rb"))

    def list(self, uri: str) -> Sequence[Object]:
        names = self._names(uri)
        if not names:
            raise UsageError(f"cannot read {uri}", why="no such file or folder")
        files = {file for name in names for file in _files_below(name)}
        return sorted((self._describe(self._regular(file), file) for file in files), key=_by_uri)

    def _names(self, uri: str) -> Sequence[str]:
        name = str(local_path(uri))
        if os.path.lexists(name):
            return [name]
        return glob.glob(name) if _is_glob(name) else []  # noqa: PTH207 - Path.glob knows no absolute pattern

    def _regular(self, uri: str) -> Path:
        path = local_path(uri)
        mode = self._attempt(uri, path.stat).st_mode
        if stat.S_ISREG(mode):
            return path
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"
        raise UsageError(f"cannot read {uri}", why=f"it is {kind}, not a file")

    def _describe(self, path: Path, uri: str) -> Object:
        status = self._attempt(uri, path.stat)
        return Object(uri=uri, size=status.st_size, last_modified=str(status.st_mtime_ns))

    @staticmethod
    def _attempt(uri: str, act: Callable[[], _T]) -> _T:
        try:
            return act()
        except OSError as error:
            raise UsageError(f"cannot read {uri}", why=_reason(error)) from error
        except ValueError as error:
            raise UsageError(f"cannot read {uri!r}", why=error) from error


def _unwritable(uri: str, error: OSError) -> UsageError | StorageError:
    what = f"cannot write {uri}"
    if error.errno in _EXHAUSTED:
        return StorageError(what, why=_reason(error), remedy="make room and try again")
    why = "it is a file, not a folder" if isinstance(error, FileExistsError) else _reason(error)
    return UsageError(what, why=why, remedy="name a folder that can be written with --output")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def local_path(uri: str) -> Path:
    """Returns the path of a file:// URI or of a plain path."""
    return Path(unquote(urlsplit(uri).path)) if uri.startswith("file://") else Path(uri)


def _files_below(name: str) -> Iterator[str]:
    """Yields the name itself, or the files below it; links to folders are named, not followed."""
    if not Path(name).is_dir():
        yield name
        return
    with Files._attempt(name, lambda: os.scandir(name)) as entries:
        for entry in entries:
            if _is_hidden(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(entry.path)
            else:
                yield entry.path


def _differs(now: Object, then: Object) -> bool:
    # A manifest of files may carry no time.
    return now.size != then.size or (then.last_modified or now.last_modified) != now.last_modified


def _is_hidden(name: str) -> bool:
    return name.startswith(("_", "."))


def _is_glob(name: str) -> bool:
    return any(sign in name for sign in _GLOB_SIGNS)


def _by_uri(listed: Object) -> str:
    return listed.uri


def _replace(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp makes files only their owner can read.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class Buckets:
    """S3, or what speaks its protocol at AWS_ENDPOINT_URL.

    Args:
        client: A boto3 S3 client.
        retrying: How often and how long apart a body that broke off is asked for again.
    """

    def __init__(self, client: Any, retrying: Retrying) -> None:
        self._client = client
        self._retrying = retrying

    def read(self, uri: str) -> bytes:
        bucket, key = split(uri)
        return self._body(uri, Bucket=bucket, Key=key)

    def write(self, uri: str, content: bytes) -> None:
        bucket, key = split(uri)
        self._attempt("write", uri, lambda: self._client.put_object(Bucket=bucket, Key=key, Body=content))

    def prepare(self, uri: str) -> None:
        split(uri)

    def open(self, target: Object) -> BinaryIO:
        return cast("BinaryIO", _RangedReader(target, self._range))

    def list(self, uri: str) -> Sequence[Object]:
        bucket, key = split(uri)
        prefix = _fixed_prefix(key)
        objects = self._attempt("list", uri, lambda: list(self._pages(bucket, prefix)))
        return sorted((o for o in objects if _matches(split(o.uri)[1], key)), key=_by_uri)

    def _pages(self, bucket: str, prefix: str) -> Iterator[Object]:
        paginator = self._client.get_paginator("list_objects_v2")
        for page in paginator.paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", ()):
                yield Object(
                    uri=f"s3://{bucket}/{entry['Key']}",
                    size=entry["Size"],
                    etag=entry["ETag"],
                    last_modified=entry["LastModified"].isoformat(),
                )

    def _range(self, target: Object, start: int, length: int) -> bytes:
        bucket, key = split(target.uri)
        request = {"Bucket": bucket, "Key": key, "Range": f"bytes={start}-{start + length - 1}"}
        if target.etag:
            request["IfMatch"] = target.etag
        if target.version_id:
            request["VersionId"] = target.version_id
        content = self._body(target.uri, **request)
        if len(content) != length:
            raise _replaced(target.uri)
        return content

    def _body(self, uri: str, **request: str) -> bytes:
        def get() -> bytes:
            return cast("bytes", self._client.get_object(**request)["Body"].read())

        return self._attempt("read", uri, get)

    def _attempt(self, verb: str, uri: str, act: Callable[[], _T]) -> _T:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - slow, needed for S3 only

        try:
            return self._retrying(act)
        except ClientError as error:
            raise _explained(verb, uri, error.response["Error"]) from error
        except (BotoCoreError, OSError) as error:
            raise _unanswered(verb, uri, error) from error


class _RangedReader(io.RawIOBase):
    """Reads an object in ranges of some megabytes, one held at a time."""

    def __init__(self, target: Object, fetch: Callable[[Object, int, int], bytes]) -> None:
        self._target = target
        self._fetch = fetch
        self._position = 0
        self._start = 0
        self._range = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._target.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        chunk = self._chunk(len(view))
        view[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)

    def _chunk(self, wanted: int) -> memoryview:
        offset = self._position - self._start
        if not 0 <= offset < len(self._range):
            self._load()
            offset = 0
        return memoryview(self._range)[offset : offset + wanted]

    def _load(self) -> None:
        size = RANGE_BYTES if self._range else FIRST_RANGE_BYTES
        length = min(size, self._target.size - self._position)
        self._start = self._position
        self._range = self._fetch(self._target, self._start, length) if length > 0 else b""


def split(uri: str) -> tuple[str, str]:
    """Returns bucket and key of an s3:// URI.

    Raises:
        UsageError: It names no bucket.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket:
        raise UsageError(f"cannot use {uri}", why="it names no bucket")
    return bucket, key


def _fixed_prefix(key: str) -> str:
    signs = [key.index(sign) for sign in _GLOB_SIGNS if sign in key]
    return key[: min(signs)] if signs else key


def _matches(key: str, wanted: str) -> bool:
    if key.endswith("/"):
        return False
    if _is_glob(wanted):
        return fnmatchcase(key, wanted)
    below = f"{wanted.rstrip('/')}/" if wanted else ""
    inside = key.removeprefix(below) if key.startswith(below) else ""
    return key == wanted or (inside != "" and not any(_is_hidden(name) for name in inside.split("/")))


def _replaced(uri: str) -> DataError:
    return DataError(
        f"cannot read {uri}",
        why="the object changed since the manifest was written",
        remedy="start a new run, so that what is judged is what is trained on",
    )


def _explained(verb: str, uri: str, error: dict[str, str]) -> DataError | UsageError | StorageError:
    code, message = error.get("Code", ""), error.get("Message", "")
    if code in _REPLACED:
        return _replaced(uri)
    if code in _ABSENT:
        return UsageError(f"cannot {verb} {uri}", why=f"no such object or bucket ({code})")
    if code in _REFUSED:
        return UsageError(f"cannot {verb} {uri}", why=f"S3 refused ({code}: {message})")
    return StorageError(f"cannot {verb} {uri}", why=f"S3 answers {code}: {message}", remedy="try again later")


def _unanswered(verb: str, uri: str, error: Exception) -> UsageError | StorageError:
    from botocore import exceptions  # noqa: PLC0415

    mistakes = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.ParamValidationError,
        exceptions.NoRegionError,
    )
    if isinstance(error, mistakes):
        return UsageError(f"cannot {verb} {uri}", why=error)
    return StorageError(
        f"cannot {verb} {uri}", why=f"storage does not answer ({error})", remedy="try again later"
    )


@cache
def _buckets() -> Buckets:
    import boto3  # noqa: PLC0415 - half a second that a run on files need not pay
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 4},
        connect_timeout=5,
        read_timeout=30,
        # MiniStack and older S3 look-alikes do not know trailing checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return Buckets(boto3.client("s3", config=config), _patience())


def _patience() -> Retrying:
    import tenacity  # noqa: PLC0415

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(_may_pass),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        reraise=True,
    )


def _may_pass(error: BaseException) -> bool:
    """Says whether asking again may help: a body broke off, a connection was reset, S3 is busy."""
    from botocore import exceptions  # noqa: PLC0415

    if isinstance(error, exceptions.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return bool(status >= 500) or error.response["Error"].get("Code") == "SlowDown"
    broken = (exceptions.HTTPClientError, exceptions.IncompleteReadError, exceptions.ResponseStreamingError)
    return isinstance(error, (*broken, ConnectionError))


_FILES: Final = Files()
