from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from tests.unit.validator.formats.reading import numeric, text
from validator import dataset, partitions, profiling, store
from validator.crew import Crew
from validator.errors import DataError
from validator.interruption import Interruption
from validator.partitions import Partitions
from validator.profile import Kind, Summary
from validator.store import Object

Write = Callable[[str, str], None]


def of(*names: str, root: str = "s3://b/d/") -> Partitions:
    return partitions.of([Object(f"s3://b/d/{name}", size=1) for name in names], root)


def kinds(found: Partitions, declared: Mapping[str, Kind] | None = None) -> Mapping[str, Kind]:
    return {column.name: column.kind for column in found.columns(declared or {})}


class TestKeysAndValues:
    def test_folders_below_the_root_are_columns(self) -> None:
        found = of("day=1/city=a%2Fb%20c/x.csv", "day=02/city=__HIVE_DEFAULT_PARTITION__/raw/y=1.csv")
        assert found.keys == ("day", "city")
        assert [*found.values.values()] == [("1", "a/b c"), ("02", None)]
        assert kinds(found) == {"day": Kind.INT, "city": Kind.BYTES}

    @pytest.mark.parametrize("root", ["s3://b/d/day=1", "s3://b/d/day=1/x.csv", "s3://other"])
    def test_folders_of_the_root_and_elsewhere_are_none(self, root: str) -> None:
        assert of("day=1/x.csv", root=root).keys == ()

    def test_the_present_folder_and_that_of_all_are_roots(self) -> None:
        for root, uri in (("", "day=1/x.csv"), ("/", "/day=1/x.csv")):
            assert partitions.of([Object(uri, size=1)], root).keys == ("day",)

    def test_nothing_has_no_partitions(self) -> None:
        assert of().columns({}) == []

    @pytest.mark.parametrize(
        ("names", "why"),
        [
            (["a=1/x.csv", "y.csv"], "first lies below a=…, the second below no folder named key=value"),
            (["a=1/b=1/x.csv", "b=1/a=1/x.csv"], "below a=…/b=…, the second below b=…/a=…"),
            (["a=1/x.csv", "a=2/b=1/x.csv"], "below a=…, the second below a=…/b=…"),
            (["a=1/a=2/x.csv"], "the folders above it name 'a' twice"),
            (["=1/x.csv"], "without a key"),
        ],
    )
    def test_objects_that_do_not_agree_are_refused(self, names: Sequence[str], why: str) -> None:
        with pytest.raises(DataError, match=rf"cannot read s3://b/d/{names[0]}.*{why}"):
            of(*names)

    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            (["1", "-2", "+3", "007"], Kind.INT),
            (["9223372036854775807", "-9223372036854775808"], Kind.INT),
            (["9223372036854775808"], Kind.BYTES),
            (["1", "x"], Kind.BYTES),
            (["1.5"], Kind.BYTES),
            (["1_0"], Kind.BYTES),
            (["٣"], Kind.BYTES),
            (["1", "__HIVE_DEFAULT_PARTITION__", ""], Kind.INT),
        ],
    )
    def test_whole_numbers_are_numbers(self, values: Sequence[str], kind: Kind) -> None:
        found = of(*(f"k={value}/{number}.csv" for number, value in enumerate(values)))
        assert kinds(found) == {"k": kind}

    def test_a_schema_widens_a_kind_but_does_not_narrow_it(self) -> None:
        assert kinds(of("zip=01234/x.csv"), {"zip": Kind.BYTES}) == {"zip": Kind.BYTES}
        assert kinds(of("city=a/x.csv"), {"city": Kind.INT}) == {"city": Kind.BYTES}

    @given(
        st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True),
        st.data(),
    )
    def test_what_hive_writes_is_read_again(self, keys: list[str], data: st.DataObject) -> None:
        values = [data.draw(st.text()) for _ in keys]
        folders = "/".join(
            f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in zip(keys, values, strict=True)
        )
        found = of(f"{folders}/x.csv")
        assert found.keys == tuple(keys)
        assert [*found.values.values()] == [tuple(value or None for value in values)]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def act(name: str, content: str) -> None:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    return act


def read(tmp_path: Path, pattern: str = "", declared: Mapping[str, Kind] | None = None) -> Summary:
    uri = f"{tmp_path}/data{pattern}"
    files = store.at(uri)
    described = dataset.describe(files.list(uri), declared, files.root(uri))
    states = str(tmp_path / "states")
    return profiling.profile(described, states, Crew(Interruption()), lambda _: None).profile.finish()


class TestColumnsOfFolders:
    def test_every_row_has_the_values_of_its_folder(self, tmp_path: Path, write: Write) -> None:
        write("day=1/city=Bonn/x.csv", "a\n1\n2\n")
        write("day=2/city=__HIVE_DEFAULT_PARTITION__/x.csv", "a\n3\n")
        found = read(tmp_path)
        assert [each.column.name for each in found.columns] == ["a", "day", "city"]
        assert found.rows == 3
        assert numeric(found, 1).mean == pytest.approx(4 / 3)
        assert (text(found, 2).ranked, found.columns[2].presence.missing) == ((("Bonn", 2),), 1)

    def test_a_pattern_has_the_folders_below_its_fixed_part(self, tmp_path: Path, write: Write) -> None:
        write("day=1/x.csv", "a\n1\n")
        write("day=2/x.csv", "a\n1\n")
        assert numeric(read(tmp_path, "/day=[2-9]/*.csv"), 1).mean == 2
        assert [each.column.name for each in read(tmp_path, "/day=1").columns] == ["a"]

    def test_a_partition_without_any_value(self, tmp_path: Path, write: Write) -> None:
        write("day=__HIVE_DEFAULT_PARTITION__/x.csv", "a\n1\n")
        assert read(tmp_path).columns[1].presence.missing == 1

    def test_declared_numbers_may_be_floats(self, tmp_path: Path, write: Write) -> None:
        write("day=2/x.csv", "a\n1\n")
        found = read(tmp_path, declared={"day": Kind.FLOAT})
        assert (found.columns[1].column.kind, numeric(found, 1).mean) == (Kind.FLOAT, 2.0)

    def test_a_survey_leaves_them_as_they_are(self, tmp_path: Path, write: Write) -> None:
        # The probe sees whole numbers only; further down there are others.
        write("day=1/x.csv", "a\n" + "1\n" * 2_000_000 + "1.5\nx\n")
        found = read(tmp_path)
        assert [each.column.kind for each in found.columns] == [Kind.BYTES, Kind.INT]

    def test_columns_that_say_what_the_folder_says_are_read(self, tmp_path: Path, write: Write) -> None:
        write("day=01/city=Bonn/x.csv", "city,a,day\nBonn,5,1\n")
        found = read(tmp_path)
        assert [each.column.name for each in found.columns] == ["city", "a", "day"]
        assert numeric(found, 2).mean == 1

    @pytest.mark.parametrize(
        ("row", "why"),
        [
            ("1,Köln", r"column 'city' has 'Köln', its folder city=… says 'Bonn'"),
            ("2,Bonn", r"column 'day' has 2, its folder day=… says '1'"),
            (",Bonn", r"column 'day' has None, its folder day=… says '1'"),
        ],
    )
    def test_columns_that_say_other_are_refused(
        self, row: str, why: str, tmp_path: Path, write: Write
    ) -> None:
        write("day=1/city=Bonn/x.csv", f"day,city\n1,Bonn\n{row}\n")
        with pytest.raises(DataError, match=rf"x\.csv: {why}; take the column out of the file"):
            read(tmp_path)

    def test_columns_of_parquet_are_held_against_the_folder_too(self, tmp_path: Path) -> None:
        folder = tmp_path / "data" / "city=Bonn" / "day=2026-01-02"
        folder.mkdir(parents=True)
        days = pa.array([20455], pa.date32())
        table = pa.table({"city": pa.array(["Bonn"]).dictionary_encode(), "day": days, "a": [1]})
        parquet.write_table(table, folder / "x.parquet")
        assert text(read(tmp_path), 1).ranked == (("2026-01-02", 1),)
        (tmp_path / "data" / "city=Bonn").rename(tmp_path / "data" / "city=Ulm")
        with pytest.raises(DataError, match="column 'city' has 'Bonn', its folder city=… says 'Ulm'"):
            read(tmp_path)

    def test_a_list_is_nothing_a_folder_can_say(self, tmp_path: Path) -> None:
        folder = tmp_path / "data" / "day=1"
        folder.mkdir(parents=True)
        parquet.write_table(pa.table({"day": [[1]]}), folder / "x.parquet")
        with pytest.raises(DataError, match="column 'day' has 'lists or fields'"):
            read(tmp_path)

    def test_rows_that_name_a_key_late_are_held_against_the_folder(
        self, tmp_path: Path, write: Write
    ) -> None:
        write("day=1/x.jsonl", f'{{"a": "{"x" * 1000}"}}\n' * 3000 + '{"a": "x", "day": 2}\n')
        with pytest.raises(DataError, match="column 'day' has None, its folder"):
            read(tmp_path)

    def test_a_state_of_the_file_alone_is_none_of_the_file_in_its_folder(
        self, tmp_path: Path, write: Write
    ) -> None:
        write("day=1/x.csv", "day,a\n5,1\n5,2\n")
        assert read(tmp_path, "/day=1/x.csv").rows == 2
        with pytest.raises(DataError, match="column 'day' has 5, its folder day=… says '1'"):
            read(tmp_path)

    def test_a_state_from_before_a_key_was_met_in_a_file_is_none(self, tmp_path: Path, write: Write) -> None:
        write("day=1/x.jsonl", '{"a": "x"}\n')
        write("day=1/y.jsonl", f'{{"a": "{"x" * 1000}"}}\n' * 3000 + '{"a": "x", "day": 1}\n')
        with pytest.raises(DataError, match=r"x\.jsonl: column 'day' has None, its folder"):
            read(tmp_path)
