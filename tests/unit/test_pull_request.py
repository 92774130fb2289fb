"""What runs for a pull request: no secret, no right to write, pinned actions, and nothing but make."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
WORKFLOW = (ROOT / ".github/workflows/pull-request.yml").read_text(encoding="utf-8")
HOOKS = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")


def steps(text: str) -> Iterator[dict[str, Any]]:
    for job in yaml.safe_load(text)["jobs"].values():
        yield from job["steps"]


def mistakes(text: str) -> Iterator[str]:
    """Yield what a pull request's workflow must not have, one line each."""
    workflow = yaml.safe_load(text)
    # YAML 1.1 reads the key `on` as true.
    if workflow[True] != "pull_request":
        yield "it runs with the rights of the base repository"
    grants = [workflow.get("permissions"), *(job.get("permissions", {}) for job in workflow["jobs"].values())]
    if grants[0] != {"contents": "read"} or any(grants[1:]):
        yield "it may do more than read"
    if "secrets." in text:
        yield "it reads a secret"
    for name, job in workflow["jobs"].items():
        if "timeout-minutes" not in job:
            yield f"{name} may run for six hours"
    for step in steps(text):
        yield from unsafe(step)
    for line in text.splitlines():
        if "uses:" in line and not re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line):
            yield f"not pinned: {line.strip()}"


def unsafe(step: dict[str, Any]) -> Iterator[str]:
    if (
        step.get("uses", "").startswith("actions/checkout")
        and step["with"]["persist-credentials"] is not False
    ):
        yield "the token stays in .git/config"
    if "${{" in step.get("run", ""):
        yield f"others' text stands in a command: {step['run']}"
    if "run" in step and not step["run"].startswith("make "):
        yield f"logic that runs nowhere else: {step['run']}"


def test_the_workflow_has_none_of_them() -> None:
    assert list(mistakes(WORKFLOW)) == []


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("on: pull_request", "on: pull_request_target", "rights of the base repository"),
        ("contents: read", "contents: write", "more than read"),
        ("timeout-minutes: 5", "continue-on-error: false", "templates may run for six hours"),
        ("persist-credentials: false", "persist-credentials: true", "the token stays"),
        ('BASE="$BASE"', 'BASE="${{ github.head_ref }}"', "others' text"),
        ("run: make check", "run: ruff check .", "logic that runs nowhere else"),
        ("@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0", "@v5", "not pinned"),
        ("BASE: ${{ github.event.pull_request.base.sha }}", "BASE: ${{ secrets.TOKEN }}", "reads a secret"),
    ],
)
def test_a_planted_mistake_is_found(before: str, after: str, told: str) -> None:
    assert before in WORKFLOW
    assert any(told in mistake for mistake in mistakes(WORKFLOW.replace(before, after)))


def test_lint_tests_and_template_diff_are_run() -> None:
    run = [step["run"] for step in steps(WORKFLOW) if "run" in step]
    assert run[:2] == ["make check", "make test"]
    assert run[2].startswith("make --silent template-diff ")


def test_hooks_are_local_and_their_tools_are_those_of_make_setup() -> None:
    (repository,) = yaml.safe_load(HOOKS)["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        program, *arguments = shlex.split(hook["entry"])
        assert hook["language"] == "system"
        assert Path(program).parent == Path(".venv/bin")
        assert all((ROOT / path).exists() for path in arguments if path.startswith("tests/"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose branch has changed one golden, and something else."""

    def git(*arguments: str) -> None:
        name = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
        subprocess.run(["git", *name, *arguments], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "Makefile").symlink_to(ROOT / "Makefile")
    (tmp_path / "tests/golden/parity").mkdir(parents=True)
    for file in ("tests/golden/pipeline.dev.json", "tests/golden/parity/1.json", "README.md"):
        (tmp_path / file).write_text('{\n  "a": 1\n}\n')
    git("init", "--initial-branch", "main")
    git("add", ".")
    git("commit", "--message", "Begin")
    git("checkout", "-b", "change")
    return tmp_path


def asked(repository: Path, base: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--silent", "template-diff", f"BASE={base}"]
    # `make test` would have it called make[1].
    environment = {name: value for name, value in os.environ.items() if name != "MAKELEVEL"}
    return subprocess.run(
        command, cwd=repository, env=environment, check=False, capture_output=True, text=True
    )


def diff(repository: Path) -> str:
    done = asked(repository, "main")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("base", ["nope", "", "main:README.md", "--all"])
def test_a_base_that_is_no_commit_is_one_line(repository: Path, base: str) -> None:
    done = asked(repository, base)
    told, ended = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert told.startswith(f"template-diff: BASE={base} is no commit here that this branch comes from")
    assert ended.startswith("make: *** ")


def test_a_changed_template_is_shown_and_nothing_else(repository: Path) -> None:
    assert diff(repository) == "### Template diff\ntests/golden stays as it is. After an edit: make golden.\n"
    for file in ("tests/golden/pipeline.dev.json", "tests/golden/parity/1.json", "README.md"):
        (repository / file).write_text('{\n  "a": 2\n}\n')
    shown = diff(repository)
    assert "\n````diff\n" in shown
    assert '\n-  "a": 1\n+  "a": 2\n' in shown
    assert shown.count("diff --git") == 1
    assert "parity" not in shown
