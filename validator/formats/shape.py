"""What rows turn out to hold that name their columns themselves: a tree of keys, grown as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Flag, auto
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from validator.formats.header import Seen
from validator.profile import Column, Kind

MAX_KEYS: Final = 20_000
"""More are values that stand where keys should."""
MAX_DEPTH: Final = 32
"""Objects and lists inside one another."""


class Form(Flag):
    """How a single value is written."""

    BOOLEAN = auto()
    INTEGER = auto()
    """Within 64 bits."""
    REAL = auto()
    TEXT = auto()
    OBJECT = auto()

    @property
    def kind(self) -> Kind | None:
        """The narrowest kind for all of them, None for none."""
        return next((kind for form, kind in _KINDS if form & self), None)


_KINDS: Final = (
    (Form.OBJECT, Kind.STRUCT),
    (Form.TEXT, Kind.BYTES),
    (Form.REAL, Kind.FLOAT),
    (Form.BOOLEAN | Form.INTEGER, Kind.INT),
)


class Clash(Exception):  # noqa: N818 - becomes a DataError once its place is known
    """Values under one key that no column holds together."""


class Shape:
    """What the values under one key are; the root is what a row is.

    Args:
        path: Keys from the root.
    """

    def __init__(self, path: tuple[str, ...] = ()) -> None:
        self.path = path
        self.forms = Form(0)
        self.depth: int | None = None
        """Lists around a value; None as long as there is none."""
        self._least_depth = 0
        self.fields: dict[str, Shape] = {}
        self._numbers = 0
        self._texts = 0
        self._first: tuple[str, int] | None = None

    @property
    def name(self) -> str:
        """Its key as it is shown to people."""
        return ".".join(self.path)

    def field(self, key: str) -> Shape:
        """Returns the shape below a key, a new one if need be."""
        found = self.fields.get(key)
        if found is None:
            found = self.fields[key] = Shape((*self.path, key))
        return found

    def meet(self, forms: Form, depth: int) -> None:
        """Takes in how a value is written, and how many lists are around it.

        Raises:
            Clash: Others under its key are something else.
        """
        if depth != self.depth:
            if self.depth is not None or depth < self._least_depth:
                raise self._clash(forms, depth)
            self.depth = depth
        both = self.forms | forms
        if Form.OBJECT in both and both != Form.OBJECT:
            raise self._clash(forms, depth)
        self.forms = both

    def meet_list(self, depth: int) -> None:
        """Takes in a list without a value.

        Args:
            depth: Lists that are open.

        Raises:
            Clash: There are fewer around others under its key.
        """
        if self.depth is not None and self.depth < depth:
            raise self._clash(Form(0), depth)
        self._least_depth = max(self._least_depth, depth)

    def count(self, array: Any, rows: Any) -> None:
        """Counts the values of an array of what the shape holds, for a survey.

        Args:
            array: Values.
            rows: The row of each.
        """
        while pa.types.is_list(array.type):
            rows = rows.take(pc.list_parent_indices(array))
            array = pc.list_flatten(array)
        if pa.types.is_struct(array.type):
            for field, values in zip(array.type, array.flatten(), strict=True):
                self.fields[field.name].count(values, rows)
        elif pa.types.is_string(array.type):
            self._count_texts(array, rows)
        else:
            self._numbers += len(array) - array.null_count

    def count_number(self) -> None:
        """Counts a number, for a survey."""
        self._numbers += 1

    def count_text(self, text: str, row: int) -> None:
        """Counts a text, for a survey."""
        self._texts += 1
        self._first = self._first or (text, row)

    def columns(self, *, is_narrow: bool = False) -> tuple[Column, ...]:
        """Returns the columns of a row, or the fields of an object.

        Args:
            is_narrow: Whether numbers with texts among them are columns of numbers: so the texts do not fit,
                and are found and counted.
        """
        return tuple(shape._column(name, is_narrow=is_narrow) for name, shape in self.fields.items())

    def keys(self) -> int:
        """Returns how many keys are below."""
        return sum(1 + shape.keys() for shape in self.fields.values())

    def harvest(self) -> Iterator[Seen]:
        """Yields what was counted since the last time, for all keys below."""
        for shape in self.fields.values():
            text, row = shape._first or ("", 0)
            counted = shape._numbers, shape._texts, text, row
            yield Seen(shape.forms.kind, *counted, shape.path, shape._lists)
            shape._numbers, shape._texts, shape._first = 0, 0, None
            yield from shape.harvest()

    @property
    def _lists(self) -> int:
        return self._least_depth if self.depth is None else self.depth

    def _column(self, name: str, *, is_narrow: bool) -> Column:
        numbers = self.forms & ~Form.TEXT
        kind = (numbers if is_narrow and numbers else self.forms).kind
        fields = self.columns(is_narrow=is_narrow)
        return Column(name, kind or Kind.INT, self._lists, fields, is_guessed=kind is None)

    def _clash(self, forms: Form, depth: int) -> Clash:
        earlier = _noun(self.forms, self._lists)
        return Clash(f"{self.name!r} is {_noun(forms, depth)} here and {earlier} before")

    def _count_texts(self, array: Any, rows: Any) -> None:
        texts = len(array) - array.null_count
        if texts and not self._first:
            place = pc.index(array.is_valid(), value=True).as_py()
            self._first = array[place].as_py(), rows[place].as_py()
        self._texts += texts


def _noun(forms: Form, depth: int) -> str:
    if depth:
        return "a list" if depth == 1 else "a list of lists"
    nouns = {Kind.STRUCT: "an object", Kind.BYTES: "a text"}
    return nouns.get(forms.kind, "a number") if forms.kind else "a list"
