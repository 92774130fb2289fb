"""The commands: exit codes, one line for each failure, and that it is our `build` that runs."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

import build
from build import cli
from build.deploy import by_digest, check_given
from build.errors import BuildError, PlatformError, UnavailableError, UserError
from build.package import Packages
from templates.config import ConfigError
from tests.configuration import PATH

ROOT = Path(__file__).parents[3]
DIGEST = "0" * 64


def fails_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    def run(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli.cli, "main", run)
    return cli.main([])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserError("x"), 64),
        (PlatformError("x"), 1),
        (UnavailableError("x"), 77),
        (BuildError("x"), 1),
        (click.UsageError("x"), 64),
        (click.ClickException("x"), 1),
        (KeyboardInterrupt(), 1),
        (click.Abort(), 1),
        (ConfigError("x"), 64),
    ],
)
def test_every_failure_is_one_line_and_a_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fails_with(error, monkeypatch) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("build: ")
    assert err.count("\n") == 1


def test_a_bug_shows_its_trace_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fails_with(ZeroDivisionError("oops"), monkeypatch) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "this is a bug of ours" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "Missing command"),
        (["fly"], "No such command 'fly'"),
        (["deploy", "moon"], "'moon' is not one of 'delivery', 'pipeline'"),
        (["deploy", "--nope"], "No such option"),
        (["plan", "--stage", "moon", "--config", str(PATH)], "unknown stage 'moon'"),
        (["package", "--config", "/no/such.toml"], "cannot read /no/such.toml"),
        (["deploy", "--parameter", "NoValue"], "'NoValue' is not NAME=VALUE"),
        (["deploy", "--parameter", "=x"], "'=x' is not NAME=VALUE"),
        (["plan", "--parameter", "A=1", "--parameter", "A=2"], "'A' is given more than once"),
        (["plan", "--parameter", "A=1", "--parameter", "A=1"], "'A' is given more than once"),
    ],
)
def test_bad_use_is_one_line_and_64(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 64
    err = capsys.readouterr().err
    assert line in err
    assert err.count("\n") == 1


def test_the_commands_return_what_they_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.cli, "main", lambda **_: 1)
    assert cli.main([]) == 1
    monkeypatch.setattr(cli.cli, "main", lambda **_: None)
    assert cli.main([]) == 0


@pytest.mark.parametrize(
    "uri", ["repo/image:latest", "repo/image", f"repo@sha256:{DIGEST[1:]}", "", "a b@sha256:"]
)
def test_an_image_by_tag_is_refused_and_told_how(uri: str) -> None:
    with pytest.raises(UserError, match="not named by digest; pass REPOSITORY@sha256"):
        by_digest(uri)


def test_an_image_by_digest_is_taken() -> None:
    assert by_digest(f"host:5000/repo@sha256:{DIGEST}") == f"host:5000/repo@sha256:{DIGEST}"


NAMES = ("Email", "ValidatorImageURI", "InitPackageKey", "ArtifactKeyArn")
PACKAGES = Packages(
    objects={},
    parameters={"InitPackageKey": "k"},
    delivery='{"Parameters": {"Branch": {}}, "Outputs": {"ArtifactKeyArn": {}}}',
    pipeline=json.dumps({"Parameters": {name: {} for name in NAMES}}),
)


@pytest.mark.parametrize("name", ["Brunch", "ValidatorImageURI", "InitPackageKey", "ArtifactKeyArn", "$(x)"])
def test_a_parameter_that_is_unknown_or_ours_is_refused(name: str) -> None:
    with pytest.raises(UserError) as refused:
        check_given(PACKAGES, {name: "x"})
    assert str(refused.value) == f"cannot set parameter {name}: take one of Branch, Email"


def test_parameters_of_both_stacks_are_taken() -> None:
    check_given(PACKAGES, {"Branch": "next", "Email": ""})


def test_deploying_unasked_needs_yes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\ny\n"))
    assert cli.main(["deploy", "delivery"]) == 64
    assert "say YES=1 (or --yes)" in capsys.readouterr().err


def test_it_is_our_build_that_runs() -> None:
    assert Path(build.__file__) == ROOT / "build" / "__init__.py"
    ended = subprocess.run(
        [sys.executable, "-m", "build", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for command in ("package", "plan", "deploy", "status", "image", "rehearse"):
        assert f"\n  {command} " in ended.stdout


def test_the_tests_of_this_folder_are_collected() -> None:
    unit, here = ROOT / "tests" / "unit", Path(__file__).parent
    others = [f"--ignore={path}" for path in unit.iterdir() if path.is_dir() and path != here]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-qp", "no:cacheprovider", *others, str(unit)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    for path in here.glob("test_*.py"):
        assert f"tests/unit/build_module/{path.name}::" in ended.stdout


def test_the_source_is_linted_and_not_ignored_by_git() -> None:
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "build").rglob("*.py"))
    ruff = [sys.executable, "-m", "ruff", "check", "--show-files", "build"]
    shown = subprocess.run(ruff, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [file for file in files if str(ROOT / file) not in shown] == []
    ignored = subprocess.run(
        ["git", "check-ignore", *files], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ignored.stdout == ""
