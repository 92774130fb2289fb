"""The engine: one mergeable state per shard, exact where it can be, sketched with a stated bound beyond.

`Profile.add(batch)` and `Profile.merge(other)` in any order, then `Profile.finish()`. States of different
versions of the engine are never merged.
"""

from __future__ import annotations

from validator.profile.columns import Column, Kind
from validator.profile.state import ENGINE_VERSION, Path, Profile
from validator.profile.summary import (
    ColumnSummary,
    NumericSummary,
    Presence,
    StructSummary,
    Summary,
    TextSummary,
)

__all__ = [
    "ENGINE_VERSION",
    "Column",
    "ColumnSummary",
    "Kind",
    "NumericSummary",
    "Path",
    "Presence",
    "Profile",
    "StructSummary",
    "Summary",
    "TextSummary",
]
