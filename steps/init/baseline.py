"""The baseline: the accepted run with the greatest date before this one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date

from .bucket import Bucket
from .errors import InvalidRecord


def latest_before(keys: Iterable[str], run_date: date) -> str | None:
    """Return the key ``…/<date>.json`` with the greatest date before ``run_date``, or None."""
    dated = ((match[1], key) for key in keys if (match := re.search(r"/(\d{4}-\d{2}-\d{2})\.json$", key)))
    earlier = [(day, key) for day, key in dated if day < run_date.isoformat()]
    return max(earlier)[1] if earlier else None


def find(bucket: Bucket, dataset: str, run_date: date) -> str:
    """Return the URI of the baseline's statistics, or "" when no earlier run was accepted.

    Raises:
        InvalidRecord: The record of the accepted run names no statistics in this bucket.
    """
    keys = (entry["Key"] for entry in bucket.listing(f"accepted/{dataset}/"))
    key = latest_before(keys, run_date)
    stored = bucket.read(key) if key else None
    return _statistics(stored.body, bucket, str(key)) if stored else ""


def _statistics(body: bytes, bucket: Bucket, key: str) -> str:
    try:
        uri = json.loads(body)["statistics_uri"]
    except (KeyError, TypeError, ValueError):
        uri = None
    if isinstance(uri, str) and uri.startswith(bucket.uri("validation/")):
        return uri
    raise InvalidRecord(f"{bucket.uri(key)} names no statistics in this bucket: repair or remove the record")
