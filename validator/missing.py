"""missing.json: which children have to run again before what they saved can be merged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from validator.contract import MISSING_LIMIT_BYTES, MISSING_VERSION


def summarize(run_id: str, count: int, indexes: Iterable[int]) -> bytes:
    """Returns the content of missing.json, at most `MISSING_LIMIT_BYTES`.

    Of more children than it can name it names the first: once they have run, the next merge names others.

    Args:
        run_id: Of the run that lacks them.
        count: How many children there are: SHARD_COUNT.
        indexes: Which of them have to run again: SHARD_INDEX.
    """
    named = sorted(set(indexes))
    content = _encode(run_id, count, named)
    while len(content) > MISSING_LIMIT_BYTES and named:
        named = named[: len(named) * 9 // 10]
        content = _encode(run_id, count, named)
    return content


def _encode(run_id: str, count: int, indexes: Sequence[int]) -> bytes:
    content = {"version": MISSING_VERSION, "run_id": run_id, "child_count": count, "children": indexes}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace") + b"\n"
