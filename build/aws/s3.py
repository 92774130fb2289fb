"""S3: packages and templates go here, each key once."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from build.aws.faults import RefusedError, asking


class S3:
    """Tiny methods over one boto3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Put an object, over whatever is there."""
        with asking(f"upload s3://{bucket}/{key}"):
            self._client.put_object(Bucket=bucket, Key=key, Body=body)

    def put_new(self, bucket: str, key: str, body: bytes) -> bool:
        """Put an object unless the key is taken (one conditional PUT); False when it was.

        Keys carry the hash of their content, so what is there already is the same.
        """
        try:
            with asking(f"upload s3://{bucket}/{key}"):
                self._client.put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
        except RefusedError as error:
            if error.code in ("PreconditionFailed", "412"):
                return False
            raise
        return True

    def read(self, bucket: str, key: str) -> bytes:
        """An object's bytes."""
        with asking(f"read s3://{bucket}/{key}"):
            return bytes(self._client.get_object(Bucket=bucket, Key=key)["Body"].read())

    def keys(self, bucket: str, prefix: str) -> tuple[str, ...]:
        """Keys that begin with a prefix, sorted as S3 sorts them."""
        with asking(f"list s3://{bucket}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            return tuple(found["Key"] for page in pages for found in page.get("Contents", []))

    def url(self, bucket: str, key: str) -> str:
        """The object's path-style URL at the client's own endpoint: right on AWS and on an emulator."""
        return f"{self._client.meta.endpoint_url.rstrip('/')}/{bucket}/{quote(key)}"
