"""Dockerfile, .dockerignore and buildspec.yml: what only shows once it runs on AWS is asserted here."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from build.image import CONTEXT
from templates.container import USER

ROOT = Path(__file__).parents[3]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.M)
    lines = text.replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line.strip())]


def final_stage() -> list[tuple[str, str]]:
    every = instructions()
    last = max(index for index, (word, _) in enumerate(every) if word == "FROM")
    return every[last:]


def buildspec() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "buildspec.yml").read_text(encoding="utf-8"))
    return loaded


def test_the_validator_is_the_first_process_and_gets_the_signals() -> None:
    stage = dict(final_stage())
    assert json.loads(stage["ENTRYPOINT"]) == ["python", "-m", "validator"]
    assert json.loads(stage["CMD"]) == ["validate"]


def test_it_runs_as_the_user_the_task_names_and_not_as_root() -> None:
    assert dict(final_stage())["USER"] == USER
    assert not USER.startswith("0")


def test_tmp_belongs_to_that_user_before_it_becomes_a_volume() -> None:
    words = [word for word, _ in final_stage()]
    prepare = next(rest for word, rest in final_stage() if word == "RUN")
    assert f"chown {USER} /tmp" in prepare
    assert words.index("RUN") < words.index("VOLUME")
    assert dict(final_stage())["VOLUME"] == "/tmp"


def test_dependencies_are_exactly_the_locked_ones() -> None:
    (install,) = (rest for word, rest in instructions() if word == "RUN" and "pip install" in rest)
    assert {"--no-deps", "--require-hashes"} <= set(install.split())


def test_every_stage_stands_on_the_one_base() -> None:
    words = instructions()
    assert words[0] == ("ARG", "BASE=python:3.13-slim-trixie")
    assert {rest.split()[0] for word, rest in words if word == "FROM"} == {"${BASE}"}


def test_the_context_is_what_the_tag_is_made_of() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert allowed == {*CONTEXT, "validator"} - {"Dockerfile", ".dockerignore"}
    copied = {rest.split()[0] for word, rest in instructions() if word == "COPY" and "--from" not in rest}
    assert copied == allowed


def test_every_phase_of_the_build_calls_make_and_holds_no_logic() -> None:
    phases = buildspec()["phases"]
    for phase in ("install", "build"):
        assert all(re.fullmatch(r"make [a-z]+", command) for command in phases[phase]["commands"])


def test_only_a_release_that_succeeded_deploys() -> None:
    (command,) = buildspec()["phases"]["post_build"]["commands"]
    guard, *body = command.splitlines()
    assert '"$CODEBUILD_BUILD_SUCCEEDING" = 1' in guard
    assert '"$TARGET" = release' in guard
    assert "make deploy" in " ".join(body)
    everything_else = str({**buildspec(), "phases": {**buildspec()["phases"], "post_build": None}})
    assert "deploy" not in everything_else


def test_every_target_it_calls_is_in_the_makefile() -> None:
    text = (ROOT / "buildspec.yml").read_text(encoding="utf-8")
    called = set(re.findall(r"make (?:--silent )?([a-z]+)", text)) - {"so"}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
    assert {"setup", "test", "image", "deploy"} <= called
    assert called - targets == set()
