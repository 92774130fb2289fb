"""A rehearsal's own folder, and the link to the latest finished one."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Folder:
    """Everything one rehearsal reads, writes and leaves behind lies below ``path``."""

    path: Path

    @property
    def logs(self) -> Path:
        """One log per container, function and job, and the emulator's own."""
        return self.path / "logs"

    @property
    def temporary(self) -> Path:
        """TMPDIR of every process; gone when the rehearsal ends."""
        return self.path / "tmp"

    @property
    def data(self) -> Path:
        """The sample days, as they were uploaded."""
        return self.path / "data"

    @property
    def output(self) -> Path:
        """What the validator wrote in the last execution, downloaded."""
        return self.path / "output"

    @property
    def notices(self) -> Path:
        """What the topic's subscribers were told, a file each."""
        return self.path / "notices"

    @property
    def summary(self) -> Path:
        """``summary.json``, written last."""
        return self.path / "summary.json"


def create(root: Path, scenario: str) -> Folder:
    """Make a new folder below ``root``; two rehearsals at once never share one.

    Raises:
        OSError: the root cannot be made or written.
    """
    root.mkdir(parents=True, exist_ok=True)
    folder = Folder(Path(tempfile.mkdtemp(prefix=f"{scenario}-", dir=root)).resolve())
    for part in (folder.logs, folder.temporary, folder.data, folder.output, folder.notices):
        part.mkdir()
    return folder


def point_latest(folder: Folder) -> Path:
    """Swap ``<root>/latest`` to this folder; a reader sees the old link or the new one, never none."""
    latest = folder.path.parent / LATEST
    fresh = folder.path / LATEST
    fresh.symlink_to(folder.path.name)
    return fresh.replace(latest)
