"""What `python -m build rehearse` plays, before anything of it is started."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from build import cli
from build.errors import PlatformError
from build.rehearsal import command, sample
from build.rehearsal.play import Rehearsal
from build.rehearsal.summary import Summary
from tests.configuration import PATH, ROOT
from validator.contract import SchemaPolicy

BROKEN = "tests/data/broken.pbtxt"
OTHERS = """\
[[datasets]]
name = "houses"
label = "price"

[[datasets]]
name = "bikes"
label = "late"
schema = "schema/taxi.pbtxt"

[validation]
most_children = 7
"""


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[Rehearsal]:
    """The rehearsals that would have been played."""
    every: list[Rehearsal] = []

    def play(rehearsal: Rehearsal, _: Console) -> Summary:
        every.append(rehearsal)
        raise PlatformError("enough")

    monkeypatch.setattr(command, "play", play)
    return every


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """A configuration of other datasets than the sample."""
    whole = PATH.read_text(encoding="utf-8")
    rest = (
        whole[whole.index("[validation]\n") :]
        .replace("[validation]\n", "")
        .replace("most_children = 64\n", "")
    )
    path = tmp_path / "config.toml"
    path.write_text(OTHERS + rest, encoding="utf-8")
    return path


def rehearse(config: Path, into: Path, *arguments: str) -> int:
    return cli.main(["rehearse", "--config", str(config), "--into", str(into), *arguments])


def test_the_sample_is_played_whatever_datasets_there_are_and_all_else_is_as_configured(
    played: list[Rehearsal], others: Path, tmp_path: Path
) -> None:
    assert rehearse(others, tmp_path / "rehearsal") == 1
    (rehearsal,) = played
    assert (rehearsal.dataset, rehearsal.data) == (sample.DATASET, None)
    assert rehearsal.config.validation.most_children == 7


def test_ones_own_data_are_a_dataset_of_their_own(
    played: list[Rehearsal], others: Path, tmp_path: Path
) -> None:
    (tmp_path / "trips.csv").write_text("a;b;c\n1;2;3\n", encoding="utf-8")
    own = ("--data", str(tmp_path / "trips.csv"), "--label", "c", "--drop", "a", "--delimiter", ";")
    # In prod a dataset without a schema is refused.
    assert rehearse(others, tmp_path / "rehearsal", *own, "--stage", "prod") == 1
    (rehearsal,) = played
    assert rehearsal.config.validation.schema_policy is SchemaPolicy.BOOTSTRAP
    assert rehearsal.dataset.delimiter == ";"
    assert (rehearsal.dataset.label, rehearsal.dataset.drop, rehearsal.dataset.schema) == ("c", ("a",), None)
    assert len(rehearsal.config.datasets) == 1


def test_a_configuration_that_cannot_be_read_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rehearse(tmp_path / "none.toml", tmp_path / "rehearsal") == 64
    err = capsys.readouterr().err
    assert "none.toml: No such file" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("bad", "did you mean bad-data? "),
        ("out-of-memry", "did you mean out-of-memory"),
        ("sunny", "README.md"),
    ],
)
def test_an_unknown_scenario_is_one_short_line(
    name: str, near: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rehearse(PATH, tmp_path, "--scenario", name) == 64
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"build: unknown SCENARIO '{name}':")
    assert near in line
    assert len(line) < 200
    assert list(tmp_path.iterdir()) == []


def test_a_step_that_nobody_crashes_is_refused_beside_data_too(
    played: list[Rehearsal], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trips.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    own = ("--data", str(tmp_path / "trips.csv"), "--label", "b")
    assert rehearse(PATH, tmp_path / "rehearsal", *own, "--delimiter", ";", "--step", "Train") == 64
    assert "crashes no step: leave STEP out" in capsys.readouterr().err
    assert rehearse(PATH, tmp_path / "rehearsal", *own, "--delimiter", "x") == 64
    assert capsys.readouterr().err.endswith("See python -m build rehearse --help.\n")
    assert played == []


def test_the_help_lists_every_scenario_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rehearse", "--help"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert set(command.NAMES) <= {words[0] for words in lines if len(words) > 1}


def test_a_schema_that_is_none_is_told_before_anything_is_started(
    played: list[Rehearsal], others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others.write_text(others.read_text().replace("schema = ", f"schema = {BROKEN!r} #"), encoding="utf-8")
    assert rehearse(others, tmp_path / "rehearsal") == 64
    (line,) = capsys.readouterr().err.splitlines()
    broken = ROOT / BROKEN
    assert line.startswith(
        f"build: cannot rehearse by the schema {broken}: cannot read schema {broken} line 2:"
    )
    assert line.endswith("mend the file, or bring it back with git checkout")
    assert played == []
    assert not (tmp_path / "rehearsal").exists()


def test_the_schemas_of_all_datasets_are_read_each_once() -> None:
    other = replace(sample.DATASET, name="other")
    none = replace(sample.DATASET, schema=None)
    assert list(command._schemas(sample.DATASET, other, none)) == [ROOT / "schema" / "taxi.pbtxt"]
