"""Inputs that do not end as they must yet, and why: their tests must fail, so that none stays here unseen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_RECURSION: Final = "nesting without end is our error 70, not one of the document"

KNOWN: Final[Mapping[str, str]] = {
    "parquet-plain-page-flipped": "values are not compared with what the footer says of their column",
    "manifest-nested-100000-deep": _RECURSION,
    "manifest-size-is-infinite": "a size that is no whole number is our error 70",
    "schema-nested-20000-deep": _RECURSION,
}
"""Reason by the name of the input."""
