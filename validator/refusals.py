"""Why a run failed, as files: error.json, and errors/ with one for each child.

A child that refused its part would refuse it again. So the merge that lacks the part ends as the child did,
instead of asking for another start.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from validator import leftovers, store
from validator.contract import ERROR_VERSION
from validator.crew import Crew, Halt
from validator.errors import AbsentError, DataError, UsageError, ValidatorError
from validator.settings import Attempt, Child, Settings

FINAL: Final[Mapping[int, type[ValidatorError]]] = {
    int(kind.exit_code): kind for kind in (UsageError, DataError, ValidatorError)
}
"""What another start would only end with again, by exit code."""


def described(error: ValidatorError) -> Mapping[str, Any]:
    """Returns an error as documents and journals have it."""
    return {"error": type(error).__name__, "exit_code": int(error.exit_code), "message": str(error)}


def save(attempt: Attempt, error: ValidatorError) -> None:
    """Writes why a run, or one of its children, failed, in the place of all that it has said of the data.

    Raises:
        ValidatorError: It cannot be written, or what would contradict it cannot be taken away.
    """
    leftovers.clear(attempt)
    run_date = attempt.run_date and attempt.run_date.isoformat()
    of_run = {"version": ERROR_VERSION, "run_id": attempt.run_id, "run_date": run_date}
    content = json.dumps({**of_run, **described(error)}, indent=2)
    store.write(leftovers.error_uri(attempt.output_uri, attempt.child), content.encode() + b"\n")


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
    uri = leftovers.error_uri(settings.output_uri, child)
    try:
        left = json.loads(store.at(uri).read(uri))
        if left["run_id"] != settings.run_id or left["exit_code"] not in FINAL:
            return None
        return FINAL[left["exit_code"]](str(left["message"]), remedy=f"that is how {child} ended, see {uri}")
    except (AbsentError, ValueError, KeyError, TypeError, RecursionError):
        return None
