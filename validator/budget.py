"""How many workers fit into the memory of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from validator.profile import Column
from validator.profile.limits import Limits

READING_BYTES: Final = 48 << 20
"""What a worker reads and decodes at a time, and what its allocators keep."""


def workers(columns: Sequence[Column], *, wanted: int, budget: int, used: int) -> int:
    """Returns how many workers may work at a time, one at least.

    Args:
        columns: What they profile; each worker holds a state of them, one more holds all that is finished.
        wanted: As many as there are processors for.
        budget: Bytes of memory for all together.
        used: Bytes that are taken before any of them starts.
    """
    leaves = sum(column.leaves for column in columns)
    state = leaves * Limits.for_width(leaves).bytes
    return max(1, min(wanted, (budget - used - state) // (state + READING_BYTES)))
