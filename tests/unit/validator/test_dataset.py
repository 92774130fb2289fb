"""What a schema's kinds do to columns that objects show themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from validator import dataset, store
from validator.formats import Seen
from validator.profile import Kind


def kinds(path: Path, declared: Mapping[str, Kind]) -> Sequence[Kind]:
    files = store.at(str(path))
    found = dataset.describe(files.list(str(path)), declared, files.root(str(path)))
    return [column.kind for column in found.columns]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("x.csv", "a\n1\n", Kind.INT),
        ("x.csv", "a\ntext\n", Kind.BYTES),
        ("x.jsonl", '{"a": 1}\n', Kind.INT),
        ("x.jsonl", '{"a": {"b": 1}}\n', Kind.STRUCT),
    ],
)
def test_a_struct_is_what_objects_show(tmp_path: Path, name: str, content: str, kind: Kind) -> None:
    (tmp_path / name).write_text(content)
    assert kinds(tmp_path / name, {"a": Kind.STRUCT}) == [kind]


@pytest.mark.parametrize("value", ["1", "Bonn", "__HIVE_DEFAULT_PARTITION__"])
def test_no_folder_is_a_struct(tmp_path: Path, value: str) -> None:
    (tmp_path / f"key={value}").mkdir()
    (tmp_path / f"key={value}" / "x.csv").write_text("a\n1\n")
    assert kinds(tmp_path, {"key": Kind.STRUCT}) == kinds(tmp_path, {})


def test_other_kinds_widen(tmp_path: Path) -> None:
    (tmp_path / "key=1").mkdir()
    (tmp_path / "key=1" / "x.csv").write_text("a\n1\n")
    assert kinds(tmp_path, {"a": Kind.FLOAT, "key": Kind.BYTES}) == [Kind.FLOAT, Kind.BYTES]


@pytest.mark.parametrize(
    ("seen", "kind"), [(Kind.INT, Kind.FLOAT), (Kind.BYTES, Kind.BYTES), (None, Kind.FLOAT)]
)
def test_a_survey_does_not_narrow_what_a_schema_asks_for(
    tmp_path: Path, seen: Kind | None, kind: Kind
) -> None:
    (tmp_path / "x.csv").write_text("a,b\n,1\n")
    found = dataset.describe(store.at("").list(str(tmp_path)), {"a": Kind.FLOAT})
    grown = found.grown({("a",): Seen(seen), ("b",): Seen(Kind.INT)})
    assert [column.kind for column in grown.columns] == [kind, Kind.INT]
