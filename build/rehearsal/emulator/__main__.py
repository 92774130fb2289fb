"""``python -m build.rehearsal.emulator SETTINGS.json``: runs the emulator until its standard input ends.

Exit code 64 says that the settings cannot be used. Otherwise the emulator ends by SIGKILL to its own process
group, so that nothing it started outlives it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

from build.rehearsal.emulator import (
    events,
    executions,
    functions,
    objects,
    processes,
    releases,
    resources,
    settings,
)
from build.rehearsal.emulator.batch_jobs import BatchJobs
from build.rehearsal.emulator.containers import Containers
from build.rehearsal.emulator.credentials import ADMINISTRATOR
from build.rehearsal.emulator.engine import Engine
from build.rehearsal.emulator.model_registry import ModelRegistry
from build.rehearsal.emulator.runtime import Runtime
from build.rehearsal.emulator.settings import Settings, SettingsError
from build.rehearsal.emulator.spark_jobs import SparkJobs
from build.rehearsal.emulator.training_jobs import TrainingJobs


def main(arguments: list[str]) -> None:
    """Starts everything and serves."""
    told = _settings(arguments)
    _take_hold(told)
    listener = socket.create_server(("127.0.0.1", 0))
    runtime = Runtime(told, f"http://127.0.0.1:{listener.getsockname()[1]}")
    _furnish(runtime)
    asyncio.run(_serve(runtime, listener))


def _settings(arguments: list[str]) -> Settings:
    try:
        if len(arguments) != 1:
            raise SettingsError("usage: python -m build.rehearsal.emulator SETTINGS.json")
        return settings.load(Path(arguments[0]))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(os.EX_USAGE)


def _take_hold(told: Settings) -> None:
    """Makes sure, before anything is started, that everything will end."""
    processes.lead_group()
    told.temporary.mkdir(parents=True, exist_ok=True)
    told.logs.mkdir(exist_ok=True)
    processes.on_end_of_input(lambda: _end(told))
    processes.on_terminate(lambda: _end(told))
    processes.redirect_output(told.logs / "emulator.log")


def _end(told: Settings) -> None:
    processes.end_others()
    told.announcement.unlink(missing_ok=True)
    shutil.rmtree(told.temporary, ignore_errors=True)
    processes.end_group()


def _furnish(runtime: Runtime) -> None:
    """Puts the environment in place, and only then MiniStack and what it lacks."""
    containers = Containers(runtime)
    docker_host = Engine(containers.launch).serve()
    port = runtime.endpoint.rpartition(":")[2]
    settings.enter(settings.ministack(runtime.settings, int(port), docker_host))
    runtime.permissions.install()
    executions.install(runtime.permissions)
    events.install(runtime.permissions)
    functions.install(runtime)
    releases.install(runtime.permissions)
    objects.register()
    resources.register()
    containers.register()
    BatchJobs(runtime).register()
    SparkJobs(runtime).register()
    jobs = TrainingJobs(runtime)
    jobs.register()
    ModelRegistry(runtime, jobs).register()


async def _serve(runtime: Runtime, listener: socket.socket) -> None:
    from hypercorn.asyncio import serve  # noqa: PLC0415 - with MiniStack, after its environment is in place
    from hypercorn.config import Config  # noqa: PLC0415
    from ministack.app import app  # noqa: PLC0415

    async def until_the_end() -> None:
        # Hypercorn asks for the end of its service as soon as that has begun.
        _announce(runtime)
        await asyncio.Event().wait()

    async def over_tls(scope: dict[str, Any], receive: Any, send: Any) -> None:
        # Nobody listens in on loopback: policies that ask for TLS find it, and judge the rest of the request.
        await app({**scope, "scheme": "https"}, receive, send)

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    await serve(over_tls, config, shutdown_trigger=until_the_end)


def _announce(runtime: Runtime) -> None:
    told = runtime.settings
    announcement = {
        "endpoint_url": runtime.endpoint,
        "pid": os.getpid(),
        "account": told.account,
        "region": told.region,
        "access_key_id": ADMINISTRATOR.access_key_id,
        "secret_access_key": ADMINISTRATOR.secret_access_key,
        "logs": str(told.logs),
    }
    fresh = told.temporary / "emulator.json"
    fresh.write_text(json.dumps(announcement, indent=2) + "\n", encoding="utf-8")
    fresh.replace(told.announcement)
    logging.getLogger(__name__).info("ready at %s", runtime.endpoint)


if __name__ == "__main__":
    main(sys.argv[1:])
