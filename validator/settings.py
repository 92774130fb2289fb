"""Settings of one run: options over environment over defaults, checked once, at the door.

Nobody else reads the environment. Standard library only: it is loaded before numpy is.
"""

from __future__ import annotations

import csv
import json
import os
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final, TypeVar

from validator import text
from validator.contract import (
    ARRAY_INDEX,
    DEFAULT_DATA_ENVIRONMENT,
    GATE_LIMIT_BYTES,
    MOST_CHILDREN,
    Environment,
    SchemaPolicy,
    Verdict,
)
from validator.errors import UsageError

_Word = TypeVar("_Word", bound=StrEnum)

_GREATEST: Final = 1_000_000

_URIS_IN_GATE: Final = 5
_REST_OF_GATE: Final = 2048
"""Bytes of gate.json beside the run id and the output of each URI: dataset, counts, names of files."""

_TAB: Final = "tab"
_NO_DELIMITERS: Final = '"\r\n\0'

RUN_DATE_PLACEHOLDER: Final = "{run_date}"

_NATIVE: Final = {
    # A dot product on BLAS threads cost 2.5 times the whole profile.
    "OPENBLAS_NUM_THREADS": "1",
    # pyarrow takes the size of its pool from this one.
    "OMP_NUM_THREADS": "1",
    "ARROW_IO_THREADS": "2",
    # Gives memory back: 190 MB where mimalloc, the default, holds 244, for less CPU.
    "ARROW_DEFAULT_MEMORY_POOL": "jemalloc",
}


OPTIONS: Final[Mapping[str, str]] = {
    Environment.DATA_URI: "--data",
    Environment.MANIFEST_URI: "--manifest",
    Environment.SCHEMA_URI: "--schema",
    Environment.BASELINE_URI: "--baseline",
    Environment.OUTPUT_URI: "--output",
    Environment.STATES_URI: "--states",
}
"""Setting that names something elsewhere -> its option."""


@contextmanager
def blamed(setting: Environment) -> Iterator[None]:
    """Has a mistake in what a setting names say which setting that is.

    Raises:
        UsageError: Of the same class, with the setting's names.
    """
    try:
        yield
    except UsageError as error:
        raise type(error)(str(error), remedy=f"{setting} ({OPTIONS[setting]}) names it") from error


@dataclass(frozen=True, slots=True)
class Child:
    """One of several processes that profile a dataset together."""

    index: int
    """SHARD_INDEX: counted from 0."""
    count: int

    @property
    def file(self) -> str:
        """Name of what is its own, in a folder all children write to."""
        return f"child-{self.number}-of-{self.count}.json"

    @property
    def number(self) -> int:
        """Counted from 1, as people count."""
        return self.index + 1

    def __str__(self) -> str:
        return f"child {self.number} of {self.count}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which run this is and where its files go: known also when other settings are wrong."""

    output_uri: str
    run_id: str
    run_date: date | None
    """None when the one given is no date."""
    child: Child | None = None
    schema_uri: str | None = None
    baseline_uri: str | None = None

    @property
    def documents(self) -> Mapping[Environment, str]:
        """What is read besides the data, by the setting that names it."""
        named = {Environment.SCHEMA_URI: self.schema_uri, Environment.BASELINE_URI: self.baseline_uri}
        return {setting: uri for setting, uri in named.items() if uri}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run was asked to do; every URI is a path or begins with s3://."""

    run_date: date
    run_id: str
    data_uri: str | None
    manifest_uri: str | None
    schema_uri: str | None
    schema_policy: SchemaPolicy
    baseline_uri: str | None
    output_uri: str
    data_environment: str
    """Environment of the schema the data is judged for."""
    baseline_sha256: str | None = None
    """What the baseline has to be, in small hexadecimal digits; None for whatever it is."""
    delimiter: str | None = None
    """Between the fields of .csv and .tsv; None for a comma and a tab."""
    columns: tuple[str, ...] | None = None
    """Of .csv and .tsv without a header; None when they have one."""
    workers: int | None = None
    """Shards worked on at a time; None for as many as there are processors."""
    memory_budget_mb: int | None = None
    """Megabytes (MiB) all of it may take; None for a share of what there is."""
    child: Child | None = None
    """Which part of the data is profiled; None for all of it."""
    children: int = 1
    """Processes that profiled the data together, for their merge."""
    states_uri: str | None = None
    """Where the states of finished shards lie; None for below the output."""
    fail_on: Verdict | None = None
    """From this verdict on the process ends with exit code 3; None never does."""
    capacity: str | None = None
    """FARGATE or FARGATE_SPOT, for the cost estimate."""
    price_vcpu_hour: Decimal | None = None
    """US dollars."""
    price_gb_hour: Decimal | None = None
    """US dollars."""
    metrics_stage: str | None = None
    """Stage under which metrics and the journal are printed; None prints neither."""
    task_metadata_uri: str | None = None
    """Where ECS describes the running task; None outside of it."""
    assumed: frozenset[str] = frozenset()
    """RUN_DATE and RUN_ID when nobody gave them: those of a manifest take their place."""

    @property
    def attempt(self) -> Attempt:
        """Which run this is and where its files go."""
        return Attempt(
            self.output_uri, self.run_id, self.run_date, self.child, self.schema_uri, self.baseline_uri
        )


def load(
    options: Mapping[str, str | None],
    environment: Mapping[str, str] = os.environ,
    today: Callable[[], date] = lambda: datetime.now(UTC).date(),
) -> Settings:
    """Builds the settings of a run.

    Args:
        options: Values of the command line by environment name, and "FAIL_ON"; None or "" is unset. What is
            about shards is heeded only if it is an option of the command.
        environment: The process environment; an option wins over it.
        today: The date when none is given.

    Raises:
        UsageError: A value is missing or malformed.
    """
    values = _Values(options, environment)
    run_date = values.run_date() or today()
    data_uri = values.get(Environment.DATA_URI)
    settings = Settings(
        run_date=run_date,
        run_id=values.run_id(),
        data_uri=data_uri and data_uri.replace(RUN_DATE_PLACEHOLDER, run_date.isoformat()),
        manifest_uri=values.get(Environment.MANIFEST_URI),
        schema_uri=values.get(Environment.SCHEMA_URI),
        schema_policy=values.word(Environment.SCHEMA_POLICY, SchemaPolicy) or SchemaPolicy.BOOTSTRAP,
        baseline_uri=values.get(Environment.BASELINE_URI),
        baseline_sha256=values.sha256(Environment.BASELINE_SHA256),
        output_uri=values.required(Environment.OUTPUT_URI, "--output"),
        data_environment=values.get(Environment.DATA_ENVIRONMENT) or DEFAULT_DATA_ENVIRONMENT,
        delimiter=values.delimiter(),
        columns=values.columns(),
        workers=values.number(Environment.WORKERS),
        memory_budget_mb=values.number(Environment.MEMORY_BUDGET_MB),
        child=values.child() if Environment.SHARD_INDEX in options else None,
        children=(values.children() if Environment.SHARD_COUNT in options else None) or 1,
        states_uri=values.get(Environment.STATES_URI),
        fail_on=values.word("FAIL_ON", Verdict),
        capacity=values.get(Environment.CAPACITY),
        price_vcpu_hour=values.price(Environment.PRICE_VCPU_HOUR),
        price_gb_hour=values.price(Environment.PRICE_GB_HOUR),
        metrics_stage=values.get(Environment.METRICS_STAGE),
        task_metadata_uri=values.get("ECS_CONTAINER_METADATA_URI_V4"),
        assumed=frozenset(
            name for name in (Environment.RUN_DATE, Environment.RUN_ID) if not values.get(name)
        ),
    )
    return _checked(settings)


def attempt(
    options: Mapping[str, str | None],
    environment: Mapping[str, str] = os.environ,
    today: Callable[[], date] = lambda: datetime.now(UTC).date(),
) -> Attempt | None:
    """Returns which run this is, whatever else is wrong; None when nobody knows where its files go."""
    values = _Values(options, environment)
    output_uri = values.get(Environment.OUTPUT_URI)
    try:
        child = values.child() if Environment.SHARD_INDEX in options else None
    except UsageError:
        # What it would write might be another's.
        return None
    if output_uri is None:
        return None
    documents = values.get(Environment.SCHEMA_URI), values.get(Environment.BASELINE_URI)
    return Attempt(output_uri, values.run_id(), values.run_date_or_none(today), child, *documents)


def settle_native_libraries() -> None:
    """Holds native libraries to one thread and little memory; call it before numpy or pyarrow is imported."""
    for name, value in _NATIVE.items():
        os.environ.setdefault(name, value)


def _checked(settings: Settings) -> Settings:
    if not (settings.data_uri or settings.manifest_uri):
        raise UsageError(
            "no data given", remedy="name it with --data (DATA_URI) or --manifest (MANIFEST_URI)"
        )
    if settings.schema_policy is SchemaPolicy.REQUIRE and settings.schema_uri is None:
        raise UsageError(
            "no schema given, and SCHEMA_POLICY is require", remedy="name one with --schema (SCHEMA_URI)"
        )
    if settings.baseline_sha256 and settings.baseline_uri is None:
        raise UsageError(
            "no baseline given, and BASELINE_SHA256 is", remedy="name one with --baseline (BASELINE_URI)"
        )
    _demand_room_in_gate(settings)
    return settings


def _demand_room_in_gate(settings: Settings) -> None:
    """gate.json is written last: what can never fit into it is refused before the data is read."""
    taken = _encoded_size(settings.run_id) + _URIS_IN_GATE * _encoded_size(settings.output_uri)
    room = GATE_LIMIT_BYTES - _REST_OF_GATE
    if taken > room:
        raise UsageError(
            "RUN_ID and OUTPUT_URI are too long for gate.json",
            why=f"they would take {taken:,} of {room:,} bytes, the URI {_URIS_IN_GATE} times",
            remedy="choose shorter ones",
        )


def _encoded_size(value: str) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace"))


def _shown(value: str) -> str:
    return text.cut(repr(value))


def _names(value: str) -> tuple[str, ...]:
    """Returns the names between commas.

    Raises:
        ValueError: A quotation mark is open or a line ends; a name is empty, no text or there twice.
    """
    try:
        names = tuple(next(csv.reader([value], skipinitialspace=True, strict=True), ()))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    # What the system has that is no text stands in options as surrogates.
    value.encode()
    if not all(names) or len(set(names)) < len(names):
        raise ValueError("a name is empty or there twice")
    return names


def _whole(value: str, least: int, greatest: int) -> int:
    """Returns a whole number within limits, or raises a ValueError."""
    # The length first: int() has a limit of its own.
    is_short = value.isascii() and value.isdigit() and len(value) <= len(str(_GREATEST))
    if not (is_short and least <= int(value) <= greatest):
        raise ValueError(f"not from {least} to {greatest}")
    return int(value)


def _day(value: str) -> date:
    day = date.fromisoformat(value)
    # fromisoformat alone would take 20261122 and 2026-W47-7 too, strptime 2026-1-2.
    if day.isoformat() != value:
        raise ValueError("not written as YYYY-MM-DD")
    return day


class _Values:
    """Options over environment; an empty value is none."""

    def __init__(self, options: Mapping[str, str | None], environment: Mapping[str, str]) -> None:
        self._sources = (options, environment)

    def get(self, name: str) -> str | None:
        return next((value for source in self._sources if (value := source.get(name))), None)

    def required(self, name: str, option: str) -> str:
        value = self.get(name)
        if value is None:
            raise UsageError(f"no {name} given", remedy=f"set it, or use {option}")
        return value

    def run_id(self) -> str:
        return self.get(Environment.RUN_ID) or f"local-{uuid.uuid4().hex[:12]}"

    def run_date_or_none(self, today: Callable[[], date]) -> date | None:
        try:
            return self.run_date() or today()
        except UsageError:
            return None

    def run_date(self) -> date | None:
        value = self.get(Environment.RUN_DATE)
        try:
            return _day(value) if value else None
        except ValueError as error:
            raise UsageError(
                f"{Environment.RUN_DATE} is {value!r}", why="not a date like 2026-11-22"
            ) from error

    def word(self, name: str, words: type[_Word]) -> _Word | None:
        value = self.get(name)
        try:
            return words(value) if value else None
        except ValueError as error:
            raise UsageError(f"{name} is {value!r}", why=f"it can be {', '.join(words)}") from error

    def number(self, name: str, least: int = 1, greatest: int = _GREATEST) -> int | None:
        value = self.get(name)
        if value is None:
            return None
        try:
            return _whole(value, least, greatest)
        except ValueError as error:
            raise UsageError(
                f"{name} is {_shown(value)}", why=f"not a whole number from {least} to {greatest:,}"
            ) from error

    def sha256(self, name: str) -> str | None:
        value = self.get(name)
        if value and not re.fullmatch("[0-9a-fA-F]{64}", value):
            raise UsageError(f"{name} is {_shown(value)}", why="not 64 hexadecimal digits")
        return value and value.lower()

    def children(self) -> int | None:
        return self.number(Environment.SHARD_COUNT, greatest=MOST_CHILDREN)

    def child(self) -> Child | None:
        name = Environment.SHARD_INDEX if self.get(Environment.SHARD_INDEX) else ARRAY_INDEX
        index, count = self.number(name, 0, MOST_CHILDREN - 1), self.children()
        if index is None and count is None:
            return None
        if count is None:
            raise UsageError(
                f"{name} is {index}", why="SHARD_COUNT is not given", remedy="give both, or none"
            )
        if index is None:
            raise UsageError(
                f"SHARD_COUNT is {count}", why="SHARD_INDEX is not given", remedy="give both, or none"
            )
        if index >= count:
            raise UsageError(
                f"{name} is {index}", why=f"not from 0 to {count - 1}, as SHARD_COUNT is {count}"
            )
        return Child(index, count)

    def delimiter(self) -> str | None:
        value = self.get(Environment.CSV_DELIMITER)
        if value is None or value == _TAB:
            return value and "\t"
        if not (len(value) == 1 and value.isascii() and value not in _NO_DELIMITERS):
            raise UsageError(
                f"{Environment.CSV_DELIMITER} is {value!r}",
                why=f"not one ASCII character, nor the word {_TAB}; quotation marks and line ends are none",
            )
        return value

    def columns(self) -> tuple[str, ...] | None:
        value = self.get(Environment.CSV_COLUMNS)
        if value is None:
            return None
        try:
            return _names(value)
        except ValueError as error:
            raise UsageError(
                f"{Environment.CSV_COLUMNS} is {_shown(value)}",
                why="not names like a,b,c, each of them once",
                remedy='put a name with a comma between quotation marks: a,"b,c"',
            ) from error

    def price(self, name: str) -> Decimal | None:
        value = self.get(name)
        try:
            price = Decimal(value) if value else None
        except InvalidOperation as error:
            raise UsageError(f"{name} is {value!r}", why="not a number of US dollars") from error
        if price is not None and not (price.is_finite() and price >= 0):
            raise UsageError(f"{name} is {value!r}", why="not a price")
        return price
