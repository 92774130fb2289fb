"""How much one column may hold before it is sketched, and how fine its sketches are.

A function of the number of columns alone: what is exact of equal data is so on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_STATE_BYTES: Final = 64 << 20
"""What a state takes at most, as long as there are few columns."""
_COLUMN_BYTES: Final = 24 << 10
"""What a column may take however many there are."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one column."""

    values: int = 50_000
    """Distinct values that are counted exactly."""
    content: int = 768 << 10
    """Bytes of distinct text that are counted exactly."""
    quantiles_k: int = 2_048
    """KLL's k: with 99 % confidence a rank is off by at most 0.14 % of the values at 2,048, 0.55 % at 512."""
    frequent_log2: int = 14
    """Slots for frequent texts: a count is low by at most 3.5 / slots of the values."""
    distinct_log2: int = 14
    """Hashes that a theta sketch keeps: the relative standard error is 0.78 % at 2**14."""

    @classmethod
    def for_width(cls, columns: int) -> Limits:
        """Shares a state's memory among columns."""
        share = max(_COLUMN_BYTES, _STATE_BYTES // max(1, columns))
        most = cls()
        return cls(
            # Half for values and counts, half for texts; each twice while tables are put together.
            values=min(most.values, share // 64),
            content=min(most.content, share // 4),
            quantiles_k=min(most.quantiles_k, 1 << _log2(share // 24)),
            frequent_log2=min(most.frequent_log2, _log2(share // 128)),
            distinct_log2=min(most.distinct_log2, _log2(share // 64)),
        )

    @property
    def bytes(self) -> int:
        """What a column takes at most, its tables just being put together."""
        exact = 32 * self.values + 2 * self.content
        return max(exact, 24 * self.quantiles_k, (64 << self.frequent_log2) + (32 << self.distinct_log2))


def _log2(value: int) -> int:
    return value.bit_length() - 1
