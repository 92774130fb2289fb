from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from validator import cli, run, settings
from validator.contract import ARRAY_INDEX, Environment, ExitCode, Verdict
from validator.interruption import Interruption
from validator.settings import Settings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Environment, ARRAY_INDEX):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Settings that reached a run, which ends as a bug would."""
    reached: list[Settings] = []

    def note(settings: Settings, *_: Any) -> None:
        reached.append(settings)
        raise KeyError("planted\nbug")

    monkeypatch.setattr(run, "validate", note)
    return reached


def main(*arguments: str) -> int:
    return cli.main(list(arguments), Interruption())


Captured = pytest.CaptureFixture[str]


def test_options_without_a_command_are_those_of_validate(seen: list[Settings], tmp_path: Path) -> None:
    main("--data", "d", "--output", str(tmp_path), "--run-id", "r", "--environment", "SERVING")
    assert (seen[0].data_uri, seen[0].run_id, seen[0].data_environment) == ("d", "r", "SERVING")


def test_no_argument_at_all_is_validate_by_environment(
    seen: list[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANIFEST_URI", "m")
    monkeypatch.setenv("RUN_DATE", "2026-11-22")
    monkeypatch.setenv("OUTPUT_URI", str(tmp_path))
    monkeypatch.setenv("RUN_ID", "environment")
    main()
    main("--run-id", "option")
    assert [(s.manifest_uri, s.run_id) for s in seen] == [("m", "environment"), ("m", "option")]


@pytest.mark.parametrize(
    ("given", "run"),
    [
        ((), ("2026-11-20", "of-init")),
        (("--run-id", "of-init"), ("2026-11-20", "of-init")),
        (("--run-date", "2026-11-20"), ("2026-11-20", "of-init")),
    ],
)
def test_a_manifest_says_of_which_run_it_is(
    given: tuple[str, ...], run: tuple[str, str], seen: list[Settings], tmp_path: Path
) -> None:
    main("--manifest", str(manifest(tmp_path)), "--output", str(tmp_path), *given)
    assert [(each.run_date.isoformat(), each.run_id) for each in seen] == [run]
    # What comes of it is of that run too.
    assert json.loads((tmp_path / "error.json").read_text())["run_id"] == "of-init"


def test_a_manifest_of_another_run_than_the_one_given_is_refused(tmp_path: Path, capsys: Captured) -> None:
    main("--manifest", str(manifest(tmp_path)), "--output", str(tmp_path), "--run-date", "2026-11-21")
    assert "RUN_DATE is '2026-11-21', its own is '2026-11-20'" in capsys.readouterr().err


def manifest(folder: Path) -> Path:
    run = {"run_date": "2026-11-20", "run_id": "of-init"}
    content = {"version": 1, "dataset": "taxi", **run, "data_uri": str(folder), "objects": []}
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder / "manifest.json"


def test_a_bug_is_one_line_and_is_left_behind(seen: list[Settings], tmp_path: Path, capsys: Captured) -> None:
    assert main("--data", "d", "--output", str(tmp_path), "--run-id", "r") == 70
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("internal error (KeyError)")
    left = json.loads((tmp_path / "error.json").read_text())
    assert (left["run_id"], left["exit_code"], left["message"]) == ("r", 70, line)


def test_debug_shows_where_a_bug_is(seen: list[Settings], tmp_path: Path, capsys: Captured) -> None:
    main("--data", "d", "--output", str(tmp_path), "--debug")
    error = capsys.readouterr().err
    assert "Traceback" in error
    assert error.splitlines()[-1].startswith("internal error")


@pytest.mark.parametrize("setting", settings.OPTIONS)
def test_what_names_a_wrong_place_is_named(setting: str, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "d.csv").write_text("n\n1\n")
    option = settings.OPTIONS[setting]
    places = {"--data": "d.csv", "--output": "out", option: "d.csv/below"}
    given = [word for name, place in places.items() for word in (name, str(tmp_path / place))]
    assert main(*given) == 64
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"; {setting} ({option}) names it")


@pytest.mark.parametrize("option", ["--output", "--states"])
def test_a_place_of_an_unknown_kind_is_named(option: str, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "d.csv").write_text("n\n1\n")
    assert main("--data", f"{tmp_path}/d.csv", "--output", f"{tmp_path}/out", option, "ftp://x") == 64
    (line,) = capsys.readouterr().err.splitlines()
    assert "ftp:// is unknown" in line
    assert line.endswith(f"({option}) names it")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nope"],
        ["nope"],
        ["--data"],
        ["show"],
        ["show", "missing.json"],
        ["show", "a\nb.pb"],
        ["diff", "one.pb"],
        ["diff", "one.pb", "two.pb", "--fail-on", "fail"],
        ["--data", "d"],
        ["--output", "o"],
        ["--data", "missing.csv", "--output", "o"],
        ["--data", "d", "--output", "o", "--fail-on", "maybe"],
        ["--data", "d", "--output", "o", "--run-date", "tomorrow"],
        ["--data", "ftp://d", "--output", "o"],
        ["infer", "--schema", "s"],
        ["validate", "--data", "d", "--output", "o", "--shard-index", "0", "--shard-count", "1"],
        ["profile", "--data", "d", "--output", "o", "--shard-index", "1", "--shard-count", "1"],
        ["profile", "--data", "d", "--output", "o", "--shard-count", "2"],
        ["profile", "--data", "d", "--output", "o", "--fail-on", "fail"],
        ["profile", "--data", "d", "--output", "o", "--baseline", "b"],
        ["merge", "--data", "d", "--output", "o", "--shard-index", "0", "--shard-count", "1"],
        ["merge", "--data", "d", "--output", "o", "--shard-count", "many"],
    ],
)
def test_a_mistake_is_exit_64_and_one_line(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(*arguments) == 64
    captured = capsys.readouterr()
    assert (len(captured.err.splitlines()), captured.out) == (1, "")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["-h"], *([name, "--help"] for name in ("validate", "infer", "profile", "merge", "diff"))],
)
def test_help_is_no_error_and_has_examples(arguments: list[str], capsys: Captured) -> None:
    assert main(*arguments) == 0
    assert "python -m validator --data trips.csv --output out" in capsys.readouterr().out


def test_every_option_names_its_variable(capsys: Captured) -> None:
    for command in ("validate", "profile", "merge"):
        main(command, "--help")
    shown = capsys.readouterr().out
    named = set(Environment) - {"POLICY_URI", "CAPACITY", "PRICE_VCPU_HOUR", "PRICE_GB_HOUR", "METRICS_STAGE"}
    assert [name for name in named if f"[{name}]" not in " ".join(shown.split())] == []


def test_every_exit_code_is_told(capsys: Captured) -> None:
    main("--help")
    told = capsys.readouterr().out.partition("Exit codes:")[2]
    assert {int(word) for word in told.split() if word.isdigit()} == set(ExitCode)


class TestShards:
    @pytest.fixture
    def data(self, tmp_path: Path) -> tuple[str, ...]:
        for number in range(3):
            (tmp_path / "data").mkdir(exist_ok=True)
            (tmp_path / "data" / f"{number}.csv").write_text("n\n" + "1\n" * 50)
        return ("--data", str(tmp_path / "data"), "--output", str(tmp_path / "out"), "--run-id", "r")

    def test_children_and_their_merge(self, data: tuple[str, ...], tmp_path: Path, capsys: Captured) -> None:
        assert main("profile", *data, "--shard-index", "0", "--shard-count", "2") == 0
        assert capsys.readouterr().out == f"child 1 of 2: 1 shard saved below {tmp_path}/out/states\n"
        assert main("merge", *data, "--shard-count", "2") == 66
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.splitlines()[-1].startswith(f"cannot merge below {tmp_path}/out/states: ")
        assert not (tmp_path / "out" / "error.json").exists()
        assert main("profile", *data, "--shard-index", "1", "--shard-count", "2") == 0
        assert main("merge", *data, "--shard-count", "2") == 0
        assert main("merge", *data, "--fail-on", "warn") == 3
        assert "warn: there is no schema yet\n" in capsys.readouterr().out

    def test_a_profile_of_everything_says_where_it_is(
        self, data: tuple[str, ...], tmp_path: Path, capsys: Captured
    ) -> None:
        assert main("profile", *data) == 0
        assert capsys.readouterr().out == f"{tmp_path}/out/statistics.pb\n"

    def test_a_child_heeds_the_index_of_its_array(
        self, data: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Captured
    ) -> None:
        monkeypatch.setenv("AWS_BATCH_JOB_ARRAY_INDEX", "1")
        monkeypatch.setenv("SHARD_COUNT", "2")
        assert main("profile", *data) == 0
        assert capsys.readouterr().out.startswith("child 2 of 2: 2 shards saved below ")

    @pytest.fixture
    def spoil(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], object]:
        """Spoils a row that nobody meets who reads the headers."""
        monkeypatch.setattr("validator.formats.delimited.probe.HEAD_BYTES", 10)
        return lambda number: (tmp_path / "data" / f"{number}.csv").write_text("n\n" + "1\n" * 49 + "1,2\n")

    def test_children_leave_their_errors_side_by_side(
        self, spoil: Callable[[int], object], data: tuple[str, ...], tmp_path: Path
    ) -> None:
        for number in (0, 2):
            spoil(number)
        for index in range(3):
            main("profile", *data, "--shard-index", str(index), "--shard-count", "3")
        left = {path.name: json.loads(path.read_text()) for path in (tmp_path / "out" / "errors").iterdir()}
        assert {name: re.findall(r"\d\.csv", each["message"]) for name, each in left.items()} == {
            "child-1-of-3.json": ["0.csv"],
            "child-3-of-3.json": ["2.csv"],
        }
        assert {(each["run_id"], each["error"], each["exit_code"]) for each in left.values()} == {
            ("r", "DataError", 65)
        }
        assert not (tmp_path / "out" / "error.json").exists()

    @pytest.fixture
    def refused(self, spoil: Callable[[int], object], data: tuple[str, ...], tmp_path: Path) -> str:
        """What the last of three children said that refused its part; the others saved theirs."""
        spoil(2)
        ended = [
            main("profile", *data, "--shard-index", str(index), "--shard-count", "3") for index in range(3)
        ]
        assert ended == [0, 0, 65]
        return str(json.loads(self.left(tmp_path).read_text())["message"])

    def left(self, folder: Path) -> Path:
        return folder / "out" / "errors" / "child-3-of-3.json"

    def test_a_merge_ends_as_the_child_did_that_refused_its_part(
        self, refused: str, data: tuple[str, ...], tmp_path: Path, capsys: Captured
    ) -> None:
        assert main("merge", *data, "--shard-count", "3") == 65
        line = f"{refused}; that is how child 3 of 3 ended, see {self.left(tmp_path)}"
        assert capsys.readouterr().err.splitlines()[-1] == line
        assert json.loads((tmp_path / "out" / "error.json").read_text())["message"] == line
        assert not (tmp_path / "out" / "missing.json").exists()

    @pytest.mark.parametrize(("code", "name"), [(64, "UsageError"), (70, "ValidatorError")])
    def test_mistakes_and_bugs_of_a_child_are_the_merges_too(
        self, code: int, name: str, refused: str, data: tuple[str, ...], tmp_path: Path
    ) -> None:
        content = json.loads(self.left(tmp_path).read_text())
        self.left(tmp_path).write_text(json.dumps({**content, "exit_code": code}))
        assert main("merge", *data, "--shard-count", "3") == code
        assert json.loads((tmp_path / "out" / "error.json").read_text())["error"] == name

    @pytest.mark.parametrize(
        "change",
        [
            {"run_id": "another"},
            {"exit_code": 69},
            {"exit_code": 75},
            {"exit_code": 0},
            {"exit_code": [65]},
            {"exit_code": None},
        ],
    )
    def test_what_another_start_may_mend_is_run_again(
        self, change: dict[str, Any], refused: str, data: tuple[str, ...], tmp_path: Path
    ) -> None:
        content = json.loads(self.left(tmp_path).read_text())
        self.left(tmp_path).write_text(json.dumps({**content, **change}))
        assert main("merge", *data, "--shard-count", "3") == 66
        assert json.loads((tmp_path / "out" / "missing.json").read_text())["children"] == [2]

    @pytest.mark.parametrize("content", ["", "{", "[]", "{}", "7", "[" * 100_000, '{"run_id": "r"}'])
    def test_an_error_that_cannot_be_read_is_none(
        self, content: str, refused: str, data: tuple[str, ...], tmp_path: Path
    ) -> None:
        self.left(tmp_path).write_text(content)
        assert main("merge", *data, "--shard-count", "3") == 66

    def test_a_part_that_is_there_was_not_refused(
        self, refused: str, data: tuple[str, ...], tmp_path: Path
    ) -> None:
        (tmp_path / "data" / "2.csv").write_text("n\n1\n")
        assert main("profile", *data, "--shard-index", "2", "--shard-count", "3") == 0
        assert not self.left(tmp_path).exists()
        assert main("merge", *data, "--shard-count", "3") == 0

    def test_who_has_another_number_of_children_asks_others(
        self, refused: str, data: tuple[str, ...]
    ) -> None:
        assert main("merge", *data, "--shard-count", "2") == 66


@pytest.mark.parametrize(
    ("verdict", "limit", "reached"),
    [
        (Verdict.FAIL, None, False),
        (Verdict.FAIL, Verdict.FAIL, True),
        (Verdict.WARN, Verdict.FAIL, False),
        (Verdict.WARN, Verdict.WARN, True),
        (Verdict.PASS, Verdict.WARN, False),
    ],
)
def test_fail_on(verdict: Verdict, limit: Verdict | None, reached: bool) -> None:
    assert cli._reached(verdict, limit) is reached


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `show` printed, by name."""
    names: list[str] = []

    def note(name: str) -> Callable[[Any, Any], None]:
        return lambda content, _: names.append(f"{name} {type(content).__name__}")

    for name in ("verdict", "statistics", "schema"):
        monkeypatch.setattr(f"validator.show.{name}", note(name))
    return names


def test_show_reads_what_a_run_wrote(shown: list[str], tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("n\n1\n")
    assert main("--data", str(tmp_path / "d.csv"), "--output", str(tmp_path / "o")) == 0
    for file in ("", "/verdict.json", "/statistics.pb", "/schema.proposed.pbtxt"):
        assert main("show", f"{tmp_path}/o{file}") == 0
    assert shown == [
        "verdict VerdictReport",
        "verdict VerdictReport",
        "statistics DatasetFeatureStatisticsList",
        "schema Schema",
    ]


def test_show_takes_what_a_folder_holds(shown: list[str], tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("n\n1\n")
    assert main("infer", "--data", str(tmp_path / "d.csv"), "--output", str(tmp_path / "o")) == 0
    assert main("show", f"{tmp_path}/o") == 0
    (tmp_path / "o" / "schema.pbtxt").unlink()
    assert main("show", f"{tmp_path}/o") == 0
    assert shown == ["schema Schema", "statistics DatasetFeatureStatisticsList"]


def test_show_takes_the_error_of_a_child(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "d.csv").write_text("n,m\n1,2\n3\n")
    of = ("--data", f"{tmp_path}/d.csv", "--output", f"{tmp_path}/out")
    assert main("profile", *of, "--shard-index", "0", "--shard-count", "2") == 65
    capsys.readouterr()
    assert main("show", f"{tmp_path}/out/errors/child-1-of-2.json") == 0
    assert capsys.readouterr().out.startswith("failed  ")


@pytest.mark.parametrize("name", ["d.csv", "report.html", "empty", "none"])
def test_show_says_what_it_takes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    for file in ("d.csv", "report.html"):
        Path(file).touch()
    assert main("show", name) == 64
    assert capsys.readouterr().err == (
        f"cannot show {name}: show takes error.json, verdict.json, schema.pbtxt and statistics.pb, "
        "or a folder that holds one of them\n"
    )


class TestDiff:
    @pytest.fixture
    def days(self, tmp_path: Path) -> Path:
        for name, content in (("a", "n,t\n1,x\n2,y\n"), ("b", "n,t\n1,x\n3,y\n")):
            (tmp_path / f"{name}.csv").write_text(content)
            assert main("profile", "--data", f"{tmp_path}/{name}.csv", "--output", f"{tmp_path}/{name}") == 0
            assert main("infer", "--data", f"{tmp_path}/{name}.csv", "--output", f"{tmp_path}/{name}") == 0
        return tmp_path

    def test_folders_are_compared_by_their_statistics(self, days: Path, capsys: Captured) -> None:
        capsys.readouterr()
        assert main("diff", f"{days}/a", f"{days}/b") == 0
        assert re.search(r"n +max +2 +3", capsys.readouterr().out)
        assert main("diff", f"{days}/a/statistics.pb", f"{days}/a") == 0
        assert capsys.readouterr().out == "equal\n"

    def test_a_difference_is_an_exit_code_only_when_asked(self, days: Path) -> None:
        for file in ("statistics.pb", "schema.pbtxt"):
            one, same, other = (f"{days}/{name}/{file}" for name in "aab")
            assert main("diff", one, same, "--fail-on", "difference") == 0
            assert main("diff", one, other) == 0
            assert main("diff", one, other, "--fail-on", "difference") == (
                3 if file == "statistics.pb" else 0
            )

    @pytest.mark.parametrize(
        ("first", "second", "line"),
        [
            ("a", "b/schema.pbtxt", "cannot compare a/statistics.pb with b/schema.pbtxt: one is a schema,"),
            ("a", "none", "cannot diff none: diff takes statistics.pb and schema.pbtxt, or a folder"),
            ("a/verdict.json", "a", "cannot diff a/verdict.json: diff takes"),
            ("a", "none.pb", "cannot read none.pb: no such file"),
            ("a", "x\n\x1b.csv", r"cannot diff x \x1b.csv: diff takes"),
            ("a.csv", "a", "cannot diff a.csv: diff takes"),
        ],
    )
    def test_a_mistake_is_one_line(
        self, first: str, second: str, line: str, days: Path, capsys: Captured
    ) -> None:
        capsys.readouterr()
        with chdir(days):
            assert main("diff", first, second) == 64
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith(line)
        assert len(captured.err.splitlines()) == 1
