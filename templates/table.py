"""A table of the configuration file, read key by key: every refusal names the file and the key."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NoReturn, TypeVar

Word = TypeVar("Word", bound=StrEnum)

_MISSING: Final = object()

DYNAMIC_REFERENCE: Final = "{{resolve:"
"""CloudFormation looks up what such a text names, wherever in a template it stands."""


class ConfigError(ValueError):
    """The configuration cannot be used; one line: which file and key, why, what is expected."""


@dataclass(frozen=True, slots=True)
class Table:
    """A TOML table with its place in the file.

    Attributes:
        source: The file's name as people typed it.
        place: Dotted path of the table, "" for the file itself.
        values: What stands in it.
    """

    source: str
    place: str
    values: Mapping[str, Any]

    def refuse(self, key: str, why: str) -> NoReturn:
        """Raise a ConfigError about a key of this table."""
        raise ConfigError(f"{self.source}: {self._path(key)} {why}")

    def mismatch(self, key: str, value: object, expected: str) -> NoReturn:
        """Raise a ConfigError that shows a value of this table and says what is expected."""
        self.refuse(key, f"is {_shown(value)}: expected {expected}")

    def only(self, *known: str) -> None:
        """Refuse any key that is not known: a misspelt setting must not be passed over."""
        for key in self.values:
            if key not in known:
                self.refuse(key, f"is not known: take one of {', '.join(known)}")

    def text(self, key: str, pattern: str, expected: str) -> str:
        """Return a string that matches the whole pattern."""
        return self._text(key, self._value(key, _MISSING, expected), pattern, expected)

    def texts(self, key: str, pattern: str, expected: str) -> tuple[str, ...]:
        """Return a list of strings, each matching the whole pattern; an absent one is empty."""
        value = self._value(key, [], expected)
        if not isinstance(value, list):
            self.mismatch(key, value, expected)
        return tuple(self._text(key, item, pattern, expected) for item in value)

    def whole(self, key: str, low: int, high: int) -> int:
        """Return a whole number within bounds, both included."""
        expected = f"a whole number from {low} to {high}"
        value = self._value(key, _MISSING, expected)
        if type(value) is not int or not low <= value <= high:
            self.mismatch(key, value, expected)
        return value

    def number(self, key: str, low: float, high: float) -> float:
        """Return a number within bounds, both included; nan is in none."""
        expected = f"a number from {low} to {high}"
        value = self._value(key, _MISSING, expected)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.mismatch(key, value, expected)
        return float(value)

    def flag(self, key: str) -> bool:
        """Return true or false, spelt so."""
        value = self._value(key, _MISSING, "true or false")
        if not isinstance(value, bool):
            self.mismatch(key, value, "true or false")
        return value

    def word(self, key: str, words: type[Word]) -> Word:
        """Return a word of an enumeration."""
        return words(self.one_of(key, [str(word) for word in words]))

    def one_of(self, key: str, offered: Collection[Any]) -> Any:
        """Return a value that is among those offered, of the same type: 14.0 is not 14."""
        expected = f"one of {', '.join(map(str, offered))}"
        value = self._value(key, _MISSING, expected)
        if not any(type(value) is type(one) and value == one for one in offered):
            self.mismatch(key, value, expected)
        return value

    def table(self, key: str) -> Table:
        """Return the table below a key."""
        value = self._value(key, _MISSING, "a table")
        if not isinstance(value, Mapping):
            self.mismatch(key, value, "a table")
        return Table(self.source, self._path(key), value)

    def tables(self, key: str) -> Iterator[Table]:
        """Yield the tables of a list, of which there must be one at least."""
        expected = "a list of tables, one at least"
        value = self._value(key, _MISSING, expected)
        if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) for item in value):
            self.mismatch(key, value, expected)
        for index, item in enumerate(value):
            yield Table(self.source, f"{self._path(key)}[{index}]", item)

    def _text(self, key: str, value: object, pattern: str, expected: str) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            self.mismatch(key, value, expected)
        if DYNAMIC_REFERENCE in value:
            self.refuse(key, f"holds {DYNAMIC_REFERENCE!r}: CloudFormation would put something in its place")
        return value

    def _path(self, key: str) -> str:
        shown = key if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", key) else f"{key!r:.80}"
        return f"{self.place}.{shown}" if self.place else shown

    def _value(self, key: str, default: Any, expected: str) -> Any:
        value = self.values.get(key, default)
        return self.refuse(key, f"is missing: expected {expected}") if value is _MISSING else value


def _shown(value: object) -> str:
    try:
        return f"{value!r:.80}"
    except ValueError:
        # Python writes no integer of so many digits, and TOML's hexadecimal ones may have them.
        return "a number beyond all bounds"


def overlay(base: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of ``base`` with those of ``above`` laid over them, key by key."""
    laid = dict(base)
    for key, value in above.items():
        below = laid.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping)
        laid[key] = overlay(below, value) if both else value  # type: ignore[arg-type]
    return laid
