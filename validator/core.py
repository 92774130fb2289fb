"""The one door to TensorFlow Data Validation's C++ core: infer and validate, proto in, proto out.

The wheel's Python package imports TensorFlow and Beam (12 s, 700 MB); its C++ extension links neither. Loaded
by path from the installed wheel it costs 0.2 CPU seconds and gives the same schemas and anomalies. What the
Python package does around the C++ calls (`api/validation_api.py` in it) is done in `schema` and `anomalies`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING, Final, TypeVar

from google.protobuf.message import Message
from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies
from tensorflow_metadata.proto.v0.schema_pb2 import Schema

from validator.contract import ExitCode
from validator.errors import ValidatorError

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatistics

WHEEL: Final = "tensorflow-data-validation"
EXTENSION: Final = "tensorflow_data_validation_extension"

SIGNATURES: Final = {
    "1.16.1": {"InferSchema": 3, "UpdateSchema": 3, "ValidateFeatureStatistics": 9},
    "1.21.0": {"InferSchema": 3, "UpdateSchema": 3, "ValidateFeatureStatistics": 9},
}
"""How many arguments each function takes, by pinned version: the extension promises no stable interface."""

_REMEDY: Final = "install what requirements.txt pins"
_ABSENT: Final = b""
_Proto = TypeVar("_Proto", bound=Message)


class CoreError(ValidatorError):
    """TFDV's core is missing, of an unknown version, or refused its input: our bug, not the data's."""

    exit_code = ExitCode.SOFTWARE


def version() -> str:
    """Returns the version of the installed wheel.

    Raises:
        CoreError: The wheel is not installed.
    """
    try:
        return distribution(WHEEL).version
    except PackageNotFoundError as error:
        raise CoreError("cannot load TFDV's core", why=f"{WHEEL} is not installed", remedy=_REMEDY) from error


def infer_schema(
    statistics: DatasetFeatureStatistics, *, max_string_domain_size: int, infer_shape: bool
) -> Schema:
    """Infers the schema that the statistics of one dataset conform to.

    Args:
        statistics: Statistics of the whole dataset (not of a slice).
        max_string_domain_size: A string feature with at most so many distinct values gets a domain.
        infer_shape: Whether features that always have one value get a fixed shape.
    """
    return _call("InferSchema", Schema, statistics.SerializeToString(), max_string_domain_size, infer_shape)


def update_schema(
    schema: Schema, statistics: DatasetFeatureStatistics, *, max_string_domain_size: int
) -> Schema:
    """Returns the schema, loosened as far as needed for the statistics to conform to it."""
    return _call(
        "UpdateSchema",
        Schema,
        schema.SerializeToString(),
        statistics.SerializeToString(),
        max_string_domain_size,
    )


def validate(
    statistics: DatasetFeatureStatistics,
    schema: Schema,
    *,
    environment: str = "",
    previous: DatasetFeatureStatistics | None = None,
) -> Anomalies:
    """Validates the statistics of one dataset against a schema.

    Args:
        statistics: Statistics of the whole dataset.
        schema: What they are held against; its drift comparators are used when there is `previous`.
        environment: Features outside this environment are not expected; empty means that all are.
        previous: Statistics of the baseline, TFDV's "previous span".
    """
    return _call(
        "ValidateFeatureStatistics",
        Anomalies,
        statistics.SerializeToString(),
        schema.SerializeToString(),
        environment.encode(),
        _ABSENT if previous is None else previous.SerializeToString(),
        _ABSENT,  # serving statistics: skew
        _ABSENT,  # statistics of the span's previous version
        _ABSENT,  # features needed
        _ABSENT,  # validation config: severities are decided in `verdict`
        False,  # no diff regions
    )


def _call(name: str, returns: type[_Proto], *arguments: bytes | int | bool) -> _Proto:
    function = getattr(_extension().validation, name)
    try:
        with _muted_stderr():
            serialized = function(*arguments)
    except (RuntimeError, TypeError) as error:
        raise CoreError(f"TFDV's {name} failed", why=error) from error
    return returns.FromString(serialized)


@cache
def _extension() -> ModuleType:
    installed = version()
    if installed not in SIGNATURES:
        raise CoreError(
            f"cannot use {WHEEL} {installed}", why=f"known are {' and '.join(SIGNATURES)}", remedy=_REMEDY
        )
    extension = _load(_path())
    for name, expected in SIGNATURES[installed].items():
        _check_arguments(name, getattr(extension.validation, name, None), expected)
    return extension


def _path() -> Path:
    """Finds the extension among the wheel's files, without importing the package above it."""
    wheel = distribution(WHEEL)
    for file in wheel.files or ():
        if file.name.startswith(EXTENSION) and file.suffix in {".so", ".pyd"}:
            return wheel.locate_file(file)  # type: ignore[return-value]  # a path, says its documentation
    raise CoreError(
        "cannot load TFDV's core", why=f"{WHEEL} {wheel.version} has no {EXTENSION}", remedy=_REMEDY
    )


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(EXTENSION, path)
    if spec is None or spec.loader is None:
        raise CoreError("cannot load TFDV's core", why=f"{path} is no extension module here", remedy=_REMEDY)
    extension = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(extension)
    except ImportError as error:
        raise CoreError("cannot load TFDV's core", why=error, remedy=_REMEDY) from error
    return extension


def _check_arguments(name: str, function: Callable[..., bytes] | None, expected: int) -> None:
    # pybind11 has no other way to ask: the first docstring line is `Name(arg0: str, arg1: int, …) -> object`.
    found = len(re.findall(r"\barg\d+:", getattr(function, "__doc__", None) or ""))
    if found != expected:
        raise CoreError(
            f"cannot use {WHEEL} {version()}",
            why=f"its {name} takes {found} arguments, not {expected}",
            remedy=_REMEDY,
        )


@contextmanager
def _muted_stderr() -> Iterator[None]:
    """Hides the core's own log lines: it writes a warning to file descriptor 2 for each absent feature."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as sink:  # noqa: PTH123  # a device
            os.dup2(sink.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
