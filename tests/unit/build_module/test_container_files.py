"""Dockerfile, .dockerignore and buildspec.yml: what only shows once it runs on AWS is asserted here."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from build.image import CONTEXT
from templates.container import USER
from tests.unit.templates.variants import Variant

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


def test_the_build_calls_one_target_of_make_and_holds_no_logic() -> None:
    phases = buildspec()["phases"]
    assert {name: phase["commands"] for name, phase in phases.items() if "commands" in phase} == {
        "build": ['make "$TARGET"']
    }


def delivery() -> dict[str, Any]:
    """Resources of the stack that has the builds."""
    resources: dict[str, Any] = json.loads(Variant("delivery", "dev").render())["Resources"]
    return resources


def target(project: str) -> str:
    """What a project makes."""
    variables = delivery()[project]["Properties"]["Environment"]["EnvironmentVariables"]
    (found,) = (each["Value"] for each in variables if each["Name"] == "TARGET")
    return str(found)


def rule(name: str) -> str:
    """A target of the Makefile: what it needs, and what it does."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^{name}:(.*?)(?=^\S|\Z)", text, flags=re.M | re.S)
    return str(found)


def test_what_deploys_runs_no_test_and_nothing_of_the_development_environment() -> None:
    assert (target("CheckProject"), target("ReleaseProject")) == ("test", "release")
    needs, _, does = rule("release").partition("##")
    assert needs.split() == [".venv-release/.ready"]
    assert set(re.findall(r"[\w.-]+/bin/python", does)) == {".venv-release/bin/python"}
    assert "build deploy pipeline" in does
    assert "pytest" not in does
    assert "deploy" not in rule("test")


def test_what_the_branch_deploys_it_has_tested() -> None:
    triggers = {title: delivery()[title]["Properties"]["Triggers"] for title in PROJECTS}
    (pushed,) = triggers["ReleaseProject"]["FilterGroups"]
    assert pushed in triggers["CheckProject"]["FilterGroups"]


PROJECTS = ("CheckProject", "ReleaseProject")


def imported(paths: Iterable[Path]) -> set[str]:
    """Names of the packages that modules import, wherever they do."""
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in plain | named}


def test_what_deploys_has_what_it_imports_and_no_more() -> None:
    """Rehearsals lie in a folder of their own, which a release does not open."""
    build, templates = ROOT / "build", ROOT / "templates"
    wanted = imported([*build.glob("*.py"), *build.glob("aws/*.py"), *templates.rglob("*.py")])
    # boto3 brings botocore.
    foreign = wanted - set(sys.stdlib_module_names) - {"build", "templates", "validator", "botocore"}
    listed = (ROOT / "requirements/release.in").read_text(encoding="utf-8").splitlines()
    # zoneinfo imports it by itself, where a machine brings no time zones along.
    foreign |= {"tzdata"} if "zoneinfo" in wanted else set()
    assert foreign == {line for line in listed if not line.startswith("#")}
