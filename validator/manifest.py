"""The manifest: every object of one run's data, written once, read by every step.

Nothing is trained that was not judged, because nobody lists the data a second time.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date

from validator import layout
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
    run_date: date
    run_id: str
    data_uri: str
    objects: tuple[Object, ...]
    ignored: tuple[str, ...] = ()
    """What lies beside the data, under names that are no data's."""
    version: int = MANIFEST_VERSION


def parse(content: bytes, source: str) -> Manifest:
    """Reads manifest.json.

    Raises:
        UsageError: It is not JSON, of another version, not laid out as one, or names an object twice.
    """
    try:
        manifest = layout.read(Manifest, json.loads(content), MANIFEST_VERSION)
        _demand_objects(manifest)
    except json.JSONDecodeError as error:
        raise UsageError(f"cannot read {source}", why=f"not a manifest: not JSON ({error})") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"cannot read {source}", why=f"not a manifest: {error}") from error
    return manifest


def _demand_objects(manifest: Manifest) -> None:
    for named in manifest.objects:
        if named.size < 0:
            raise ValueError(f"the size of {named.uri} is {named.size}")
    # One that is named twice would be counted twice.
    for uri, times in Counter(named.uri for named in manifest.objects).items():
        if times > 1:
            raise ValueError(f"it names {uri} twice")
