"""One output, many attempts: whatever ends an attempt, and whenever, no two are ever mixed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from validator import cli, leftovers, settings, store
from validator.contract import ARRAY_INDEX, Artifact, Environment
from validator.errors import AbsentError, StorageError, UsageError, ValidatorError
from validator.interruption import Interruption

SCHEMA = 'feature { name: "n" type: INT presence { min_fraction: 1 } }\n'


class Killed(BaseException):
    """SIGKILL, as far as a process can play it to itself: nothing catches it."""


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Environment, ARRAY_INDEX):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "d.csv").write_text("n\n1\n2\n")
    (tmp_path / "broken.csv").write_text("n,m\n1,2\n3\n")
    (tmp_path / "s.pbtxt").write_text(SCHEMA)
    return tmp_path


def main(*arguments: object) -> int:
    return cli.main(list(map(str, arguments)), Interruption())


def judge(data: Path, *more: object, output: object = None) -> int:
    return main("--data", data / "d.csv", "--output", output or data / "out", *more)


def fail(data: Path, output: object = None) -> int:
    return main("--data", data / "broken.csv", "--output", output or data / "out")


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"states"}


JUDGED = {"gate.json", "verdict.json", "report.html", "statistics.pb", "anomalies.pb", "anomalies.pbtxt"}


def test_an_error_takes_the_place_of_a_verdict_and_a_verdict_that_of_an_error(data: Path) -> None:
    assert (judge(data), files(data / "out")) == (0, {*JUDGED, "schema.proposed.pbtxt"})
    assert (fail(data), files(data / "out")) == (65, {"error.json"})
    assert (judge(data), files(data / "out")) == (0, {*JUDGED, "schema.proposed.pbtxt"})


def test_show_tells_of_the_last_attempt(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge(data)
    fail(data)
    capsys.readouterr()
    assert main("show", data / "out") == 0
    (shown, *more) = capsys.readouterr().out.splitlines()
    assert re.match(
        r"failed  [\d-]+ run local-\w+, exit code 65: cannot read .*broken\.csv", " ".join([shown, *more])
    )
    judge(data)
    capsys.readouterr()
    assert main("show", data / "out/gate.json") == 64
    assert main("show", data / "out") == 0
    assert capsys.readouterr().out.startswith("warn  ")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 1}', '{"version": 2}', "[" * 100_000])
def test_an_error_that_is_none_is_refused_by_name(
    content: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "error.json").write_text(content)
    assert main("show", data) == 64
    assert "it is no error.json" in capsys.readouterr().err


def test_a_proposal_does_not_outlive_its_attempt(data: Path) -> None:
    judge(data)
    assert judge(data, "--schema", data / "s.pbtxt") == 0
    assert files(data / "out") == JUDGED


DOCUMENTS = [("--baseline", "statistics.pb"), ("--schema", "schema.proposed.pbtxt")]


def contents(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("output", ["out", "out/", "./out", "latest"])
@pytest.mark.parametrize("folder", ["out", "latest", "{data}/out", "file://{data}/latest"])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_run_that_reads_what_it_would_replace_touches_nothing(
    document: tuple[str, str], folder: str, output: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge(data)
    (data / "latest").symlink_to("out")
    before = contents(data / "out")
    monkeypatch.chdir(data)
    option, name = document
    given = (option, f"{folder.format(data=data)}/{name}")
    for more in ((), ("--workers", "abc")):
        assert judge(data, *given, *more, output=output) == 64
        assert contents(data / "out") == before


@pytest.mark.parametrize("document", DOCUMENTS)
def test_who_would_replace_what_it_reads_is_told(
    document: tuple[str, str], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(data)
    option, name = document
    uri = data / "out" / name
    capsys.readouterr()
    assert judge(data, option, uri) == 64
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"cannot use {uri}: this run would put its own results in its place; copy it")
    assert line.endswith(f"({option}) names it")


def test_a_child_may_not_read_what_its_merge_would_replace(data: Path) -> None:
    judge(data)
    shard = ("--shard-index", "0", "--shard-count", "2", "--schema", data / "out/schema.proposed.pbtxt")
    assert main("profile", "--data", data / "d.csv", "--output", data / "out", *shard) == 64
    assert (data / "out/schema.proposed.pbtxt").exists()


def test_documents_of_another_output_are_read(data: Path) -> None:
    judge(data, output=data / "first")
    given = ("--schema", data / "first/schema.proposed.pbtxt", "--baseline", data / "first/statistics.pb")
    for _ in range(2):
        assert judge(data, *given) == 0
    gate = json.loads((data / "out/gate.json").read_text())
    assert gate["counts"] == {"error": 0, "warning": 0, "info": 0}


def test_a_document_that_is_absent_is_refused_by_name(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge(data, "--baseline", data / "out/statistics.pb") == 64
    assert "no such file or directory; BASELINE_URI (--baseline) names it" in capsys.readouterr().err


def test_what_was_inferred_is_a_persons(data: Path) -> None:
    assert main("infer", "--data", data / "d.csv", "--output", data / "out") == 0
    judge(data)
    assert "schema.pbtxt" in files(data / "out")


def test_a_profile_has_no_verdict_of_other_data_beside_it(data: Path) -> None:
    judge(data)
    assert main("profile", "--data", data / "d.csv", "--output", data / "out") == 0
    assert files(data / "out") == {"statistics.pb"}


def test_an_error_after_the_gate_takes_the_gate_away(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validator.report.reason", lambda *_: 1 / 0)
    assert judge(data) == 70
    assert files(data / "out") == {"error.json"}


def test_a_child_takes_away_its_own_error_and_nothing_else(data: Path) -> None:
    out = data / "out"
    fail(data)
    for name in ("child-1-of-2.json", "child-2-of-2.json"):
        store.write(str(out / "errors" / name), b"{}")
    shard = ("--shard-index", "0", "--shard-count", "2")
    assert main("profile", "--data", data / "d.csv", "--output", out, *shard) == 0
    assert files(out) == {"error.json", "errors"}
    assert [path.name for path in (out / "errors").iterdir()] == ["child-2-of-2.json"]


def killed_at(monkeypatch: pytest.MonkeyPatch, last: int) -> Callable[[], int]:
    """Has the process die before the change of storage that comes after so many; returns how many came."""
    came = 0

    def counted(act: Callable[..., None]) -> Callable[..., None]:
        def change(*arguments: Any) -> None:
            nonlocal came
            if came == last:
                raise Killed
            came += 1
            act(*arguments)

        return change

    for name in ("write", "remove"):
        monkeypatch.setattr(store, name, counted(getattr(store, name)))
    return lambda: came


def contradictions(folder: Path) -> Iterator[str]:
    """Yields what a reader of the folder could take for the end of an attempt that did not end so."""
    found = files(folder)
    if "gate.json" in found and not found >= JUDGED:
        yield f"a gate without {JUDGED - found}"
    if "error.json" in found and len(found) > 1:
        yield f"an error beside {found - {'error.json'}}"
    runs = {json.loads((folder / name).read_text())["run_id"] for name in found if name.endswith(".json")}
    if len(runs) > 1:
        yield f"files of {runs}"


@pytest.mark.parametrize("first", [judge, fail])
@pytest.mark.parametrize("second", [judge, fail])
def test_a_kill_at_any_moment_leaves_no_contradiction(
    first: Callable[[Path], int], second: Callable[[Path], int], data: Path, tmp_path: Path
) -> None:
    for last in range(100):
        out = data / "out"
        first(data)
        with pytest.MonkeyPatch.context() as patch:
            came = killed_at(patch, last)
            try:
                second(data)
                break
            except Killed:
                assert list(contradictions(out)) == [], f"after {came()} changes"
    assert last > 1
    assert list(contradictions(out)) == []


class TestSettings:
    """What is wrong with settings is left below the output too, wherever that is known."""

    def test_a_setting_that_is_wrong(self, data: Path) -> None:
        judge(data)
        assert judge(data, "--workers", "abc", "--run-id", "r", "--run-date", "2026-11-22") == 64
        assert files(data / "out") == {"error.json"}
        left = json.loads((data / "out/error.json").read_text())
        assert (left["run_id"], left["run_date"], left["error"]) == ("r", "2026-11-22", "UsageError")
        assert (left["exit_code"], "WORKERS" in left["message"]) == (64, True)

    def test_of_the_environment(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {"RUN_ID": "r", "OUTPUT_URI": str(data / "out"), "CSV_DELIMITER": "::"}.items():
            monkeypatch.setenv(name, value)
        assert main("--data", data / "d.csv") == 64
        assert json.loads((data / "out/error.json").read_text())["run_id"] == "r"

    def test_a_date_that_is_none_is_not_made_up(self, data: Path) -> None:
        assert judge(data, "--run-date", "tomorrow") == 64
        assert json.loads((data / "out/error.json").read_text())["run_date"] is None

    def test_of_a_child_under_its_own_name(self, data: Path) -> None:
        shard = ("--shard-index", "0", "--shard-count", "2", "--workers", "abc")
        assert main("profile", "--data", data / "d.csv", "--output", data / "out", *shard) == 64
        assert [path.name for path in (data / "out").rglob("*.json")] == ["child-1-of-2.json"]

    def test_a_child_that_does_not_know_which_it_is_writes_nothing(self, data: Path) -> None:
        shard = ("--shard-index", "2", "--shard-count", "2")
        assert main("profile", "--data", data / "d.csv", "--output", data / "out", *shard) == 64
        assert not (data / "out").exists()

    def test_without_an_output_nobody_knows_where(self, data: Path) -> None:
        assert settings.attempt({}, {}) is None
        assert main("--data", data / "d.csv", "--workers", "abc") == 64

    @pytest.mark.parametrize("output", ["s3://", "ftp://x", "file://elsewhere"])
    def test_an_output_that_is_none_changes_no_line(
        self, output: str, data: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert judge(data, "--workers", "abc", output=output) == 64
        (line,) = capsys.readouterr().err.splitlines()
        assert "WORKERS" in line


def test_what_cannot_be_taken_away_ends_the_attempt(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(data)
    before = (data / "out/gate.json").read_text()

    def refused(uri: str) -> None:
        raise UsageError(f"cannot remove {uri}", why="permission denied")

    monkeypatch.setattr(store, "remove", refused)
    assert fail(data) == 64
    assert (data / "out/gate.json").read_text() == before
    assert "error.json" not in files(data / "out")


def attempt(output_uri: str) -> settings.Attempt:
    return settings.Attempt(output_uri, "r", None)


def test_what_nobody_may_look_at_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(uri: str) -> bool:
        raise AbsentError(f"cannot list {uri}", why="S3 refused (AccessDenied)")

    monkeypatch.setattr(store, "exists", denied)
    monkeypatch.setattr(store, "remove", pytest.fail)
    leftovers.clear(attempt("s3://b/out"))


@pytest.mark.parametrize("kind", [StorageError, UsageError])
def test_storage_that_does_not_answer_or_is_absent_is_not_passed_over(
    kind: type[ValidatorError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(uri: str) -> bool:
        raise kind(f"cannot list {uri}")

    monkeypatch.setattr(store, "exists", refused)
    with pytest.raises(kind, match="cannot list"):
        leftovers.clear(attempt("s3://b/out"))


def test_what_may_be_seen_and_not_deleted_says_what_to_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(uri: str) -> None:
        raise AbsentError(f"cannot remove {uri}", why="S3 refused (AccessDenied)")

    monkeypatch.setattr(store, "exists", lambda _: True)
    monkeypatch.setattr(store, "remove", denied)
    with pytest.raises(UsageError) as caught:
        leftovers.clear(attempt("s3://b/out"))
    assert str(caught.value) == (
        "cannot remove s3://b/out/gate.json: S3 refused (AccessDenied); "
        "allow s3:DeleteObject, or name another output; OUTPUT_URI (--output) names it"
    )


def test_in_a_bucket_too_a_run_that_reads_what_it_would_replace_touches_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for change in ("exists", "remove", "write"):
        monkeypatch.setattr(store, change, pytest.fail)
    run = replace(attempt("s3://b/out/"), baseline_uri="s3://b/out/statistics.pb")
    with pytest.raises(UsageError, match=r"BASELINE_URI \(--baseline\) names it"):
        leftovers.clear(run)


@pytest.fixture
def s3(aws_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)
    store._buckets.cache_clear()
    yield
    store._buckets.cache_clear()


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("option", ["--output", "--states"])
@pytest.mark.parametrize("command", ["validate", "profile --shard-index 0 --shard-count 2"])
def test_a_bucket_that_is_absent_is_told_by_its_setting(
    command: str, option: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--data", data / "d.csv", "--output", data / "out", option, "s3://no-such-bucket/below")
    assert main(*command.split(), *given) == 64
    (line,) = capsys.readouterr().err.splitlines()
    assert "no such object or bucket (NoSuchBucket)" in line
    assert line.endswith(f"({option}) names it")


@pytest.mark.usefixtures("s3")
def test_in_a_bucket_the_gate_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = boto3.resource("s3").create_bucket(Bucket="leftovers")
    kept = {"out/states/a.state", "out/schema.pbtxt", "out/gate.json.txt", "other/gate.json"}
    for key in {*kept, *(f"out/{name}" for name in leftovers.RESULTS)}:
        bucket.put_object(Key=key, Body=b"x")
    gone: list[str] = []
    remove = store.remove

    def noting(uri: str) -> None:
        gone.append(uri)
        remove(uri)

    monkeypatch.setattr(store, "remove", noting)
    leftovers.clear(attempt("s3://leftovers/out/"))
    assert {each.key for each in bucket.objects.all()} == kept
    assert gone[0] == f"s3://leftovers/out/{Artifact.GATE}"
    # Nothing is asked to go that is not there: in a versioned bucket each time would leave a mark.
    leftovers.clear(attempt("s3://leftovers/out/"))
    assert len(gone) == len(leftovers.RESULTS)
