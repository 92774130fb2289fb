"""People's own data is looked at before anything is started."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet
import pytest

from build.errors import ExitCode, UserError
from build.rehearsal.own_data import FORMATS, look
from steps.prepare import main as prepare
from templates.config import DELIMITERS

PACKINGS: dict[str, Callable[[bytes], bytes]] = {"": bytes, "gz": gzip.compress, "bz2": bz2.compress}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "trips.csv"
    path.write_text("fare,tips,label\n1.5,0,1\n2,1,0\n", encoding="utf-8")
    return path


def test_a_file_with_its_label_and_dropped_columns(table: Path) -> None:
    own = look(str(table), "label", " tips ,")
    assert (own.files, own.label, own.drop) == ({"trips.csv": table}, "label", ("tips",))


def test_a_folder_has_keys_columns_of_its_folders_and_nothing_that_is_no_data(tmp_path: Path) -> None:
    for hour in ("04", "03"):
        (tmp_path / f"_hour={hour}").mkdir()
        pyarrow.parquet.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / f"_hour={hour}" / "a.parquet")
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / "_temporary").mkdir()
    (tmp_path / "_temporary" / "notes.txt").write_text("hidden")
    assert list(look(str(tmp_path), "b", "_hour").files) == ["_hour=03/a.parquet", "_hour=04/a.parquet"]
    (tmp_path / "README.md").write_text("no data")
    with pytest.raises(
        UserError, match=r"cannot read .*README\.md: its name ends with none of .*; take it out"
    ):
        look(str(tmp_path), "b", None)


def test_decimal_commas_do_not_hide_a_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("id;amount;returned\n1;7,49;0\n2;8;1\n")
    with pytest.raises(UserError, match=r"say DELIMITER=';'"):
        look(str(path), "returned", None)
    assert look(str(path), "returned", "amount", ";").drop == ("amount",)


def test_what_is_looked_at_is_what_prepare_reads() -> None:
    assert set(FORMATS) == set(prepare.FORMATS)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_columns_of_every_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"trips{name}"
    table = pa.table({"fare": [1.5], "label": [1]})
    if name == ".parquet":
        pyarrow.parquet.write_table(table, path)
    elif name == ".orc":
        pyarrow.orc.write_table(table, path)
    else:
        kind, _, packing = name[1:].partition(".")
        mark = {"csv": ",", "tsv": "\t"}.get(kind)
        text = f"fare{mark}label\n1.5{mark}1\n" if mark else '{"fare": 1.5}\n{"fare": 2, "label": 1}\n'
        path.write_bytes(PACKINGS[packing](text.encode()))
    assert list(look(str(path), "label", "fare").files.values()) == [path]
    with pytest.raises(UserError, match="has fare, label; name one of these"):
        look(str(path), "tip", None)


def test_json_lines_are_looked_at_up_to_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_text(f'{{"label": 1, "text": "{"x" * 1000}"}}\n' * 2000 + '{"late": 1}\n')
    with pytest.raises(UserError, match="cannot use column late"):
        look(str(path), "late", None)


@pytest.mark.parametrize(
    ("label", "drop", "said"),
    [
        (None, None, "no label is named; say LABEL=column"),
        ("tip", None, "cannot use column tip"),
        ("label", "tip", "cannot use column tip"),
        ("label", "label", "it is the label"),
        ("<script>", None, "fare, tips, label"),
    ],
)
def test_a_column_that_is_none_is_named(table: Path, label: str | None, drop: str | None, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        look(str(table), label, drop)
    assert caught.value.exit_code is ExitCode.USAGE
    assert "\n" not in str(caught.value)


def test_data_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it does not exist"):
        look(str(tmp_path / "absent.csv"), "label", None)


@pytest.mark.parametrize(
    "name", ["empty.csv", "broken.parquet", "broken.orc", "empty.jsonl", "no.csv.gz", "notes.txt"]
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UserError, match=f"cannot read .*{name}"):
        look(str(tmp_path / name), "label", None)


@pytest.mark.parametrize("name", ["_trips.csv", ".trips.csv"])
def test_a_hidden_file_is_no_data_as_in_the_pipeline(table: Path, name: str) -> None:
    with pytest.raises(UserError, match="there is no file"):
        look(str(table.rename(table.parent / name)), "label", None)


def test_a_header_in_another_encoding_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("größe,label\n1,0\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"cannot read .*latin\.csv"):
        look(str(path), "label", None)


def test_hundreds_of_columns_stay_one_line(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"c{n}" for n in range(500)) + "\n")
    with pytest.raises(UserError, match="and 470 more"):
        look(str(path), "label", None)


@pytest.mark.parametrize("name", DELIMITERS)
@pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz"])
def test_another_delimiter_is_proposed_and_taken(tmp_path: Path, name: str, suffix: str) -> None:
    sign = "\t" if name == "tab" else name
    path = tmp_path / f"export.{suffix}"
    path.write_bytes(PACKINGS[suffix.partition(".")[2]](f"a{sign}b\n1{sign}2\n".encode()))
    assert look(str(path), "b", None, name).delimiter == name
    if name == {"csv": ",", "tsv": "tab"}[suffix[:3]]:
        assert look(str(path), "b", None).delimiter is None
        return
    with pytest.raises(UserError, match=r"seems to be several") as caught:
        look(str(path), "b", None)
    assert f"say DELIMITER='{name}' (in config.toml: delimiter = " in str(caught.value)
