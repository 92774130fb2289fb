"""Differences between two schemas, or between the statistics of two datasets, column by column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from tensorflow_metadata.proto.v0.schema_pb2 import FeatureType, Schema

from validator import drift, features, schema, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tensorflow_metadata.proto.v0.schema_pb2 import Feature
    from tensorflow_metadata.proto.v0.statistics_pb2 import (
        DatasetFeatureStatisticsList,
        FeatureNameStatistics,
    )

    from validator.drift import Drift

SHOWN: Final = 5
"""Values of a set that are shown."""

_TYPE: Final = "type"

Figure = str | frozenset[str]
"""What is said of something: a text, or values in no order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that both sides say otherwise."""

    feature: str
    """Steps of a nested one joined by dots; empty for the whole."""
    what: str
    before: str
    """What the first side says; empty where it says nothing."""
    after: str


def of_schemas(one: Schema, other: Schema) -> tuple[Difference, ...]:
    """Returns where two schemas differ: by what they say, not by the order they say it in."""
    before, after = (dict(_declared(each.feature)) for each in (one, other))
    return (*_between("", _rest(one), _rest(other)), *_by_feature(before, after))


def of_statistics(
    one: DatasetFeatureStatisticsList, other: DatasetFeatureStatisticsList
) -> tuple[Difference, ...]:
    """Returns where the statistics of two datasets differ.

    Estimates are left out: those of equal data differ within their bounds. A column whose values are spread
    otherwise has its distance, measured as drift is.
    """
    first, second = features.overall(one), features.overall(other)
    before, after = features.by_name(first), features.by_name(second)
    rows, more_rows = ({"rows": f"{int(each.num_examples):,}"} for each in (first, second))
    found = (
        *_between("", rows, more_rows),
        *_by_feature(_all_figures(before), _all_figures(after)),
        *_distances(before, after, drift.measure(other, one, schema.infer(one))),
    )
    places = {name: place for place, name in enumerate(("", *before, *after))}
    return tuple(sorted(found, key=lambda each: places[each.feature]))


def _by_feature(
    before: Mapping[str, Mapping[str, Figure]], after: Mapping[str, Mapping[str, Figure]]
) -> Iterator[Difference]:
    """Yields what is said otherwise of each feature; of one that only one side has, its type."""
    for name in dict.fromkeys((*before, *after)):
        if name not in after:
            yield Difference(name, "column", str(before[name][_TYPE]), "absent")
        elif name not in before:
            yield Difference(name, "column", "absent", str(after[name][_TYPE]))
        else:
            yield from _between(name, before[name], after[name])


def _between(feature: str, before: Mapping[str, Figure], after: Mapping[str, Figure]) -> Iterator[Difference]:
    for what in dict.fromkeys((*before, *after)):
        one, other = before.get(what, ""), after.get(what, "")
        if one != other:
            yield Difference(feature, what, _shown(one, other), _shown(other, one))


def _shown(figure: Figure, other: Figure) -> str:
    """Returns a figure; of values only those the other side lacks."""
    if isinstance(figure, str):
        return figure
    lacking = figure - other if isinstance(other, frozenset) else figure
    return text.listed([text.shown(value, 30) for value in sorted(lacking)], SHOWN) if lacking else ""


def _declared(declared: Iterable[Feature], above: str = "") -> Iterator[tuple[str, Mapping[str, Figure]]]:
    """Yields the features of a schema, fields of structs after them, with what is said of each."""
    for feature in declared:
        name = above + feature.name
        said = {what: figure for what, figure in _leaves(feature) if what != "name"}
        yield name, {**said, _TYPE: FeatureType.Name(feature.type)}
        yield from _declared(feature.struct_domain.feature, f"{name}.")


def _rest(declared: Schema) -> Mapping[str, Figure]:
    """Returns what a schema says beside its features."""
    copy = Schema()
    copy.CopyFrom(declared)
    copy.ClearField("feature")
    return dict(_leaves(copy))


def _leaves(message: Message, above: str = "") -> Iterator[tuple[str, Figure]]:
    """Yields the fields that a message has, those of messages in it too; not the features of a struct."""
    for field, value in message.ListFields():
        place = above + field.name
        if not field.message_type:
            yield place, _scalars(field, value)
        elif field.message_type.name != "Feature":
            for key, each in _elements(place, value):
                # What has no field says something by being there.
                yield key, "yes"
                yield from _leaves(each, f"{key}.")


def _elements(place: str, value: Any) -> Iterator[tuple[str, Message]]:
    """Yields a message, or those of a list: by their name if they have one, otherwise by their number."""
    if isinstance(value, Message):
        yield place, value
        return
    for number, each in enumerate(value):
        yield f"{place} {getattr(each, 'name', '') or number}", each


def _scalars(field: FieldDescriptor, value: Any) -> Figure:
    if isinstance(value, str | bytes | int | float):
        return _scalar(field, value)
    return frozenset(_scalar(field, each) for each in value)


def _scalar(field: FieldDescriptor, value: Any) -> str:
    if field.enum_type and value in field.enum_type.values_by_number:
        return str(field.enum_type.values_by_number[value].name)
    if isinstance(value, float):
        # The digits a number of 32 bits has.
        return f"{value:.7g}" if field.cpp_type == FieldDescriptor.CPPTYPE_FLOAT else text.exact(value)
    return str(value)


def _all_figures(
    by_name: Mapping[str, FeatureNameStatistics],
) -> Mapping[str, Mapping[str, Figure]]:
    return {name: _figures(feature) for name, feature in by_name.items()}


def _figures(feature: FeatureNameStatistics) -> Mapping[str, Figure]:
    """Returns what is exact of a feature."""
    counts = features.common(feature)
    numbers, strings = feature.num_stats, feature.string_stats
    figures = {_TYPE: features.type_name(feature)}
    if counts:
        figures["missing"] = f"{counts.num_missing:,}"
        figures["values"] = f"{counts.tot_num_values:,}"
    if features.is_numeric(feature):
        for name in ("min", "max", "mean", "std_dev"):
            figures[name] = text.exact(getattr(numbers, name))
        figures["zeros"] = f"{numbers.num_zeros:,}"
        if not features.about(feature, features.RANK_ERROR):
            figures["median"] = text.exact(numbers.median)
    elif feature.HasField("string_stats"):
        figures["mean length"] = text.exact(strings.avg_length)
        if not features.about(feature, features.DISTINCT_RELATIVE_ERROR):
            figures["distinct"] = f"{strings.unique:,}"
    return figures


def _distances(
    before: Mapping[str, FeatureNameStatistics],
    after: Mapping[str, FeatureNameStatistics],
    measured: Iterable[Drift],
) -> Iterator[Difference]:
    for each in measured:
        sides = before.get(each.feature), after.get(each.feature)
        is_estimate = any(_is_estimate(side) for side in sides if side)
        if each.is_high or (each.value > 0 and not is_estimate):
            value = f"{text.number(each.value)}{', drifted' if each.is_high else ''}"
            yield Difference(each.feature, "distance", "", value)


def _is_estimate(feature: FeatureNameStatistics) -> bool:
    bounds = (features.RANK_ERROR, features.FREQUENCY_ERROR)
    return any(features.about(feature, bound) for bound in bounds)
