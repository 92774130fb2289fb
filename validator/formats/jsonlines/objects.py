"""JSON decoded line by line, exactly: slower than pyarrow by ten times, for what pyarrow does not take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from validator.formats.shape import MAX_DEPTH, Clash, Form, Shape
from validator.formats.trouble import Trouble, Unfit
from validator.profile import Column, Kind

BLANKS: Final = b" \t\r\n"
"""What JSON allows between two tokens."""

_INT64: Final = range(-(1 << 63), 1 << 63)
_DIGITS: Final = 20
"""Of the longest number of 64 bits, with its sign."""


class Whole(str):
    """A number without fraction and exponent, as it is written."""

    __slots__ = ()

    @property
    def form(self) -> Form:
        """Whether 64 bits hold it."""
        return Form.INTEGER if len(self) <= _DIGITS and int(self) in _INT64 else Form.REAL


class Real(str):
    """Any other number as it is written; NaN and Infinity, which no standard allows, among them."""

    __slots__ = ()
    form: Final = Form.REAL


def rows(offset: int, content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the offset of each line that is not blank, and its object.

    Args:
        offset: Of the content in its text.
        content: Lines.

    Raises:
        Trouble: A line is not one object, or not UTF-8, or a key stands twice.
    """
    end = offset + len(content)
    for line in content.split(b"\n"):
        if bare := line.rstrip(BLANKS):
            yield offset, _decoded(offset, bare, has_end=offset + len(line) < end)
        offset += len(line) + 1


def learn(shape: Shape, row: dict[str, Any], number: int) -> None:
    """Takes the keys and values of a row into a shape.

    Raises:
        Clash: They are not like those before, or nobody could read them.
    """
    _learn_object(shape, row, number, 1)


def fitted(row: dict[str, Any], columns: tuple[Column, ...]) -> dict[str, Any]:
    """Returns the values of an object as pyarrow takes them for these columns.

    Raises:
        Unfit: One does not fit its column, or has none.
    """
    if surplus := row.keys() - {column.name for column in columns}:
        raise Unfit(f"{min(surplus)!r} was not met before")
    return {column.name: _fitted(row.get(column.name), column, column.depth) for column in columns}


def _decoded(offset: int, line: bytes, *, has_end: bool) -> dict[str, Any]:
    try:
        row = _DECODER.decode(line.decode())
    except UnicodeDecodeError as error:
        byte = line[error.start]
        raise Trouble(offset, f"0x{byte:02x} is not UTF-8 text", f"byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        why = f"not JSON: {error.msg.removesuffix(' at')}"
        hint = "" if has_end else ", and the line has no end: perhaps the file was cut"
        raise Trouble(offset, why + hint, f"column {error.colno}") from error
    except RecursionError as error:
        raise Trouble(offset, f"it is nested deeper than {MAX_DEPTH}") from error
    except Clash as error:
        raise Trouble(offset, str(error)) from error
    if not isinstance(row, dict):
        raise Trouble(offset, "it is not an object, {…}")
    return row


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Clash(f"key {twice!r} stands twice in one object")
    return found


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=Whole, parse_float=Real, parse_constant=Real
)


def _learn_object(shape: Shape, row: dict[str, Any], number: int, level: int) -> None:
    for key, value in row.items():
        if not key:
            raise Clash("a key is empty")
        if key not in shape.fields:
            _demand_characters(key)
        _learn(shape.field(key), value, number, 0, level)


def _learn(shape: Shape, value: Any, number: int, depth: int, level: int) -> None:
    if level > MAX_DEPTH:
        raise Clash(f"it is nested deeper than {MAX_DEPTH}")
    match value:
        case None:
            return
        case list():
            shape.meet_list(depth + 1)
            for each in value:
                _learn(shape, each, number, depth + 1, level + 1)
        case dict():
            shape.meet(Form.OBJECT, depth)
            _learn_object(shape, value, number, level + 1)
        case bool():
            shape.meet(Form.BOOLEAN, depth)
            shape.count_number()
        case Whole() | Real():
            shape.meet(value.form, depth)
            shape.count_number()
        case _:
            _demand_characters(value)
            shape.meet(Form.TEXT, depth)
            shape.count_text(value, number)


def _demand_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = text[error.start]
        raise Clash(f"\\u{ord(half):04x} is half of a surrogate pair, no character") from error


def _fitted(value: Any, column: Column, depth: int) -> Any:
    if value is None:
        return None
    if isinstance(value, list) != (depth > 0) or isinstance(value, dict) > (column.kind is Kind.STRUCT):
        raise Unfit(f"{column.name!r} is not what it was before")
    if isinstance(value, list):
        return [_fitted(each, column, depth - 1) for each in value]
    if isinstance(value, dict):
        return fitted(value, column.fields)
    return _single(value, column)


def _single(value: Any, column: Column) -> Any:
    is_text = not isinstance(value, bool | Whole | Real)
    match column.kind:
        case Kind.BYTES if isinstance(value, bool):
            return str(value).lower()
        case Kind.BYTES:
            # Minus zero is written as pyarrow writes it.
            return "0" if isinstance(value, Whole) and value == "-0" else str(value)
        case Kind.FLOAT if not is_text:
            return float(value)
        case Kind.INT if isinstance(value, bool) or (isinstance(value, Whole) and value.form is Form.INTEGER):
            return int(value)
    raise Unfit(f"{column.name!r} is {'a text' if is_text else 'a number'} that is no {column.kind}")
