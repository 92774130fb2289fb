"""What is brought home from an execution is that execution's, and nothing of the one before."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from build.aws.ec2 import Network
from build.rehearsal import play
from build.rehearsal.outcome import Notification
from templates.config import NetworkMode
from templates.stacks import render
from tests.configuration import configuration


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


def test_notices_are_kept_in_their_order_over_all_executions(tmp_path: Path) -> None:
    play._keep([Notification("a", "one\ntwo"), Notification("b", "three")], tmp_path)
    play._keep([], tmp_path)
    play._keep([Notification("c", "four")], tmp_path)
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert kept == {
        "01.txt": "Subject: a\n\none\ntwo\n",
        "02.txt": "Subject: b\n\nthree\n",
        "03.txt": "Subject: c\n\nfour\n",
    }


@pytest.mark.parametrize("mode", NetworkMode)
def test_a_network_is_given_where_the_stack_makes_none(mode: NetworkMode) -> None:
    made: list[str] = []

    def create_network(name: str) -> Network:
        made.append(name)
        return Network("subnet-1", "sg-1")

    aws: Any = SimpleNamespace(ec2=SimpleNamespace(create_network=create_network))
    config = replace(configuration(), network=mode)
    given = play._given(config, aws)
    needed = {
        name
        for name, parameter in json.loads(render("pipeline", config))["Parameters"].items()
        if parameter["Type"].startswith(("List<AWS::EC2", "AWS::EC2")) and "Default" not in parameter
    }
    assert set(given) == needed
    assert made == (["sluice-dev-rehearsed"] if needed else [])
