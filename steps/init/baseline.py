"""The baseline: the accepted run with the greatest date before this one that nobody has withdrawn.

``accepted/<dataset>/<run_date>.json`` names the run and its statistics. ``withdrawn/<dataset>/<run_id>`` is
put down by a person: the run was accepted by mistake.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from .bucket import Bucket


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a day is compared with."""

    statistics_uri: str
    """"" when no earlier run was accepted."""
    unreadable: tuple[str, ...]
    """URIs of later records that were passed over, because they name no run and statistics of this bucket."""


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
        run_id, statistics_uri = _record(bucket, key)
        if not statistics_uri:
            unreadable.append(bucket.uri(key))
        elif run_id not in withdrawn:
            return Baseline(statistics_uri, tuple(unreadable))
    return Baseline("", tuple(unreadable))


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _record(bucket: Bucket, key: str) -> tuple[str, str]:
    """Return a record's run and its statistics; both are "" when it does not name them."""
    stored = bucket.read(key)
    try:
        record = json.loads(stored.body) if stored else {}
        run_id, uri = record["run_id"], record["statistics_uri"]
    except (KeyError, TypeError, ValueError):
        return "", ""
    named = isinstance(run_id, str) and isinstance(uri, str) and uri.startswith(bucket.uri("validation/"))
    return (run_id, uri) if named else ("", "")
