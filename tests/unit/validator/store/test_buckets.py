from __future__ import annotations

import io
import time
from threading import Thread, Timer

import pytest
from botocore import exceptions
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.exceptions import ProtocolError

from tests.unit.validator.store.scripted import Fault, Script, buckets
from validator.errors import DataError, Interrupted, StorageError, UsageError, ValidatorError
from validator.interruption import Interruption
from validator.store import Object, ranges
from validator.store.answers import may_pass
from validator.store.patience import WAIT, Patience

CONTENT = bytes(range(256)) * 1024
SLOW_DOWN = Fault(503, "SlowDown")


def refusal(code: str, status: int = 400) -> exceptions.ClientError:
    said = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return exceptions.ClientError(said, "GetObject")


@pytest.mark.parametrize(
    "fault",
    [
        SLOW_DOWN,
        Fault(400, "ThrottlingException"),
        Fault(400, "RequestLimitExceeded"),
        Fault(400, "RequestTimeout"),
        Fault(500, "InternalError"),
        Fault(is_reset=True),
        Fault(sent=0),
        Fault(sent=1000),
        Fault(seconds=2),
    ],
    ids=str,
)
def test_what_passes_is_tried_again(fault: Fault) -> None:
    script = Script(CONTENT, faults=[fault, fault])
    with buckets(script, read_seconds=0.3) as s3:
        assert s3.open(script.target).read() == CONTENT
        assert s3.read("s3://b/k") == CONTENT
    assert len(script.requests) == 4


def test_a_body_that_broke_off_is_gone_on_with() -> None:
    script = Script(CONTENT, faults=[Fault(sent=1000), Fault(sent=500)])
    with buckets(script) as s3:
        assert s3.open(script.target).read() == CONTENT
    assert script.requests == [(0, len(CONTENT)), (1000, len(CONTENT)), (1500, len(CONTENT))]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (SLOW_DOWN, r"S3 answers SlowDown after 4 tries in \d s: said so; try again later"),
        (Fault(is_reset=True), r"storage does not answer after 4 tries in \d s"),
        (Fault(sent=0), r"storage does not answer after 4 tries in \d s"),
    ],
)
def test_patience_ends_and_says_how_long_it_was(fault: Fault, why: str) -> None:
    script = Script(CONTENT, faults=[fault] * 9)
    with buckets(script) as s3, pytest.raises(StorageError, match=f"^cannot read s3://b/k: {why}"):
        s3.open(script.target).read()
    assert len(script.requests) == 4


def test_a_body_that_drips_is_not_waited_for_for_ever() -> None:
    script = Script(CONTENT, dripping_from=0)
    begun = time.monotonic()
    why = r"262,144 bytes took more than 0\.5 s"
    with buckets(script, Patience(attempts=9, seconds=0.5)) as s3, pytest.raises(StorageError, match=why):
        s3.open(script.target).read()
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("fault", "error", "why"),
    [
        (Fault(404, "NoSuchKey"), UsageError, "no such object or bucket"),
        (Fault(403, "AccessDenied"), UsageError, "S3 refused"),
        (Fault(416, "InvalidRange"), DataError, "changed since"),
        (Fault(418, "Teapot"), StorageError, "S3 answers Teapot at all: said so"),
    ],
)
def test_what_does_not_pass_is_not_tried_again(fault: Fault, error: type[ValidatorError], why: str) -> None:
    script = Script(CONTENT, faults=[fault])
    with buckets(script) as s3, pytest.raises(error, match=why):
        s3.open(script.target).read()
    assert len(script.requests) == 1


@pytest.mark.parametrize("heeds_conditions", [True, False])
def test_an_object_replaced_between_two_ranges_says_so(heeds_conditions: bool) -> None:
    script = Script(CONTENT, heeds_conditions=heeds_conditions)
    with buckets(script) as s3, s3.open(script.target) as reader:
        assert reader.read(70_000) == CONTENT[:70_000]
        script.etag = '"2"'
        reader.seek(200_000)
        with pytest.raises(DataError, match="cannot read s3://b/k: the object changed since the manifest"):
            reader.read(10)


@pytest.mark.parametrize("now", [CONTENT[:-1], CONTENT + b"x", b""])
def test_an_object_of_another_size_says_so(now: bytes) -> None:
    script = Script(CONTENT)
    with buckets(script) as s3, s3.open(script.target) as reader:
        script.content = now
        with pytest.raises(DataError, match="changed since"):
            reader.read(10)


def test_a_manifest_without_entity_tags_means_the_object_there_is() -> None:
    script = Script(CONTENT)
    target = Object("s3://b/k", size=len(CONTENT))
    with buckets(script) as s3:
        reader = s3.open(target)
        assert reader.read(10) == CONTENT[:10]
        script.etag = '"2"'
        reader.seek(200_000)
        with pytest.raises(DataError, match="changed since"):
            reader.read(10)
        with pytest.raises(DataError, match="changed since"):
            s3.open(Object("s3://b/k", size=1))


def test_a_storage_that_knows_no_ranges_is_refused_unless_all_is_asked_for() -> None:
    script = Script(CONTENT, heeds_ranges=False)
    with buckets(script) as s3:
        assert s3.open(script.target).read() == CONTENT
        with pytest.raises(StorageError, match="other bytes than were asked for"):
            s3.open(script.target).read(10)


def test_a_signal_ends_a_read_that_waits() -> None:
    script = Script(CONTENT, seconds=4)
    interruption = Interruption()
    with buckets(script) as s3, pytest.MonkeyPatch.context() as patched:
        patched.setattr(WAIT, "interruption", interruption)
        Timer(0.3, setattr, (interruption, "_name", "SIGTERM")).start()
        begun = time.monotonic()
        with pytest.raises(Interrupted, match="SIGTERM while waiting for storage"):
            s3.open(script.target).read()
        assert time.monotonic() - begun < 2


def test_a_signal_ends_the_tries_of_what_passes() -> None:
    script = Script(CONTENT, faults=[SLOW_DOWN] * 99)
    interruption = Interruption()
    interruption._name = "SIGTERM"
    with buckets(script, Patience(attempts=99)) as s3, pytest.MonkeyPatch.context() as patched:
        patched.setattr(WAIT, "interruption", interruption)
        with pytest.raises(Interrupted, match="SIGTERM"):
            s3.write("s3://b/k", b"")


def test_closing_ends_what_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "FIRST_RANGE_BYTES", 64 << 10)
    script = Script(CONTENT, dripping_from=1)
    with buckets(script) as s3:
        reader = s3.open(script.target)
        reader.read(10)
        reader.read(10)
        reader.close()
        begun = time.monotonic()
        s3._pool.shutdown()
    assert time.monotonic() - begun < 1
    assert len(script.requests) > 1


def test_an_open_of_nobodys_interest_asks_for_nothing() -> None:
    script = Script(CONTENT)
    with buckets(script) as s3:
        s3.open(script.target).close()
        assert s3.open(Object("s3://b/k", size=0, etag="e")).read() == b""
    assert script.requests == []


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (refusal("SlowDown", 503), True),
        (refusal("TooManyRequestsException", 429), True),
        (refusal("AccessDenied", 403), False),
        (ConnectionResetError(), True),
        (ProtocolError(), True),
        (exceptions.EndpointConnectionError(endpoint_url="x"), True),
        (exceptions.ReadTimeoutError(endpoint_url="x"), True),
        (exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=5), True),
        (exceptions.NoCredentialsError(), False),
        (FileNotFoundError(), False),
        (TimeoutError(), False),
        (DataError("x"), False),
    ],
)
def test_only_what_may_pass_is_asked_for_again(error: Exception, again: bool) -> None:
    assert may_pass(error) is again


Step = tuple[int, int]


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(-1, 300_000), st.integers(0, 200_000)), max_size=8),
)
def test_any_reads_and_seeks_are_those_of_a_file(steps: list[Step]) -> None:
    script, file = Script(CONTENT), io.BytesIO(CONTENT)
    with buckets(script) as s3, s3.open(script.target) as reader:
        for offset, size in steps:
            if offset >= 0:
                assert reader.seek(offset) == file.seek(offset)
            assert reader.read(size) == file.read(size)
            assert reader.tell() == file.tell()
        assert all(0 <= start < stop <= len(CONTENT) for start, stop in script.requests)


def test_fetches_of_all_readers_are_bounded() -> None:
    script = Script(CONTENT, seconds=0.05)
    with buckets(script) as s3:
        readers = [s3.open(script.target) for _ in range(24)]
        threads = [Thread(target=reader.read) for reader in readers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert 2 <= script.most <= 8
