"""What an earlier attempt left below the output: it goes before another begins, so no two are ever mixed.

The gate goes first. A kill in between leaves an attempt without its gate, which nobody takes for a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from validator import store
from validator.contract import Artifact, Environment
from validator.errors import AbsentError, UsageError
from validator.settings import Attempt, Child, blamed

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
    """Takes away what an earlier attempt said; of a child that is its error.

    Raises:
        UsageError: Something is there and may not be taken away; nothing is when this attempt reads it.
        StorageError: The storage is unavailable.
    """
    _demand_apart(attempt)
    with blamed(Environment.OUTPUT_URI):
        for uri in _said(attempt):
            _remove(uri)


def _said(attempt: Attempt) -> Sequence[str]:
    """Returns where an attempt says something, the gate first."""
    if attempt.child:
        return [error_uri(attempt.output_uri, attempt.child)]
    return [store.child(attempt.output_uri, name) for name in RESULTS]


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
        try:
            store.remove(uri)
        except AbsentError as error:
            # It is there, so absent it is not: S3 refused.
            raise UsageError(str(error), remedy="allow s3:DeleteObject, or name another output") from error


def _demand_apart(attempt: Attempt) -> None:
    """What takes the place of a document it reads would hold the data against themselves when it restarts."""
    for setting, uri in attempt.documents.items():
        if any(_is_same(uri, store.child(attempt.output_uri, name)) for name in RESULTS):
            with blamed(setting):
                raise UsageError(
                    f"cannot use {uri}",
                    why="this run would put its own results in its place",
                    remedy="copy it elsewhere, or name another --output",
                )


def _is_same(one: str, other: str) -> bool:
    """Says whether two URIs name one object, by whatever links."""
    if store.is_remote(one) or store.is_remote(other):
        return one == other
    try:
        return store.local_path(one).samefile(store.local_path(other))
    except (OSError, ValueError, UsageError):
        # Absent, or no path: who reads it says what is wrong.
        return False
