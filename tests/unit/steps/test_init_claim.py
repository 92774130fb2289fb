"""Claims: S3's conditional writes let one in, its own retries too, and nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from steps.init.bucket import Bucket, Stored
from steps.init.claim import claim, is_anothers, lock
from steps.init.errors import Busy


def never(owner: str) -> bool:
    raise AssertionError(f"asked whether {owner} runs")


def ended(_owner: str) -> bool:
    return False


def test_the_first_claim_and_its_own_retry_pass_and_another_does_not(bucket: Bucket) -> None:
    assert claim(bucket, "triggers/taxi/e1", "first")
    assert claim(bucket, "triggers/taxi/e1", "first")
    assert not claim(bucket, "triggers/taxi/e1", "second")
    assert claim(bucket, "triggers/taxi/e2", "second")


def test_of_many_at_once_one_wins(bucket: Bucket) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda owner: claim(bucket, "triggers/taxi/e1", owner), "abcdefgh"))

    assert won.count(True) == 1


def test_looking_whose_a_claim_is_claims_nothing(bucket: Bucket) -> None:
    assert not is_anothers(bucket, "triggers/taxi/e1", "first")
    claim(bucket, "triggers/taxi/e1", "first")

    assert not is_anothers(bucket, "triggers/taxi/e1", "first")
    assert is_anothers(bucket, "triggers/taxi/e1", "second")


def test_a_free_lock_is_taken_without_asking(bucket: Bucket) -> None:
    lock(bucket, "locks/taxi/d", "arn:1", never)
    lock(bucket, "locks/taxi/d", "arn:1", never)

    assert bucket.read("locks/taxi/d").body == b"arn:1"  # type: ignore[union-attr]


def test_a_running_owner_keeps_the_lock(bucket: Bucket) -> None:
    lock(bucket, "locks/taxi/d", "arn:1", never)

    with pytest.raises(Busy, match=r"locks/taxi/d is held by arn:1, which still runs: wait until"):
        lock(bucket, "locks/taxi/d", "arn:2", running=lambda owner: owner == "arn:1")

    assert bucket.read("locks/taxi/d").body == b"arn:1"  # type: ignore[union-attr]


def test_the_lock_of_an_owner_that_has_ended_is_taken_over(bucket: Bucket) -> None:
    lock(bucket, "locks/taxi/d", "arn:1", never)

    lock(bucket, "locks/taxi/d", "arn:2", running=ended)

    assert bucket.read("locks/taxi/d").body == b"arn:2"  # type: ignore[union-attr]


def test_of_two_that_take_over_one_wins(bucket: Bucket) -> None:
    lock(bucket, "locks/taxi/d", "arn:1", never)

    def running(owner: str) -> bool:
        """The other one is quicker, between our reading and our writing."""
        if owner == "arn:1":
            lock(bucket, "locks/taxi/d", "arn:3", running=ended)
        return owner == "arn:3"

    with pytest.raises(Busy, match="held by arn:3"):
        lock(bucket, "locks/taxi/d", "arn:2", running)


def test_a_lock_that_never_holds_still_is_given_up(bucket: Bucket) -> None:
    class Restless(Bucket):
        def read(self, key: str) -> Stored | None:
            stored = super().read(key)
            return stored and Stored(stored.body, '"00000000000000000000000000000000"')

    restless = Restless(bucket.client, bucket.name)
    lock(bucket, "locks/taxi/d", "arn:1", never)

    with pytest.raises(Busy, match="changed 5 times meanwhile; start the day again"):
        lock(restless, "locks/taxi/d", "arn:2", running=ended)
