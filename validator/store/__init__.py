"""The door to storage: paths and s3:// URIs behind the same few words.

at(uri) -> Files | Buckets        names: what a pattern matches      changes: what was replaced
buckets -> ranges (fetched ahead), patience (how long), answers (what S3's words mean)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import BinaryIO, Final, Protocol

from validator.errors import UsageError
from validator.interruption import Interruption
from validator.manifest import Object
from validator.store.files import Files
from validator.store.names import child, is_remote, local_path
from validator.store.patience import WAIT

__all__ = [
    "Object",
    "Store",
    "at",
    "child",
    "exists",
    "heed",
    "is_remote",
    "local_path",
    "prepare",
    "remove",
    "write",
]


class Store(Protocol):
    """What a run needs of a storage."""

    def read(self, uri: str) -> bytes:
        """Returns the whole content of a small object."""

    def write(self, uri: str, content: bytes) -> None:
        """Puts an object down whole: nobody ever sees half of it."""

    def prepare(self, uri: str) -> None:
        """Makes a folder that can be written; a prefix needs no making."""

    def remove(self, uri: str) -> None:
        """Takes an object away."""

    def exists(self, uri: str) -> bool:
        """Says whether there is an object of this name."""

    def open(self, target: Object) -> BinaryIO:
        """Opens exactly the object named, seekable; a change since, or while it is read, is a DataError."""

    def list(self, uri: str) -> Sequence[Object]:
        """Lists an object, all below a folder or prefix, or what a pattern matches, sorted by URI.

        In a pattern `*`, `?` and `[...]` stand for signs of one name, `**` for any number of folders; a
        folder that matches stands for all below it. A name that is a pattern and exists is that name. Names
        that begin with _ or . are no data unless they are asked for.

        Raises:
            UsageError: There is no such path, or there are too many names.
        """

    def root(self, uri: str) -> str:
        """Returns what all listed names lie below: partitions are the folders between."""


def at(uri: str) -> Store:
    """Returns the storage a URI lies in.

    Raises:
        UsageError: The URI is of a kind nobody reads.
    """
    scheme, separator, _ = uri.partition("://")
    if not separator or scheme == "file":
        return _FILES
    if scheme == "s3":
        return _buckets()
    raise UsageError(f"cannot use {uri}", why=f"{scheme}:// is unknown", remedy="give a path or s3://")


def write(uri: str, content: bytes) -> None:
    """Puts an object down whole, wherever it lies."""
    at(uri).write(uri, content)


def remove(uri: str) -> None:
    """Takes an object away, wherever it lies."""
    at(uri).remove(uri)


def prepare(uri: str) -> None:
    """Makes the folder that results go below, wherever it lies."""
    at(uri).prepare(uri)


def exists(uri: str) -> bool:
    """Says whether there is an object of this name."""
    return at(uri).exists(uri)


def heed(interruption: Interruption) -> None:
    """Has reads that wait for storage end soon after a signal, by Interrupted."""
    WAIT.interruption = interruption


@cache
def _buckets() -> Store:
    # Half a second that a run on files need not pay.
    from validator.store.buckets import connect  # noqa: PLC0415

    return connect()


_FILES: Final = Files()
