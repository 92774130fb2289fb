"""S3, or what speaks its protocol at AWS_ENDPOINT_URL.

boto3 is imported here and in `answers` alone, and only once an s3:// URI is used.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from threading import Event
from typing import Any, BinaryIO, Final, TypeVar, cast

import boto3
from botocore.config import Config

from validator.errors import StorageError
from validator.manifest import Object
from validator.store.answers import ERRORS, explained, may_pass
from validator.store.changes import replaced
from validator.store.names import MOST_OBJECTS, child, fits, fixed_prefix, is_pattern, parted, split, too_many
from validator.store.patience import WAIT, Patience
from validator.store.ranges import RangedReader

_T = TypeVar("_T")

THREADS: Final = 8
"""Ranges fetched at a time, of all readers together."""
CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 10
"""Silence of a connection after which it is given up, and the longest a signal waits for a request."""

_PIECE_BYTES: Final = 256 << 10
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+)")


def connect() -> Buckets:
    """Returns the storage that the environment names."""
    config = Config(
        # Tries are counted here, in one place, and with them the time they take.
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=2 * THREADS,
        # MiniStack and older S3 look-alikes do not know trailing checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return Buckets(boto3.client("s3", config=config), Patience())


class Buckets:
    """Objects in buckets; all methods can be called from any thread.

    Args:
        client: A boto3 S3 client that tries once.
        patience: How long an answer is waited for.
        most: Keys that one listing looks at.
    """

    def __init__(self, client: Any, patience: Patience, most: int = MOST_OBJECTS) -> None:
        self._client = client
        self._patience = patience
        self._most = most
        self._pool = ThreadPoolExecutor(THREADS, "s3")

    def read(self, uri: str) -> bytes:
        """Returns the whole content of a small object."""
        bucket, key = split(uri)
        return self._attempt("read", uri, lambda: self._body(Bucket=bucket, Key=key))

    def write(self, uri: str, content: bytes) -> None:
        """Puts an object down by one request."""
        bucket, key = split(uri)
        self._attempt("write", uri, lambda: self._client.put_object(Bucket=bucket, Key=key, Body=content))

    def remove(self, uri: str) -> None:
        """Takes an object away; where objects are versioned its versions stay."""
        bucket, key = split(uri)
        self._attempt("remove", uri, lambda: self._client.delete_object(Bucket=bucket, Key=key))

    def prepare(self, uri: str) -> None:
        """Looks at the URI: a prefix needs no making."""
        split(uri)

    def exists(self, uri: str) -> bool:
        """Says whether there is an object of exactly this key."""
        return self._exact(uri) is not None

    def open(self, target: Object) -> BinaryIO:
        """Opens exactly the object named; one that is replaced is a DataError of the next read."""
        pinned = target if target.etag or target.version_id else self._pinned(target)

        def fetch(start: int, stop: int, given_up: Event) -> Future[Any]:
            return self._pool.submit(self._range, pinned, start, stop, given_up)

        return cast("BinaryIO", RangedReader(target.size, fetch))

    def list(self, uri: str) -> Sequence[Object]:
        """Lists an object, all below a prefix, or what a pattern matches."""
        exact = self._exact(uri)
        if exact and is_pattern(uri):
            return [exact]
        root = self.root(uri)
        names, parts = self._below(uri, root), parted(split(uri)[1])[1] if is_pattern(uri) else ()
        found = [listed for name, listed in names if fits(name.split("/"), parts)]
        return sorted([*([exact] if exact else []), *found], key=lambda listed: listed.uri)

    def root(self, uri: str) -> str:
        """Returns the object or prefix, or the prefix up to a slash all matches of a pattern lie below."""
        bucket, key = split(uri)
        return (
            child(f"s3://{bucket}", *filter(None, [parted(key)[0]])) if is_pattern(key) else uri.rstrip("/")
        )

    def _below(self, uri: str, root: str) -> Iterator[tuple[str, Object]]:
        """Yields the objects below a prefix, each with its name there."""
        bucket, key = split(uri)
        folder = split(root)[1]
        prefix = f"{folder}/" if folder else ""
        listed = self._listed(uri, bucket, fixed_prefix(key) if is_pattern(key) else prefix)
        for number, each in enumerate(listed):
            if number == self._most:
                raise too_many(uri, self._most)
            # A key that ends with a slash is a folder that somebody drew.
            if not each.uri.endswith("/"):
                yield split(each.uri)[1].removeprefix(prefix), each

    def _exact(self, uri: str) -> Object | None:
        """Returns the object of exactly this key: among those it begins, it is the first."""
        bucket, key = split(uri)
        if not key or key.endswith("/"):
            return None
        first = next(islice(self._listed(uri, bucket, key, MaxKeys=1), 1), None)
        return first if first and split(first.uri)[1] == key else None

    def _listed(self, uri: str, bucket: str, prefix: str, **more: Any) -> Iterator[Object]:
        request = {"Bucket": bucket, "Prefix": prefix, **more}
        while request:
            page = self._page(uri, request)
            for entry in page.get("Contents", ()):
                yield Object(
                    uri=f"s3://{bucket}/{entry['Key']}",
                    size=entry["Size"],
                    etag=entry["ETag"],
                    last_modified=entry["LastModified"].isoformat(),
                )
            token = page.get("NextContinuationToken")
            request = {**request, "ContinuationToken": token} if token else {}

    def _page(self, uri: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._attempt(
            "list", uri, lambda: cast("Mapping[str, Any]", self._client.list_objects_v2(**request))
        )

    def _pinned(self, target: Object) -> Object:
        """Returns the object with the entity tag it has now, for a manifest that names none."""
        bucket, key = split(target.uri)
        head = self._attempt("read", target.uri, lambda: self._client.head_object(Bucket=bucket, Key=key))
        if head["ContentLength"] != target.size:
            raise replaced(target.uri)
        return replace(target, etag=head["ETag"])

    def _range(self, target: Object, start: int, stop: int, given_up: Event) -> bytearray:
        """Fetches bytes of an object; a body that broke off is gone on with where it did."""
        content = bytearray()
        deadline = time.monotonic() + self._patience.seconds

        def get() -> None:
            begin = start + len(content)
            answer = self._client.get_object(**_request(target, begin, stop))
            with answer["Body"] as body:
                _demand_asked(target, begin, stop, answer)
                while not given_up.is_set() and (piece := body.read1(_PIECE_BYTES)):
                    content.extend(piece)
                    if time.monotonic() > deadline:
                        raise TimeoutError(
                            f"{stop - start:,} bytes took more than {self._patience.seconds:g} s"
                        )
            if len(content) < stop - start and not given_up.is_set():
                raise ConnectionError("the body ends too early")

        self._attempt("read", target.uri, get, given_up)
        return content

    def _body(self, **request: str) -> bytes:
        return cast("bytes", self._client.get_object(**request)["Body"].read())

    def _attempt(self, verb: str, uri: str, act: Callable[[], _T], given_up: Event | None = None) -> _T:
        tries = self._patience.tries(may_pass, given_up or Event())
        try:
            return tries(act)
        except ERRORS as error:
            WAIT.check()
            count, seconds = (tries.statistics.get(name, 0) for name in _EFFORT)
            effort = f"after {count} tries in {seconds:.0f} s" if count > 1 else "at all"
            raise explained(verb, uri, error, effort) from error


_EFFORT: Final = ("attempt_number", "delay_since_first_attempt")


def _request(target: Object, start: int, stop: int) -> Mapping[str, str]:
    bucket, key = split(target.uri)
    request = {"Bucket": bucket, "Key": key, "Range": f"bytes={start}-{stop - 1}"}
    if target.etag:
        request["IfMatch"] = target.etag
    if target.version_id:
        request["VersionId"] = target.version_id
    return request


def _demand_asked(target: Object, start: int, stop: int, answer: Mapping[str, Any]) -> None:
    """Looks whether the answer is of the object and the bytes asked for: look-alikes skip conditions."""
    told = _CONTENT_RANGE.fullmatch(answer.get("ContentRange", ""))
    # Without it the whole object was sent.
    begin, size = map(int, told.groups()) if told else (0, answer["ContentLength"])
    if size != target.size or (target.etag and answer.get("ETag", target.etag) != target.etag):
        raise replaced(target.uri)
    if begin != start or answer["ContentLength"] > stop - start:
        raise StorageError(f"cannot read {target.uri}", why="S3 sends other bytes than were asked for")
