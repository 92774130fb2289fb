"""What an earlier attempt left below the output: it goes before another begins, so no two are ever mixed.

The gate goes first. A kill in between leaves an attempt without its gate, which nobody takes for a pass.
"""

from __future__ import annotations

import os
from typing import Final

from validator import store
from validator.contract import Artifact
from validator.errors import AbsentError, UsageError
from validator.settings import Attempt, Child

RESULTS: Final = (
    Artifact.GATE,
    Artifact.VERDICT,
    Artifact.REPORT,
    Artifact.ANOMALIES,
    Artifact.ANOMALIES_TEXT,
    Artifact.SCHEMA_PROPOSED,
    Artifact.STATISTICS,
    Artifact.MISSING,
    Artifact.ERROR,
)
"""What an attempt says of the data, or of its own failure. What `infer` wrote is a person's from then on."""


def clear(attempt: Attempt) -> None:
    """Takes away what an earlier attempt said; of a child that is its error, and no document that is read.

    Raises:
        UsageError: Something is there and may not be taken away.
        StorageError: The storage is unavailable.
    """
    if attempt.child:
        _remove(error_uri(attempt.output_uri, attempt.child))
        return
    kept = {_place(uri) for uri in attempt.documents}
    for name in RESULTS:
        uri = store.child(attempt.output_uri, name)
        if _place(uri) not in kept:
            _remove(uri)


def error_uri(output_uri: str, child: Child | None) -> str:
    """Returns where an attempt says why it failed: children, side by side, have names of their own."""
    if child is None:
        return store.child(output_uri, Artifact.ERROR)
    return store.child(store.child(output_uri, Artifact.ERRORS), child.file)


def _remove(uri: str) -> None:
    try:
        is_there = store.exists(uri)
    except AbsentError:
        # Nobody may look: what cannot be seen is not ours to see to.
        is_there = False
    if is_there:
        store.remove(uri)


def _place(uri: str) -> str:
    """Returns one name for all ways to write it."""
    try:
        return uri if store.is_remote(uri) else os.path.abspath(store.local_path(uri))  # noqa: PTH100
    except UsageError:
        # Who reads it says what is wrong.
        return uri
