"""The manifest: every object of the day's data, named once, before anything reads it.

The validator, Prepare and Evaluate read only what the manifest names, so nothing is trained that was not
judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final, Self

from .bucket import Bucket
from .errors import InvalidRecord, TooManyObjects

VERSION: Final = 1

_TEXTS: Final = ("csv", "tsv", "jsonl", "ndjson")
_RECORDS: Final = ("tfrecord", "tfrecords")
_COLUMNAR: Final = ("parquet", "orc", "arrow", "feather", "ipc")
KINDS: Final[Mapping[str, str]] = {
    **{f".{name}.{packing}": "stream" for name in _TEXTS for packing in ("gz", "zst", "bz2")},
    **{f".{name}{packing}": "records" for name in _RECORDS for packing in ("", ".gz")},
    **{f".{name}": "text" for name in _TEXTS},
    **{f".{name}": "columnar" for name in _COLUMNAR},
    ".arrows": "stream",
}
"""How data are read, by the end of a name: all that the validator reads, packed ones first."""

_CUTTABLE: Final = ("text", "columnar")
"""Kinds of which a part can be read without what lies before it."""


@dataclass(frozen=True, slots=True)
class Object:
    """An object of the data, as the listing showed it; ``last_modified`` is ISO 8601 in UTC.

    It is known by its ETag and time: one that is put in its place has others, and versions' ids would take a
    listing of all versions, replaced ones too.
    """

    uri: str
    size: int
    etag: str
    last_modified: str

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> Self:
        """Read an object's entry in a manifest; a ValueError, KeyError or TypeError says that it is none."""
        size = entry["size"]
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise ValueError(f"{size!r:.80} is no size")
        return cls(_text(entry["uri"]), size, _text(entry["etag"]), _text(entry["last_modified"]))

    @property
    def kind(self) -> str | None:
        """How it is read, or None when it is not data."""
        name = self.uri.lower()
        return next((kind for suffix, kind in KINDS.items() if name.endswith(suffix)), None)

    @property
    def is_cuttable(self) -> bool:
        """Whether it can be read in pieces."""
        return self.kind in _CUTTABLE


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one run reads, and what lay beside it and is not data."""

    dataset: str
    run_date: date
    run_id: str
    data_uri: str
    objects: tuple[Object, ...]
    ignored: tuple[str, ...]

    @property
    def run(self) -> tuple[str, date, str, str]:
        """What tells its run from all others, and where that run's data lie."""
        return self.dataset, self.run_date, self.run_id, self.data_uri

    def to_bytes(self) -> bytes:
        """Return the manifest as JSON; same manifest, same bytes."""
        document = {"version": VERSION, **asdict(self), "run_date": self.run_date.isoformat()}
        return json.dumps(document, indent=1, ensure_ascii=False).encode()

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a manifest that an earlier attempt of this execution has written.

        Raises:
            InvalidRecord: It is not a manifest of this version.
        """
        try:
            document = json.loads(body)
            if document.pop("version") != VERSION:
                raise ValueError("unknown version")
            return cls(
                dataset=_text(document["dataset"]),
                run_date=date.fromisoformat(document["run_date"]),
                run_id=_text(document["run_id"]),
                data_uri=_text(document["data_uri"]),
                objects=tuple(Object.parse(entry) for entry in _list(document["objects"])),
                ignored=tuple(map(_text, _list(document["ignored"]))),
            )
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise InvalidRecord(
                f"the manifest of this run cannot be read: {error}; start a new execution"
            ) from None


def compose(
    listing: Iterable[Mapping[str, Any]], *, dataset: str, run_date: date, run_id: str, data_uri: str
) -> Manifest:
    """Make the manifest of a listing.

    Args:
        listing: Entries of ListObjectsV2 with keys relative to ``data_uri``.
        dataset: Name of the dataset.
        run_date: Day of the data.
        run_id: Name of the execution.
        data_uri: Folder of the day, with a slash at its end.

    Returns:
        Objects sorted by URI. Names with a part that begins with ``.``, or with ``_`` and is no partition
        ``_key=value``, are left out, as Spark leaves them out; other names that are no data are ignored.
    """
    visible = [_object(entry, data_uri) for entry in listing if _visible(entry["Key"])]
    visible.sort(key=lambda each: each.uri)
    return Manifest(
        dataset,
        run_date,
        run_id,
        data_uri,
        objects=tuple(each for each in visible if each.kind),
        ignored=tuple(each.uri for each in visible if not each.kind),
    )


def listing(bucket: Bucket, prefix: str, limit: int) -> list[dict[str, Any]]:
    """List the objects below a prefix, keys relative to it.

    Raises:
        TooManyObjects: There are more than ``limit``.
    """
    entries = list(islice(bucket.listing(prefix), limit + 1))
    if len(entries) > limit:
        raise TooManyObjects(
            f"more than {limit:,} objects below {bucket.uri(prefix)}: one run may name {limit:,}; "
            "write fewer, larger files or raise the bound in the configuration"
        )
    return [{**entry, "Key": entry["Key"].removeprefix(prefix)} for entry in entries]


def write_once(bucket: Bucket, key: str, manifest: Manifest) -> Manifest:
    """Write the manifest unless an earlier attempt of this execution did; return the one that is stored.

    Raises:
        InvalidRecord: What is stored cannot be read, or is of another run: names may return after 90 days.
    """
    if bucket.create(key, manifest.to_bytes()):
        return manifest
    stored = bucket.read(key)
    if stored is None:
        raise InvalidRecord(
            f"the manifest {bucket.uri(key)} was removed while this run began; start it again"
        )
    found = Manifest.parse(stored.body)
    if found.run != manifest.run:
        raise InvalidRecord(
            f"{bucket.uri(key)} is of another run, of {found.dataset} and {found.run_date}; "
            "start an execution of another name"
        )
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.80} is no text")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.80} is no list")
    return value


def _visible(path: str) -> bool:
    *_, name = parts = path.split("/")
    # A key that ends with a slash is a folder's marker; an empty part before the last one hides nothing.
    return bool(name) and not any(map(_is_hidden, parts))


def _is_hidden(part: str) -> bool:
    return part.startswith(".") or (part.startswith("_") and "=" not in part)


def _object(entry: Mapping[str, Any], data_uri: str) -> Object:
    modified: datetime = entry["LastModified"]
    return Object(
        uri=data_uri + entry["Key"],
        size=entry["Size"],
        etag=entry["ETag"],
        last_modified=modified.astimezone(UTC).isoformat(),
    )
