"""The proxy fails in three ways, in turn, and then not at all."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from build.rehearsal.emulator.proxy import Failure, Proxy


class _Origin(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.path} {self.headers['Host']} {self.headers.get('Range', '')}".encode()
        self.send_response(200)
        self.send_header("ETag", '"e"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.command == "GET" else b"")

    do_HEAD = do_GET  # noqa: N815

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("ETag", body.decode())
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Origin)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def client(origin: str, failures: int, folder: Path) -> HTTPConnection:
    host = Proxy(origin, failures, folder / "proxy.log").serve().removeprefix("http://")
    return HTTPConnection(host, timeout=10)


def test_failures_come_in_turn_and_end() -> None:
    proxy = Proxy("http://127.0.0.1:1", 4, Path("unused"))
    assert [proxy.next() for _ in range(6)] == [*Failure, Failure.SLOW_DOWN, None, None]


def test_requests_fail_and_then_pass(origin: str, tmp_path: Path) -> None:
    connection = client(origin, 3, tmp_path)
    connection.request("GET", "/b/k")
    slow = connection.getresponse()
    assert (slow.status, b"<Code>SlowDown</Code>" in slow.read()) == (503, True)
    connection.request("GET", "/b/k")
    with pytest.raises(ConnectionResetError):
        connection.getresponse()
    connection.close()
    connection.request("GET", "/b/k")
    with pytest.raises(IncompleteRead):
        connection.getresponse().read()
    connection.close()
    connection.request("GET", "/b/k", headers={"Range": "bytes=0-1"})
    assert connection.getresponse().read().startswith(b"/b/k ")
    noted = (tmp_path / "proxy.log").read_text().splitlines()
    assert noted == [f"injected {failure.name}: GET /b/k" for failure in Failure]


def test_what_passes_is_unchanged(origin: str, tmp_path: Path) -> None:
    connection = client(origin, 0, tmp_path)
    connection.request("PUT", "/b/k", b"content", {"Content-Length": "7"})
    written = connection.getresponse()
    assert (written.getheader("ETag"), written.read()) == ("content", b"")
    connection.request("HEAD", "/b/k")
    head = connection.getresponse()
    head.read()
    assert int(head.getheader("Content-Length") or 0) > 0
    assert not (tmp_path / "proxy.log").exists()
