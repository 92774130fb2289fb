"""What every process of a step gets: its role's credentials, the emulator as its AWS, a log, a folder."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from build.rehearsal.emulator import credentials
from build.rehearsal.emulator.credentials import Credentials
from build.rehearsal.emulator.faults import Fault, Faults, Kind
from build.rehearsal.emulator.permissions import Permissions
from build.rehearsal.emulator.processes import LocalProcess
from build.rehearsal.emulator.settings import Settings, kept


class Runtime:
    """The surroundings that tasks, jobs and functions share."""

    def __init__(self, settings: Settings, endpoint: str) -> None:
        self.settings = settings
        self.endpoint = endpoint
        self.faults = Faults(settings.faults)
        self.permissions = Permissions(settings)
        self._logs: Counter[str] = Counter()
        self._lock = Lock()

    def client(self, service: str, acting: Credentials = credentials.ADMINISTRATOR) -> Any:
        """A client of the emulator, the administrator's unless a role's credentials are given."""
        return credentials.client(service, self.endpoint, self.settings.region, acting)

    def environment(self, acting: Credentials, scratch: Path) -> dict[str, str]:
        """The variables that a process here has beside its own."""
        return {
            **self.isolated_environment(scratch),
            **acting.environment(),
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def isolated_environment(self, scratch: Path) -> dict[str, str]:
        """The same for a process without a network: no way to the emulator, and no credentials."""
        return {
            **kept(),
            "AWS_DEFAULT_REGION": self.settings.region,
            "AWS_REGION": self.settings.region,
            "HOME": str(scratch),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(scratch),
        }

    def scratch(self, name: str) -> Path:
        """A new folder that goes away with the emulator."""
        return Path(tempfile.mkdtemp(prefix=f"{_plain(name)}-", dir=self.settings.temporary))

    def log(self, name: str) -> Path:
        """A new log file: ``logs/<name>-<n>.log``."""
        with self._lock:
            self._logs[name] += 1
            return self.settings.logs / f"{_plain(name)}-{self._logs[name]}.log"

    def start_validator(
        self,
        step: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        memory: int,
        fault: Fault | None,
    ) -> LocalProcess:
        """Starts the validator image's entry point with at most ``memory`` MiB, or with a fault's."""
        image = self.settings.validator
        process = LocalProcess(
            [*image.argv, *command], environment=environment, cwd=image.cwd, log=self.log(step)
        )
        limit = fault.megabytes if fault and fault.kind is Kind.MEMORY_LIMIT else memory
        process.limit_memory(limit << 20)
        if fault and fault.kind is Kind.CRASH:
            process.crash()
        return process


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)
