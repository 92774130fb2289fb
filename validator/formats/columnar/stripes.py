"""Where the stripes of an ORC file are, and how many bytes they are decoded, by the file's tail.

The width of numbers is known from the number of rows. Of texts and of what is in lists the tail has totals of
the file: each stripe is taken to have its share by rows.

https://orc.apache.org/specification/ORCv1/: File Tail
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

_LIST, _MAP, _UNION = 10, 11, 13
_WIDTHS: Final = {
    1: 1,
    2: 2,
    3: 4,
    4: 8,
    5: 4,
    6: 8,
    7: 4,
    8: 4,
    9: 8,
    _LIST: 4,
    _MAP: 4,
    14: 16,
    15: 4,
    16: 4,
    17: 4,
    18: 8,
}
"""Bytes of a value in Arrow's buffers, of a text or list its offset, by the kind of its type."""


@dataclass(frozen=True, slots=True)
class Stripe:
    """What the tail says of a stripe."""

    start: int
    """Offset in the file."""
    stored: int
    decoded: int
    """Bytes of its values in memory."""


def stripes(tail: bytes, size: int) -> Sequence[Stripe]:
    """Reads the tail of a file.

    Args:
        tail: The message FileTail.
        size: Bytes of the file.

    Raises:
        ValueError: A stripe is not inside of the file, or they do not add up to its rows.
    """
    footer = _TAIL.FromString(tail).footer
    if sum(stripe.rows for stripe in footer.stripes) != footer.rows:
        raise ValueError(f"it says {footer.rows} rows, but its stripes do not add up to that")
    if any(stripe.offset >= size for stripe in footer.stripes):
        raise ValueError("a stripe is not inside of the file")
    widths = sum(_fixed(footer))
    shared = sum(_shared(footer))
    return [
        Stripe(
            stripe.offset,
            stripe.index_bytes + stripe.data_bytes + stripe.footer_bytes,
            stripe.rows * widths + shared * stripe.rows // max(1, footer.rows),
        )
        for stripe in footer.stripes
    ]


def _fixed(footer: Any) -> Iterator[int]:
    """Yields the bytes that each row takes in each column."""
    repeated = _repeated(footer.types)
    yield from (_WIDTHS.get(kind.kind, 1) for n, kind in enumerate(footer.types) if n not in repeated)


def _shared(footer: Any) -> Iterator[int]:
    """Yields the bytes of texts in all of the file, and of all that is in lists."""
    repeated = _repeated(footer.types)
    for number, (kind, said) in enumerate(zip(footer.types, footer.statistics, strict=False)):
        yield max(0, said.text.bytes) + max(0, said.binary.bytes)
        if number in repeated:
            yield said.values * _WIDTHS.get(kind.kind, 1)


def _repeated(types: Sequence[Any]) -> frozenset[int]:
    """Returns the numbers of the types that are in a list or map: types stand after those they are in."""
    repeated: set[int] = set()
    for number, kind in enumerate(types):
        if number in repeated or kind.kind in {_LIST, _MAP, _UNION}:
            repeated.update(kind.subtypes)
    return frozenset(repeated)


def _messages() -> descriptor_pb2.FileDescriptorProto:
    """Returns what is needed of the messages of orc_proto.proto; the names are ours, the numbers ORC's."""
    file = descriptor_pb2.FileDescriptorProto(name="orc_tail.proto", package="orc_tail", syntax="proto2")
    whole = Field.TYPE_UINT64
    messages = {
        "Stripe": [
            _field("offset", 1, whole),
            _field("index_bytes", 2, whole),
            _field("data_bytes", 3, whole),
            _field("footer_bytes", 4, whole),
            _field("rows", 5, whole),
        ],
        "Type": [_field("kind", 1, whole), _field("subtypes", 2, whole, is_repeated=True)],
        "Text": [_field("bytes", 3, Field.TYPE_SINT64)],
        "Binary": [_field("bytes", 1, Field.TYPE_SINT64)],
        "Statistics": [_field("values", 1, whole), _field("text", 4, "Text"), _field("binary", 8, "Binary")],
        "Footer": [
            _field("stripes", 3, "Stripe", is_repeated=True),
            _field("types", 4, "Type", is_repeated=True),
            _field("rows", 6, whole),
            _field("statistics", 7, "Statistics", is_repeated=True),
        ],
        "Tail": [_field("footer", 2, "Footer")],
    }
    for name, fields in messages.items():
        file.message_type.add(name=name, field=fields)
    return file


def _field(name: str, number: int, kind: Field.Type.ValueType | str, *, is_repeated: bool = False) -> Field:
    label = Field.LABEL_REPEATED if is_repeated else Field.LABEL_OPTIONAL
    if isinstance(kind, str):
        of = f".orc_tail.{kind}"
        return Field(name=name, number=number, label=label, type=Field.TYPE_MESSAGE, type_name=of)
    return Field(name=name, number=number, label=label, type=kind)


def _tail() -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_messages())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("orc_tail.Tail"))


_TAIL: Final = _tail()
