"""Cron expressions as EventBridge Scheduler takes them: a wrong one would fail the deployment.

    cron(minutes hours day-of-month month day-of-week year)

Held to what AWS documents and no more: what Quartz reads beyond it (``LW``, ``L-3``, ranges that end below
their start, steps of days of the week) nobody promises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["CronError", "check"]

LENGTH: Final = 256
"""Characters of a schedule's expression, at most."""

MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

MONTH_DAY: Final = r"\?|L|(0?[1-9]|[12][0-9]|3[01])W"
"""Any, the last one, the weekday nearest to one."""
WEEKDAY: Final = rf"\?|L|({'|'.join(WEEKDAYS)}|[1-7])(L|#[1-5])"
"""Any, the last one, the last or the nth of its name in the month."""


class CronError(ValueError):
    """EventBridge Scheduler would refuse the expression; says which field and why."""


@dataclass(frozen=True, slots=True)
class Field:
    """One of the six.

    Attributes:
        low: The least value.
        high: The greatest value.
        names: What the values may be called, from the least on.
        alone: Pattern of what may stand for the whole field, but in no list.
        steps: Whether ``/`` is known.
    """

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    alone: str = ""
    steps: bool = True

    def check(self, text: str) -> None:
        """Raise a CronError unless the text is a list of values, ranges and steps, or what stands alone."""
        if self.alone and re.fullmatch(self.alone, text):
            return
        for item in text.split(","):
            if not self._is_item(item):
                raise CronError(f"{self.name} cannot be {item!r:.40}: {self}")

    def __str__(self) -> str:
        named = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"values are {self.low}-{self.high}{named}"

    def _is_item(self, item: str) -> bool:
        values, slash, step = item.partition("/")
        return self._is_range(values) and (not slash or (self.steps and self._is_step(step)))

    def _is_range(self, text: str) -> bool:
        if text == "*":
            return True
        first, dash, last = text.partition("-")
        low, high = self._value(first), self._value(last) if dash else self.high
        return low is not None and high is not None and low <= high

    def _is_step(self, text: str) -> bool:
        # A longer one would never be taken.
        return re.fullmatch(r"[0-9]{1,3}", text) is not None and 1 <= int(text) <= self.high - self.low

    def _value(self, text: str) -> int | None:
        if text in self.names:
            return self.low + self.names.index(text)
        if not re.fullmatch(r"[0-9]{1,4}", text):
            return None
        return int(text) if self.low <= int(text) <= self.high else None


FIELDS: Final = (
    Field("minutes", 0, 59),
    Field("hours", 0, 23),
    Field("day of the month", 1, 31, alone=MONTH_DAY),
    Field("month", 1, 12, names=MONTHS),
    Field("day of the week", 1, 7, names=WEEKDAYS, alone=WEEKDAY, steps=False),
    Field("year", 1970, 2199),
)


def check(expression: str) -> None:
    """Refuse what EventBridge Scheduler would refuse.

    Raises:
        CronError: It would.
    """
    found = re.fullmatch(r"cron\((\S+(?: \S+){5})\)", expression)
    if not found or len(expression) > LENGTH:
        raise CronError(f"expected six fields in {LENGTH} characters, such as cron(30 3 * * ? *)")
    texts = found[1].split(" ")
    for field, text in zip(FIELDS, texts, strict=True):
        field.check(text)
    if texts.count("?") != 1:
        raise CronError("one of day of the month and day of the week must be ?, the other must not")
