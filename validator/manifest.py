"""The manifest: every object of one run's data, written once, read by every step.

Nothing is trained that was not judged, because nobody lists the data a second time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from validator.contract import MANIFEST_VERSION
from validator.errors import UsageError


@dataclass(frozen=True, slots=True)
class Object:
    """One stored object as it was when it was listed."""

    uri: str
    size: int
    """Bytes."""
    etag: str | None = None
    """S3's entity tag, quotes included; None for a file."""
    version_id: str | None = None
    last_modified: str | None = None
    """ISO 8601; for a file its modification time in nanoseconds since 1970."""

    @property
    def is_pinned(self) -> bool:
        """Whether other bytes of the same name and size would be noticed when it is opened."""
        return bool(self.etag or self.version_id if self.uri.startswith("s3://") else self.last_modified)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one run reads."""

    dataset: str
    run_date: str
    run_id: str
    data_uri: str
    objects: tuple[Object, ...]
    ignored: tuple[str, ...] = ()


def parse(content: bytes, source: str) -> Manifest:
    """Reads manifest.json.

    Raises:
        UsageError: It is not JSON, of another version, lacks a field, or names an object twice.
    """
    try:
        document = json.loads(content)
        if document["version"] != MANIFEST_VERSION:
            raise UsageError(
                f"cannot read {source}",
                why=f"its version is {document['version']!r}, this validator reads {MANIFEST_VERSION}",
            )
        return _named_once(_manifest(document), source)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise UsageError(f"cannot read {source}", why=f"not a manifest: {_missed(error)}") from error


def _missed(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON ({error})"
    return f"it has no {error}" if isinstance(error, KeyError) else "it is not laid out as one"


def _manifest(document: Mapping[str, Any]) -> Manifest:
    return Manifest(
        dataset=str(document["dataset"]),
        run_date=str(document["run_date"]),
        run_id=str(document["run_id"]),
        data_uri=str(document["data_uri"]),
        objects=tuple(_object(entry) for entry in document["objects"]),
        ignored=tuple(document.get("ignored", ())),
    )


def _named_once(manifest: Manifest, source: str) -> Manifest:
    """An object that is named twice would be counted twice."""
    counted = Counter(named.uri for named in manifest.objects)
    twice = next((uri for uri, times in counted.items() if times > 1), None)
    if twice is not None:
        raise UsageError(f"cannot read {source}", why=f"it names {twice} twice")
    return manifest


def _object(entry: Mapping[str, Any]) -> Object:
    return Object(
        uri=str(entry["uri"]),
        size=int(entry["size"]),
        etag=entry["etag"],
        version_id=entry.get("version_id"),
        last_modified=entry.get("last_modified"),
    )
