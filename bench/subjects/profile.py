"""Ours: the profile with saved states, from naming the file to the statistics proto."""

from __future__ import annotations

from validator import settings

settings.settle_native_libraries()

import argparse  # noqa: E402 - threads are settled before anything slow is imported
import importlib  # noqa: E402
import pkgutil  # noqa: E402

from bench.subjects.meter import metered  # noqa: E402
from validator import formats, run  # noqa: E402
from validator.contract import Environment  # noqa: E402
from validator.interruption import Interruption  # noqa: E402


def main() -> None:
    """Profiles a file or folder into an output folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("output")
    parser.add_argument("--workers", default="1")
    asked = parser.parse_args()
    for module in pkgutil.walk_packages(formats.__path__, f"{formats.__name__}."):
        # The formats import what they need when they are first met: that is no part of the profile.
        importlib.import_module(module.name)
    options: dict[str, str | None] = {
        Environment.DATA_URI: asked.data,
        Environment.OUTPUT_URI: asked.output,
        Environment.WORKERS: asked.workers,
    }
    wanted = settings.load(options, environment={})
    with metered() as said:
        said["rows"] = run.profile(wanted, Interruption(), lambda _line: None).rows


if __name__ == "__main__":
    main()
