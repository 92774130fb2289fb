"""Documents of people and of earlier runs, refused by name when they are not what they claim."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import drift, features, schema, store
from validator.errors import DataError, UsageError
from validator.verdict import VerdictReport


def read_schema(uri: str) -> Schema:
    """Reads a schema in text form.

    Raises:
        UsageError: There is none, or none that can be judged by.
    """
    return schema.parse(_text(uri), uri)


def read_statistics(uri: str) -> DatasetFeatureStatisticsList:
    """Reads a statistics proto.

    Raises:
        UsageError: There is none, none of a whole dataset, or one that no drift can be measured from.
    """
    try:
        found = DatasetFeatureStatisticsList.FromString(store.at(uri).read(uri))
        whole = features.overall(found)
    except DecodeError as error:
        raise UsageError(f"cannot read {uri}", why="it is no statistics proto") from error
    except DataError as error:
        raise UsageError(f"cannot read {uri}", why=error) from error
    for problem in drift.damage(whole):
        raise UsageError(f"cannot use {uri}", why=problem, remedy="name the statistics.pb of a sound run")
    return found


def read_verdict(uri: str) -> VerdictReport:
    """Reads a verdict.json.

    Raises:
        UsageError: There is none.
    """
    return VerdictReport.from_json(_text(uri), uri)


def _text(uri: str) -> str:
    try:
        return store.at(uri).read(uri).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {uri}", why="it is not UTF-8 text") from error
