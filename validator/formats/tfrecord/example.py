"""tf.Example without TensorFlow: its protos, and records decoded one by one, as protobuf reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, unknown_fields
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.message import DecodeError

from validator.formats.batches import of_columns
from validator.formats.tfrecord.wire import BYTES_LIST, FLOAT_LIST, INT64_LIST
from validator.formats.trouble import Unfit
from validator.profile import Column, Kind

LISTS: Final[Mapping[Kind, int]] = {Kind.BYTES: BYTES_LIST, Kind.FLOAT: FLOAT_LIST, Kind.INT: INT64_LIST}
"""Field numbers of the lists."""
_KINDS: Final = {"bytes_list": Kind.BYTES, "float_list": Kind.FLOAT, "int64_list": Kind.INT}
_TYPES: Final = {Kind.BYTES: pa.large_binary(), Kind.FLOAT: pa.float64(), Kind.INT: pa.int64()}
NAMES: Final = {Kind.BYTES: "bytes", Kind.FLOAT: "float", Kind.INT: "int64"}
"""Kinds as the proto names them."""

Features = Mapping[str, tuple[Kind | None, list[Any]]]
"""Kind and values by name; a feature whose kind is not set is missing."""


class NoExample(Exception):  # noqa: N818 - becomes a DataError once its place is known
    """Bytes are no tf.Example."""


def parsed(record: bytes) -> Features:
    """Returns the features of a record.

    Raises:
        NoExample: It is none, or of another kind.
    """
    try:
        example = _EXAMPLE.FromString(record)
    except DecodeError as error:
        raise NoExample("it is no tf.Example") from error
    if example.HasField("feature_lists"):
        raise NoExample("it is a tf.SequenceExample, only tf.Example is read")
    if any(len(unknown_fields.UnknownFieldSet(part)) for part in (example, example.features)):
        raise NoExample("it is no tf.Example: it has fields none has")
    found = example.features.feature
    # A map comes in another order in every process.
    return {name: _values(found[name]) for name in sorted(found)}


def fitted(features: Features, columns: Iterable[Column]) -> Iterator[list[Any] | None]:
    """Yields the values of each column; None where the feature is missing.

    Raises:
        Unfit: A feature has no column, or another kind than it.
    """
    by_name = dict(features)
    for column in columns:
        kind, values = by_name.pop(column.name, (None, []))
        if kind not in (None, column.kind):
            raise Unfit(f"feature {column.name!r} is {NAMES[kind]}, its column {NAMES[column.kind]}")
        yield None if kind is None else values
    if by_name:
        raise Unfit(f"feature {min(by_name)!r} was not met before")


def table(records: Sequence[Sequence[Any]], columns: Sequence[Column]) -> Any:
    """Returns fitted records as a table."""
    arrays = [
        pa.array([record[number] for record in records], pa.large_list(_TYPES[column.kind]))
        for number, column in enumerate(columns)
    ]
    return of_columns(arrays, [column.name for column in columns], len(records))


def _values(feature: Any) -> tuple[Kind | None, list[Any]]:
    kind = feature.WhichOneof("kind")
    return (_KINDS[kind], list(getattr(feature, kind).value)) if kind else (None, [])


def _messages() -> descriptor_pb2.FileDescriptorProto:
    """Returns the messages of tensorflow/core/example/example.proto and feature.proto."""
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="sluice", syntax="proto3")
    add = file.message_type.add
    add(name="BytesList", field=[_field("value", 1, Field.TYPE_BYTES, is_repeated=True)])
    add(name="FloatList", field=[_field("value", 1, Field.TYPE_FLOAT, is_repeated=True)])
    add(name="Int64List", field=[_field("value", 1, Field.TYPE_INT64, is_repeated=True)])
    lists = [
        _field("bytes_list", BYTES_LIST, "BytesList"),
        _field("float_list", FLOAT_LIST, "FloatList"),
        _field("int64_list", INT64_LIST, "Int64List"),
    ]
    for each in lists:
        each.oneof_index = 0
    add(name="Feature", field=lists).oneof_decl.add(name="kind")
    features = add(name="Features", field=[_field("feature", 1, "Features.FeatureEntry", is_repeated=True)])
    entry = [_field("key", 1, Field.TYPE_STRING), _field("value", 2, "Feature")]
    features.nested_type.add(name="FeatureEntry", field=entry).options.map_entry = True
    # Its features and this are what a SequenceExample has.
    sequence = _field("feature_lists", 2, Field.TYPE_BYTES)
    sequence.proto3_optional, sequence.oneof_index = True, 0
    add(name="Example", field=[_field("features", 1, "Features"), sequence]).oneof_decl.add(name="_sequence")
    return file


def _field(name: str, number: int, kind: Field.Type.ValueType | str, *, is_repeated: bool = False) -> Field:
    label = Field.LABEL_REPEATED if is_repeated else Field.LABEL_OPTIONAL
    if isinstance(kind, str):
        return Field(
            name=name, number=number, label=label, type=Field.TYPE_MESSAGE, type_name=f".sluice.{kind}"
        )
    return Field(name=name, number=number, label=label, type=kind)


def _message(name: str) -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_messages())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"sluice.{name}"))


_EXAMPLE: Final = _message("Example")
