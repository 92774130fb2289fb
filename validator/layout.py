"""Documents as dataclasses: every field is what it is declared as, or the document is refused."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import date
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Any, Final, TypeVar, cast, get_args, get_origin, get_type_hints

from validator import text

_T = TypeVar("_T")

_NOUNS: Final[Mapping[type, str]] = {str: "a text", int: "a whole number", list: "a list", dict: "an object"}


def read(kind: type[_T], document: object, version: int) -> _T:
    """Returns a document as the dataclass whose fields it has.

    Args:
        kind: A dataclass of texts, numbers, dates, words, such dataclasses, and tuples and mappings of these.
        document: What `json.loads` returned.
        version: Of the layout.

    Raises:
        ValueError: It is of another version, or a field is absent, unknown or no such thing: the message says
            which one.
    """
    found = _of(dict, document, "").get("version")
    if found != version:
        raise ValueError(f"its version is {_shown(found)}, not {version}")
    return cast("_T", _read(kind, document, ""))


def _read(kind: Any, document: object, place: str) -> Any:
    known, hints = _of(dict, document, place), _hints(kind)
    above = f"{place}." if place else ""
    if unknown := [name for name in known if name not in hints]:
        raise ValueError(f"{above}{text.shown(unknown[0])} is unknown")
    if absent := [name for name in _demanded(kind) if name not in known]:
        raise ValueError(f"{above}{absent[0]} is missing")
    return kind(**{name: _value(hints[name], found, above + name) for name, found in known.items()})


def _value(kind: Any, found: object, place: str) -> Any:
    arguments = get_args(kind)
    if NoneType in arguments:
        return None if found is None else _value(arguments[0], found, place)
    if get_origin(kind) is tuple:
        each = enumerate(_of(list, found, place))
        return tuple(_value(arguments[0], value, f"{place}[{number}]") for number, value in each)
    if get_origin(kind) is Mapping:
        named = _of(dict, found, place).items()
        return {name: _value(arguments[1], value, f"{place}.{text.shown(name)}") for name, value in named}
    return _single(kind, found, place)


def _single(kind: Any, found: object, place: str) -> Any:
    if kind in (str, int):
        return _of(kind, found, place)
    if kind is float:
        return _number(found, place)
    if issubclass(kind, date | StrEnum):
        return _word(kind, found, place)
    return _read(kind, found, place)


def _number(found: object, place: str) -> float:
    # JSON knows neither NaN nor infinity, Python's reader both; whole numbers it reads whatever their length.
    if isinstance(found, int | float) and not isinstance(found, bool) and abs(found) <= sys.float_info.max:
        return float(found)
    raise _other(found, place, "a number")


def _word(kind: type[date] | type[StrEnum], found: object, place: str) -> date | StrEnum:
    word = _of(str, found, place)
    try:
        return date.fromisoformat(word) if issubclass(kind, date) else kind(word)
    except ValueError:
        expected = "a date" if issubclass(kind, date) else f"one of {', '.join(kind)}"
        raise _other(found, place, expected) from None


def _of(kind: type[_T], found: object, place: str) -> _T:
    # True is an int in Python.
    if isinstance(found, kind) and not isinstance(found, bool):
        return found
    raise _other(found, place, _NOUNS[kind])


def _other(found: object, place: str, expected: str) -> ValueError:
    return ValueError(f"{place or 'it'} is {_shown(found)}, not {expected}")


def _shown(found: object) -> str:
    return text.shown(reprlib.repr(found))


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind)}


@cache
def _demanded(kind: Any) -> tuple[str, ...]:
    """Names of the fields that have no default."""
    return tuple(each.name for each in fields(kind) if each.default is MISSING)
