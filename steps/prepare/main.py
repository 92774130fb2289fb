"""Prepare: turns the judged objects into the training and the validation split.

    manifest -> unchanged? -> read -> type -> clean -> split -> write -> still unchanged? -> summary

A Glue 5.0 job (Spark 3.5, Python 3.11), shipped as this one file. It reads the objects the manifest names and
nothing else, by Spark's own reader, and gives each column the type it was judged with. Every error a person
can do something about is one line and exit code 1.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

TYPES: Final = {"INT": "bigint", "FLOAT": "double", "BYTES": "string", "STRING": "string"}
"""Spark's type for each type of the verdict's features."""

OPTIONS: Final = {
    # RFC 4180: a quote within a field is doubled, and a field may hold line breaks.
    "csv": {"header": "true", "multiLine": "true", "quote": '"', "escape": '"', "mode": "FAILFAST"},
    "parquet": {},
}

CONFIGURATION: Final = {
    "spark.sql.session.timeZone": "UTC",
    # Fare and fare are two columns, as they were for the validator.
    "spark.sql.caseSensitive": "true",
    # A value that is not of its column's type becomes null instead of ending the job.
    "spark.sql.ansi.enabled": "false",
    # Timestamps in nanoseconds, as pandas writes them, are read as integers instead of being refused.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
}

HELD_OUT: Final = 5
"""One row of so many goes to the validation split."""

LARGEST: Final = f"{sys.float_info.max!r}D"
"""The largest finite double, as SQL writes it."""

FILES: Final = 8
"""At most so many Parquet files a split."""

LOOKUPS: Final = 8
"""Schemas that are looked up at the same time."""

HEADER_LINES: Final = 100
"""Lines that a header with line breaks in its names may take."""


class PrepareError(Exception):
    """Something is wrong with the data or the arguments; its text is the one line that is shown."""


@dataclass(frozen=True)
class Arguments:
    """What the job was asked to do."""

    manifest_uri: str
    data_uri: str
    verdict_uri: str
    output_uri: str
    label: str
    drop: tuple[str, ...]

    @classmethod
    def parse(cls, argv: Sequence[str]) -> Self:
        """Read the command line; arguments that Glue adds (``--JOB_NAME``, ``--TempDir``) are left alone."""
        parser = argparse.ArgumentParser(prog="prepare", allow_abbrev=False)
        for name in ("manifest_uri", "data_uri", "verdict_uri", "output_uri", "label"):
            parser.add_argument(f"--{name}", required=True)
        parser.add_argument("--drop", default="-", help="names as one line of CSV; - for none")
        known, _ = parser.parse_known_args(tied(argv, ("--label", "--drop")))
        drop = () if known.drop in {"", "-"} else tuple(next(csv.reader([known.drop])))
        if known.label in drop:
            raise PrepareError(
                f"the label {known.label!r} is among the dropped columns: train on another or keep it"
            )
        folders = {"data_uri": known.data_uri.rstrip("/") + "/", "output_uri": known.output_uri.rstrip("/")}
        return cls(**{**vars(known), **folders, "drop": drop})


@dataclass(frozen=True)
class Judged:
    """An object of the manifest, by its path below the data's folder."""

    path: str
    size: int
    last_modified: int
    """Seconds since 1970: stores disagree about fractions."""

    @property
    def format(self) -> str:
        """Spark's name of the format."""
        return "parquet" if self.path.lower().endswith(".parquet") else "csv"


@dataclass(frozen=True)
class Found:
    """What lies at an object's path now."""

    size: int
    last_modified: int


@dataclass(frozen=True)
class Counts:
    """Rows, before and after cleaning."""

    rows_read: int
    rows_dropped: int
    train: int
    validation: int


def tied(argv: Iterable[str], names: Collection[str]) -> Iterator[str]:
    """Tie options to their values by ``=``: the name of a column may begin with a hyphen."""
    words = iter(argv)
    for word in words:
        yield f"{word}={next(words, '')}" if word in names else word


def judged(manifest: Mapping[str, Any]) -> tuple[Judged, ...]:
    """Return the manifest's objects that hold anything, with their paths below its ``data_uri``.

    Raises:
        PrepareError: The manifest names no such object, or one outside its folder.
    """
    folder = manifest["data_uri"]
    # Spark passes over empty files, in listings too.
    objects = [each for each in manifest["objects"] if each["size"]]
    if not objects:
        raise PrepareError(f"nothing to prepare: the manifest names no data below {folder}")
    for each in objects:
        if not each["uri"].startswith(folder):
            raise PrepareError(f"the manifest names {each['uri']}, which is not below {folder}")
    return tuple(
        Judged(each["uri"][len(folder) :], each["size"], _second(each["last_modified"])) for each in objects
    )


def changed(objects: Iterable[Judged], found: Mapping[str, Found]) -> str | None:
    """Return the path of the first object that is not what was judged, or None.

    An object is unchanged when its size is the same and it was not modified after the second in which the
    judged one was.
    """
    for each in objects:
        now = found.get(each.path)
        if now is None or now.size != each.size or now.last_modified > each.last_modified:
            return each.path
    return None


def columns(features: Iterable[Mapping[str, str]], arguments: Arguments) -> dict[str, str]:
    """Return Spark's type for each column to keep, in the verdict's order; nested features are left out.

    Raises:
        PrepareError: The label or a column to drop was not judged.
    """
    types = {each["name"]: TYPES[each["type"]] for each in features if each["type"] in TYPES}
    if unknown := [name for name in (arguments.label, *arguments.drop) if name not in types]:
        raise PrepareError(f"no column {unknown[0]!r} in the data; it has: {', '.join(sorted(types))}")
    return {name: kind for name, kind in types.items() if name not in arguments.drop}


def quoted(name: str) -> str:
    """Return a column's name as SQL takes it, whatever it holds."""
    return "`" + name.replace("`", "``") + "`"


def value(name: str, kind: str) -> str:
    """Return the SQL of a column's typed and clean value.

    Blanks around a text are cut off; an empty text, a number that is not finite and whatever is not of the
    type become null.
    """
    cast = f"CAST({quoted(name)} AS {kind})"
    if kind == "double":
        # BETWEEN leaves out NaN too: Spark sorts it above every number.
        return f"IF({cast} BETWEEN -{LARGEST} AND {LARGEST}, {cast}, NULL)"
    return f"NULLIF(TRIM({cast}), '')" if kind == "string" else cast


def selection(present: Collection[str], kinds: Mapping[str, str]) -> list[str]:
    """Return the SQL that gives a table with the ``present`` columns exactly the columns of ``kinds``."""
    return [
        f"{value(name, kind) if name in present else f'CAST(NULL AS {kind})'} AS {quoted(name)}"
        for name, kind in kinds.items()
    ]


def held_out(names: Iterable[str]) -> str:
    """Return the SQL that tells the validation split's rows: by a hash, so equal rows stay on one side.

    Args:
        names: The columns the model sees; the label is not one, or rows alike but for it would be parted.
    """
    return f"pmod(xxhash64({', '.join(map(quoted, names))}), {HELD_OUT}) = 0"


def literal(path: str) -> str:
    """Escape a path so that Hadoop finds exactly this file and expands nothing."""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", path)


def normal(uri: str) -> str:
    """Return a URI as Hadoop and people both spell it: a local file is its path."""
    return re.sub(r"^file:/+", "/", uri)


def _second(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


def header(lines: Iterable[str], path: str) -> list[str]:
    """Return the column names of a CSV file from its first lines; a name may hold a line break.

    Raises:
        PrepareError: A name stands there twice.
    """
    # A byte order mark would keep the first name's quotes from being seen.
    text = (line.removeprefix("\ufeff") + "\n" for line in lines)
    names = next(csv.reader(text), [])
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise PrepareError(f"the header of {path} names {twice!r} twice: one of them must go")
    return names


def main(argv: Sequence[str]) -> None:
    """Prepare the data; the one place that knows the order.

    Raises:
        PrepareError: The data changed since they were judged, or cannot be split.
    """
    arguments = Arguments.parse(argv)
    spark = _session()
    try:
        _prepare(spark, arguments)
    finally:
        spark.stop()


def _prepare(spark: SparkSession, arguments: Arguments) -> None:
    objects = judged(_document(spark, arguments.manifest_uri))
    kinds = columns(_document(spark, arguments.verdict_uri)["features"], arguments)
    _refuse_changed(spark, arguments.data_uri, objects)
    tables = _tables(spark, arguments.data_uri, objects)
    rows = reduce(_union, (table.selectExpr(*selection(table.columns, kinds)) for table in tables)).persist()
    labelled, held = (
        f"{quoted(arguments.label)} IS NOT NULL",
        held_out(name for name in kinds if name != arguments.label),
    )
    validation, train = f"{labelled} AND {held}", f"{labelled} AND NOT {held}"
    counts = _count(rows, train, validation)
    _write(rows.where(train), f"{arguments.output_uri}/train")
    _write(rows.where(validation), f"{arguments.output_uri}/validation")
    _refuse_changed(spark, arguments.data_uri, objects)
    _summarize(spark, counts, kinds, f"{arguments.output_uri}/summary")
    print(f"prepared {counts.rows_read:,} rows: {counts.train:,} train, {counts.validation:,} validation")


def _session() -> SparkSession:
    from pyspark.sql import SparkSession  # noqa: PLC0415 - the rest of this file is usable without Spark

    spark = SparkSession.builder.appName("prepare").getOrCreate()
    for name, setting in CONFIGURATION.items():
        spark.conf.set(name, setting)
    return spark


def _document(spark: SparkSession, uri: str) -> Any:
    return json.loads(spark.read.text(literal(uri), wholetext=True).head()[0])


def _refuse_changed(spark: SparkSession, data_uri: str, objects: Iterable[Judged]) -> None:
    if path := changed(objects, _found(spark, data_uri)):
        raise PrepareError(f"object changed since it was judged: {data_uri}{path}")


def _found(spark: SparkSession, data_uri: str) -> dict[str, Found]:
    """List the folder by path, size and time; without the column ``content`` Spark opens no file."""
    from pyspark.errors import AnalysisException  # noqa: PLC0415

    reader = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    try:
        files = reader.load(literal(data_uri))
    except AnalysisException as error:
        raise PrepareError(
            f"cannot list {data_uri}: {error.getErrorClass()}; was the folder removed?"
        ) from None
    rows = files.selectExpr("path", "length", "CAST(modificationTime AS bigint)").collect()
    return {normal(path).removeprefix(normal(data_uri)): Found(size, second) for path, size, second in rows}


def _tables(spark: SparkSession, data_uri: str, objects: Sequence[Judged]) -> Iterator[DataFrame]:
    """Read the objects, those of one format and schema together: files may differ in their columns."""
    with ThreadPoolExecutor(LOOKUPS) as pool:
        schemas = pool.map(lambda each: _schema(spark, each.format, data_uri + each.path), objects)
    alike: dict[tuple[str, StructType | str], list[str]] = {}
    for each, schema in zip(objects, schemas, strict=True):
        alike.setdefault((each.format, schema), []).append(literal(data_uri + each.path))
    for (kind, schema), paths in alike.items():
        yield spark.read.format(kind).options(**OPTIONS[kind]).schema(schema).load(paths)


def _schema(spark: SparkSession, kind: str, path: str) -> StructType | str:
    """Return a file's own schema; the columns of a CSV file are text until they are typed."""
    if kind == "parquet":
        return spark.read.parquet(literal(path)).schema
    lines = (row[0] for row in spark.read.text(literal(path)).head(HEADER_LINES))
    return ", ".join(f"{quoted(name)} string" for name in header(lines, path))


def _union(above: DataFrame, below: DataFrame) -> DataFrame:
    return above.union(below)


def _count(rows: DataFrame, train: str, validation: str) -> Counts:
    counts = rows.selectExpr("count(*)", f"count_if({train})", f"count_if({validation})")
    everything, training, validating = counts.head()
    if not (training and validating):
        raise PrepareError(
            f"too few rows to split: of {everything:,} rows {training + validating:,} have a label, "
            f"{training:,} for training and {validating:,} for validation; bring more"
        )
    return Counts(everything, everything - training - validating, training, validating)


def _write(rows: DataFrame, uri: str) -> None:
    rows.coalesce(FILES).write.mode("overwrite").parquet(uri)


def _summarize(spark: SparkSession, counts: Counts, names: Iterable[str], uri: str) -> None:
    """Write one line of JSON."""
    fields = {**asdict(counts), "columns": list(names)}
    schema = ", ".join(f"{name} {'array<string>' if name == 'columns' else 'bigint'}" for name in fields)
    spark.createDataFrame([tuple(fields.values())], schema).coalesce(1).write.mode("overwrite").json(uri)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except PrepareError as error:
        # Glue shows this text as the run's error; everyone else gets it on stderr with exit code 1.
        sys.exit(str(error))
