"""The stand-in engine, spoken to as docker-py does."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from build.rehearsal.emulator.engine import Container, Engine
from build.rehearsal.emulator.processes import LocalProcess

LABELS = {"task": "t1", "ministack": "ecs"}


class Docker:
    """The little of a client that is needed."""

    def __init__(self, host: str) -> None:
        self._host = host.removeprefix("tcp://")

    def raw(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        connection = HTTPConnection(self._host, timeout=20)
        connection.request(method, f"/v1.43{path}", None if body is None else json.dumps(body))
        response = connection.getresponse()
        content = response.status, response.read()
        connection.close()
        return content

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        status, content = self.raw(method, path, body)
        return status, json.loads(content) if content else None

    def run(self, code: str) -> str:
        made = self.ask(
            "POST", "/containers/create?name=n1", {"Image": "i", "Cmd": [code], "Labels": LABELS}
        )[1]["Id"]
        assert self.ask("POST", f"/containers/{made}/start")[0] == 204
        return str(made)


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[Docker]:
    started: list[LocalProcess] = []

    def launch(container: Container) -> LocalProcess:
        container.grace = 0.2
        if container.command == ["refuse"]:
            raise OSError("no such program")
        process = LocalProcess(
            [sys.executable, "-c", *container.command],
            environment={},
            cwd=tmp_path,
            log=tmp_path / "container.log",
        )
        started.append(process)
        return process

    yield Docker(Engine(launch).serve())
    for process in started:
        process.kill()


def test_a_container_runs_to_its_exit_code(docker: Docker) -> None:
    made = docker.run("raise SystemExit(3)")
    assert docker.ask("POST", f"/containers/{made}/wait")[1] == {"StatusCode": 3}
    state = docker.ask("GET", f"/containers/{made}/json")[1]["State"]
    assert (state["Status"], state["ExitCode"], state["Running"]) == ("exited", 3, False)


def test_stop_waits_as_long_as_the_task_says(docker: Docker) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True)"
    made = docker.run(f"{deaf}; time.sleep(60)")
    while b"ready" not in docker.raw("GET", f"/containers/{made}/logs")[1]:
        pass
    docker.ask("POST", f"/containers/{made}/stop?t=5")
    assert docker.ask("POST", f"/containers/{made}/wait")[1] == {"StatusCode": 137}


def test_logs_follow_until_the_end(docker: Docker) -> None:
    made = docker.run("print('one', flush=True); import time; time.sleep(0.2); print('two')")
    stream = docker.raw("GET", f"/containers/{made}/logs?follow=1&stdout=1")[1]
    text = b""
    while stream:
        kind, size = struct.unpack(">BxxxL", stream[:8])
        assert kind == 1
        text, stream = text + stream[8 : 8 + size], stream[8 + size :]
    assert text == b"one\ntwo\n"


def test_lists_are_filtered(docker: Docker) -> None:
    docker.run("pass")

    def listed(labels: list[str]) -> int:
        filters = json.dumps({"label": labels}).replace(" ", "").replace('"', "%22")
        return len(docker.ask("GET", f"/containers/json?all=1&filters={filters}")[1])

    assert listed(["ministack=ecs", "task"]) == 1
    assert listed(["ministack=rds"]) == 0


def test_removing_a_running_container_kills_it(docker: Docker) -> None:
    made = docker.run("import time; time.sleep(60)")
    assert docker.ask("DELETE", f"/containers/{made}?force=1")[0] == 204
    assert docker.ask("GET", f"/containers/{made}/json")[0] == 404


def test_one_that_cannot_start_says_why(docker: Docker) -> None:
    made = docker.ask("POST", "/containers/create", {"Image": "i", "Cmd": ["refuse"]})[1]["Id"]
    status, answer = docker.ask("POST", f"/containers/{made}/start")
    assert status == 500
    assert "no such program" in answer["message"]


def test_the_emulators_own_container_is_on_loopback(docker: Docker) -> None:
    networks = docker.ask("GET", "/containers/emulator/json")[1]["NetworkSettings"]["Networks"]
    assert [network["IPAddress"] for network in networks.values()] == ["127.0.0.1"]


@pytest.mark.parametrize(
    "path", ["/images/123.dkr.ecr.us-east-1.amazonaws.com/v@sha256:aa/json", "/images/a%2Fb:1/json"]
)
def test_every_image_exists(docker: Docker, path: str) -> None:
    assert docker.ask("GET", path)[0] == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/swarm"), ("POST", "/containers/x/pause"), ("DELETE", "/x")]
)
def test_what_is_not_served_is_said_to_be_so(docker: Docker, method: str, path: str) -> None:
    assert docker.ask(method, path)[0] == 501


def test_an_unknown_container_is_not_found(docker: Docker) -> None:
    assert docker.ask("POST", "/containers/nothing/start")[0] == 404
