"""The real process: exit codes, the last line on stderr, the files left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

ROOT = Path(__file__).parents[2]
VALIDATOR = (sys.executable, "-m", "validator")
BUCKET = "validator-test"

ROWS = "n,t\n" + "".join(f"{n},{'xy'[n % 2]}\n" for n in range(100))
SCHEMA = """
feature { name: "n" type: INT presence { min_fraction: 1 } shape { dim { size: 1 } } }
feature { name: "t" type: BYTES domain: "t" presence { min_fraction: 1 } shape { dim { size: 1 } } }
string_domain { name: "t" value: "x" }
"""


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, **(more or {})}


def validator(
    *arguments: str | Path, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*VALIDATOR, *map(str, arguments)],
        cwd=ROOT,
        env=environment(variables),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text(ROWS)
    return tmp_path / "data.csv"


def test_data_and_output_are_enough(data: Path, tmp_path: Path) -> None:
    result = validator("--data", data, "--output", tmp_path / "out")
    assert (result.returncode, result.stderr) == (0, f"shard 1 of 1 done: {data}, 100 rows\n")
    assert result.stdout.splitlines() == [
        "warn: there is no schema yet",
        f"report: {tmp_path}/out/report.html",
    ]
    files = {"statistics.pb", "anomalies.pb", "anomalies.pbtxt", "schema.proposed.pbtxt", "states"}
    assert {p.name for p in (tmp_path / "out").iterdir()} == files | {
        "verdict.json",
        "report.html",
        "gate.json",
    }


@pytest.mark.parametrize(("limit", "code"), [((), 0), (("--fail-on", "fail"), 3)])
def test_a_verdict_is_an_exit_code_only_when_asked(
    data: Path, tmp_path: Path, limit: tuple[str, ...], code: int
) -> None:
    (tmp_path / "s.pbtxt").write_text(SCHEMA)
    result = validator("--data", data, "--output", tmp_path / "o", "--schema", tmp_path / "s.pbtxt", *limit)
    assert (result.returncode, json.loads((tmp_path / "o/gate.json").read_text())["verdict"]) == (
        code,
        "fail",
    )


def test_infer_and_show(data: Path, tmp_path: Path) -> None:
    result = validator("infer", "--data", data, "--output", tmp_path)
    assert (result.returncode, result.stdout) == (0, f"{tmp_path}/schema.pbtxt\n")
    shown = validator("show", tmp_path / "schema.pbtxt")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert re.search(r"\bn\b.*INT", shown.stdout)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    result = validator("--data", tmp_path / "none.csv", "--output", tmp_path)
    assert (result.returncode, result.stdout) == (64, "")
    assert (
        result.stderr
        == f"cannot read {tmp_path}/none.csv: no such file or folder; DATA_URI (--data) names it\n"
    )
    assert json.loads((tmp_path / "error.json").read_text())["exit_code"] == 64


def test_bytes_that_are_not_what_they_claim(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes(b"a,b\n1,2\n3\n")
    result = validator("--data", tmp_path / "d.csv", "--output", tmp_path / "o")
    assert result.returncode == 65
    assert result.stderr == (
        f"cannot read {tmp_path}/d.csv: line 3: expected 2 fields, found 1; "
        "mend or remove it, then start again\n"
    )
    assert not (tmp_path / "o" / "gate.json").exists()


def test_an_output_that_cannot_be_written_is_one_line(data: Path) -> None:
    result = validator("--data", data, "--output", data)
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr == (
        f"cannot write {data}: it is a file, not a folder; name a folder that can be written; "
        "OUTPUT_URI (--output) names it\n"
    )


class TestStandardStreams:
    """A shell closes them, or has a full disk behind them: what comes of the run is not theirs to say."""

    def run(self, folder: Path, redirection: str, *arguments: str | Path) -> tuple[int, str]:
        """Returns the exit code, and what standard error has where it is not redirected."""
        said = folder / "stderr"
        command = f'"$@" {redirection if "2>" in redirection else f"2>{said} {redirection}"}'
        words = ["bash", "-c", command, "bash", *VALIDATOR, *map(str, arguments)]
        with subprocess.Popen(words, cwd=ROOT, env=environment({"METRICS_STAGE": "test"})) as process:
            code = process.wait()
        return code, said.read_text() if said.exists() else ""

    @pytest.mark.parametrize(
        ("redirection", "why"),
        [
            (">&-", "bad file descriptor"),
            (">/dev/full", "no space left on device"),
            ("<&- >&- 2>&-", ""),
            (">/dev/full 2>/dev/full", ""),
            ("> >(true)", ""),
        ],
    )
    def test_what_was_judged_stays_judged(
        self, redirection: str, why: str, data: Path, tmp_path: Path
    ) -> None:
        run = (tmp_path, redirection, "--data", data, "--output", tmp_path / "out")
        code, said = self.run(*run)
        assert (code, json.loads((tmp_path / "out" / "gate.json").read_text())["verdict"]) == (0, "warn")
        told = f"cannot write to standard output: {why}; the results are below {tmp_path}/out"
        assert said.splitlines()[1:] == ([told] if why else [])
        assert self.run(*run, "--fail-on", "warn")[0] == 3

    @pytest.mark.parametrize("redirection", [">&- 2>/dev/full", ">/dev/full 2>&-"])
    def test_an_error_is_the_one_that_it_is(self, redirection: str, tmp_path: Path) -> None:
        assert self.run(tmp_path, redirection, "--data", tmp_path / "none", "--output", tmp_path)[0] == 64

    def test_what_only_prints_has_done_nothing_then(self, data: Path, tmp_path: Path) -> None:
        assert validator("infer", "--data", data, "--output", tmp_path).returncode == 0
        for command in (("show", tmp_path), ("diff", tmp_path, tmp_path)):
            code, said = self.run(tmp_path, ">/dev/full", *command)
            assert (code, said) == (69, "cannot write to standard output: no space left on device\n")
        assert self.run(tmp_path, "> >(true)", "show", tmp_path) == (0, "")

    def test_what_an_encoding_lacks_is_escaped(self, tmp_path: Path) -> None:
        (tmp_path / "schema.pbtxt").write_text('feature { name: "läbel" type: INT }')
        shown = validator("show", tmp_path, variables={"PYTHONIOENCODING": "ascii"})
        assert (shown.returncode, shown.stderr, "l\\xe4bel" in shown.stdout) == (0, "", True)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "d.csv")
    result = validator("--data", tmp_path / "d.csv", "--output", tmp_path / "o")
    assert (result.returncode, len(result.stderr.splitlines())) == (64, 1)


def test_a_local_run_pays_for_no_aws_library() -> None:
    code = "import sys; from validator import run, cli; print({'boto3', 'botocore'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout == "set()\n"


class TestInterruption:
    SHARDS = 20

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "data").mkdir()
        content = "n,t\n" + "1,x\n2,y\n" * 40_000
        for number in range(self.SHARDS):
            (tmp_path / "data" / f"{number:02d}.csv").write_text(content)
        return tmp_path

    def test_finished_shards_are_saved_and_not_read_again(self, folder: Path) -> None:
        arguments = [*VALIDATOR, "--data", str(folder / "data"), "--output", str(folder / "out")]
        with subprocess.Popen(
            arguments, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            first = process.stderr.readline()
            process.send_signal(signal.SIGTERM)
            last = process.stderr.read().splitlines()[-1]
        assert first.startswith("shard 1 of 20 done")
        assert process.returncode == 75
        finished = re.fullmatch(
            rf"interrupted: SIGTERM after shard (\d+) of {self.SHARDS}; "
            rf"finished shards are saved below {folder}/out/states; "
            r"start again with the same output to go on",
            last,
        )
        assert finished
        assert not (folder / "out" / "gate.json").exists()
        again = validator(*arguments[3:])
        taken = [line for line in again.stderr.splitlines() if "taken from saved state" in line]
        assert (again.returncode, len(taken)) == (0, int(finished[1]))
        assert json.loads((folder / "out/verdict.json").read_text())["rows"] == 20 * 80_000


@pytest.fixture
def bucket(aws_environment: Mapping[str, str]) -> Iterator[Any]:
    s3 = boto3.resource(
        "s3",
        endpoint_url=aws_environment["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    ).create_bucket(Bucket=BUCKET)
    yield s3
    s3.objects.all().delete()


class TestBucket:
    def manifest(self, bucket: Any, *keys: str) -> str:
        objects = [
            {
                "uri": f"s3://{BUCKET}/{key}",
                "size": bucket.Object(key).content_length,
                "etag": bucket.Object(key).e_tag,
                "version_id": None,
                "last_modified": None,
            }
            for key in keys
        ]
        content = {
            "version": 1,
            "dataset": "taxi",
            "run_date": "2026-11-22",
            "run_id": "r",
            "data_uri": f"s3://{BUCKET}/data/",
            "objects": objects,
        }
        bucket.put_object(Key="manifest.json", Body=json.dumps(content).encode())
        return f"s3://{BUCKET}/manifest.json"

    def run(self, aws: Mapping[str, str], **variables: str) -> subprocess.CompletedProcess[str]:
        task = {"RUN_ID": "r", "RUN_DATE": "2026-11-22", "OUTPUT_URI": f"s3://{BUCKET}/out", "SCHEMA_URI": ""}
        return validator("validate", variables={**aws, **task, **variables})

    def test_a_task_reads_its_manifest_and_writes_its_gate(
        self, bucket: Any, aws_environment: Mapping[str, str]
    ) -> None:
        for number in range(2):
            bucket.put_object(Key=f"data/{number}.csv", Body=ROWS.encode())
        manifest = self.manifest(bucket, "data/0.csv", "data/1.csv")
        bucket.put_object(Key="data/late.csv", Body=b"late\n1\n")
        result = self.run(aws_environment, MANIFEST_URI=manifest, DATA_URI=f"s3://{BUCKET}/data/")
        assert (result.returncode, len(result.stderr.splitlines())) == (0, 2)
        gate = json.loads(bucket.Object("out/gate.json").get()["Body"].read())
        assert (gate["run_id"], gate["dataset"], gate["verdict"]) == ("r", "taxi", "warn")
        assert json.loads(bucket.Object("out/verdict.json").get()["Body"].read())["rows"] == 200

    def test_children_and_their_merge(self, bucket: Any, aws_environment: Mapping[str, str]) -> None:
        for number in range(3):
            bucket.put_object(Key=f"data/{number}.csv", Body=ROWS.encode())
        # Longer than what is looked at first: its types are found out in two passes.
        bucket.put_object(Key="data/3.csv", Body=("n,t\n" + "1,x\n" * 400_000 + "one,x\n").encode())
        manifest = self.manifest(bucket, *(f"data/{number}.csv" for number in range(4)))
        task = {**aws_environment, "RUN_ID": "r", "RUN_DATE": "2026-11-22", "MANIFEST_URI": manifest}
        task |= {"OUTPUT_URI": f"s3://{BUCKET}/out", "SHARD_COUNT": "2"}
        codes = []
        for _ in range(2):
            for index in "01":
                child = validator("profile", variables={**task, "AWS_BATCH_JOB_ARRAY_INDEX": index})
                assert (child.returncode, child.stderr.count("Traceback")) == (0, 0)
            codes.append(validator("merge", variables=task).returncode)
        assert codes == [66, 0]
        assert not [each.key for each in bucket.objects.all() if each.key == "out/missing.json"]
        verdict = json.loads(bucket.Object("out/verdict.json").get()["Body"].read())
        assert verdict["rows"] == 400_301
        assert "MIXED_TYPES" in {finding["code"] for finding in verdict["findings"]}

    def test_parquet_below_a_prefix(
        self, bucket: Any, aws_environment: Mapping[str, str], tmp_path: Path
    ) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.table({"n": range(500_000)}), tmp_path / "p.parquet", compression="none")
        bucket.upload_file(str(tmp_path / "p.parquet"), "data/2026-11-22/p.parquet")
        result = self.run(aws_environment, DATA_URI=f"s3://{BUCKET}/data/{{run_date}}/")
        assert (result.returncode, "500,000 rows" in result.stderr) == (0, True)

    def test_an_object_that_changed_since_the_manifest(
        self, bucket: Any, aws_environment: Mapping[str, str]
    ) -> None:
        bucket.put_object(Key="data/0.csv", Body=ROWS.encode())
        manifest = self.manifest(bucket, "data/0.csv")
        bucket.put_object(Key="data/0.csv", Body=ROWS.replace("x", "z").encode())
        result = self.run(aws_environment, MANIFEST_URI=manifest)
        assert (result.returncode, len(result.stderr.splitlines())) == (65, 1)
        assert "data/0.csv: the object changed since the manifest was written" in result.stderr
        left = json.loads(bucket.Object("out/error.json").get()["Body"].read())
        assert (left["run_id"], left["exit_code"]) == ("r", 65)

    def test_no_object_for_the_date(self, bucket: Any, aws_environment: Mapping[str, str]) -> None:
        result = self.run(aws_environment, MANIFEST_URI=self.manifest(bucket))
        assert result.returncode == 0
        gate = json.loads(bucket.Object("out/gate.json").get()["Body"].read())
        assert (gate["verdict"], gate["findings"][0]["code"]) == ("fail", "NO_DATA")

    def test_a_bucket_that_is_not_there(self, aws_environment: Mapping[str, str]) -> None:
        result = self.run(aws_environment, DATA_URI="s3://no-such-bucket/x")
        assert (result.returncode, "no such object or bucket" in result.stderr) == (64, True)

    def test_storage_that_does_not_answer(self, aws_environment: Mapping[str, str], tmp_path: Path) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            nobody = {**aws_environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed.getsockname()[1]}"}
            result = self.run(nobody, DATA_URI="s3://b/x", OUTPUT_URI=str(tmp_path))
        assert (result.returncode, len(result.stderr.splitlines())) == (69, 1)
        assert result.stderr.startswith("cannot list s3://b/x: storage does not answer")
