"""Texts that look like dates and are none: 2024-02-30."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from validator.profile.sums import Tally

_ISO_8601: Final = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$"
_CLOCK: Final = rb"^.{10}([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d|:60|[^:]|$).*)?$"
_DAYS: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_SAMPLE: Final = 64


@dataclass(frozen=True, slots=True)
class Dates:
    """Values of a column of dates that are on no calendar."""

    invalid: int = 0
    example: str = ""


def is_date(text: str) -> bool:
    """Says whether a text is written as a date is, with a time of day or without, in ISO 8601."""
    return re.fullmatch(_ISO_8601, text) is not None


def of(values: Any, counts: Tally) -> Dates:
    """Counts impossible dates and times of day, if at least half of the values are written as dates.

    Args:
        values: Binary, each once.
        counts: How often each occurs.
    """
    if not _written(values.slice(0, _SAMPLE)).any():
        return Dates()
    written = _written(values)
    if 2 * counts[written].sum() < counts.sum():
        return Dates()
    dates, occurrences = values.filter(pa.array(written)), counts[written]
    wrong = ~_exists(dates)
    if not wrong.any():
        return Dates()
    return Dates(int(occurrences[wrong].sum()), dates[int(np.argmax(wrong))].as_py().decode())


def _written(values: Any) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.match_substring_regex(values, _ISO_8601).to_numpy(zero_copy_only=False)
    return found


def _exists(dates: Any) -> NDArray[np.bool_]:
    """Says of values that are written as dates whether there is such a day, and such a time of day."""
    digits = np.frombuffer(b"".join(date[:10] for date in dates.to_pylist()), np.uint8).reshape(-1, 10) - 48
    numbers = digits.astype(np.int64)
    year = numbers[:, 0] * 1000 + numbers[:, 1] * 100 + numbers[:, 2] * 10 + numbers[:, 3]
    month, day = numbers[:, 5] * 10 + numbers[:, 6], numbers[:, 8] * 10 + numbers[:, 9]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = _DAYS[np.clip(month, 0, 12)] * (month <= 12) + (leap & (month == 2))
    clock: NDArray[np.bool_] = pc.match_substring_regex(dates, _CLOCK).to_numpy(zero_copy_only=False)
    exists: NDArray[np.bool_] = (day >= 1) & (day <= longest) & clock
    return exists
