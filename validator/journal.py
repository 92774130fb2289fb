"""The journal: what a task says of itself to machines, one JSON object a line, each with the run's id.

People read what stands beside it. A query over all log groups finds a run by its id.
"""

from __future__ import annotations

import json
from typing import Any


def entry(level: str, event: str, **fields: Any) -> str:
    """Returns a line.

    Args:
        level: INFO or ERROR.
        event: What happened: started, ended, interrupted, incomplete or failed.
        fields: What else is known, the run's id first of all.
    """
    return json.dumps({"level": level, "event": event, **fields}, ensure_ascii=True)
