"""The walls of the house: who may import whom, and where each outside thing is met."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("templates", "build", "validator", "steps")

EMULATOR = "build.rehearsal.emulator"
"""Runs in the emulator's own environment, so it meets nothing of ours."""

ARROWS: dict[str, tuple[str, ...]] = {
    "templates": ("templates", "validator.contract"),
    EMULATOR: (EMULATOR,),
    "build": ("build", "templates", "validator.contract"),
    "validator": ("validator",),
    "steps.init": ("steps.init",),
    "steps.evaluate": ("steps.evaluate",),
    "steps.prepare": ("steps.prepare",),
    "steps.train": ("steps.train",),
}
"""Package -> what of ours it may import; the longest matching name holds."""

DOORS: dict[str, tuple[str, ...]] = {
    "boto3": (
        "validator/store/*.py",
        "build/aws.py",
        "build/aws/*.py",
        "build/rehearsal/emulator/*.py",
        "steps/*/main.py",
    ),
    "botocore": (
        "validator/store/*.py",
        "build/aws.py",
        "build/aws/*.py",
        "build/rehearsal/emulator/*.py",
        "steps/*/*.py",
    ),
    "subprocess": ("build/shell.py", "build/rehearsal/emulator/processes.py"),
    "signal": (
        "validator/interruption.py",
        "build/shell.py",
        "build/rehearsal/emulator/processes.py",
        "build/rehearsal/emulator/__main__.py",
    ),
    "tensorflow_data_validation": (),
    "tensorflow_data_validation_extension": ("validator/core.py",),
}
"""Outside thing -> the only files that may import it."""

ENVIRONMENT = (
    "validator/settings.py",
    "build/settings.py",
    "build/rehearsal/emulator/settings.py",
    "steps/*/main.py",
)
"""The only files that may read the process's environment."""


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, module: str, *, is_package: bool = False) -> Iterator[str]:
    """Absolute names of everything a module imports, relative imports resolved."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def wrong_arrows(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """Imports of ours that this module may not have."""
    home = max((package for package in ARROWS if within(module, (package,))), key=len, default=None)
    if home is None:
        return []
    ours = (name for name in imports(source, module, is_package=is_package) if within(name, PACKAGES))
    return [f"{module} -> {name}" for name in ours if not within(name, ARROWS[home])]


def wrong_doors(source: str, path: str) -> list[str]:
    """Outside things this file meets although another file is their door."""
    met = {name.split(".")[0] for name in imports(source, path.removesuffix(".py").replace("/", "."))}
    found = [f"{path} imports {thing}" for thing in met & DOORS.keys() if not matches(path, DOORS[thing])]
    if not matches(path, ENVIRONMENT) and reads_environment(source):
        found.append(f"{path} reads the environment")
    return found


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(path, pattern) for pattern in patterns)


def reads_environment(source: str) -> bool:
    attributes = {"environ", "getenv", "environb"}
    return any(
        (
            isinstance(node, ast.Attribute)
            and node.attr in attributes
            and isinstance(node.value, ast.Name)
            and node.value.id == "os"
        )
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and attributes & {a.name for a in node.names}
        )
        for node in ast.walk(ast.parse(source))
    )


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_keeps_to_the_arrows_and_doors(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    relative = path.relative_to(ROOT).as_posix()
    assert wrong_arrows(source, name_of(path), is_package=path.name == "__init__.py") == []
    assert wrong_doors(source, relative) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("templates.stacks", "from validator import settings"),
        ("templates.stacks", "import build.deploy"),
        ("build.deploy", "from validator.run import run"),
        ("build.rehearsal.emulator.engine", "from build import shell"),
        ("validator.run", "from templates.config import Config"),
        ("steps.init.main", "from steps.evaluate import main"),
        ("steps.init.main", "from ..evaluate import main"),
        ("steps.train.main", "import validator.contract"),
    ],
)
def test_a_wrong_arrow_is_caught(module: str, source: str) -> None:
    assert wrong_arrows(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("templates.stacks", "from validator.contract import Artifact"),
        ("build.deploy", "from templates.config import Config"),
        ("steps.init.main", "from .plan import size"),
        ("validator.run", "from . import report"),
        ("build.rehearsal.emulator.engine", "from .processes import start"),
    ],
)
def test_a_right_arrow_passes(module: str, source: str) -> None:
    assert wrong_arrows(source, module) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("build/plan.py", "import boto3"),
        ("validator/run.py", "from botocore.exceptions import ClientError"),
        ("build/deploy.py", "import subprocess"),
        ("validator/run.py", "import os\nos.environ['A']"),
        ("validator/run.py", "from os import environ"),
        ("build/deploy.py", "import os\nos.getenv('A')"),
        ("validator/schema.py", "import tensorflow_data_validation"),
    ],
)
def test_a_second_door_is_caught(path: str, source: str) -> None:
    assert wrong_doors(source, path)


def test_modules_do_not_import_in_circles() -> None:
    """Within a package no module reaches itself through top-level imports."""
    modules = {name_of(path): path for path in sources()}
    graph = {name: met(top_level(path, name), modules.keys()) - {name} for name, path in modules.items()}
    for start in graph:
        assert start not in reachable(graph, start), f"{start} imports itself through others"


def top_level(path: Path, module: str) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return set(imports(ast.unparse(tree), module, is_package=path.name == "__init__.py"))


def met(names: Iterable[str], modules: Collection[str]) -> set[str]:
    """The modules these names are, or are in: of `from package import module` the module."""
    nearest = (name if name in modules else name.rpartition(".")[0] for name in names)
    return {name for name in nearest if name in modules}


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(graph[name])
    return seen


def test_build_is_source_and_not_passed_over() -> None:
    """Common defaults ignore a folder named build: git, ruff and pytest must all see ours."""
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "build").rglob("*.py")}
    tracked = lines("git", "ls-files", "--cached", "--others", "--exclude-standard", "build")
    linted = lines(str(Path(sys.executable).with_name("ruff")), "check", "--show-files", ".")
    assert files
    assert files <= set(tracked)
    assert files <= {Path(line).relative_to(ROOT).as_posix() for line in linted}


def test_python_dash_m_build_is_ours() -> None:
    command = [sys.executable, "-c", "import build; print(build.__file__)"]
    assert Path(lines(*command)[0]) == ROOT / "build" / "__init__.py"


def lines(*command: str) -> list[str]:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


def tree() -> dict[str, set[str]]:
    """Folder -> what of it ARCHITECTURE.md names in its tree, left of what is said of it."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    lines = text.partition("## The tree\n")[2].partition("\n## ")[0].splitlines()
    found: dict[str, set[str]] = {}
    path: list[str] = []
    for line in filter(str.strip, lines):
        depth = (len(line) - len(line.lstrip()) - 4) // 2
        names = re.split(r"  +", line.strip())[0].split()
        path = [*path[:depth], names[0].rstrip("/")]
        found.setdefault("/".join(path[:-1]), set()).update(name.rstrip("/") for name in names)
    return found


@pytest.mark.parametrize("folder", ["templates", "build", "build/rehearsal", "validator"])
def test_the_tree_names_every_module_and_no_other(folder: str) -> None:
    there = {path.stem for path in (ROOT / folder).iterdir() if path.is_dir() or path.suffix == ".py"}
    assert tree()[folder] == {name for name in there if not name.startswith("_")}


JUDGES = {"configuration.py", "variants.py", "test_reference.py", "test_roles.py"}
"""Who reads config.toml: goldens, checks and linters (all by variants), and what keeps docs/ up to date."""


def test_only_what_judges_the_delivered_configuration_reads_it() -> None:
    """Whoever edits config.toml would find other tests red for nothing."""
    reading = re.compile(r"\bDELIVERED\b|ROOT / .config\.toml|Path\(.config\.toml")
    found = {path.name for path in (ROOT / "tests").rglob("*.py") if reading.search(path.read_text("utf-8"))}
    assert found - {Path(__file__).name} == JUDGES
