"""Prepare and Train as processes in the runtimes' own versions: PySpark 3.5 and XGBoost 3."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from build.rehearsal.emulator.spark import environment
from steps.evaluate.decision import Days, Metrics, decide

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-jobs" / "bin" / "python"

Row = Mapping[str, Any]

pytestmark = pytest.mark.xdist_group("steps")
"""One worker: what a JVM has prepared is looked at by several tests."""


def run(argv: Iterable[object], stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in (PYTHON, *argv)],
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environment},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


# --- Prepare ------------------------------------------------------------------------------------------------

FEATURES = {
    "id": "INT",
    "a b": "INT",
    "a.b": "BYTES",
    "c`q\"'": "FLOAT",
    "Fare": "FLOAT",
    "fare": "INT",
    "läbel": "BYTES",
    "leak": "BYTES",
}
MAIN = "a [1]*{x},%20#?.csv"
PACKED = "c +%2Bü&;'~.csv.gz"


class Day:
    """A day of data below a folder, judged: its manifest and verdict."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir()
        self.output = folder / "prepared"

    def judge(self, *names: str, rows: int, features: Mapping[str, str] = FEATURES) -> None:
        objects = [self._object(name) for name in names]
        (self.folder / "manifest.json").write_text(
            json.dumps({"data_uri": "s3://lake/d/", "objects": objects})
        )
        named = [{"name": name, "type": kind} for name, kind in features.items()]
        verdict = {"rows": rows, "features": named}
        (self.folder / "verdict.json").write_text(json.dumps(verdict))

    def _object(self, name: str) -> dict[str, Any]:
        status = (self.data / name).stat()
        modified = datetime.fromtimestamp(status.st_mtime, UTC).isoformat()
        return {"uri": f"s3://lake/d/{name}", "size": status.st_size, "last_modified": modified}

    def argv(self, label: str = "läbel", drop: str = "leak", delimiter: str = "none") -> list[str]:
        options = {
            "manifest_uri": self.folder / "manifest.json",
            "data_uri": f"{self.data}/",
            "verdict_uri": self.folder / "verdict.json",
            "output_uri": self.output,
            "label": label,
            "drop": drop,
            "delimiter": delimiter,
            "JOB_NAME": "prepare",
        }
        return [
            *(str(word) for name, value in options.items() for word in (f"--{name}", value)),
            "--enable-metrics",
        ]

    @property
    def classes(self) -> Path:
        """Where Java says which classes it loaded, and from where."""
        return self.folder / "classes.log"

    def prepare(self, label: str = "läbel", drop: str = "leak") -> subprocess.CompletedProcess[str]:
        script = ROOT / "steps" / "prepare" / "main.py"
        variables = environment(PYTHON, self.folder)
        variables["JAVA_TOOL_OPTIONS"] += f" -Xlog:class+load:file={self.classes}"
        return run([script, *self.argv(label, drop)], **variables)

    def rows(self, side: str) -> list[dict[str, Any]]:
        files = sorted((self.output / side).glob("*.parquet"))
        assert 0 < len(files) < 10
        return [row for path in files for row in pq.read_table(path).to_pylist()]

    @property
    def summary(self) -> dict[str, Any]:
        (file,) = (self.output / "summary").glob("part-*")
        (line,) = file.read_text().splitlines()
        parsed: dict[str, Any] = json.loads(line)
        return parsed


def hostile(day: Day) -> None:
    """Names and values that break readers: in CSV, in gzip, in Parquet, with columns in other orders."""
    lines = [f'{n},{n % 7},"x\ny""{n}",1.5,{n / 4},{n % 3},lab{n % 2} ,drop{n}' for n in range(200)]
    header = '\ufeffid,a b,a.b,"c`q""\'",Fare,fare,läbel,leak'
    (day.data / MAIN).write_text("\r\n".join([header, *lines, ""]))
    (day.data / "sub").mkdir()
    lines = ["fare,Fare,läbel,leak,id", "1,1e999,z,,1000", "2,NaN,z,,1001", "3, 7.5 ,z,x,1002"]
    lines += ['4,1,"  ",x,1003', "5,2,,x,1004", ""]
    (day.data / "sub" / "b.csv").write_text("\n".join(lines))
    with gzip.open(day.data / PACKED, "wt") as file:
        file.write("id,a b,läbel,leak\n2000,not a number,   z   ,1\n")
    (day.data / "empty.csv").write_text("")
    table = pa.table(
        {"id": [3000, 3001], "läbel": ["p", None], "Fare": [float("-inf"), 2.25], "unjudged": [1, 2]}
    )
    pq.write_table(table, day.data / "d.parquet")
    other = pa.table({"Fare": [1, 2], "id": [3002, 3003], "läbel": ["p", "p"]})
    pq.write_table(other, day.data / "e.PARQUET")
    (day.data / "late.csv").write_text("id,läbel\n9999,late\n")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Day:
    day = Day(tmp_path_factory.mktemp("day"))
    hostile(day)
    day.judge(MAIN, PACKED, "d.parquet", "e.PARQUET", "empty.csv", "sub/b.csv", rows=210)
    done = day.prepare()
    assert done.returncode == 0, done.stderr
    return day


def by_id(day: Day) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for side in ("train", "validation") for row in day.rows(side)}


def test_every_judged_row_with_a_label_is_on_one_side(prepared: Day) -> None:
    train, validation = prepared.rows("train"), prepared.rows("validation")
    expected = {*range(200), 1000, 1001, 1002, 2000, 3000, 3002, 3003}

    assert sorted(row["id"] for row in [*train, *validation]) == sorted(expected)
    assert 0.1 < len(validation) / len(expected) < 0.3


def test_java_loads_most_classes_from_the_archive_that_make_setup_wrote(prepared: Day) -> None:
    loaded = prepared.classes.read_text().splitlines()
    archived, from_jars = (
        sum(f"source: {source}" in line for line in loaded)
        for source in ("shared objects file (top)", "file:")
    )

    assert archived > 5 * from_jars > 0


def test_the_summary_counts_what_was_done(prepared: Day) -> None:
    counts = prepared.summary

    assert (counts["rows_read"], counts["rows_dropped"]) == (210, 3)
    assert (counts["train"], counts["validation"]) == (
        len(prepared.rows("train")),
        len(prepared.rows("validation")),
    )
    assert counts["columns"] == [name for name in FEATURES if name != "leak"]


def test_columns_have_their_names_and_judged_types(prepared: Day) -> None:
    schema = pq.read_schema(next((prepared.output / "train").glob("*.parquet")))
    words = {"INT": "int64", "FLOAT": "double", "BYTES": "string"}

    assert {field.name: str(field.type) for field in schema} == {
        name: words[kind] for name, kind in FEATURES.items() if name != "leak"
    }


def test_values_survive_quotes_line_breaks_and_order(prepared: Day) -> None:
    assert by_id(prepared)[7] == {
        "id": 7, "a b": 0, "a.b": 'x\ny"7', "c`q\"'": 1.5, "Fare": 1.75, "fare": 1, "läbel": "lab1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        (1000, "Fare", None),
        (1001, "Fare", None),
        (1002, "Fare", 7.5),
        (1002, "fare", 3),
        (1002, "a b", None),
        (2000, "a b", None),
        (2000, "läbel", "z"),
        (3000, "Fare", None),
        (3003, "Fare", 2.0),
    ],
)
def test_what_is_empty_or_no_finite_number_is_null(
    prepared: Day, row: int, column: str, value: object
) -> None:
    assert by_id(prepared)[row][column] == value


def small(folder: Path, rows: Iterable[str]) -> Day:
    folder.mkdir()
    day = Day(folder)
    (day.data / "a.csv").write_text("\n".join(["x,y", *rows, ""]))
    judge_small(day)
    return day


def judge_small(day: Day) -> None:
    rows = len((day.data / "a.csv").read_text().splitlines()) - 1
    day.judge("a.csv", rows=rows, features={"x": "INT", "y": "INT"})


SEVERAL = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
import main

write = main._write
for job in json.load(sys.stdin):
    def write_then_touch(rows, uri):
        write(rows, uri)
        for path in job["touched_meanwhile"]:
            os.utime(path)
    main._write = write_then_touch
    try:
        print(json.dumps(main.main(job["argv"])))
    except main.PrepareError as error:
        print(json.dumps(str(error)))
"""
"""Runs Prepare several times in one process: most of a small run's time is the start of the JVM."""

FIFTY = [f"{n},{n % 2}" for n in range(50)]


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Day, str | None]]:
    """Days that differ in one thing, each prepared: what the run said last, None for nothing."""
    folder = tmp_path_factory.mktemp("several")
    days = {
        "equal rows": small(folder / "equal", [f"{n % 40},{n % 2}" for n in range(400)]),
        "too few": small(folder / "few", ["1,1"]),
        "no labels": small(folder / "unlabelled", ["1,", "2,"]),
        "other size": small(folder / "size", FIFTY),
        "other time": small(folder / "time", FIFTY),
        "gone": small(folder / "gone", FIFTY),
        "touched meanwhile": small(folder / "touched", FIFTY),
    }
    _change(days)
    touched = {"touched meanwhile": [str(days["touched meanwhile"].data / "a.csv")]}
    jobs = [
        {"argv": day.argv("y", "-"), "touched_meanwhile": touched.get(name, [])} for name, day in days.items()
    ]
    done = run(["-c", SEVERAL, ROOT / "steps" / "prepare"], json.dumps(jobs), **environment(PYTHON, folder))
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines() if not line.startswith("prepared")]
    return dict(zip(days, zip(days.values(), said, strict=True), strict=True))


def _change(days: Mapping[str, Day]) -> None:
    for day in days.values():
        # A minute ago, so that a touch is seen whatever the clock's second.
        os.utime(day.data / "a.csv", (time.time() - 60,) * 2)
        judge_small(day)
        (day.data / "b.csv").write_text("x,y\n1,1\n")
    resized, moved = days["other size"].data / "a.csv", days["other time"].data / "a.csv"
    before = resized.stat().st_mtime
    resized.write_text("x,y\n1,1\n")
    os.utime(resized, (before, before))
    os.utime(moved)
    (days["gone"].data / "a.csv").unlink()


def test_equal_rows_are_on_one_side(several: Mapping[str, tuple[Day, str | None]]) -> None:
    day, said = several["equal rows"]
    train, validation = ({row["x"] for row in day.rows(side)} for side in ("train", "validation"))

    assert said is None
    assert train | validation == set(range(40))
    assert not train & validation


@pytest.mark.parametrize("change", ["other size", "other time", "gone", "touched meanwhile"])
def test_an_object_that_changed_since_stops_the_run(
    several: Mapping[str, tuple[Day, str | None]], change: str
) -> None:
    day, said = several[change]

    assert said == f"object changed since it was judged: {day.data}/a.csv"
    assert not (day.output / "summary").exists()
    assert day.output.exists() is (change == "touched meanwhile")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("too few", "too few rows to split: of 1 rows 1 have a label"),
        ("no labels", "too few rows to split: of 2 rows 0 have a label"),
    ],
)
def test_data_that_cannot_be_split_are_refused(
    several: Mapping[str, tuple[Day, str | None]], name: str, line: str
) -> None:
    day, said = several[name]

    assert str(said).startswith(line)
    assert not day.output.exists()


def test_the_process_says_it_in_one_line_and_exits_with_1(tmp_path: Path) -> None:
    done = small(tmp_path / "day", FIFTY).prepare("y", "tips")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "no column 'tips' in the data; it has: x, y"
    assert "Traceback" not in done.stderr


# --- Train --------------------------------------------------------------------------------------------------

ISOLATED = """
import runpy, sys
def refuse(event, arguments):
    if event.startswith("socket.") and event != "socket.__new__":
        raise ConnectionError(f"{event}{arguments}: the container has no network")
sys.addaudithook(refuse)
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a program as the training container does, which EnableNetworkIsolation leaves without a network."""


class Training:
    """Channels and model folder of a training job."""

    def __init__(self, folder: Path, *splits: Iterable[Row]) -> None:
        self.folder = folder
        for channel, rows in zip(("train", "validation"), splits, strict=False):
            (folder / channel).mkdir(parents=True)
            (folder / channel / "_SUCCESS").touch()
            pq.write_table(pa.Table.from_pylist(list(rows)), folder / channel / "part-0.parquet")

    def run(self, *argv: str, champion: Path | None = None) -> subprocess.CompletedProcess[str]:
        channels = {f"SM_CHANNEL_{name.upper()}": str(self.folder / name) for name in ("train", "validation")}
        if champion:
            channels["SM_CHANNEL_CHAMPION"] = str(champion)
        hps = json.dumps({"label": "y", "num_round": 30, "max_depth": 3})
        program = ROOT / "steps" / "train" / "main.py"
        return run(
            ["-c", ISOLATED, program, *argv], **channels, SM_MODEL_DIR=str(self.folder / "model"), SM_HPS=hps
        )

    @property
    def metrics(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads((self.folder / "model" / "metrics.json").read_text())
        return parsed

    def as_champion(self) -> Path:
        folder = self.folder / "champion"
        folder.mkdir()
        with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
            tar.add(self.folder / "model", arcname=".")
        return folder


def rows(count: int, seed: int, label: str = "binary") -> list[Row]:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    return [_row(chance, number, label) for number in range(count)]


def _row(chance: random.Random, number: int, label: str) -> Row:
    x, city = chance.gauss(0, 1), chance.choice(["Köln", "a,b", '"q"', ""])
    likely = chance.random() < (0.85 if x > 0 else 0.15)
    kinds = {
        "binary": int(likely),
        "text": "yes" if likely else "no",
        "classes": f"class {int(likely) + (city == 'Köln')}",
        "number": 3 * x + chance.gauss(0, 0.1),
    }
    row = {
        "[x] <1>": x,
        "city": city,
        "id": f"{chance.random()}",
        "hole": None if chance.random() < 0.5 else 1.0,
    }
    return {**row, "y": kinds[label]}


@pytest.mark.parametrize("call", ["getaddrinfo('localhost', 80)", "create_connection(('127.0.0.1', 9))"])
def test_a_training_program_that_wants_a_network_would_fail_here(tmp_path: Path, call: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"import socket; socket.{call}", encoding="utf-8")

    assert "the container has no network" in run(["-c", ISOLATED, program]).stderr


@pytest.mark.parametrize(
    ("label", "objective", "metric", "between"),
    [
        ("binary", "binary:logistic", "auc", (0.7, 0.95)),
        ("text", "binary:logistic", "auc", (0.7, 0.95)),
        ("classes", "multi:softprob", "mlogloss", (0.2, 0.9)),
        ("number", "reg:squarederror", "rmse", (0.05, 1.0)),
    ],
)
def test_the_label_decides_what_is_trained(
    tmp_path: Path, label: str, objective: str, metric: str, between: tuple[float, float]
) -> None:
    job = Training(tmp_path, rows(600, 1, label), rows(200, 2, label))

    done = job.run()

    assert done.returncode == 0, done.stderr
    found = job.metrics
    assert (found["objective"], found["metric"]) == (objective, metric)
    assert found["rows"] == {"train": 600, "validation": 200}
    assert between[0] < found["value"] < between[1]
    assert (found["champion_value"], found["greater_is_better"]) == (None, metric == "auc")
    assert found["rounds"] == 30
    assert found["features"] == ["[x] <1>", "city", "hole"]
    assert "left out, as nearly every value is different: id" in done.stdout
    assert {path.name for path in (tmp_path / "model").iterdir()} == {
        "xgboost-model",
        "features.json",
        "metrics.json",
    }


def test_the_same_data_give_the_same_model(tmp_path: Path) -> None:
    models = []
    for name in ("one", "two"):
        job = Training(tmp_path / name, rows(300, 1), rows(100, 2))
        assert job.run().returncode == 0
        models.append((tmp_path / name / "model" / "xgboost-model").read_bytes())

    assert models[0] == models[1]


def test_the_champion_is_scored_on_the_same_split_with_its_own_encoder(tmp_path: Path) -> None:
    before = Training(tmp_path / "before", rows(300, 1), rows(200, 2))
    before.run()
    # The new split sees other cities, and more often: other codes for the same names.
    extra = [{**row, "city": "Ulm"} for row in rows(400, 3)]
    after = Training(tmp_path / "after", [*rows(300, 4), *extra], rows(200, 2))

    done = after.run(champion=before.as_champion())

    assert done.returncode == 0, done.stderr
    assert after.metrics["champion_value"] == before.metrics["value"]
    assert "the champion is scored: auc 0." in done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Training:
    """A job that has run once."""
    job = Training(tmp_path_factory.mktemp("trained"), rows(300, 1), rows(100, 2))
    assert job.run().returncode == 0
    return job


@pytest.fixture
def job(trained: Training, tmp_path: Path) -> Training:
    """A copy of it, to damage."""
    shutil.copytree(trained.folder, tmp_path, dirs_exist_ok=True)
    return Training(tmp_path)


def test_a_champion_of_the_same_data_ties(job: Training) -> None:
    job.run(champion=job.as_champion())

    assert job.metrics["champion_value"] == job.metrics["value"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("no archive", "FileNotFoundError"),
        ("no gzip", "ReadError"),
        ("other column", "the data lack its column 'gone'"),
        ("no model", "its archive has no xgboost-model"),
        ("broken model", "XGBoostError"),
    ],
)
def test_a_champion_that_cannot_be_scored_is_said_and_does_not_stop_the_run(
    job: Training, damage: str, reason: str
) -> None:
    model = job.folder / "model"
    known = json.loads((model / "features.json").read_text())
    if damage == "other column":
        known["features"][0]["name"] = "gone"
    elif damage == "no model":
        (model / "xgboost-model").unlink()
    elif damage == "broken model":
        (model / "xgboost-model").write_bytes(b"{broken")
    (model / "features.json").write_text(json.dumps(known))
    champion = job.as_champion()
    if damage == "no archive":
        (champion / "model.tar.gz").unlink()
    elif damage == "no gzip":
        (champion / "model.tar.gz").write_bytes(b"not an archive")

    done = job.run(champion=champion)

    assert done.returncode == 0, done.stderr
    assert (job.metrics["champion"], job.metrics["champion_value"]) == ("unusable", None)
    assert job.metrics["champion_reason"].startswith(reason)
    assert f"the champion is unusable: {reason}" in done.stdout
    parsed = Metrics.parse((model / "metrics.json").read_bytes())
    assert decide(parsed, 0.0, Days("2026-11-22", "2026-11-21"), has_champion=True).better


def test_a_champion_of_another_label_is_not_compared_and_stays(job: Training) -> None:
    model = job.folder / "model"
    known = json.loads((model / "features.json").read_text())
    (model / "features.json").write_text(json.dumps({**known, "label": "z"}))

    job.run(champion=job.as_champion())

    assert job.metrics["champion_reason"] == "it learnt 'z', not 'y'"
    parsed = Metrics.parse((model / "metrics.json").read_bytes())
    assert not decide(parsed, 0.0, Days("2026-11-22", "2026-11-21"), has_champion=True).better


def test_a_rare_class_that_is_absent_today_does_not_make_way_for_a_worse_model(tmp_path: Path) -> None:
    def common(seed: int, noise: float) -> list[Row]:
        """Without the rare class; labels say the less, the more of them are tossed."""
        chance = random.Random(seed)  # noqa: S311 - not a secret
        kept = (row for row in rows(600, seed, "classes") if row["y"] != "class 2")
        return [
            {**row, "y": chance.choice(["class 0", "class 1"])} if chance.random() < noise else row
            for row in kept
        ]

    before = Training(tmp_path / "before", rows(600, 1, "classes"), rows(200, 2, "classes"))
    assert before.run().returncode == 0
    after = Training(tmp_path / "after", common(3, noise=1.0), common(4, noise=0.0))

    done = after.run(champion=before.as_champion())

    assert done.returncode == 0, done.stderr
    parsed = Metrics.parse((after.folder / "model" / "metrics.json").read_bytes())
    assert (parsed.metric, parsed.champion, parsed.greater_is_better) == ("mlogloss", "scored", False)
    assert not decide(parsed, 0.0, Days("2026-11-22", "2026-11-21"), has_champion=True).better


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"y": 1}, "the label 'y' is constant: every row says 1"),
        ({"z": 1}, "no column 'nope' in the data; it has:"),
        ({"few": 1}, "19 rows to train on: at least 20 are needed"),
        ({"distinct": 1}, "the label 'y' has a different text in each row"),
    ],
)
def test_what_cannot_be_learnt_is_refused_in_one_line(tmp_path: Path, change: Row, line: str) -> None:
    train = rows(19 if "few" in change else 100, 1)
    if "distinct" in change:
        train = [{**row, "y": f"text {number}"} for number, row in enumerate(train)]
    elif "y" in change:
        train = [{**row, **change} for row in train]
    job = Training(tmp_path, train, train)

    done = job.run(*(["--label", "nope"] if "z" in change else []))

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(line)
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "model").exists()


def test_a_validation_split_of_one_class_has_no_auc(tmp_path: Path) -> None:
    job = Training(tmp_path, rows(100, 1), [{**row, "y": 1} for row in rows(50, 2)])

    done = job.run()

    assert done.returncode == 1
    assert "auc is nan on the 50 rows to validate: one class only?" in done.stderr
