"""The emulator as a child of this command: it ends when the command ends, however that happens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from build import shell
from build.errors import PlatformError, UnavailableError
from build.patience import Patience
from build.settings import Credentials, Settings

from .folder import Folder

REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"
WAIT_SCALE: Final = 0.05
"""Wait states and retry pauses of the emulator last this share of what the definition says."""

READY_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Environments:
    """The interpreters of a rehearsal, each with the packages of what it stands for."""

    validator: Path
    emulator: Path
    jobs: Path

    @classmethod
    def below(cls, root: Path, validator: Path) -> Environments:
        """The ones `make setup` creates in the repository.

        Raises:
            UnavailableError: one of them is missing.
        """
        found = cls(validator, root / ".venv-emulator/bin/python", root / ".venv-jobs/bin/python")
        for python in (found.emulator, found.jobs):
            if not python.exists():
                raise UnavailableError(f"cannot rehearse: {python} is missing; run make setup")
        return found


@dataclass(frozen=True, slots=True)
class Cloud:
    """A running emulator: where it answers, and what it says of itself."""

    endpoint_url: str

    @property
    def settings(self) -> Settings:
        """Settings with which the deploy code meets the emulator instead of AWS."""
        return Settings(
            region=REGION, endpoint_url=self.endpoint_url, credentials=Credentials("test", "test")
        )


@contextmanager
def running(
    root: Path, folder: Folder, environments: Environments, faults: Sequence[Mapping[str, Any]]
) -> Iterator[Cloud]:
    """Start the emulator, wait until it answers, and end it with everything it started.

    Raises:
        PlatformError: it ended or stayed silent before it was ready.
    """
    settings = folder.path / "emulator.settings.json"
    settings.write_text(json.dumps(_settings(root, folder, environments, faults), indent=2), encoding="utf-8")
    argv = [str(environments.emulator), "-m", "build.rehearsal.emulator", str(settings)]
    log = folder.logs / "emulator.log"
    with shell.child(argv, cwd=root, log=log) as emulator:
        ready = folder.path / "emulator.json"

        def announced() -> str | None:
            if emulator.ended:
                raise PlatformError(f"the emulator ended before it was ready: see {log}")
            return ready.read_text(encoding="utf-8") if ready.is_file() else None

        answer = Patience(deadline=READY_SECONDS, longest=0.2).until(announced, "the emulator")
        yield Cloud(json.loads(answer)["endpoint_url"])


def _settings(
    root: Path, folder: Folder, environments: Environments, faults: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    return {
        "folder": str(folder.path),
        "validator": {"argv": [str(environments.validator), "-m", "validator"], "cwd": str(root)},
        "jobs_python": str(environments.jobs),
        "account": ACCOUNT,
        "region": REGION,
        "wait_scale": WAIT_SCALE,
        "authorize": True,
        "faults": list(faults),
    }
