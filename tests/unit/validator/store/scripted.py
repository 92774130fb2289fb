"""An S3 that answers as a test says: one object over HTTP on 127.0.0.1, the script's faults first."""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, ClassVar

import boto3
from botocore.config import Config

from validator.store import Object
from validator.store.buckets import Buckets
from validator.store.patience import Patience


@dataclass(frozen=True)
class Fault:
    """What one answer is instead of the bytes asked for."""

    status: int = 206
    code: str = ""
    """Of S3's error."""
    is_reset: bool = False
    sent: int | None = None
    """Bytes of the body that are sent before the connection ends."""
    seconds: float = 0.0
    """Silence before the body."""


@dataclass
class Script:
    """An object, and what goes wrong with the next requests; None for nothing."""

    content: bytes = b""
    etag: str = '"1"'
    faults: list[Fault | None] = field(default_factory=list)
    heeds_conditions: bool = True
    heeds_ranges: bool = True
    requests: list[tuple[int, int]] = field(default_factory=list)
    """Bytes asked for, from one offset to another."""
    seconds: float = 0.0
    """Silence before each body."""
    dripping_from: int = 1 << 62
    """Bodies that begin here or later come a byte at a time."""
    most: int = 0
    """Requests that were answered at the same time."""
    active: int = 0
    lock: Lock = field(default_factory=Lock)

    def next_fault(self) -> Fault:
        with self.lock:
            return (self.faults.pop(0) if self.faults else None) or Fault()

    @property
    def target(self) -> Object:
        return Object("s3://b/k", size=len(self.content), etag=self.etag)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: ClassVar[Script]

    def do_GET(self) -> None:
        start, stop = self.wanted()
        with self.script.lock:
            self.script.requests.append((start, stop))
            self.script.active += 1
            self.script.most = max(self.script.most, self.script.active)
        try:
            self.answer(start, stop, self.script.next_fault())
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with self.script.lock:
                self.script.active -= 1

    def do_HEAD(self) -> None:
        self.start(200, len(self.script.content))

    def wanted(self) -> tuple[int, int]:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not asked or not self.script.heeds_ranges:
            return 0, len(self.script.content)
        return int(asked[1]), min(int(asked[2]) + 1, len(self.script.content))

    def answer(self, start: int, stop: int, fault: Fault) -> None:
        if fault.is_reset:
            self.reset()
            return
        condition = self.headers.get("If-Match")
        if self.script.heeds_conditions and condition not in (None, self.script.etag):
            fault = Fault(412, "PreconditionFailed")
        if fault.code:
            self.refuse(fault)
            return
        body = self.script.content[start:stop]
        more = {"Content-Range": f"bytes {start}-{stop - 1}/{len(self.script.content)}"}
        self.start(206, len(body), **(more if self.script.heeds_ranges else {}))
        time.sleep(fault.seconds or self.script.seconds)
        if start >= self.script.dripping_from:
            for byte in body:
                self.wfile.write(bytes([byte]))
                time.sleep(0.01)
        self.wfile.write(body[: fault.sent])
        self.close_connection = fault.sent is not None

    def start(self, status: int, length: int, **more: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), "ETag": self.script.etag, **more}.items():
            self.send_header(name, value)
        self.end_headers()

    def refuse(self, fault: Fault) -> None:
        body = f"<Error><Code>{fault.code}</Code><Message>said so</Message></Error>".encode()
        self.start(fault.status, len(body))
        self.wfile.write(body)

    def reset(self) -> None:
        # Lingering for no time ends a connection with a reset instead of a farewell.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RD)
        self.close_connection = True
        self.connection.close()

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        return


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        return


@contextmanager
def serving(script: Script) -> Iterator[str]:
    """Answers at the URL it yields."""
    bound = type("Bound", (Handler,), {"script": script})
    with Server(("127.0.0.1", 0), bound) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def buckets(script: Script, patience: Patience | None = None, read_seconds: float = 5) -> Iterator[Buckets]:
    """The storage a script answers for."""
    with serving(script) as url:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            read_timeout=read_seconds,
            s3={"addressing_style": "path"},
            max_pool_connections=16,
        )
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        client = boto3.client("s3", endpoint_url=url, config=config, **keys)
        yield Buckets(client, patience or Patience(attempts=4, seconds=10, pause=0.05))
