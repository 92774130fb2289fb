"""Cost: an estimate from size, time and prices; unknown is no error."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from validator import cost
from validator.cost import Prices, Task, Usage

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TASK = Task(vcpus=2.0, memory_gb=8.0, started=START)
PRICES = Prices(Decimal("0.04"), Decimal("0.005"))
METADATA = {
    "Limits": {"CPU": 0.5, "Memory": 2048},
    "PullStartedAt": "2026-11-22T10:00:00.123456789Z",
    "Containers": [{"ImageID": "sha256:abc"}],
}


@contextmanager
def endpoint(body: bytes, status: int = 200) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/v4/id/task"
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v4/id"
        server.shutdown()
        thread.join()


def test_the_endpoint_tells_size_start_and_image() -> None:
    with endpoint(json.dumps(METADATA).encode()) as uri:
        task = cost.read_task(uri)
    assert task == Task(0.5, 2.0, datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC), "sha256:abc")


@contextmanager
def listening(answer: bytes, *, then_drips: bool = False) -> Iterator[str]:
    """An endpoint that says these bytes to whoever connects, then closes, or adds one every now and then."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        is_over = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(1 << 16)
                connection.sendall(answer)
                while then_drips and not is_over.wait(0.05):
                    connection.sendall(b"x")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v4/id"
        is_over.set()
        thread.join()


NO_CONTAINERS: tuple[object, ...] = (7, {"a": 1}, [7], [[]])


def changed(**fields: object) -> bytes:
    return json.dumps({**METADATA, **fields}).encode()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{}", b"[]", b"null", b'{"Limits": null}', b'{"Limits": {"CPU": "x"}}', b"\xff", b"{"),
        *(b"[" * 100_000, b" " * (1 << 20) + b"{}"),
        *(changed(Limits={"CPU": size, "Memory": 2048}) for size in (0, -1, math.nan, math.inf, 10**400)),
        *(changed(PullStartedAt=started) for started in ("2026-11-22T10:00:00", "", 7, None)),
        *(changed(Containers=containers) for containers in NO_CONTAINERS),
    ],
    ids=lambda body: body[:60],
)
def test_an_answer_without_a_size_is_no_error(body: bytes) -> None:
    with endpoint(body) as uri:
        assert cost.read_task(uri) is None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + json.dumps(METADATA).encode()[:-9],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1_000,
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n",
    ],
    ids=lambda answer: answer[:60],
)
def test_who_does_not_speak_http_is_no_error(answer: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with listening(answer) as uri:
        assert cost.read_task(uri) is None
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\na: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_an_answer_that_drips_is_not_waited_for(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "_TIMEOUT_SECONDS", 0.3)
    with listening(answer, then_drips=True) as uri:
        begun = time.monotonic()
        assert cost.read_task(uri) is None
        assert time.monotonic() - begun < 2


def test_a_failing_endpoint_is_no_error() -> None:
    with endpoint(b"", status=500) as uri:
        assert cost.read_task(uri) is None


@pytest.mark.parametrize("uri", [None, "", "file:///etc/passwd", "http://127.0.0.1:1/v4"])
def test_no_endpoint_is_no_error(uri: str | None) -> None:
    assert cost.read_task(uri) is None


def test_hours_times_prices() -> None:
    estimate = cost.estimate(TASK, START + timedelta(minutes=30), PRICES)
    assert estimate is not None
    assert (estimate.vcpu_hours, estimate.gb_hours, estimate.usd) == (1.0, 4.0, 0.06)


def test_one_minute_is_billed_at_least() -> None:
    first, minute = (cost.estimate(TASK, START + timedelta(seconds=s), PRICES) for s in (3, 60))
    assert first == minute
    later = cost.estimate(TASK, START + timedelta(seconds=61), PRICES)
    assert later is not None
    assert minute is not None
    assert later.vcpu_hours > minute.vcpu_hours


def test_without_prices_the_hours_are_known() -> None:
    estimate = cost.estimate(TASK, START + timedelta(hours=1), None)
    assert estimate is not None
    assert (estimate.vcpu_hours, estimate.usd) == (2.0, None)


def test_outside_ecs_there_is_no_estimate() -> None:
    assert cost.estimate(None, START, PRICES) is None


def test_it_says_that_it_is_an_estimate_and_spot_is_cheaper() -> None:
    spot = cost.estimate(TASK, START, PRICES, capacity="FARGATE_SPOT")
    on_demand = cost.estimate(TASK, START, PRICES, capacity="FARGATE")
    assert spot is not None
    assert on_demand is not None
    assert spot.basis.startswith("estimate, the task is still running: 2 vCPU and 8 GB for 60 s at $0.04")
    assert ("Spot" in spot.basis, "Spot" in on_demand.basis) == (True, False)
    assert (spot.is_limit, on_demand.is_limit) == (True, False)


def test_a_merge_costs_what_its_children_did_too() -> None:
    children = Usage(tasks=9, seconds=5400, vcpu_hours=1.5, gb_hours=3.0, is_spot=True)
    now = START + timedelta(minutes=30)
    estimate = cost.estimate(TASK, now, PRICES, capacity="FARGATE", children=children)
    assert estimate is not None
    assert (estimate.vcpu_hours, estimate.gb_hours, estimate.usd) == (2.5, 7.0, 0.135)
    assert estimate.is_limit
    assert estimate.basis.startswith(
        "estimate, the merge is still running: 2 vCPU and 8 GB for 1800 s, and 9 tasks of children, "
        "killed ones left out: 1.5 vCPU-hours and 3 GB-hours, at $0.04 a vCPU-hour"
    )


def test_a_merge_whose_children_said_nothing_is_told_alone() -> None:
    alone, merge = (
        cost.estimate(TASK, START, PRICES, capacity="FARGATE", children=children)
        for children in (None, Usage())
    )
    assert alone is not None
    assert merge is not None
    assert merge.usd == alone.usd
    assert merge.basis.startswith("estimate, of the merge alone, which is still running: 2 vCPU and 8 GB")


USED = Usage(1, 60.0, 0.5, 1.0, is_spot=True)


def test_what_was_used_adds_up_and_is_read_back() -> None:
    assert USED + Usage(2, 30, 0.25, 2) == Usage(3, 90, 0.75, 3, is_spot=True)
    assert Usage.parse(json.loads(json.dumps(asdict(USED)))) == USED


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"seconds": -1}, ValueError),
        ({"vcpu_hours": math.nan}, ValueError),
        ({"gb_hours": math.inf}, ValueError),
        ({"gb_hours": "1"}, TypeError),
        ({"tasks": -1}, ValueError),
        ({"tasks": "1"}, TypeError),
        ({"seconds": None}, TypeError),
    ],
)
def test_what_is_no_amount_is_refused(change: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        Usage.parse({**asdict(USED), **change})
