"""What Prepare trains on is what the validator judged: the same rows and types, in every format both read."""

from __future__ import annotations

import bz2
import gzip
import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from build.rehearsal.emulator.spark import environment
from tests.functional.test_steps import PYTHON, ROOT, SEVERAL, Day, run
from validator import dataset, profiling, store
from validator.crew import Crew
from validator.dataset import Dataset
from validator.formats import Dialect
from validator.interruption import Interruption
from validator.profile import Kind

pytestmark = pytest.mark.xdist_group("steps")

Rows = list[dict[str, Any]]

NUMBERS = range(40)
"""Enough rows for both sides of the split."""


def delimited(folder: Path) -> None:
    """Texts of both kinds, plain and packed, in folders of all values a folder may have."""
    lines = [f'{n}\t"a\t""{n}"\tx{n % 3}' for n in NUMBERS]
    place(folder / "_day=007" / "city=a%2Fb +ü'\"`\\", "q #.tsv", "\n".join(["n\ttext\tlabel", *lines, ""]))
    place(folder / "_day=%2B5" / "city=__HIVE_DEFAULT_PARTITION__" / "raw", "a.TSV.gz", tsv("50\ty\tz"))
    place(folder / "_day=-12" / "city=", "a.tsv.bz2", tsv("51\t \tz"))
    place(folder / "_day=__HIVE_DEFAULT_PARTITION__" / "city=5", "a.tsv", tsv("52\ty\tz", "53\tq\t"))
    place(folder / "_day=+8" / "city=b" / "a+%2B", "a.csv.bz2", "n,text,label\n54,y,z\n")


def tsv(*lines: str) -> str:
    return "\n".join(["n\ttext\tlabel", *lines, ""])


def semicolons(folder: Path) -> None:
    """Texts whose suffixes promise other delimiters, with commas and tabs in their values."""
    lines = [f'{n};"a;{n},\t";x{n % 3}' for n in NUMBERS]
    place(folder / "k=1", "a.csv", "\n".join(["n;text;label", *lines, ""]))
    place(folder / "k=2", "b.tsv.gz", "n;text;label\n50;a\tb;y\n51;;z\n")


DELIMITERS = {"semicolons": ";"}
"""What is read by another delimiter than its suffix tells."""


def line_ends(folder: Path) -> None:
    """A header that ends otherwise than the rows below it."""
    place(
        folder,
        "a.csv",
        "n,label\n" + "\r\n".join(f'{n},"x"' if n % 2 else f"{n},x" for n in NUMBERS) + "\r\n50,\r\n",
    )


def json_lines(folder: Path) -> None:
    rows = [
        {"n": n, "label": f"x{n % 3}", "flag": n % 2 == 0, "float": n / 4, "Float": n, "text": str(n)}
        for n in NUMBERS
    ]
    place(folder / "k=1", "a.jsonl", "\ufeff" + "\n\r\n".join(map(json.dumps, rows)))
    odd = [
        '{"n": 50, "label": "é\\u00e9 ", "flag": null, "float": 1e400, "_corrupt_record": "kept"}',
        '{"n": -0,\r"label": "b", "flag": 7, "float": 12345678901234567890123, "Float": 0.1, "none": null}  ',
        '{"label": "c", "float": true, "text": "", "list": [1, 2], "object": {"a": "b"}, "lists": [[]]}',
        '{"label": "c", "float": NaN, "text": 5, "n": 9223372036854775807}',
        '{"label": "d", "float": 0.30000000000000004, "text": false, "n": -9223372036854775808, "list": []}',
        '{"label": null, "text": -12}',
    ]
    place(folder / "k=2", "b.ndjson.gz", "\r\n".join(odd))
    place(folder / "k=", "c.jsonl.bz2", '{"label": "e"}\n')


def optimized_rows(folder: Path) -> None:
    table = typed({"plain": pa.timestamp("us"), "fine": pa.timestamp("ns")})
    (folder / "k=1").mkdir(parents=True)
    orc.write_table(table, folder / "k=1" / "a.orc")
    (folder / "k=x").mkdir()
    orc.write_table(table.slice(3, 2), folder / "k=x" / "b.ORC")


def parquet(folder: Path) -> None:
    table = typed({"plain": pa.timestamp("us"), "zone": pa.timestamp("us", "Europe/Berlin")})
    unsigned = pa.array([2**64 - 1 - n for n in NUMBERS], pa.uint64())
    (folder / "k=1").mkdir(parents=True)
    pq.write_table(table.append_column("unsigned", unsigned), folder / "k=1" / "a.parquet")


def typed(times: Mapping[str, Any]) -> pa.Table:
    """A table of all types that ORC and Parquet share."""
    columns = {
        "label": [f"x{n % 3}" if n else None for n in NUMBERS],
        "tiny": pa.array([n - 20 for n in NUMBERS], pa.int8()),
        "whole": [n * 10**15 for n in NUMBERS],
        "single": pa.array([n / 10 for n in NUMBERS], pa.float32()),
        "double": [math.inf if n == 1 else math.nan if n == 2 else n / 7 for n in NUMBERS],
        "flag": [None if n == 3 else n % 2 == 0 for n in NUMBERS],
        "price": [Decimal(n * 19) / 100 for n in NUMBERS],
        "day": [date(1969 + n, 12, 31) for n in NUMBERS],
        "bytes": [f" ä{n}".encode() for n in NUMBERS],
        "list": [[n] for n in NUMBERS],
        "struct": [{"a": n} for n in NUMBERS],
    }
    moments = [None if n == 4 else datetime(2026, 1, 2, 3, 4, n, n * 1001, UTC) for n in NUMBERS]
    return pa.table({**columns, **{name: pa.array(moments, kind) for name, kind in times.items()}})


def place(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    packings: Mapping[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress}
    (folder / name).write_bytes(packings.get(Path(name).suffix, bytes)(text.encode()))


def line_feeds(folder: Path) -> None:
    """Rows that end otherwise than the header above them."""
    place(folder, "a.csv", "n,label\r\n" + "\n".join(f'{n},"x"' for n in NUMBERS) + "\n")


READ = {
    each.__name__: each
    for each in (delimited, semicolons, line_ends, line_feeds, json_lines, optimized_rows, parquet)
}


def fractions(folder: Path) -> None:
    """A text and a number that Spark spells as it likes."""
    place(folder, "a.jsonl", '{"label": "a", "n": 1}\n{"label": "b", "n": 1.5}\n{"n": 2, "label": 1.50}\n')


def blank_lines(folder: Path) -> None:
    """Lines before the header, of which Spark makes a row."""
    place(folder, "a.tsv", "\n\r\n" + "\n".join(["n\tlabel", *(f"{n}\tx" for n in NUMBERS), ""]))


def bare_line_feeds(folder: Path) -> None:
    """Rows that Spark does not part, as the header above them ends otherwise."""
    place(folder, "a.csv", "n,label\r\n" + "\n".join(f"{n},x" for n in NUMBERS) + "\n")


def no_type(folder: Path) -> None:
    moments = pa.array([datetime(2026, 1, 2, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    folder.mkdir(exist_ok=True)
    orc.write_table(pa.table({"label": ["a"], "n": moments}), folder / "a.orc")


def nested_label(folder: Path) -> None:
    place(folder, "a.jsonl", '{"label": ["a"], "n": 1}\n')


REFUSED = {
    fractions: "column 'label' has texts and fractions, which Spark would spell otherwise",
    bare_line_feeds: "Spark cannot read the data: org.apache.spark.SparkRuntimeException: [MALFORMED",
    blank_lines: "where 40 were judged",
    no_type: "a.orc: [PARSE_SYNTAX_ERROR] Syntax error at or near 'with'.",
    nested_label: "the label 'label' is nested",
}


class Judged(Day):
    """A day that the validator has read."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        super().__init__(folder)
        self.judged_rows: Rows = []
        self.kinds: dict[str, Kind] = {}

    def read(self, delimiter: str | None = None) -> None:
        """Read it as the validator does, and write down the verdict."""
        found = store.at("").list(str(self.data))
        described = dataset.describe(found, root=str(self.data), dialect=Dialect(delimiter))
        crew = Crew(Interruption())
        profiled = profiling.profile(described, str(self.folder / "states"), crew, lambda _: None)
        summary = profiled.profile.finish()
        names = [each.uri.removeprefix(f"{self.data}/") for each in found]
        features = {each.column.name: str(each.column.kind) for each in summary.columns}
        self.judge(*names, rows=summary.rows, features=features)
        flat = [each.column for each in summary.columns if not (each.column.depth or each.column.fields)]
        self.kinds = {column.name: column.kind for column in flat}
        self.judged_rows = list(cleaned(profiled.dataset, self.kinds))

    @property
    def prepared_rows(self) -> Rows:
        return [row for side in ("train", "validation") for row in self.rows(side)]


def cleaned(described: Dataset, names: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Yield the rows with a label, cleaned as Prepare promises."""
    for cut in (cut for shard in described.shards for cut in shard.cuts):
        for batch in described.read(cut).batches:
            rows = batch.select(list(names)).to_pylist()
            clean_rows = ({name: clean(value) for name, value in row.items()} for row in rows)
            yield from (row for row in clean_rows if row.get("label") is not None)


def clean(value: Any) -> Any:
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, str):
        return value.strip(" ") or None
    return None if isinstance(value, float) and not math.isfinite(value) else value


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Judged, str | None]]:
    folder = tmp_path_factory.mktemp("days")
    made = {}
    for write in (*READ.values(), *REFUSED):
        day = made[write.__name__] = Judged(folder / write.__name__)
        write(day.data)
        day.read(DELIMITERS.get(write.__name__))
    jobs = [
        {"argv": day.argv("label", "-", DELIMITERS.get(name, "none")), "touched_meanwhile": []}
        for name, day in made.items()
    ]
    done = run(["-c", SEVERAL, ROOT / "steps" / "prepare"], json.dumps(jobs), **environment(PYTHON, folder))
    assert done.returncode == 0, done.stderr[-3000:]
    said = [json.loads(line) for line in done.stdout.splitlines() if not line.startswith("prepared")]
    return dict(zip(made, zip(made.values(), said, strict=True), strict=True))


@pytest.mark.parametrize("name", READ)
def test_rows_are_those_that_were_judged(days: Mapping[str, tuple[Judged, str | None]], name: str) -> None:
    day, said = days[name]

    assert said is None
    assert sorted(day.prepared_rows, key=repr) == sorted(day.judged_rows, key=repr)
    assert day.summary["columns"] == list(day.kinds)


@pytest.mark.parametrize("name", READ)
def test_types_are_those_that_were_judged(days: Mapping[str, tuple[Judged, str | None]], name: str) -> None:
    day, _ = days[name]
    schema = pq.read_schema(next((day.output / "train").glob("*.parquet")))
    kinds = {"int64": Kind.INT, "double": Kind.FLOAT, "string": Kind.BYTES}

    assert {field.name: kinds[str(field.type)] for field in schema} == day.kinds


def test_columns_of_folders_are_numbers_or_texts(days: Mapping[str, tuple[Judged, str | None]]) -> None:
    day, _ = days["delimited"]

    assert (day.kinds["_day"], day.kinds["city"]) == (Kind.INT, Kind.BYTES)
    assert {(row["_day"], row["city"]) for row in day.prepared_rows} == {
        (7, "a/b +ü'\"`\\"),
        (5, None),
        (-12, None),
        (None, "5"),
        (8, "b"),
    }


@pytest.mark.parametrize("name", [each.__name__ for each in REFUSED])
def test_what_spark_reads_otherwise_is_refused(
    days: Mapping[str, tuple[Judged, str | None]], name: str
) -> None:
    day, said = days[name]
    (line,) = (line for write, line in REFUSED.items() if write.__name__ == name)

    assert said is not None
    assert line in said
    assert "\n" not in said
    assert not day.output.exists()
