"""Prepare: turns the judged objects into the training and the validation split.

    manifest -> unchanged? -> read -> type -> clean -> split -> write -> still unchanged? -> summary

A Glue 5.0 job (Spark 3.5, Python 3.11), shipped as this one file. It reads the objects the manifest names and
nothing else, by Spark's own reader, and gives each column the type it was judged with. Folders named
``key=value`` below the manifest's ``data_uri`` are columns, as they were for the validator. Columns of lists,
maps or structs are left out. What Spark would read otherwise than it was judged is refused. Every error a
person can do something about is one line and exit code 1.
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
from functools import cache, reduce
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import unquote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

TYPES: Final = {"INT": "bigint", "FLOAT": "double", "BYTES": "string", "STRING": "string"}
"""Spark's type for each type of the verdict's features."""

CASTABLE: Final = {
    "bigint": frozenset({"boolean", "byte", "short", "integer", "long", "string", "json"}),
    "double": frozenset({"byte", "short", "integer", "long", "float", "double", "decimal", "string", "json"}),
    # A long that was judged as text counts nanoseconds: see CONFIGURATION.
    "string": frozenset({"string", "json", "binary", "date", "timestamp", "timestamp_ntz", "long"}),
}
"""What a file may hold of a column, by the type it was judged with, in Spark's words; json is the text of any
single value of JSON."""

SPELLINGS: Final = {
    ("parquet", "timestamp"): "yyyy-MM-dd HH:mm:ss.SSSSSS'Z'",
    ("parquet", "timestamp_ntz"): "yyyy-MM-dd HH:mm:ss.SSSSSS",
    # Spark reads microseconds of ORC's nanoseconds.
    ("orc", "timestamp"): "yyyy-MM-dd HH:mm:ss.SSSSSS'000'",
}
"""How the validator spells times. Spark does not tell Parquet's milliseconds from microseconds, nor counted
nanoseconds from numbers: those are spelled otherwise than judged, though one to one."""

NESTED: Final = frozenset({"array", "map", "struct"})

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

REASON: Final = 300
"""Characters that are shown of an error of Spark's."""

MISSING: Final = frozenset({"__HIVE_DEFAULT_PARTITION__", ""})
"""Values in the names of folders that stand for none."""

PLACE: Final = "\0place"
"""Names the column that says which object a row is from; no column of text may be named so."""

OBJECT: Final = "regexp_replace(url_decode(replace(input_file_name(), '+', '%2B')), '^file:/+', '/')"
"""The SQL of the URI of the object a row is from, spelled as ``normal`` has it."""


class PrepareError(Exception):
    """Something is wrong with the data or the arguments; its text is the one line that is shown."""


@dataclass(frozen=True, eq=False)
class Format:
    """How Spark reads objects of one kind."""

    name: str
    """Spark's."""
    options: Mapping[str, str]


_UNTANGLED: Final = {
    "mode": "FAILFAST",
    # Spark takes a column of this name for its own.
    "columnNameOfCorruptRecord": "\0corrupt",
}
CSV: Final = Format(
    "csv",
    # RFC 4180: a quote within a field is doubled, and a field may hold line breaks.
    {**_UNTANGLED, "sep": ",", "header": "true", "multiLine": "true", "quote": '"', "escape": '"'},
)
TSV: Final = Format("csv", {**CSV.options, "sep": "\t"})
# Spark would end lines at a carriage return too, which JSON allows between any two words.
JSON: Final = Format("json", {**_UNTANGLED, "primitivesAsString": "true", "lineSep": "\n"})

FORMATS: Final = {
    ".parquet": Format("parquet", {}),
    ".orc": Format("orc", {}),
    **{
        suffix + packing: kind
        for suffix, kind in {".csv": CSV, ".tsv": TSV, ".jsonl": JSON, ".ndjson": JSON}.items()
        for packing in ("", ".gz", ".bz2")
    },
}
"""What is read, by the end of a name."""

REFUSED: Final = {
    **dict.fromkeys((".arrow", ".feather", ".ipc", ".arrows"), "Arrow"),
    **{suffix + packing: "TFRecord" for suffix in (".tfrecord", ".tfrecords") for packing in ("", ".gz")},
    # Spark's Hadoop is built without it.
    ".zst": "packed with Zstandard",
}
"""What the validator reads and Spark does not, by the end of a name."""


@dataclass(frozen=True)
class Arguments:
    """What the job was asked to do."""

    manifest_uri: str
    data_uri: str
    verdict_uri: str
    output_uri: str
    label: str
    drop: tuple[str, ...]
    delimiter: str = ""
    """Between the fields of delimited texts; "" for that of their suffix."""

    @classmethod
    def parse(cls, argv: Sequence[str]) -> Self:
        """Read the command line; arguments that Glue adds (``--JOB_NAME``, ``--TempDir``) are left alone."""
        parser = argparse.ArgumentParser(prog="prepare", allow_abbrev=False)
        for name in ("manifest_uri", "data_uri", "verdict_uri", "output_uri", "label"):
            parser.add_argument(f"--{name}", required=True)
        parser.add_argument("--drop", default="-", help="names as one line of CSV; - for none")
        parser.add_argument(
            "--delimiter", default="none", help="a sign or the word tab; none: the suffix tells"
        )
        known, _ = parser.parse_known_args(tied(argv, ("--label", "--drop", "--delimiter")))
        drop = () if known.drop in {"", "-"} else tuple(next(csv.reader([known.drop])))
        if known.label in drop:
            raise PrepareError(
                f"the label {known.label!r} is among the dropped columns: train on another or keep it"
            )
        folders = {"data_uri": known.data_uri.rstrip("/") + "/", "output_uri": known.output_uri.rstrip("/")}
        delimiter = {"none": "", "tab": "\t"}.get(known.delimiter, known.delimiter)
        return cls(**{**vars(known), **folders, "drop": drop, "delimiter": delimiter})


@dataclass(frozen=True)
class Judged:
    """An object of the manifest, by its path below the data's folder."""

    path: str
    size: int
    last_modified: int
    """Seconds since 1970: stores disagree about fractions."""
    delimiter: str = ""
    """Between its fields, if it is a delimited text; "" for that of its suffix."""

    @property
    def format(self) -> Format:
        """How it is read.

        Raises:
            PrepareError: Spark reads nothing of this name.
        """
        return format_of(self.path, self.delimiter)

    @property
    def partition(self) -> dict[str, str | None]:
        """What the folders above it say."""
        return partition(self.path)


@dataclass(frozen=True)
class Alike:
    """Objects of one format and schema."""

    format: Format
    schema: StructType
    """Without nested columns."""
    nested: frozenset[str]
    objects: tuple[Judged, ...]

    @property
    def keys(self) -> list[str]:
        """Keys of the folders that the objects have no column of."""
        return [key for key in self.objects[0].partition if key not in self.schema.names]

    @property
    def present(self) -> dict[str, str]:
        """What there is by column, folders among them, in words of ``CASTABLE``."""
        words = {field.name: field.dataType.typeName() for field in self.schema.fields}
        own = dict.fromkeys(words, "json") if self.format is JSON else words
        return {**own, **dict.fromkeys(self.keys, "string")}


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


@cache
def separated(delimiter: str) -> Format:
    """Return how delimited texts are read: the same object for the same delimiter."""
    return Format("csv", {**CSV.options, "sep": delimiter})


def format_of(path: str, delimiter: str = "") -> Format:
    """Return how an object is read; a delimiter wins over that of the suffix.

    Raises:
        PrepareError: Spark reads nothing of this name.
    """
    ending = next((suffix for suffix in FORMATS if path.lower().endswith(suffix)), None)
    if ending is None:
        what = next(
            (what for suffix, what in REFUSED.items() if path.lower().endswith(suffix)), "something else"
        )
        raise PrepareError(
            f"cannot read {path}: it is {what}; Prepare reads CSV, TSV and JSON Lines (plain, .gz or .bz2), "
            "ORC and Parquet: convert it"
        )
    packing = ending[ending.rindex(".") :]
    if packing in {".gz", ".bz2"} and not path.endswith(packing):
        raise PrepareError(f"cannot read {path}: Spark unpacks names that end with {packing} only: rename it")
    found = FORMATS[ending]
    return separated(delimiter) if delimiter and found.name == "csv" else found


def partition(path: str) -> dict[str, str | None]:
    """Return what the folders named ``key=value`` of a path say; None where a value is missing."""
    pairs = (folder.partition("=") for folder in path.split("/")[:-1] if "=" in folder)
    return {_decoded(key): None if text in MISSING else _decoded(text) for key, _, text in pairs}


def _decoded(text: str) -> str:
    # What a file system has that is no text becomes a sign that says so, as for the validator.
    return unquote(text).encode(errors="replace").decode()


def tied(argv: Iterable[str], names: Collection[str]) -> Iterator[str]:
    """Tie options to their values by ``=``: the name of a column may begin with a hyphen."""
    words = iter(argv)
    for word in words:
        yield f"{word}={next(words, '')}" if word in names else word


def judged(manifest: Mapping[str, Any], delimiter: str = "") -> tuple[Judged, ...]:
    """Return the manifest's objects that hold anything, with their paths below its ``data_uri``.

    Raises:
        PrepareError: The manifest names no such object, one outside its folder, or one Spark cannot read.
    """
    folder = manifest["data_uri"]
    # Spark passes over empty files, in listings too.
    objects = [each for each in manifest["objects"] if each["size"]]
    if not objects:
        raise PrepareError(f"nothing to prepare: the manifest names no data below {folder}")
    for each in objects:
        if not each["uri"].startswith(folder):
            raise PrepareError(f"the manifest names {each['uri']}, which is not below {folder}")
    found = [
        Judged(each["uri"][len(folder) :], each["size"], _second(each["last_modified"]), delimiter)
        for each in objects
    ]
    for each in found:
        _demand_plain(each.path)
        format_of(each.path)
    return tuple(found)


def _demand_plain(path: str) -> None:
    """Refuse a key that is no path of Hadoop's: a//b and a/./b would be a/b, and what has a colon a URI."""
    if ":" in path or not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise PrepareError(
            f"cannot read {path!r}: Spark takes no colons, no dots alone and no empty names: rename it"
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
    """Return Spark's type for each column to keep, in the verdict's order; structs are left out.

    Raises:
        PrepareError: The label or a column to drop was not judged.
    """
    types = {each["name"]: TYPES[each["type"]] for each in features if each["type"] in TYPES}
    if unknown := [name for name in (arguments.label, *arguments.drop) if name not in types]:
        raise PrepareError(f"no column {unknown[0]!r} in the data; it has: {', '.join(sorted(types))}")
    return {name: kind for name, kind in types.items() if name not in arguments.drop}


def flat(kinds: Mapping[str, str], nested: Collection[str], label: str) -> dict[str, str]:
    """Return the columns without those that are nested: a list is judged by the type of its values.

    Raises:
        PrepareError: The label is nested.
    """
    if label in nested:
        raise PrepareError(f"the label {label!r} is nested: train on a column of single values")
    return {name: kind for name, kind in kinds.items() if name not in nested}


def quoted(name: str) -> str:
    """Return a column's name as SQL takes it, whatever it holds."""
    return "`" + name.replace("`", "``") + "`"


def value(name: str, kind: str, found: str = "string", spelling: str | None = None) -> str:
    """Return the SQL of a column's typed and clean value.

    Blanks around a text are cut off; an empty text, a number that is not finite and whatever is not of the
    type become null.

    Args:
        name: The column's.
        kind: What it is to be.
        found: What it is in the file, a word of ``CASTABLE``.
        spelling: How a time is spelled as text, a pattern of Spark's.
    """
    source = quoted(name)
    if found == "json" and kind != "string":
        source = f"CASE {source} WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE {source} END"
    if spelling and kind == "string":
        source = f'date_format({source}, "{spelling}")'
    cast = f"CAST({source} AS {kind})"
    if kind == "double":
        # BETWEEN leaves out NaN too: Spark sorts it above every number.
        return f"IF({cast} BETWEEN -{LARGEST} AND {LARGEST}, {cast}, NULL)"
    return f"NULLIF(TRIM({cast}), '')" if kind == "string" else cast


def selection(present: Mapping[str, str], kinds: Mapping[str, str], source: str = "") -> list[str]:
    """Return the SQL that gives a table exactly the columns of ``kinds``.

    Args:
        present: What the table has by column, words of ``CASTABLE``.
        kinds: Spark's type by column.
        source: Spark's name of the format the table is read from.
    """
    values = {
        name: value(name, kind, present[name], SPELLINGS.get((source, present[name])))
        if name in present
        else f"CAST(NULL AS {kind})"
        for name, kind in kinds.items()
    }
    return [f"{sql} AS {quoted(name)}" for name, sql in values.items()]


def misfit(present: Mapping[str, str], kinds: Mapping[str, str]) -> str | None:
    """Return the name of the first column that cannot become what it was judged as, or None."""
    shared = (name for name in present if name in kinds)
    return next((name for name in shared if present[name] not in CASTABLE[kinds[name]]), None)


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


def header(lines: Iterable[str], path: str, delimiter: str = ",") -> list[str]:
    """Return the column names of a delimited text from its first lines; a name may hold a line break.

    Raises:
        PrepareError: A name stands there twice.
    """
    # A byte order mark would keep the first name's quotes from being seen.
    text = (line.removeprefix("\ufeff") + "\n" for line in lines)
    names = next(filter(None, csv.reader(text, delimiter=delimiter)), [])
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise PrepareError(f"the header of {path} names {twice!r} twice: one of them must go")
    return names


def refuse_unlike(groups: Iterable[Alike], judged: Collection[str], kinds: Mapping[str, str]) -> None:
    """Hold the columns that Spark sees against those that were judged.

    Raises:
        PrepareError: A column is none of its type, or nowhere, or a header names one that was not judged.
    """
    absent = dict(kinds)
    for each in groups:
        path = each.objects[0].path
        if name := misfit(each.present, kinds):
            raise PrepareError(
                f"column {name!r} of {path} is {each.present[name]} for Spark and judged as {kinds[name]}: "
                "write it otherwise or drop it"
            )
        # A header that is read otherwise than the validator did shows by its names.
        unknown = next((name for name in each.schema.names if name not in judged), None)
        if each.format.name == "csv" and unknown is not None:
            raise PrepareError(f"the header of {path} names {unknown!r}, which was not judged: rename it")
        absent = {name: kind for name, kind in absent.items() if name not in each.present}
    if absent:
        raise PrepareError(
            f"column {next(iter(absent))!r} was judged, but no object has it for Spark: drop it"
        )


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
    objects = judged(_document(spark, arguments.manifest_uri), arguments.delimiter)
    verdict = _document(spark, arguments.verdict_uri)
    kinds = columns(verdict["features"], arguments)
    _refuse_changed(spark, arguments.data_uri, objects)
    groups = _groups(spark, arguments.data_uri, objects)
    kinds = flat(kinds, frozenset(chain.from_iterable(each.nested for each in groups)), arguments.label)
    refuse_unlike(groups, [each["name"] for each in verdict["features"]], kinds)
    _refuse_fractions(spark, arguments.data_uri, groups, kinds)
    rows = reduce(_union, (_rows(spark, arguments.data_uri, each, kinds) for each in groups)).persist()
    labelled, held = (
        f"{quoted(arguments.label)} IS NOT NULL",
        held_out(name for name in kinds if name != arguments.label),
    )
    validation, train = f"{labelled} AND {held}", f"{labelled} AND NOT {held}"
    counts = _count(rows, train, validation, verdict["rows"])
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


def _groups(spark: SparkSession, data_uri: str, objects: Sequence[Judged]) -> list[Alike]:
    """Put the objects of one format and schema together: files may differ in their columns."""
    rows = tuple(each for each in objects if each.format is JSON)
    others = [each for each in objects if each.format is not JSON]
    with ThreadPoolExecutor(LOOKUPS) as pool:
        schemas = pool.map(lambda each: _schema(spark, each.format, data_uri, [each]), others)
    found: dict[tuple[Format, StructType], list[Judged]] = {}
    for each, schema in zip(others, schemas, strict=True):
        found.setdefault((each.format, schema), []).append(each)
    groups = [_group(kind, schema, tuple(alike)) for (kind, schema), alike in found.items()]
    # Lines name their columns themselves: all of them are looked at, once.
    return [*groups, _group(JSON, _schema(spark, JSON, data_uri, rows), rows)] if rows else groups


def _group(kind: Format, schema: StructType, objects: tuple[Judged, ...]) -> Alike:
    nested = frozenset(field.name for field in schema.fields if field.dataType.typeName() in NESTED)
    single = type(schema)([field for field in schema.fields if field.name not in nested])
    return Alike(kind, single, nested, objects)


def _schema(spark: SparkSession, kind: Format, data_uri: str, objects: Sequence[Judged]) -> StructType:
    """Return the objects' own schema; the columns of a delimited text are text until they are typed."""
    from py4j.protocol import Py4JJavaError  # noqa: PLC0415
    from pyspark.errors import PySparkException  # noqa: PLC0415

    paths = [literal(data_uri + each.path) for each in objects]
    if kind.name == "csv":
        return _header_schema(spark, kind, data_uri + objects[0].path)
    try:
        return spark.read.format(kind.name).options(**kind.options).load(paths).schema
    except (PySparkException, Py4JJavaError) as error:
        where = data_uri + objects[0].path + (f" and {len(objects) - 1:,} more" if objects[1:] else "")
        raise PrepareError(f"cannot read {where}: {_reason(error)}; write it otherwise") from None


def _header_schema(spark: SparkSession, kind: Format, path: str) -> StructType:
    from pyspark.sql.types import StringType, StructField, StructType  # noqa: PLC0415

    lines = spark.read.option("lineSep", "\n").text(literal(path)).head(HEADER_LINES)
    names = header((row[0] for row in lines), path, kind.options["sep"])
    return StructType([StructField(name, StringType()) for name in names])


def _reason(error: Any) -> str:
    """Return in one line what is at the bottom of an error of Spark's."""
    cause = getattr(error, "java_exception", None)
    if cause is None:
        return " ".join(str(error).split())[:REASON]
    while cause.getCause() is not None:
        cause = cause.getCause()
    return " ".join(str(cause.toString()).split())[:REASON]


def _refuse_fractions(
    spark: SparkSession, data_uri: str, groups: Iterable[Alike], kinds: Mapping[str, str]
) -> None:
    """Refuse JSON's fractions in columns of text: Spark reads 1.50 as the text 1.5, the validator as 1.50."""
    from pyspark.sql import functions  # noqa: PLC0415
    from pyspark.sql.types import DoubleType, LongType, StructField, StructType  # noqa: PLC0415

    for each in groups:
        texts = [name for name in each.schema.names if kinds.get(name) == "string"]
        if each.format is not JSON or not texts:
            continue
        paths = [literal(data_uri + one.path) for one in each.objects]
        lines = spark.read.option("lineSep", "\n").text(paths)
        # What is no number becomes null.
        options = {**JSON.options, "mode": "PERMISSIVE"}
        numbers, wholes = (
            functions.from_json("value", StructType([StructField(name, kind) for name in texts]), options)
            for kind in (DoubleType(), LongType())
        )
        pairs = lines.select(numbers.alias("number"), wholes.alias("whole"))
        finite = f"BETWEEN -{LARGEST} AND {LARGEST}"
        tallies = [
            f"count_if(number.{name} {finite} AND whole.{name} IS NULL)" for name in map(quoted, texts)
        ]
        found = zip(texts, pairs.selectExpr(*tallies).head(), strict=True)
        if mixed := [name for name, count in found if count]:
            raise PrepareError(
                f"column {mixed[0]!r} has texts and fractions, which Spark would spell otherwise than they "
                "were judged: write all of its values as texts"
            )


def _rows(spark: SparkSession, data_uri: str, group: Alike, kinds: Mapping[str, str]) -> DataFrame:
    """Read objects that are alike, with the columns of the folders they lie in, typed and clean."""
    paths = [literal(data_uri + each.path) for each in group.objects]
    table = (
        spark.read.format(group.format.name).options(**group.format.options).schema(group.schema).load(paths)
    )
    if group.format.name == "csv" and group.schema.names:
        table = _without_returns(table)
    return _placed(spark, table, data_uri, group).selectExpr(
        *selection(group.present, kinds, group.format.name)
    )


def _without_returns(table: DataFrame) -> DataFrame:
    """Take carriage returns off the last column: Spark keeps them when the first line ends without one."""
    last = table.columns[-1]
    return table.selectExpr(
        *map(quoted, table.columns[:-1]), f"rtrim('\r', {quoted(last)}) AS {quoted(last)}"
    )


def _placed(spark: SparkSession, table: DataFrame, data_uri: str, group: Alike) -> DataFrame:
    """Add the columns of folders.

    By a join: a day may have thousands of folders, and Spark plans no union of as many tables.
    """
    from pyspark.sql.functions import broadcast  # noqa: PLC0415
    from pyspark.sql.types import StringType, StructField, StructType  # noqa: PLC0415

    keys = group.keys
    if not keys:
        return table
    schema = StructType([StructField(name, StringType()) for name in (PLACE, *keys)])
    places = [
        {PLACE: normal(data_uri + each.path), **{key: each.partition.get(key) for key in keys}}
        for each in group.objects
    ]
    named = table.selectExpr(*map(quoted, table.columns), f"{OBJECT} AS {quoted(PLACE)}")
    return named.join(broadcast(_table(spark, schema, places)), PLACE)


def _table(spark: SparkSession, schema: StructType, rows: Sequence[Mapping[str, Any]]) -> DataFrame:
    """Return a table of plain values. By JSON: to take them from Python, Spark starts two more processes."""
    from pyspark.sql.functions import explode, from_json, lit  # noqa: PLC0415
    from pyspark.sql.types import ArrayType  # noqa: PLC0415

    parsed = from_json(lit(json.dumps(rows)), ArrayType(schema))
    return spark.range(1).coalesce(1).select(explode(parsed).alias("row")).select("row.*")


def _union(above: DataFrame, below: DataFrame) -> DataFrame:
    return above.union(below)


def _count(rows: DataFrame, train: str, validation: str, judged: int) -> Counts:
    from py4j.protocol import Py4JJavaError  # noqa: PLC0415

    counts = rows.selectExpr("count(*)", f"count_if({train})", f"count_if({validation})")
    try:
        everything, training, validating = counts.head()
    except Py4JJavaError as error:
        raise PrepareError(f"Spark cannot read the data: {_reason(error)}") from None
    if everything != judged:
        raise PrepareError(
            f"Spark reads {everything:,} rows where {judged:,} were judged: it takes line ends of two kinds "
            "and blank lines otherwise; write the data anew, best as Parquet"
        )
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
    from pyspark.sql.types import ArrayType, LongType, StringType, StructField, StructType  # noqa: PLC0415

    numbers = asdict(counts)
    named = StructField("columns", ArrayType(StringType()))
    schema = StructType([*(StructField(name, LongType()) for name in numbers), named])
    _table(spark, schema, [{**numbers, named.name: list(names)}]).write.mode("overwrite").json(uri)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except PrepareError as error:
        # Glue shows this text as the run's error; everyone else gets it on stderr with exit code 1.
        sys.exit(str(error))
