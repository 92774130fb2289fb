"""The command: a template on stdout, or one line on stderr and exit 64."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from templates.__main__ import run
from templates.config import load
from templates.stacks import render

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_a_template_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pipeline", "--stage", "prod"]) == 0
    out, err = capsys.readouterr()
    assert out == render("pipeline", load(Path("config.toml"), "prod"))
    assert err == ""
    assert json.loads(out)["Resources"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["pipelin"], "'pipelin' is not one of 'delivery', 'pipeline'"),
        (["pipeline", "--stage", "qa"], "'qa' is not one of 'dev', 'prod'"),
        (["pipeline", "--config", "no/such.toml"], "cannot read no/such.toml: No such file or directory"),
        (["pipeline", "--stages", "dev"], "No such option"),
        (["pipeline", "delivery"], "unexpected extra argument"),
        ([], "Missing argument"),
    ],
)
def test_bad_use_is_one_line_and_exit_64(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert run(arguments) == 64
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert told in err
    assert len(err.splitlines()) == 1


def test_a_pair_that_fargate_does_not_have_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    path = tmp_path / "config.toml"
    path.write_text(text.replace("cpu = 1024, memory = 2048", "cpu = 1024, memory = 512"), encoding="utf-8")
    assert run(["pipeline", "--config", str(path)]) == 64
    err = capsys.readouterr().err
    assert "validation.sizes[0]: Fargate has no tasks of 1024 CPU units with 512 MiB" in err
    assert len(err.splitlines()) == 1


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert "Print the CloudFormation template" in capsys.readouterr().out
