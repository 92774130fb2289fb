"""Names of stored things: what a URI is made of, what a pattern matches, and which names are no data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

from validator.errors import UsageError

MOST_OBJECTS: Final = 1_000_000
"""Names that one listing looks at."""

_SIGNS: Final = "*?["
_ANY_FOLDERS: Final = "**"
_THIS_MACHINE: Final = ("", "localhost")


def is_remote(uri: str) -> bool:
    """Says whether a URI lies in S3."""
    return uri.startswith("s3://")


def child(uri: str, *names: str) -> str:
    """Returns the URI of something below a folder or prefix.

    Raises:
        UsageError: It is a scheme alone.
    """
    scheme, separator, path = uri.rpartition("://")
    if separator and not path:
        raise UsageError(f"cannot use {uri}", why="nothing is named after it")
    return scheme + separator + "/".join((path.rstrip("/"), *names))


def split(uri: str) -> tuple[str, str]:
    """Returns bucket and key of an s3:// URI.

    Raises:
        UsageError: It names no bucket.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket:
        raise UsageError(f"cannot use {uri}", why="it names no bucket")
    return bucket, key


def local_path(uri: str) -> Path:
    """Returns the path of a file:// URI or of a plain path.

    Raises:
        UsageError: The URI names another machine, as `file://data.csv` does.
    """
    if not uri.startswith("file://"):
        return Path(uri)
    host, slash, path = uri.removeprefix("file://").partition("/")
    if host not in _THIS_MACHINE or not slash:
        raise UsageError(f"cannot use {uri}", why="no path from the root, as in file:///data, is in it")
    return Path(os.fsdecode(unquote_to_bytes(slash + path)))


def is_hidden(name: str) -> bool:
    """Says whether a file or folder is no data: Spark's rule, which spares partitions like `_day=1`."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def is_pattern(name: str) -> bool:
    """Says whether a name has a sign that stands for others: `*`, `?`, `[`; braces are literal."""
    return any(sign in name for sign in _SIGNS)


def fixed_prefix(name: str) -> str:
    """Returns what all names that a pattern matches begin with."""
    return name[: min((name.index(sign) for sign in _SIGNS if sign in name), default=len(name))]


def parted(pattern: str) -> tuple[str, Sequence[str]]:
    """Returns the folder all matches lie below, and the parts of the pattern below it."""
    folder, slash, _ = fixed_prefix(pattern).rpartition("/")
    parts = pattern[len(folder + slash) :].rstrip("/").split("/")
    # Two in a row say what one does, and take each path many times.
    parts = [part for part, after in pairwise([*parts, ""]) if not part == after == _ANY_FOLDERS]
    # The folder of /*.csv is the root.
    return folder or slash, parts


def matches(name: str, part: str) -> bool:
    """Says whether a part of a pattern matches a name; names that are no data have to be asked for."""
    return fnmatchcase(name, part) and (not is_hidden(name) or part[0] in "_.")


def is_any_folders(part: str) -> bool:
    """Says whether a part stands for any number of folders, none among them."""
    return part == _ANY_FOLDERS


def fits(names: Sequence[str], parts: Sequence[str]) -> bool:
    """Says whether parts of a pattern match a path, or a folder it lies below.

    Args:
        names: The parts of the path.
        parts: Those of the pattern; a sign never stands for a slash.
    """
    # All places in the pattern that the names so far may have led to: to try each way apart takes for ever.
    places = {0}
    for number, name in enumerate(names):
        places |= {place + 1 for place in places if _stays(parts, place)}
        if len(parts) in places and not any(map(is_hidden, names[number:])):
            return True
        places = {place for place in places if _stays(parts, place) and not is_hidden(name)} | {
            place + 1
            for place in places
            if place < len(parts) and not is_any_folders(parts[place]) and matches(name, parts[place])
        }
    return len(parts) in places


def _stays(parts: Sequence[str], place: int) -> bool:
    return place < len(parts) and is_any_folders(parts[place])


def too_many(uri: str, most: int) -> UsageError:
    """Says that a listing is longer than anyone meant."""
    return UsageError(
        f"cannot list {uri}",
        why=f"there are more than {most:,} names",
        remedy="name a narrower folder or prefix, or write fewer and larger files",
    )
