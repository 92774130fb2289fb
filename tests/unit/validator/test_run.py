from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pytest
from google.protobuf import text_format
from pyarrow import parquet
from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import profiling, run, settings, store
from validator.contract import Verdict
from validator.errors import DataError, UsageError
from validator.interruption import Interruption
from validator.store import Object
from validator.verdict import VerdictReport

ROWS = "n,t\n" + "".join(f"{n},{'xy'[n % 2]}\n" for n in range(100))


def load(folder: Path, **options: str) -> settings.Settings:
    given: Mapping[str, str] = {
        "DATA_URI": str(folder / "data.csv"),
        "OUTPUT_URI": str(folder / "out"),
        "RUN_ID": "r1",
        "RUN_DATE": "2026-11-22",
        **options,
    }
    return settings.load(given, {}, lambda: date(2026, 11, 22))


def validate(folder: Path, **options: str) -> VerdictReport:
    return run.validate(load(folder, **options), Interruption(), lambda _: None)


def codes(report: VerdictReport) -> list[str]:
    return [finding.code for finding in report.findings]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text(ROWS)
    return tmp_path


@pytest.fixture
def schema(folder: Path) -> str:
    return run.infer(load(folder, OUTPUT_URI=str(folder / "inferred")), Interruption(), lambda _: None)


def test_without_a_schema_one_is_inferred_proposed_and_warned_about(folder: Path) -> None:
    report = validate(folder)
    assert (report.verdict, report.rows, report.dataset) == (Verdict.WARN, 100, "data")
    assert "SCHEMA_INFERRED" in codes(report)
    proposed = Path(report.artifacts["schema_proposed"]).read_text()
    assert [f.name for f in text_format.Parse(proposed, Schema()).feature] == ["n", "t"]


def test_a_first_line_of_values_is_warned_about_unless_columns_are_named(folder: Path) -> None:
    (folder / "data.csv").write_text("1000,-3\n" * 3)
    assert "HEADER_OF_VALUES" in codes(validate(folder))
    named = validate(folder, CSV_COLUMNS="n,-3", OUTPUT_URI=str(folder / "named"))
    assert (named.rows, "HEADER_OF_VALUES" in codes(named)) == (3, False)


def test_the_least_of_floats_is_judged_like_any_other(folder: Path) -> None:
    (folder / "data.csv").write_text("n\n5e-324\n1\n2.5\n")
    assert validate(folder).rows == 3
    assert (folder / "out" / "gate.json").exists()


def test_names_that_lie_in_the_data_are_names(folder: Path) -> None:
    parquet.write_table(pa.table({"-3": [1], "0.5": [2]}), folder / "data.parquet")
    report = validate(folder, DATA_URI=str(folder / "data.parquet"))
    assert "HEADER_OF_VALUES" not in codes(report)


def test_every_file_can_be_read_and_the_gate_is_written_last(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    write = store.write

    def note(uri: str, content: bytes) -> None:
        written.append(Path(uri).name)
        write(uri, content)

    monkeypatch.setattr(store, "write", note)
    validate(folder)
    out = folder / "out"
    assert written[-1] == "gate.json"
    assert sorted(written[1:]) == sorted(p.name for p in out.iterdir() if p.is_file())
    assert (
        DatasetFeatureStatisticsList.FromString((out / "statistics.pb").read_bytes()).datasets[0].num_examples
    )
    assert Anomalies.FromString((out / "anomalies.pb").read_bytes()).IsInitialized()
    gate = json.loads((out / "gate.json").read_text())
    assert (gate["run_id"], gate["run_date"], gate["verdict"]) == ("r1", "2026-11-22", "warn")
    assert (out / "report.html").read_text().startswith("<!")


def test_data_that_conforms_passes_and_nothing_is_proposed(folder: Path, schema: str) -> None:
    baseline = validate(folder).artifacts["statistics"]
    report = validate(folder, SCHEMA_URI=schema, BASELINE_URI=baseline, OUTPUT_URI=str(folder / "second"))
    assert (report.verdict, codes(report)) == (Verdict.PASS, [])
    assert {drift.feature for drift in report.drift} == {"n", "t"}
    assert not (folder / "second" / "schema.proposed.pbtxt").exists()


def test_data_that_breaks_the_schema_fails(folder: Path, schema: str) -> None:
    (folder / "data.csv").write_text(ROWS + "1,z\n" * 50)
    report = validate(folder, SCHEMA_URI=schema)
    assert (report.verdict, codes(report)[0]) == (Verdict.FAIL, "ENUM_TYPE_UNEXPECTED_STRING_VALUES")


def test_features_are_named_with_the_types_they_were_judged_as(folder: Path) -> None:
    (folder / "data.csv").write_text("i,f,t\n1,2.5,x\n")
    assert [(f.name, f.type) for f in validate(folder).features] == [
        ("i", "INT"),
        ("f", "FLOAT"),
        ("t", "BYTES"),
    ]


def test_defects_are_findings(folder: Path) -> None:
    (folder / "data.csv").write_text("n,t\n1.5,x\nNaN,y\n")
    assert "NON_FINITE_VALUES" in codes(validate(folder))


@pytest.mark.parametrize("with_schema", [True, False])
def test_a_header_without_rows_fails(folder: Path, schema: str, with_schema: bool) -> None:
    (folder / "data.csv").write_text("n,t\n")
    report = validate(folder, **({"SCHEMA_URI": schema} if with_schema else {}))
    assert (report.verdict, report.rows) == (Verdict.FAIL, 0)
    assert "NO_DATA" in codes(report)
    assert not (folder / "out" / "schema.proposed.pbtxt").exists()


def mean(folder: Path) -> float:
    content = (folder / "out" / "statistics.pb").read_bytes()
    statistics = DatasetFeatureStatisticsList.FromString(content)
    return float(statistics.datasets[0].features[0].num_stats.mean)


class Bucket:
    """An S3 of one object, and of one that is listed because its name goes on where the first one's ends."""

    content = b""
    etag: str | None = None
    is_denied = False

    def __init__(self) -> None:
        self.opened: list[str | None] = []

    def list(self, uri: str) -> list[Object]:
        if self.is_denied:
            raise UsageError(f"cannot list {uri}", why="S3 refused")
        below = Object(f"{uri}/below", 1, etag='"other"')
        return [below] if self.etag is None else [Object(uri, len(self.content), self.etag), below]

    def open(self, target: Object, until: int | None = None) -> BinaryIO:
        self.opened.append(target.etag)
        return BytesIO(self.content)


class TestManifests:
    @pytest.fixture
    def bucket(self, monkeypatch: pytest.MonkeyPatch) -> Bucket:
        files, bucket = store.at(""), Bucket()
        monkeypatch.setattr(store, "at", lambda uri: bucket if uri.startswith("s3://") else files)
        return bucket

    @pytest.fixture
    def manifest(self, folder: Path) -> Path:
        file = folder / "data.csv"
        return self.write(folder, [{"uri": str(file), "size": file.stat().st_size, "etag": None}])

    @staticmethod
    def write(folder: Path, objects: list[dict[str, Any]], **more: Any) -> Path:
        content = {
            "version": 1,
            "dataset": "taxi",
            "run_date": "2026-11-22",
            "run_id": "r1",
            "data_uri": str(folder),
            "objects": objects,
            **more,
        }
        (folder / "manifest.json").write_text(json.dumps(content))
        return folder / "manifest.json"

    def test_only_what_it_names_is_read(self, folder: Path, manifest: Path) -> None:
        (folder / "late.csv").write_text("other\n1\n")
        report = validate(folder, MANIFEST_URI=str(manifest), DATA_URI=str(folder))
        assert (report.dataset, report.rows) == ("taxi", 100)

    def test_an_object_that_changed_since_stops_the_run(self, folder: Path, manifest: Path) -> None:
        (folder / "data.csv").write_text(ROWS + "1,x\n")
        with pytest.raises(DataError, match=r"data\.csv: the object changed since the manifest was written"):
            validate(folder, MANIFEST_URI=str(manifest))
        assert not any((folder / "out").iterdir())

    def test_one_that_names_no_time_does_not_take_other_bytes_for_the_same(
        self, folder: Path, manifest: Path
    ) -> None:
        (folder / "data.csv").write_text(ROWS.replace("1", "8"))
        validate(folder, MANIFEST_URI=str(manifest))
        first = mean(folder)
        (folder / "data.csv").write_text(ROWS)
        validate(folder, MANIFEST_URI=str(manifest))
        assert mean(folder) == 49.5 < first

    def test_what_changes_in_the_run_is_noticed_without_a_time_too(
        self, folder: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        act = profiling.profile

        def change(*given: Any) -> Any:
            (folder / "data.csv").write_text(ROWS.replace("1", "8"))
            return act(*given)

        monkeypatch.setattr(profiling, "profile", change)
        with pytest.raises(DataError, match="changed since"):
            validate(folder, MANIFEST_URI=str(manifest))

    def test_an_object_without_an_etag_has_the_one_that_is_listed(self, folder: Path, bucket: Bucket) -> None:
        manifest = self.write(folder, [{"uri": "s3://b/k.csv", "size": len(ROWS), "etag": None}])
        bucket.content, bucket.etag = ROWS.replace("1", "8").encode(), '"1"'
        validate(folder, MANIFEST_URI=str(manifest))
        first = mean(folder)
        bucket.content, bucket.etag = ROWS.encode(), '"2"'
        validate(folder, MANIFEST_URI=str(manifest))
        assert mean(folder) == 49.5 < first
        assert set(bucket.opened) == {'"1"', '"2"'}

    @pytest.mark.parametrize("is_denied", [True, False])
    def test_one_that_cannot_be_listed_is_read_but_not_saved(
        self, is_denied: bool, folder: Path, bucket: Bucket
    ) -> None:
        manifest = self.write(folder, [{"uri": "s3://b/k.csv", "size": len(ROWS), "etag": None}])
        bucket.content, bucket.is_denied = ROWS.encode(), is_denied
        bucket.etag = '"1"' if is_denied else None
        assert validate(folder, MANIFEST_URI=str(manifest)).rows == 100
        assert set(bucket.opened) == {None}
        assert not (folder / "out" / "states").exists()

    @pytest.mark.parametrize("uri", ["absent.csv", "file://[x.csv", "http://x.csv", "a\0.csv", "."])
    def test_what_is_no_object_is_refused_by_name(self, uri: str, folder: Path) -> None:
        manifest = self.write(folder, [{"uri": uri, "size": 1, "etag": None}])
        with pytest.raises(UsageError, match=r"cannot (read|use) "):
            validate(folder, MANIFEST_URI=str(manifest))

    @pytest.mark.parametrize("name", ["b.csv.zip", "c.json", "x.csv ", "README.md"])
    def test_what_it_leaves_out_is_refused_as_in_a_folder(self, name: str, folder: Path) -> None:
        (folder / "day").mkdir()
        for file in ("a.csv", name):
            (folder / "day" / file).write_text(ROWS)
        with pytest.raises(UsageError) as of_folder:
            validate(folder, DATA_URI=str(folder / "day"))
        objects = [{"uri": str(folder / "day" / "a.csv"), "size": len(ROWS), "etag": None}]
        manifest = self.write(folder, objects, ignored=[str(folder / "day" / name)])
        with pytest.raises(UsageError) as of_manifest:
            validate(folder, MANIFEST_URI=str(manifest))
        assert str(of_manifest.value) == str(of_folder.value)
        assert f"cannot read {folder}/day/{name}: its name ends with none of" in f"{of_folder.value}"

    def test_data_that_only_its_writer_did_not_know_are_not_left_out(self, folder: Path) -> None:
        manifest = self.write(folder, [], ignored=[f"{folder}/data.csv"])
        with pytest.raises(UsageError, match=r"its manifest leaves out .*/data\.csv"):
            validate(folder, MANIFEST_URI=str(manifest))

    @pytest.mark.parametrize(
        ("other", "why"),
        [
            ({"run_id": "other"}, "RUN_ID is 'r1', its own is 'other'"),
            ({"run_date": "1999-01-01"}, "RUN_DATE is '2026-11-22', its own is '1999-01-01'"),
        ],
    )
    def test_one_of_another_run_is_refused(self, other: dict[str, str], why: str, folder: Path) -> None:
        manifest = self.write(folder, [], **other)
        with pytest.raises(UsageError, match=rf"^cannot use {manifest}: it is of another run: {why}; "):
            validate(folder, MANIFEST_URI=str(manifest))

    def test_one_that_names_nothing_is_a_day_without_data(self, folder: Path) -> None:
        report = validate(folder, MANIFEST_URI=str(self.write(folder, [])))
        assert (report.verdict, "NO_DATA" in codes(report)) == (Verdict.FAIL, True)


def test_the_gate_carries_what_a_later_day_holds_the_statistics_to(folder: Path) -> None:
    validate(folder)
    statistics = folder / "out" / "statistics.pb"
    told = json.loads((folder / "out" / "gate.json").read_text())["statistics_sha256"]
    assert told == sha256(statistics.read_bytes()).hexdigest()
    baseline = statistics.rename(folder / "baseline.pb")
    validate(folder, BASELINE_URI=str(baseline), BASELINE_SHA256=told)
    validate(folder, BASELINE_URI=str(baseline), BASELINE_SHA256=told.upper())
    with pytest.raises(UsageError, match="it is not what was accepted"):
        validate(folder, BASELINE_URI=str(baseline), BASELINE_SHA256="0" * 64)


class TestMistakesCostNothing:
    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("SCHEMA_URI", b"feature { nonsense }", "cannot read schema"),
            ("SCHEMA_URI", b"\xff\xfe", "not UTF-8"),
            ("BASELINE_URI", b"\xff\xff\xff", "no statistics proto"),
        ],
    )
    def test_they_are_found_before_the_data_is_read(
        self, folder: Path, name: str, content: bytes, message: str
    ) -> None:
        (folder / "mistake").write_bytes(content)
        (folder / "data.csv").unlink()
        with pytest.raises(UsageError, match=message):
            validate(folder, **{name: str(folder / "mistake")})

    def test_an_output_that_cannot_be_written_is_refused(self, folder: Path) -> None:
        (folder / "data.csv").write_bytes(b"\xff\xfe")
        for output in ("data.csv", "data.csv/below"):
            with pytest.raises(UsageError, match=f"cannot write .*{output}: .*; name a folder"):
                validate(folder, OUTPUT_URI=str(folder / output))

    def test_an_unknown_environment_is_refused(self, folder: Path, schema: str) -> None:
        with Path(schema).open("a") as file:
            file.write('default_environment: "TRAINING"\n')
        with pytest.raises(UsageError, match="SERVNIG"):
            validate(folder, SCHEMA_URI=schema, DATA_ENVIRONMENT="SERVNIG")

    def test_a_schema_without_the_default_environment_says_where_it_comes_from(
        self, folder: Path, schema: str
    ) -> None:
        with Path(schema).open("a") as file:
            file.write('default_environment: "A"\n')
        with pytest.raises(UsageError) as caught:
            validate(folder, SCHEMA_URI=schema)
        assert str(caught.value) == (
            "unknown data environment 'TRAINING': the schema has A; choose one of these with --environment "
            "(DATA_ENVIRONMENT; TRAINING by default), or add it to the schema's default_environment"
        )


def test_no_schema_is_inferred_from_no_rows(folder: Path) -> None:
    (folder / "data.csv").write_text("n,t\n")
    with pytest.raises(DataError, match="no rows"):
        run.infer(load(folder), Interruption(), lambda _: None)


def test_a_stopwatch_tells_stages_apart() -> None:
    times = iter([0.0, 1.5, 2.0])
    watch = run.Stopwatch(clock=lambda: next(times))
    watch.lap("profile")
    watch.lap("judge")
    assert watch.seconds == {"profile": 1.5, "judge": 0.5}
