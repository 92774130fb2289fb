"""The hyperparameters that the training step knows, within XGBoost's bounds.

A wrong one would end a run whose validation and preparation are paid for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from templates.table import Table

__all__ = ["NUMBERS", "WHOLE", "read"]

HUGE: Final = 1_000_000
"""Where XGBoost sets no bound."""

WHOLE: Final[Mapping[str, tuple[int, int]]] = {
    "num_round": (1, 100_000),
    "max_depth": (1, 100),
    "seed": (0, 2**31 - 1),
}
"""Name -> the least and the greatest value. Who teaches steps/train another one writes it down here."""

NUMBERS: Final[Mapping[str, tuple[float, float]]] = {
    "eta": (0, 1),
    "min_child_weight": (0, HUGE),
    # From no rows and no columns nothing is learnt.
    "subsample": (0.001, 1),
    "colsample_bytree": (0.001, 1),
    "lambda": (0, HUGE),
    "alpha": (0, HUGE),
    "gamma": (0, HUGE),
}
"""The same of those that need not be whole."""


def read(table: Table) -> tuple[tuple[str, str], ...]:
    """Return name and value as text, in the order of the file.

    Raises:
        ConfigError: A name is unknown, or a value out of bounds.
    """
    table.only(*WHOLE, *NUMBERS)
    for key in table.values:
        if key in WHOLE:
            table.whole(key, *WHOLE[key])
        else:
            table.number(key, *NUMBERS[key])
    return tuple((key, str(value)) for key, value in table.values.items())
