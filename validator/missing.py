"""missing.json: which children have to run again before what they saved can be merged."""

from __future__ import annotations

import json
from collections.abc import Iterable

from validator.contract import MISSING_VERSION


def summarize(run_id: str, count: int, indexes: Iterable[int]) -> bytes:
    """Returns the content of missing.json: some 60 KB at most, for 10,000 children.

    Args:
        run_id: Of the run that lacks them.
        count: How many children there are: SHARD_COUNT.
        indexes: Which of them: SHARD_INDEX; none once nothing is missing.
    """
    content = {
        "version": MISSING_VERSION,
        "run_id": run_id,
        "shard_count": count,
        "shards": sorted(set(indexes)),
    }
    return json.dumps(content, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"
