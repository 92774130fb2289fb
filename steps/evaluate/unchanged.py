"""Proves that the data are still what the manifest names: what was judged is what was trained on.

By listings, of which each tells of a thousand objects: a call for each of ten thousand would take longer than
a function may run, and the permission to read them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .errors import DataChanged
from .location import Location


@dataclass(frozen=True, slots=True)
class Found:
    """What S3 says of an object today."""

    etag: str
    last_modified: datetime


def listed(s3: Any, folder: str) -> dict[str, Found]:
    """Return what lies below a folder, given its URI with a slash at its end, by the objects' URIs.

    Raises:
        InvalidPayload: It is not the URI of a folder in S3.
    """
    location = Location.parse(folder)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=location.bucket, Prefix=location.key)
    return {
        f"s3://{location.bucket}/{entry['Key']}": Found(entry["ETag"], entry["LastModified"])
        for page in pages
        for entry in page.get("Contents", ())
    }


def check(
    objects: Iterable[Mapping[str, Any]], prepared_before: datetime, found: Mapping[str, Found]
) -> None:
    """Compare each object of the manifest with what lies there now.

    Args:
        objects: The manifest's ``objects``.
        prepared_before: A time after Prepare had ended; a change later than that was not trained on.
        found: What lies there now, by URI.

    Raises:
        DataChanged: An object was changed before that time, or is gone.
    """
    for each in objects:
        if changed(each["etag"], found.get(each["uri"]), prepared_before):
            raise DataChanged(f"object changed since it was judged: {each['uri']}; start the run again")


def changed(etag: str, found: Found | None, prepared_before: datetime) -> bool:
    """Tell whether an object may have been prepared in another form than it was judged in."""
    return found is None or (found.etag != etag and found.last_modified <= prepared_before)
