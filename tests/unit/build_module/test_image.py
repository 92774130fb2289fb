"""The validator's image: built once for its content, named by ECR's digest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from build import shell
from build.aws.ecr import Login, Manifest
from build.errors import PlatformError, UnavailableError, UserError
from build.image import Engine, publish, tag_of

URI = "000000000000.dkr.ecr.us-east-1.amazonaws.com/sluice/validator"
DIGEST = f"sha256:{'0' * 63}1"

DOCKER = """#!/bin/sh
printf '%s|' "$@" >> "$CALLS"; printf '\\n' >> "$CALLS"
if [ "$1" = login ]; then cat > "$CALLS.secret"; fi
echo "noise on stdout"
test "$1" != "$FAILS"
"""


class Repository:
    """An ECR that learns of a tag when the fake docker has pushed it."""

    def __init__(self, calls: Path, known: dict[str, str] | None = None) -> None:
        self._calls, self._known = calls, known or {}

    def digest(self, repository: str, tag: str) -> str | None:
        assert repository == "sluice/validator"
        pushed = self._calls.exists() and f"push|{URI}:{tag}|" in self._calls.read_text()
        return DIGEST if pushed else self._known.get(tag)

    def manifest(self, repository: str, digest: str) -> Manifest | None:
        raise NotImplementedError

    def put(self, repository: str, manifest: Manifest, tag: str) -> None:
        raise NotImplementedError

    def login(self) -> Login:
        return Login("000000000000.dkr.ecr.us-east-1.amazonaws.com", "AWS", "s3cret $(x)")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repo with blank"
    (root / "validator").mkdir(parents=True)
    for name in ("Dockerfile", ".dockerignore", "requirements.txt", "validator/cli.py"):
        (root / name).write_text(name)
    return root


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts a fake docker on PATH; it notes each call here."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "docker").write_text(DOCKER)
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("FAILS", "")
    return tmp_path / "calls"


def engine() -> Engine:
    return Engine("docker", shell.run)


def test_a_new_content_is_built_pushed_and_named_by_digest(root: Path, calls: Path) -> None:
    assert publish(Repository(calls), engine(), URI, root) == f"{URI}@{DIGEST}"
    name = f"{URI}:{tag_of(root)}"
    assert calls.read_text().splitlines() == [
        f"build|--platform|linux/amd64|--tag|{name}|{root}|",
        "login|--username|AWS|--password-stdin|000000000000.dkr.ecr.us-east-1.amazonaws.com|",
        f"push|{name}|",
    ]


def test_the_password_is_seen_by_stdin_alone(
    root: Path, calls: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    publish(Repository(calls), engine(), URI, root)
    assert Path(f"{calls}.secret").read_text() == "s3cret $(x)"
    assert "s3cret" not in calls.read_text() + "".join(capfd.readouterr())
    assert "s3cret" not in repr(Repository(calls).login())


def test_docker_leaves_stdout_to_us(root: Path, calls: Path, capfd: pytest.CaptureFixture[str]) -> None:
    publish(Repository(calls), engine(), URI, root)
    out, err = capfd.readouterr()
    assert out == ""
    assert "noise" in err


def test_a_known_content_needs_no_docker(root: Path, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "none", {tag_of(root): DIGEST})
    assert publish(repository, Engine("no-such-docker", shell.run), URI, root) == f"{URI}@{DIGEST}"


def test_a_missing_docker_is_said_in_one_line(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot run no-such-docker: ") as missing:
        publish(Repository(tmp_path / "none"), Engine("no-such-docker", shell.run), URI, root)
    assert missing.value.exit_code == 77


@pytest.mark.parametrize("step", ["build", "login", "push"])
def test_a_step_that_fails_ends_it(
    root: Path, calls: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setenv("FAILS", step)
    with pytest.raises(PlatformError, match=rf"docker {step} ended with 1"):
        publish(Repository(calls), engine(), URI, root)
    assert calls.read_text().splitlines()[-1].startswith(step)


def test_a_push_that_ecr_does_not_know_is_an_error(root: Path, calls: Path, tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="ECR does not know it"):
        publish(Repository(tmp_path / "elsewhere"), engine(), URI, root)


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore", "requirements.txt", "validator/cli.py"])
def test_the_tag_follows_the_content(root: Path, name: str) -> None:
    before = tag_of(root)
    (root / name).write_text("changed")
    assert tag_of(root) != before


def test_the_tag_ignores_what_is_not_in_the_image(root: Path) -> None:
    before = tag_of(root)
    (root / "validator" / "__pycache__").mkdir()
    (root / "validator" / "__pycache__" / "cli.pyc").write_text("x")
    (root / "README.md").write_text("x")
    assert tag_of(root) == before
    assert before.startswith("build-")
    assert len(before) <= 128


def test_a_missing_dockerfile_is_named(root: Path) -> None:
    (root / "Dockerfile").unlink()
    with pytest.raises(UserError, match="Dockerfile"):
        tag_of(root)
