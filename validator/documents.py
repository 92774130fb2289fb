"""Documents of people and of earlier runs, refused by name when they are not what they claim."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256

from google.protobuf.message import DecodeError
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import drift, features, layout, schema, store
from validator.contract import ERROR_VERSION
from validator.errors import DataError, UsageError
from validator.verdict import VerdictReport


def read_schema(uri: str) -> Schema:
    """Reads a schema in text form.

    Raises:
        UsageError: There is none, or none that can be judged by.
    """
    return schema.parse(_text(uri), uri)


def read_statistics(uri: str, expected_sha256: str | None = None) -> DatasetFeatureStatisticsList:
    """Reads a statistics proto.

    Args:
        uri: Where it lies.
        expected_sha256: What it has to be, in hexadecimal digits; None for whatever it is.

    Raises:
        UsageError: There is none, another than expected, none of a whole dataset, or one that no drift can be
            measured from.
    """
    content = store.at(uri).read(uri)
    if expected_sha256 and (actual := sha256(content).hexdigest()) != expected_sha256:
        raise UsageError(
            f"cannot use {uri}",
            why=f"it is not what was accepted: its SHA-256 is {actual}, not {expected_sha256}",
            remedy="find out who wrote it; then withdraw its run, or judge its day again",
        )
    try:
        found = DatasetFeatureStatisticsList.FromString(content)
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


@dataclass(frozen=True, slots=True)
class Failure:
    """What error.json says of an attempt."""

    run_id: str
    run_date: str | None
    error: str
    exit_code: int
    message: str
    version: int = ERROR_VERSION


def read_failure(uri: str) -> Failure:
    """Reads an error.json.

    Raises:
        UsageError: There is none.
    """
    try:
        return layout.read(Failure, json.loads(_text(uri)), ERROR_VERSION)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"cannot read {uri}", why=f"it is no error.json ({error})") from error


def _text(uri: str) -> str:
    try:
        return store.at(uri).read(uri).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {uri}", why="it is not UTF-8 text") from error
