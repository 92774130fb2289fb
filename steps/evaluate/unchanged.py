"""Proves that the data are still what the manifest names: what was judged is what was trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from .errors import DataChanged

WORKERS: Final = 16


@dataclass(frozen=True, slots=True)
class Head:
    """What S3 says of an object today."""

    etag: str
    last_modified: datetime


Ask = Callable[[str], Head | None]
"""Returns the head of the object at a URI, or None when it is gone."""


def check(objects: Iterable[dict[str, Any]], prepared_before: datetime, ask: Ask) -> None:
    """Compare each object of the manifest with what lies there now.

    Args:
        objects: The manifest's ``objects``.
        prepared_before: A time after Prepare had ended; a change later than that was not trained on.
        ask: Reads the head of an object; called from several threads.

    Raises:
        DataChanged: An object was changed before that time, or is gone.
    """
    judged = list(objects)
    with ThreadPoolExecutor(WORKERS) as pool:
        heads = pool.map(lambda each: ask(each["uri"]), judged)
        for each, head in zip(judged, heads, strict=True):
            if changed(each["etag"], head, prepared_before):
                raise DataChanged(f"object changed since it was judged: {each['uri']}; start the run again")


def changed(etag: str, head: Head | None, prepared_before: datetime) -> bool:
    """Tell whether an object may have been prepared in another form than it was judged in."""
    return head is None or (head.etag != etag and head.last_modified <= prepared_before)
