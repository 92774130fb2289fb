"""A loopback proxy before S3 that fails the first requests, in turn in three ways, then passes all on."""

from __future__ import annotations

import struct
from contextlib import closing
from enum import IntEnum
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

_SLOW_DOWN: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
_OF_CONNECTION: Final = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


class Failure(IntEnum):
    """The ways to fail, in the order they are met."""

    SLOW_DOWN = 0
    """503 SlowDown."""
    RESET = 1
    """The connection is reset before an answer."""
    TRUNCATED = 2
    """The answer breaks off in the middle of its body."""


class Proxy:
    """Stands before one task's S3."""

    def __init__(self, endpoint: str, failures: int, log: Path) -> None:
        self.endpoint = endpoint
        self.log = log
        self._failures = failures
        self._seen = count()

    def serve(self) -> str:
        """Starts to listen on a free port; returns the URL."""
        handler = type("Handler", (_Handler,), {"proxy": self})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True, name="proxy").start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    def next(self) -> Failure | None:
        """How the next request fails; None when it is passed on."""
        number = next(self._seen)
        return Failure(number % len(Failure)) if number < self._failures else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def _meet(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        failure = self.proxy.next()
        if failure is not None:
            self._note(failure)
        match failure:
            case Failure.SLOW_DOWN:
                self._slow_down()
            case Failure.RESET:
                self._reset()
            case Failure.TRUNCATED:
                self._pass_on(body, truncated=True)
            case None:
                self._pass_on(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _meet  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing of what is passed on."""

    def _note(self, failure: Failure) -> None:
        with self.proxy.log.open("a", encoding="utf-8") as log:
            log.write(f"injected {failure.name}: {self.command} {self.path}\n")

    def _pass_on(self, body: bytes, *, truncated: bool = False) -> None:
        response, content = self._ask(body)
        if truncated and not content:
            return self._reset()
        self.send_response(response.status)
        for name, value in _headers(response):
            self.send_header(name, value)
        # The answer to HEAD has the length of a body that is not there.
        self.send_header("Content-Length", response.getheader("Content-Length") or str(len(content)))
        self.end_headers()
        if truncated:
            content, self.close_connection = content[: len(content) // 2], True
        self.wfile.write(content)
        return None

    def _ask(self, body: bytes) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection(urlsplit(self.proxy.endpoint).netloc)
        with closing(connection):
            connection.request(self.command, self.path, body, dict(self.headers))
            response = connection.getresponse()
            return response, response.read()

    def _slow_down(self) -> None:
        self.send_response(503)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(_SLOW_DOWN)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(_SLOW_DOWN)

    def _reset(self) -> None:
        self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        # The stream's own reference goes too: only the last close sends the reset.
        self.rfile.close()
        self.connection.close()
        self.close_connection = True


def _headers(response: HTTPResponse) -> list[tuple[str, str]]:
    return [(name, value) for name, value in response.getheaders() if name.lower() not in _OF_CONNECTION]
