"""What is brought home from an execution is that execution's, and nothing of the one before."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from build.rehearsal import play


@dataclass
class S3:
    """A bucket as a dictionary: listing and reading is all a download needs."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def keys(self, bucket: str, prefix: str) -> list[str]:
        return sorted(key for key in self.objects if key.startswith(prefix))

    def read(self, bucket: str, key: str) -> bytes:
        return self.objects[key]


def test_a_download_replaces_what_an_earlier_execution_left(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    (output / "verdict.json").write_text("{}")
    s3 = S3({"validation/b/states/x.zip": b"1", "validation/bb/gate.json": b"2"})
    stage: Any = SimpleNamespace(bucket="bucket", aws=SimpleNamespace(s3=s3))
    play._download(stage, "validation/b/", output)
    assert [path.relative_to(output).as_posix() for path in output.rglob("*.*")] == ["states/x.zip"]
