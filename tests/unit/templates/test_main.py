"""The command: a template on stdout, or one line on stderr and exit 64."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from templates import command
from templates.__main__ import run
from templates.stacks import render
from tests.configuration import PATH, configuration

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_a_template_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pipeline", "--stage", "prod", "--config", str(PATH)]) == 0
    out, err = capsys.readouterr()
    assert out == render("pipeline", configuration("prod"))
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
    text = PATH.read_text(encoding="utf-8")
    path = tmp_path / "config.toml"
    path.write_text(text.replace("cpu = 1024, memory = 2048", "cpu = 1024, memory = 512"), encoding="utf-8")
    assert run(["pipeline", "--config", str(path)]) == 64
    err = capsys.readouterr().err
    assert "validation.sizes[0]: Fargate has no tasks of 1024 CPU units with 512 MiB" in err
    assert len(err.splitlines()) == 1


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert "Print the CloudFormation template" in capsys.readouterr().out


def test_what_cannot_be_written_is_one_line_and_exit_74() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        print_it = [sys.executable, "-m", "templates", "delivery", "--config", str(PATH)]
        ended = subprocess.run(
            print_it, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 74
    assert ended.stderr == (
        "error: cannot write the template: No space left on device; what is there is cut off\n"
    )


@pytest.mark.parametrize("where", ["load", "render", "run"])
def test_ctrl_c_is_one_line_and_exit_130(
    where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, where, interrupted)
    assert run(["pipeline", "--config", str(PATH)]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip() == "error: stopped; the template is not complete"


def test_ctrl_c_is_answered_before_anything_slow_is_imported() -> None:
    loaded = "import sys, templates.__main__; print('click' in sys.modules or 'troposphere' in sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "False\n"


@pytest.mark.parametrize("module", ["templates.reference", "templates.roles"])
def test_a_page_of_a_configuration_that_cannot_be_used_is_one_line(tmp_path: Path, module: str) -> None:
    (tmp_path / "config.toml").write_text("stages = 1\n")
    ended = subprocess.run(
        [sys.executable, "-m", module],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (64, "")
    assert ended.stderr.startswith("error: config.toml: stages")
    assert ended.stderr.count("\n") == 1


def test_a_configuration_that_is_nested_too_deep_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"x = {'[' * 2000}{']' * 2000}", encoding="utf-8")
    assert run(["pipeline", "--config", str(path)]) == 64
    assert capsys.readouterr().err == f"error: {path}: tables or lists are nested too deep to be read\n"
