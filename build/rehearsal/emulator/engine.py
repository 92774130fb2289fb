"""A stand-in for the Docker Engine API on loopback: the containers MiniStack's ECS asks for become processes.

It serves what docker-py asks for on behalf of MiniStack: every image exists, a container is a process, its
log is a file (https://docs.docker.com/reference/api/engine/version/v1.43/).
"""

from __future__ import annotations

import json
import re
import struct
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from build.rehearsal.emulator.processes import LocalProcess

_DIGEST: Final = "sha256:" + "0" * 64
_CHUNK_BYTES: Final = 1 << 16
_POLL_SECONDS: Final = 0.05


@dataclass(slots=True)
class Container:
    """A container as its creator configured it."""

    name: str
    configuration: Mapping[str, Any]
    id: str = field(default_factory=lambda: uuid.uuid4().hex * 2)
    created: str = field(default_factory=lambda: _now())  # noqa: PLW0108 - defined below
    started: str = ""
    finished: str = ""
    process: LocalProcess | None = None
    grace: float = 30
    """Seconds between SIGTERM and SIGKILL: the task definition's stopTimeout."""
    ended: Event = field(default_factory=Event)

    @property
    def labels(self) -> dict[str, str]:
        """What MiniStack wrote on it: the task's ARN, the container's name."""
        return self.configuration.get("Labels") or {}

    @property
    def command(self) -> list[str]:
        """The arguments after the image's ENTRYPOINT."""
        return self.configuration.get("Cmd") or []

    @property
    def environment(self) -> dict[str, str]:
        """The variables its creator gave it."""
        return dict(item.split("=", 1) for item in self.configuration.get("Env") or [])

    @property
    def status(self) -> str:
        """created, running or exited."""
        if self.process is None:
            return "created"
        return "exited" if self.ended.is_set() else "running"

    def describe(self) -> dict[str, Any]:
        """The answer to an inspection."""
        return {
            "Id": self.id,
            "Name": f"/{self.name}",
            "Created": self.created,
            "Image": _DIGEST,
            "Config": {**self.configuration, "Labels": self.labels, "Tty": False},
            "HostConfig": self.configuration.get("HostConfig") or {},
            "State": self._state(),
            "NetworkSettings": _LOOPBACK,
            "Mounts": [],
        }

    def _state(self) -> dict[str, Any]:
        process = self.process
        return {
            "Status": self.status,
            "Running": self.status == "running",
            "OOMKilled": bool(process and process.out_of_memory),
            "ExitCode": (process and process.exit_code) or 0,
            "StartedAt": self.started,
            "FinishedAt": self.finished,
        }


_LOOPBACK: Final = {
    "IPAddress": "127.0.0.1",
    "Networks": {"loopback": {"IPAddress": "127.0.0.1"}},
    "Ports": {},
}

Launch = Callable[[Container], LocalProcess]
"""Starts a container's process; may set its grace."""


class Engine:
    """The containers, and the server that MiniStack reaches them by."""

    def __init__(self, launch: Launch, self_name: str = "emulator") -> None:
        self._launch = launch
        # MiniStack looks up its own container to learn at which address a task reaches it.
        self._own = Container(self_name, {"Image": self_name})
        self._containers: dict[str, Container] = {}
        self._lock = Lock()

    def serve(self) -> str:
        """Starts to listen on a free port; returns the DOCKER_HOST."""
        handler = type("Handler", (_Handler,), {"engine": self})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True, name="engine").start()
        return f"tcp://127.0.0.1:{server.server_address[1]}"

    def create(self, name: str, configuration: Mapping[str, Any]) -> Container:
        """Takes note of a container."""
        container = Container(name, configuration)
        with self._lock:
            self._containers[container.id] = container
        return container

    def find(self, reference: str) -> Container | None:
        """The container of this name or (shortened) id."""
        if reference == self._own.name:
            return self._own
        with self._lock:
            return next(
                (
                    item
                    for item in self._containers.values()
                    if reference in (item.name, item.id[: len(reference)])
                ),
                None,
            )

    def list(self, *, every: bool, labels: list[str]) -> list[Container]:
        """The running containers, or every one, that carry all the labels (``name`` or ``name=value``)."""
        with self._lock:
            known = list(self._containers.values())
        return [
            item
            for item in known
            if (every or item.status == "running") and all(_carries(item, label) for label in labels)
        ]

    def start(self, container: Container) -> None:
        """Runs a container's process; one that cannot be started raises OSError."""
        container.process = self._launch(container)
        container.started = _now()
        Thread(target=self._await, args=(container, container.process), daemon=True).start()

    def _await(self, container: Container, process: LocalProcess) -> None:
        process.wait()
        container.finished = _now()
        container.ended.set()

    def stop(self, container: Container) -> None:
        """SIGTERM, and SIGKILL once the task's own stopTimeout has passed."""
        if container.process and container.status == "running":
            container.process.stop(container.grace)

    def remove(self, container: Container) -> None:
        """Forgets a container; one that still runs is killed."""
        if container.process and container.status == "running":
            container.process.kill()
        with self._lock:
            self._containers.pop(container.id, None)


def _carries(container: Container, label: str) -> bool:
    name, _, value = label.partition("=")
    return name in container.labels and (not value or container.labels[name] == value)


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class _Handler(BaseHTTPRequestHandler):
    """One request of docker-py."""

    protocol_version = "HTTP/1.1"
    engine: Engine

    def do_GET(self) -> None:
        routes: dict[str, Callable[..., None]] = {
            "_ping": lambda: self._send(200, "OK"),
            "version": lambda: self._send(
                200, {"ApiVersion": "1.43", "MinAPIVersion": "1.24", "Version": "0"}
            ),
            "info": lambda: self._send(200, {"ID": "emulator", "OSType": "linux", "ServerVersion": "0"}),
            "networks": lambda: self._send(200, []),
            "volumes": lambda: self._send(200, {"Volumes": []}),
            "containers/json": self._list,
            "images/(.+)/json": lambda image: self._send(
                200, {"Id": _DIGEST, "RepoTags": [image], "Config": {}}
            ),
            "containers/([^/]+)/json": lambda name: self._with(
                name, lambda item: self._send(200, item.describe())
            ),
            "containers/([^/]+)/logs": lambda name: self._with(name, self._logs),
        }
        self._route(routes)

    def do_POST(self) -> None:
        self._route(
            {
                "images/create": lambda: self._send(200, {"status": "exists"}),
                "containers/create": self._create,
                "containers/([^/]+)/start": lambda name: self._with(name, self._start),
                "containers/([^/]+)/wait": lambda name: self._with(name, self._wait),
                "containers/([^/]+)/(?:stop|kill)": lambda name: self._with(name, self._stop),
            }
        )

    def do_DELETE(self) -> None:
        self._route({"containers/([^/]+)": lambda name: self._with(name, self._remove)})

    def log_message(self, *_: object) -> None:
        """Says nothing: MiniStack logs what it asks for."""

    def _route(self, routes: Mapping[str, Callable[..., None]]) -> None:
        url = urlsplit(self.path)
        self._query = dict(parse_qsl(url.query))
        self._body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        path = re.sub(r"^/(v[\d.]+/)?", "", url.path)
        for pattern, answer in routes.items():
            if match := re.fullmatch(pattern, path):
                return answer(*map(unquote, match.groups()))
        return self._send(501, {"message": f"{self.command} {path} is not served here"})

    def _with(self, name: str, answer: Callable[[Container], None]) -> None:
        container = self.engine.find(name)
        if container is None:
            return self._send(404, {"message": f"No such container: {name}"})
        return answer(container)

    def _list(self) -> None:
        labels = json.loads(self._query.get("filters", "{}")).get("label", [])
        found = self.engine.list(every=self._query.get("all") in ("1", "true", "True"), labels=list(labels))
        self._send(
            200,
            [
                {
                    "Id": item.id,
                    "Names": [f"/{item.name}"],
                    "Labels": item.labels,
                    "State": item.status,
                    "Image": _DIGEST,
                }
                for item in found
            ],
        )

    def _create(self) -> None:
        container = self.engine.create(self._query.get("name") or uuid.uuid4().hex, self._body)
        self._send(201, {"Id": container.id, "Warnings": []})

    def _start(self, container: Container) -> None:
        try:
            self.engine.start(container)
        except Exception as error:
            return self._send(500, {"message": f"cannot start {container.name}: {error}"})
        return self._send(204)

    def _wait(self, container: Container) -> None:
        container.ended.wait()
        self._send(200, {"StatusCode": container.process.exit_code if container.process else 0})

    def _stop(self, container: Container) -> None:
        self.engine.stop(container)
        self._send(204)

    def _remove(self, container: Container) -> None:
        self.engine.remove(container)
        self._send(204)

    def _logs(self, container: Container) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.docker.raw-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for piece in _output(container, follow=self._query.get("follow") in ("1", "true", "True")):
            self.wfile.write(struct.pack(">BxxxL", 1, len(piece)) + piece)
            self.wfile.flush()

    def _send(self, status: int, content: object = None) -> None:
        body = (
            b""
            if content is None
            else content.encode()
            if isinstance(content, str)
            else json.dumps(content).encode()
        )
        self.send_response(status)
        self.send_header("Api-Version", "1.43")
        self.send_header("Content-Type", "text/plain" if isinstance(content, str) else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _output(container: Container, *, follow: bool) -> Iterator[bytes]:
    """What a container has written, and goes on to write until its end."""
    if container.process is None:
        return
    with container.process.log.open("rb") as log:
        while True:
            ended = container.ended.is_set()
            while piece := log.read(_CHUNK_BYTES):
                yield piece
            if ended or not follow:
                return
            container.ended.wait(_POLL_SECONDS)
