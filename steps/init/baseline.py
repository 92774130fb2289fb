"""The baseline: the accepted run with the greatest date before this one that nobody has withdrawn.

``accepted/<dataset>/<run_date>.json`` names the run and its statistics. ``withdrawn/<dataset>/<run_id>`` is
put down by a person: the run was accepted by mistake.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from datetime import date

from .bucket import Bucket


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a day is compared with."""

    statistics_uri: str
    """"" when no earlier run was accepted."""
    statistics_sha256: str
    """Of the statistics when they were accepted, the validator holds them to it; "" when nobody noted it."""
    unreadable: tuple[str, ...]
    """URIs of later records that were passed over, because they name no run and statistics of this bucket."""


@dataclass(frozen=True, slots=True)
class Record:
    """What was put down of an accepted day, as far as it is read."""

    run_id: str
    statistics_uri: str
    statistics_sha256: str = ""
    """Records of days that were accepted before there was a hash have none."""


def before(keys: Iterable[str], run_date: date) -> list[str]:
    """Return the keys ``…/<date>.json`` with dates before ``run_date``, the latest first."""
    dated = ((match[1], key) for key in keys if (match := re.search(r"/(\d{4}-\d{2}-\d{2})\.json$", key)))
    return [key for day, key in sorted(dated, reverse=True) if day < run_date.isoformat()]


def find(bucket: Bucket, dataset: str, run_date: date) -> Baseline:
    """Find the latest accepted run that can be used; one bad record does not stop all later days."""
    withdrawn = {_name(entry["Key"]) for entry in bucket.listing(f"withdrawn/{dataset}/")}
    keys = (entry["Key"] for entry in bucket.listing(f"accepted/{dataset}/"))
    unreadable = []
    for key in before(keys, run_date):
        record = _record(bucket, key)
        if record is None:
            unreadable.append(bucket.uri(key))
        elif record.run_id not in withdrawn:
            return Baseline(record.statistics_uri, record.statistics_sha256, tuple(unreadable))
    return Baseline("", "", tuple(unreadable))


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _record(bucket: Bucket, key: str) -> Record | None:
    """Return a record; None when it names no run and no statistics of this bucket."""
    stored = bucket.read(key)
    try:
        found = json.loads(stored.body) if stored else {}
        record = Record(**{field.name: found[field.name] for field in fields(Record) if field.name in found})
    except (TypeError, ValueError):
        return None
    if not all(isinstance(value, str) for value in astuple(record)):
        return None
    is_ours = record.statistics_uri.startswith(bucket.uri("validation/"))
    return record if is_ours and re.fullmatch("([0-9a-f]{64})?", record.statistics_sha256) else None
