"""Cost: an estimate from size, time and prices; unknown is no error."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b'{"Limits": null}', b'{"Limits": {"CPU": "x"}}']
)
def test_an_answer_without_a_size_is_no_error(body: bytes) -> None:
    with endpoint(body) as uri:
        assert cost.read_task(uri) is None


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
