"""Claims: a trigger runs once, and a dataset's day has one execution at a time.

Both are objects written by a conditional PUT, so S3 decides who was first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .bucket import Bucket
from .errors import Busy

ATTEMPTS: Final = 5


def claim(bucket: Bucket, key: str, owner: str) -> bool:
    """Claim a key for ever; return whether it belongs to ``owner``, whose own retry passes."""
    if bucket.create(key, owner.encode()):
        return True
    stored = bucket.read(key)
    return stored is not None and stored.body == owner.encode()


def is_anothers(bucket: Bucket, key: str, owner: str) -> bool:
    """Tell whether a key is claimed by somebody else, without claiming it."""
    stored = bucket.read(key)
    return stored is not None and stored.body != owner.encode()


def lock(bucket: Bucket, key: str, owner: str, running: Callable[[str], bool]) -> None:
    """Take a lock, also from an owner that no longer runs.

    Args:
        bucket: Where the lock lies.
        key: Key of the lock; its body names the owner.
        owner: Who wants it, the ARN of an execution.
        running: Tells whether another owner still runs.

    Raises:
        Busy: Another owner runs, or others changed the lock during each attempt.
    """
    for _ in range(ATTEMPTS):
        if bucket.create(key, owner.encode()):
            return
        stored = bucket.read(key)
        if stored is None:
            continue
        if stored.body == owner.encode():
            return
        holder = stored.body.decode(errors="replace")
        if running(holder):
            raise Busy(
                f"{bucket.uri(key)} is held by {holder:.300}, which still runs: wait until it has ended, "
                "or stop it, then start the day again"
            )
        if bucket.replace(key, owner.encode(), stored.etag):
            return
    raise Busy(f"cannot take {bucket.uri(key)}: it changed {ATTEMPTS} times meanwhile; start the day again")
