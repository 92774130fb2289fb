"""The journal: one JSON object a line, each with the run's id, by which a query finds it in any log group."""

from __future__ import annotations

import json
from typing import Any


def tell(level: str, event: str, **fields: Any) -> None:
    """Write a line to the function's log.

    Args:
        level: INFO, WARNING or ERROR.
        event: What happened: ended, failed, busy (the state machine tries again), or unreadable.
        fields: What else is known, the run's id first of all.
    """
    print(json.dumps({"level": level, "event": event, **fields}, ensure_ascii=True), flush=True)
