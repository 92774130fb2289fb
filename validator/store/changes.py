"""Objects that are not what they were when they were listed."""

from __future__ import annotations

from validator.errors import DataError
from validator.manifest import Object


def differs(now: Object, then: Object) -> bool:
    """Says whether a file changed. A manifest of files may carry no time."""
    return now.size != then.size or (then.last_modified or now.last_modified) != now.last_modified


def replaced(uri: str) -> DataError:
    """Says that an object was replaced, truncated or written to."""
    return DataError(
        f"cannot read {uri}",
        why="the object changed since the manifest was written, or the data listed",
        remedy="start a new run, so that what is judged is what is trained on",
    )
