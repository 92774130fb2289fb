"""The one door to S3: conditional writes, bounded reads and listings of one bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

READ_LIMIT: Final = 16 * 1024 * 1024
"""Bytes; a manifest of ten thousand objects is about 2 MB."""

LOST: Final = frozenset(
    {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409", "404"}
)
"""Codes of a conditional write that another writer won."""

MISSING: Final = frozenset({"NoSuchKey", "404"})


@dataclass(frozen=True, slots=True)
class Stored:
    """What was read: the bytes and the ETag they had."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """An S3 bucket behind a boto3 client."""

    client: Any
    name: str

    def uri(self, key: str) -> str:
        """Return the key as an ``s3://`` URI."""
        return f"s3://{self.name}/{key}"

    def listing(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Yield the entries of ListObjectsV2 below a prefix, in the order of their keys, page by page."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        for page in pages:
            yield from page.get("Contents", ())

    def read(self, key: str) -> Stored | None:
        """Return an object, or None when there is none; never more than ``READ_LIMIT`` bytes of it."""
        try:
            response = self.client.get_object(Bucket=self.name, Key=key)
        except self.client.exceptions.ClientError as error:
            if _code(error) in MISSING:
                return None
            raise
        return Stored(response["Body"].read(READ_LIMIT), response["ETag"])

    def create(self, key: str, body: bytes) -> bool:
        """Write an object unless one exists; return whether this call wrote it."""
        return self._put(key, body, IfNoneMatch="*")

    def replace(self, key: str, body: bytes, etag: str) -> bool:
        """Write an object if the stored one still has this ETag; return whether this call wrote it."""
        return self._put(key, body, IfMatch=etag)

    def _put(self, key: str, body: bytes, **condition: str) -> bool:
        try:
            self.client.put_object(Bucket=self.name, Key=key, Body=body, **condition)
        except self.client.exceptions.ClientError as error:
            if _code(error) in LOST:
                return False
            raise
        return True


def _code(error: Any) -> str:
    return str(error.response["Error"]["Code"])
