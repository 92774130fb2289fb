"""Prepare's decisions, without Spark: what is read, with which types, and which rows are held out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.prepare.main import (
    FORMATS,
    REFUSED,
    Arguments,
    Found,
    Judged,
    PrepareError,
    changed,
    columns,
    flat,
    format_of,
    header,
    held_out,
    judged,
    literal,
    misfit,
    normal,
    partition,
    quoted,
    refuse_unlike,
    selection,
    value,
)
from validator import formats, partitions
from validator.store import Object

OPTIONS = {
    "manifest_uri": "s3://b/m.json",
    "data_uri": "s3://b/data",
    "verdict_uri": "s3://b/v.json",
    "output_uri": "s3://b/out/",
    "label": "big_tipper",
}
MODIFIED = "2026-11-22T10:00:00.900000+00:00"


def arguments(*more: str) -> Arguments:
    return Arguments.parse([*(f"--{name}={text}" for name, text in OPTIONS.items()), *more])


def manifest(*uris: str) -> dict[str, Any]:
    objects = [{"uri": uri, "size": 3, "last_modified": MODIFIED} for uri in uris]
    return {"data_uri": "s3://lake/data/", "objects": objects}


def test_folders_have_one_spelling() -> None:
    assert (arguments().data_uri, arguments().output_uri) == ("s3://b/data/", "s3://b/out")


@pytest.mark.parametrize(
    ("drop", "names"),
    [("-", ()), ("", ()), ("a", ("a",)), ("a,b c", ("a", "b c")), ('"a,b",c', ("a,b", "c"))],
)
def test_dropped_columns_are_one_line_of_csv(drop: str, names: tuple[str, ...]) -> None:
    assert arguments("--drop", drop).drop == names


@pytest.mark.parametrize(("told", "delimiter"), [("none", ""), ("tab", "\t"), (";", ";"), ("-", "-")])
def test_a_delimiter_is_a_sign_or_a_word(told: str, delimiter: str) -> None:
    assert arguments("--delimiter", told).delimiter == delimiter
    assert arguments().delimiter == ""


def test_a_delimiter_wins_over_the_suffix_of_delimited_texts_alone() -> None:
    both = [format_of(name, ";").options["sep"] for name in ("a.csv", "A.TSV.gz")]
    assert both == [";", ";"]
    # Objects of one format are read together: they are told apart by the object that describes it.
    assert format_of("a.csv", ";") is format_of("b.tsv", ";")
    assert format_of("a.csv", "") is format_of("b.csv")
    assert all(format_of(name, ";") is format_of(name) for name in ("a.jsonl", "a.parquet", "a.orc"))


def test_a_column_may_begin_with_a_hyphen() -> None:
    found = arguments("--label", "-x y", "--drop", "--drop,-z")

    assert (found.label, found.drop) == ("-x y", ("--drop", "-z"))


def test_arguments_of_glue_itself_are_left_alone() -> None:
    glue = [
        "--JOB_NAME",
        "prepare",
        "--TempDir",
        "s3://t/",
        "--enable-metrics",
        "true",
        "--JOB_RUN_ID",
        "jr_1",
    ]

    assert arguments(*glue) == arguments()


def test_the_label_cannot_be_dropped() -> None:
    with pytest.raises(PrepareError, match="'big_tipper' is among the dropped columns"):
        arguments("--drop", "big_tipper")


def test_empty_objects_are_passed_over_as_spark_does() -> None:
    both = manifest("s3://lake/data/a.csv", "s3://lake/data/b.csv")
    both["objects"][0]["size"] = 0

    assert [each.path for each in judged(both)] == ["b.csv"]
    both["objects"][1]["size"] = 0
    with pytest.raises(PrepareError, match="nothing to prepare"):
        judged(both)


def test_objects_are_known_by_their_path_below_the_folder() -> None:
    first, second = judged(manifest("s3://lake/data/a/b.csv.gz", "s3://lake/data/c.PARQUET"))

    assert first == Judged("a/b.csv.gz", 3, 1795341600)
    assert (first.format.name, second.format.name) == ("csv", "parquet")


@pytest.mark.parametrize(
    ("uris", "line"),
    [
        ([], "nothing to prepare"),
        (["s3://lake/other/x.csv"], "s3://lake/other/x.csv, which is not below s3://lake/data/"),
        (["s3://lake/data/x.csv", "s3://lake/data//x.csv"], "cannot read '/x.csv': Spark takes no"),
        (["s3://lake/data/a//x.csv"], "cannot read 'a//x.csv'"),
        (["s3://lake/data/a/./x.csv"], "cannot read 'a/./x.csv'"),
        (["s3://lake/data/../x.csv"], "cannot read '../x.csv'"),
        (["s3://lake/data/03:00/x.csv"], "cannot read '03:00/x.csv'"),
    ],
)
def test_a_manifest_names_objects_of_its_folder(uris: list[str], line: str) -> None:
    with pytest.raises(PrepareError, match=line):
        judged(manifest(*uris))


@pytest.mark.parametrize(
    ("found", "path"),
    [
        ({"a.csv": Found(3, 100)}, None),
        ({"a.csv": Found(3, 99), "late.csv": Found(9, 200)}, None),
        ({"a.csv": Found(3, 101)}, "a.csv"),
        ({"a.csv": Found(4, 100)}, "a.csv"),
        ({}, "a.csv"),
    ],
)
def test_an_object_is_what_was_judged_or_it_is_named(found: dict[str, Found], path: str | None) -> None:
    assert changed([Judged("a.csv", 3, 100)], found) == path


def test_columns_have_the_types_they_were_judged_with() -> None:
    features = [
        {"name": "a", "type": "INT"},
        {"name": "b.c", "type": "FLOAT"},
        {"name": "nested", "type": "STRUCT"},
        {"name": "leak", "type": "BYTES"},
        {"name": "big_tipper", "type": "STRING"},
    ]

    assert columns(features, arguments("--drop", "leak")) == {
        "a": "bigint",
        "b.c": "double",
        "big_tipper": "string",
    }


@pytest.mark.parametrize("drop", ["-", "tips"])
def test_a_label_or_dropped_column_that_is_not_there_is_named(drop: str) -> None:
    features = [{"name": name, "type": "INT"} for name in (["a"] if drop == "-" else ["a", "big_tipper"])]

    with pytest.raises(
        PrepareError, match=f"no column '{'big_tipper' if drop == '-' else 'tips'}' in the data"
    ):
        columns(features, arguments("--drop", drop))


def test_names_are_quoted_whatever_they_hold() -> None:
    assert quoted("a`b.c d") == "`a``b.c d`"
    assert value("x`", "bigint") == "CAST(`x``` AS bigint)"
    assert held_out(["a", "b'"]) == "pmod(xxhash64(`a`, `b'`), 5) = 0"


@given(st.text())
def test_a_quoted_name_ends_where_it_should(name: str) -> None:
    inner = quoted(name)[1:-1]

    assert inner.replace("``", "") == name.replace("`", "")
    assert inner.count("`") == 2 * name.count("`")


def test_a_table_without_a_column_gets_it_empty() -> None:
    assert selection({"a": "string"}, {"a": "bigint", "b": "string"}) == [
        "CAST(`a` AS bigint) AS `a`",
        "CAST(NULL AS string) AS `b`",
    ]


def test_a_path_is_no_pattern() -> None:
    assert literal(r"s3://b/a[1]*{x,y}?\.csv") == r"s3://b/a\[1\]\*\{x,y\}\?\\.csv"


@pytest.mark.parametrize(
    ("uri", "spelling"),
    [
        ("file:/tmp/a b", "/tmp/a b"),
        ("file:///tmp/a", "/tmp/a"),
        ("/tmp/a", "/tmp/a"),
        ("s3://b/file:/x", "s3://b/file:/x"),
    ],
)
def test_local_files_have_one_spelling(uri: str, spelling: str) -> None:
    assert normal(uri) == spelling


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (["a,b", "1,2"], ["a", "b"]),
        (['\ufeff"a b","c""d"', "1,2"], ["a b", 'c"d']),
        (['"a', 'b",c', "1,2"], ["a\nb", "c"]),
        ([], []),
    ],
)
def test_a_header_is_read_as_csv(lines: list[str], names: list[str]) -> None:
    assert header(lines, "x.csv") == names


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(PrepareError, match=r"the header of s3://b/x\.csv names 'a' twice"):
        header(["a,b,a"], "s3://b/x.csv")


def test_a_header_may_be_separated_by_tabs_and_follow_blank_lines() -> None:
    assert header(["", "\r", '"a\r', 'b"\tc,d\r', "1\t2"], "x.tsv", "\t") == ["a\r\nb", "c,d"]


def test_every_format_of_the_validator_is_read_or_refused_by_name() -> None:
    for suffix in {**formats.DELIMITED, **formats.FORMATS}:
        assert (suffix in FORMATS) is not any(suffix.endswith(refused) for refused in REFUSED), suffix
    assert FORMATS.keys() <= {*formats.DELIMITED, *formats.FORMATS}


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("a.arrow", "Arrow"),
        ("b/A.Feather", "Arrow"),
        ("a.ipc", "Arrow"),
        ("a.arrows", "Arrow"),
        ("a.tfrecord", "TFRecord"),
        ("a.tfrecords.gz", "TFRecord"),
        ("a.csv.zst", "packed with Zstandard"),
        ("a.jsonl.zst", "packed with Zstandard"),
        ("a.parquet.gz", "something else"),
        ("csv", "something else"),
    ],
)
def test_what_spark_does_not_read_is_refused_before_anything_is_read(name: str, what: str) -> None:
    line = f"cannot read {name}: it is {what}; Prepare reads CSV, TSV and JSON Lines .*: convert it"
    with pytest.raises(PrepareError, match=line):
        judged(manifest("s3://lake/data/a.csv", f"s3://lake/data/{name}"))


@pytest.mark.parametrize("name", ["a.csv.GZ", "a.JSONL.Bz2"])
def test_a_packing_that_spark_does_not_see_is_refused(name: str) -> None:
    with pytest.raises(
        PrepareError, match=f"cannot read {name}: Spark unpacks names that end with .* rename it"
    ):
        format_of(name)


def test_names_say_how_text_is_read() -> None:
    assert (format_of("a.CSV").options["sep"], format_of("A.TSV.gz").options["sep"]) == (",", "\t")
    assert {format_of(f"a.{end}").name for end in ("jsonl", "ndjson.bz2", "NDJSON")} == {"json"}
    assert (format_of("a.ORC").name, format_of("x.csv/a.parquet").name) == ("orc", "parquet")


def test_folders_are_columns() -> None:
    path = "day=007/raw/city=a%2Fb+c/x=/y=__HIVE_DEFAULT_PARTITION__/z=1=2/k=v.csv"

    assert partition(path) == {"day": "007", "city": "a/b+c", "x": None, "y": None, "z": "1=2"}
    assert partition("a.csv") == {}


KEYS = st.text(st.sampled_from("ab%20FC3A4é+ _"), min_size=1)
VALUES = st.text(st.sampled_from("ab=%20FC3A4é+ _"))


@given(st.lists(st.tuples(KEYS, VALUES), min_size=1, unique_by=lambda pair: unquote(pair[0])))
def test_folders_say_what_they_say_to_the_validator(folders: list[tuple[str, str]]) -> None:
    path = "".join(f"{key}={text}/" for key, text in folders) + "a.csv"
    target = Object(f"s3://b/{path}", size=1)
    found = partitions.of([target], "s3://b/")

    assert partition(path) == dict(zip(found.keys, found.values[target.uri], strict=True))


def test_a_column_of_lists_is_left_out_unless_it_is_the_label() -> None:
    assert flat({"a": "bigint", "b": "string"}, {"b", "c"}, "a") == {"a": "bigint"}
    with pytest.raises(PrepareError, match="the label 'a' is nested"):
        flat({"a": "bigint"}, {"a"}, "a")


@pytest.mark.parametrize(
    ("found", "kind", "fits"),
    [
        ("json", "double", True),
        ("decimal", "double", True),
        ("boolean", "bigint", True),
        ("double", "bigint", False),
        ("binary", "bigint", False),
        ("timestamp", "string", True),
        ("timestamp", "bigint", False),
        ("double", "string", False),
    ],
)
def test_a_column_is_of_the_type_it_was_judged_with_or_refused(found: str, kind: str, *, fits: bool) -> None:
    assert misfit({"other": "map", "a": found}, {"a": kind}) == (None if fits else "a")


def test_booleans_of_json_are_numbers_as_they_were_judged() -> None:
    assert "WHEN 'true' THEN '1'" in value("a", "bigint", "json")
    assert "WHEN 'true' THEN '1'" not in value("a", "string", "json") + value("a", "bigint")


def alike(path: str, **present: str) -> Any:
    """What ``refuse_unlike`` looks at, without Spark."""
    names = SimpleNamespace(names=list(present))
    return SimpleNamespace(
        objects=(Judged(path, 1, 0),), present=present, schema=names, format=format_of(path)
    )


@pytest.mark.parametrize(
    ("group", "line"),
    [
        (alike("a.csv", a="string"), "column 'k' was judged, but no object has it for Spark"),
        (
            alike("a.csv", a="string", k="string", b="string"),
            "the header of a.csv names 'b', which was not judged",
        ),
        (
            alike("a.orc", a="double", k="string"),
            "column 'a' of a.orc is double for Spark and judged as bigint",
        ),
    ],
)
def test_columns_that_spark_sees_otherwise_are_refused(group: Any, line: str) -> None:
    with pytest.raises(PrepareError, match=line):
        refuse_unlike([group], ["a", "k"], {"a": "bigint", "k": "string"})


def test_columns_that_spark_sees_as_they_were_judged_pass() -> None:
    groups = [alike("a.csv", a="string"), alike("b.parquet", k="string", more="map")]

    refuse_unlike(groups, ["a", "k"], {"a": "bigint", "k": "string"})
