"""Schemas: inferred as TFDV's Python API infers them, read from text, written as text, fingerprinted."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from google.protobuf import text_format
from google.protobuf.message import Message
from tensorflow_metadata.proto.v0.schema_pb2 import (
    BYTES,
    FLOAT,
    INT,
    Feature,
    FeatureType,
    HistogramSelection,
    Schema,
)
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatistics

from validator import core, features, portions
from validator.contract import DEFAULT_DATA_ENVIRONMENT
from validator.errors import UsageError
from validator.profile import Kind, Path

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

MAX_STRING_DOMAIN_SIZE: Final = 100
"""A string feature with at most so many distinct values is categorical: TFDV's own default."""

L_INFINITY_THRESHOLD: Final = 0.1
"""Default of the L-infinity distance: no value's share may move by more than ten points."""

JENSEN_SHANNON_THRESHOLD: Final = 0.15
"""Default of the Jensen-Shannon divergence (base 2, 0 to 1).

A shift of half a standard deviation measures 0.08, one of two 0.46. TFDV measures on ten buckets, and one far
outlier widens the last of them: that alone measures up to 0.12 and must not raise an alarm.
"""


def infer(statistics: DatasetFeatureStatisticsList) -> Schema:
    """Infers the schema that the statistics conform to, as `tfdv.infer_schema` with its defaults does.

    Raises:
        DataError: The statistics hold no dataset.
    """
    whole = Schema()
    for portion in portions.of_statistics(_without_composites(features.overall(statistics))):
        whole.MergeFrom(
            core.infer_schema(portion, max_string_domain_size=MAX_STRING_DOMAIN_SIZE, infer_shape=True)
        )
    return whole


def parse(text: str, source: str) -> Schema:
    """Reads a schema in protobuf's text format.

    Args:
        text: The schema, e.g. the content of a `schema.pbtxt`.
        source: Where the text is from, for the message of an error.

    Raises:
        UsageError: The text is no schema, declares a feature twice or without a name, refers to a domain that
            it does not have, compares a numeric feature by L-infinity, or compares by a number that is none.
    """
    try:
        schema = text_format.Parse(text, Schema())
    except RecursionError as error:
        raise UsageError(f"cannot read schema {source}", why="it is nested too deep") from error
    except text_format.ParseError as error:
        raise UsageError(
            _place(source, error), why=_reason(error), remedy="write it as a TFDV schema in text format"
        ) from error
    for problem in _problems(schema):
        raise UsageError(f"cannot use schema {source}", why=problem)
    return schema


def format(schema: Schema) -> str:  # noqa: A001  # schema.format reads well, and the builtin is not needed here
    """Writes a schema in protobuf's text format, as TFDV writes it."""
    return str(text_format.MessageToString(schema))


def digest(schema: Schema) -> str:
    """Returns the SHA-256 of a schema as hexadecimal: of what it says, not of how its text is laid out."""
    return hashlib.sha256(schema.SerializeToString(deterministic=True)).hexdigest()


def environment_of(schema: Schema, environment: str) -> str:
    """Returns the environment to validate in: the one asked for, or none when the schema knows none.

    Raises:
        UsageError: The schema has environments, but not this one.
    """
    known = _environments(schema)
    if not environment or not known:
        return ""
    if environment not in known:
        raise UsageError(
            f"unknown data environment {environment!r}",
            why=f"the schema has {', '.join(sorted(known))}",
            remedy=f"choose one of these with --environment (DATA_ENVIRONMENT; {DEFAULT_DATA_ENVIRONMENT} by "
            "default), or add it to the schema's default_environment",
        )
    return environment


def with_default_comparators(schema: Schema) -> Schema:
    """Returns a copy in which every feature has a drift comparator; one that has its own keeps it."""
    copy = Schema()
    copy.CopyFrom(schema)
    for feature in _walk(copy.feature):
        if not feature.HasField("drift_comparator"):
            _set_default_comparator(feature)
    return copy


def kinds(schema: Schema) -> Mapping[str, Kind]:
    """Returns the kinds of values the schema asks for, by feature."""
    return {f.name: Kind(FeatureType.Name(f.type)) for f in schema.feature if f.type}


def images(schema: Schema) -> frozenset[Path]:
    """Returns the paths of the features that hold images: they have statistics of bytes, not of texts."""
    return frozenset(path for path, feature in paths(schema) if feature.HasField("image_domain"))


def paths(schema: Schema) -> Iterator[tuple[Path, Feature]]:
    """Yields every feature with its path, nested ones after those they are in."""
    yield from _paths(schema.feature)


def is_categorical(feature: Feature) -> bool:
    """Says whether a feature's values are categories (text, or integers declared so), not measurements."""
    return bool(feature.type == BYTES or (feature.type == INT and feature.int_domain.is_categorical))


def _set_default_comparator(feature: Feature) -> None:
    if is_categorical(feature):
        feature.drift_comparator.infinity_norm.threshold = L_INFINITY_THRESHOLD
    elif feature.type in {INT, FLOAT}:
        divergence = feature.drift_comparator.jensen_shannon_divergence
        divergence.threshold = JENSEN_SHANNON_THRESHOLD
        # On equal-width buckets a single far outlier measures 0.92: all other values fall into the first one.
        divergence.source.type = HistogramSelection.QUANTILES


def _without_composites(statistics: DatasetFeatureStatistics) -> DatasetFeatureStatistics:
    """Leaves out sparse and weighted features: no useful schema comes of them, says TFDV's API."""
    kept = [feature for feature in statistics.features if features.common(feature) is not None]
    if len(kept) == len(statistics.features):
        return statistics
    copy = DatasetFeatureStatistics()
    copy.CopyFrom(statistics)
    del copy.features[:]
    copy.features.extend(kept)
    return copy


def _walk(declared: Iterable[Feature]) -> Iterator[Feature]:
    for feature in declared:
        yield feature
        yield from _walk(feature.struct_domain.feature)


def _paths(declared: Iterable[Feature], above: Path = ()) -> Iterator[tuple[Path, Feature]]:
    for feature in declared:
        path = (*above, feature.name)
        yield path, feature
        yield from _paths(feature.struct_domain.feature, path)


def _environments(schema: Schema) -> set[str]:
    named = (name for f in _walk(schema.feature) for name in (*f.in_environment, *f.not_in_environment))
    return {*schema.default_environment, *named}


def _problems(schema: Schema) -> Iterator[str]:
    yield from _unnamed(schema)
    yield from _declared_twice(schema)
    yield from _unknown_domains(schema)
    yield from _l_infinity_on_numbers(schema)
    yield from _no_numbers(schema)


def _unnamed(schema: Schema) -> Iterator[str]:
    for number, feature in enumerate(schema.feature, start=1):
        if not feature.name:
            yield f"feature number {number} has no name; give it one"


def _declared_twice(schema: Schema) -> Iterator[str]:
    for name, times in Counter(feature.name for feature in schema.feature).items():
        if times > 1:
            yield f"feature {name!r} is declared {times} times; keep one"


def _unknown_domains(schema: Schema) -> Iterator[str]:
    domains = {domain.name for domain in schema.string_domain}
    for feature in _walk(schema.feature):
        if feature.domain and feature.domain not in domains:
            yield f"feature {feature.name!r} names string_domain {feature.domain!r}, which is missing; add it"


def _l_infinity_on_numbers(schema: Schema) -> Iterator[str]:
    for feature in _walk(schema.feature):
        if feature.type not in {INT, FLOAT} or is_categorical(feature):
            continue
        for comparator in ("drift_comparator", "skew_comparator"):
            if getattr(feature, comparator).HasField("infinity_norm"):
                yield (
                    f"the {comparator} of numeric feature {feature.name!r} is infinity_norm, always 0 "
                    "for numbers; use jensen_shannon_divergence (Jensen-Shannon)"
                )


def _no_numbers(schema: Schema) -> Iterator[str]:
    """NaN would allow everything, nothing is above it; an infinite threshold cannot be written down."""
    named = (*_walk(schema.feature), *schema.sparse_feature)
    elements = [(element, f"feature {element.name!r}") for element in named]
    for element, of in (*elements, (schema.dataset_constraints, "the dataset_constraints")):
        for place, value in _numbers(element):
            if math.isnan(value) or (math.isinf(value) and place[-1] == "threshold"):
                yield f"the {'.'.join(place)} of {of} is {value}; give it a finite number"


def _numbers(message: Message, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    """Yields the numbers with a fraction that a message has, with the fields they lie in."""
    for field, value in message.ListFields():
        place = (*above, field.name)
        if isinstance(value, float):
            yield place, value
        elif isinstance(value, Message) and field.name != "struct_domain":
            yield from _numbers(value, place)


def _place(source: str, error: text_format.ParseError) -> str:
    line = error.GetLine()
    return f"cannot read schema {source}" + (f" line {line}" if line else "")


def _reason(error: text_format.ParseError) -> str:
    """The parser's words without the `line:column :` it puts before them, on one line."""
    words = " ".join(str(error).split())
    return words.split(" : ", 1)[-1] if error.GetLine() else words
