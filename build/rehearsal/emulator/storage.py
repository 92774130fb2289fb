"""S3 as folders: what a managed job finds on its disk before it starts, and what is stored after it ends."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://`` URI."""
    parts = urlsplit(uri, allow_fragments=False)
    return parts.netloc, parts.path.removeprefix("/") + (f"?{parts.query}" if parts.query else "")


class Storage:
    """S3 by a client that acts as the job's role."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def download(self, uri: str, folder: Path) -> Path:
        """Brings an object, or all below a prefix, into a folder; times of change are kept.

        Returns:
            The object's file, when the URI names an object, else the folder.

        Raises:
            FileNotFoundError: there is nothing at the URI.
        """
        bucket, key = split(uri)
        if changed := self._changed(bucket, key):
            return self._fetch(bucket, key, changed, folder / PurePosixPath(key).name)
        below = key if key.endswith("/") or not key else f"{key}/"
        self._bring(bucket, below, below, folder)
        return folder

    def download_prefix(self, uri: str, folder: Path) -> None:
        """Brings all objects whose URIs begin so into a folder, as a channel of the type S3Prefix has them.

        Raises:
            FileNotFoundError: there is none.
        """
        bucket, prefix = split(uri)
        self._bring(bucket, prefix, prefix[: prefix.rfind("/") + 1], folder)

    def upload(self, folder: Path, uri: str) -> None:
        """Stores all files of a folder below a prefix."""
        bucket, prefix = split(uri)
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            self._client.upload_file(
                str(file), bucket, f"{prefix.rstrip('/')}/{file.relative_to(folder).as_posix()}"
            )

    def store(self, file: Path, uri: str) -> None:
        """Stores one file as one object."""
        self._client.upload_file(str(file), *split(uri))

    def _changed(self, bucket: str, key: str) -> datetime | None:
        """When an object of exactly this key was changed; None when there is none that may be read."""
        if not key or key.endswith("/"):
            return None
        try:
            moment: datetime = self._client.head_object(Bucket=bucket, Key=key)["LastModified"]
        except self._client.exceptions.ClientError:
            return None
        return moment

    def _bring(self, bucket: str, prefix: str, above: str, folder: Path) -> None:
        """Brings objects by a prefix, each to where its key leads from the folder ``above``."""
        inside = [item for item in self._list(bucket, prefix) if not item["Key"].endswith("/")]
        if not inside:
            raise FileNotFoundError(f"nothing lies at s3://{bucket}/{prefix}")
        for item in inside:
            target = folder / item["Key"].removeprefix(above)
            if not target.resolve().is_relative_to(folder.resolve()):
                raise ValueError(f"the key {item['Key']!r} leads out of its folder")
            self._fetch(bucket, item["Key"], item["LastModified"], target)

    def _list(self, bucket: str, prefix: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item for page in pages for item in page.get("Contents", ())]

    def _fetch(self, bucket: str, key: str, changed: datetime, target: Path) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        self._client.download_file(bucket, key, str(target))
        os.utime(target, (changed.timestamp(), changed.timestamp()))
        return target
