"""Why a run failed, as files: error.json, and errors/ with one for each child.

A child that refused its part would refuse it again. So the merge that lacks the part ends as the child did,
instead of asking for another start.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from validator import store
from validator.contract import Artifact
from validator.crew import Crew, Halt
from validator.errors import AbsentError, DataError, UsageError, ValidatorError
from validator.settings import Child, Settings

FINAL: Final[Mapping[int, type[ValidatorError]]] = {
    int(kind.exit_code): kind for kind in (UsageError, DataError, ValidatorError)
}
"""What another start would only end with again, by exit code."""


def described(error: ValidatorError) -> Mapping[str, Any]:
    """Returns an error as documents and journals have it."""
    return {"error": type(error).__name__, "exit_code": int(error.exit_code), "message": str(error)}


def save(settings: Settings, error: ValidatorError) -> None:
    """Writes why a run, or one of its children, failed."""
    of_run = {"run_id": settings.run_id, "run_date": settings.run_date.isoformat()}
    content = json.dumps({**of_run, **described(error)}, indent=2)
    store.write(_uri(settings, settings.child), content.encode() + b"\n")


def of_children(settings: Settings, children: Sequence[Child], crew: Crew) -> ValidatorError | None:
    """Returns what the first child said that refused its part in this run; None when none did.

    Args:
        settings: Of the merge.
        children: Those whose parts are absent; what is there was not refused in the end.
        crew: Who looks.
    """

    def look(child: Child, halt: Halt) -> ValidatorError | None:
        halt.check()
        return _of_child(settings, child)

    with crew.at_work(look, children) as looked:
        return next((error for _, result in looked if (error := result())), None)


def _of_child(settings: Settings, child: Child) -> ValidatorError | None:
    uri = _uri(settings, child)
    try:
        left = json.loads(store.at(uri).read(uri))
        if left["run_id"] != settings.run_id or left["exit_code"] not in FINAL:
            return None
        return FINAL[left["exit_code"]](str(left["message"]), remedy=f"that is how {child} ended, see {uri}")
    except (AbsentError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _uri(settings: Settings, child: Child | None) -> str:
    """Returns where it lies: children, who would take each other's place, have names of their own."""
    if child is None:
        return store.child(settings.output_uri, Artifact.ERROR)
    return store.child(store.child(settings.output_uri, Artifact.ERRORS), child.file)
