"""Files of this machine. Only regular files are ever opened: a pipe would wait for ever."""

from __future__ import annotations

import errno
import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar, cast

from validator.errors import AbsentError, StorageError, UsageError
from validator.manifest import Object
from validator.store.changes import differs, replaced
from validator.store.names import (
    MOST_OBJECTS,
    is_any_folders,
    is_hidden,
    is_pattern,
    local_path,
    matches,
    parted,
    too_many,
)

_T = TypeVar("_T")

_EXHAUSTED: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
"""What a disk says that is full or fails: no mistake of whom names it."""
_BUFFER_BYTES: Final = 64 << 10


class Files:
    """Paths and file:// URIs.

    Args:
        most: Files that one listing may find.
    """

    def __init__(self, most: int = MOST_OBJECTS) -> None:
        self._most = most

    def read(self, uri: str) -> bytes:
        """Returns the whole content of a small file."""
        path = local_path(uri)
        _demand_regular(uri, _attempt(uri, path.stat))
        return _attempt(uri, path.read_bytes)

    def write(self, uri: str, content: bytes) -> None:
        """Puts a file down whole, readable by all."""
        path = local_path(uri)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, content)
        except OSError as error:
            raise _unwritable(uri, error) from error

    def remove(self, uri: str) -> None:
        """Takes a file away."""
        try:
            local_path(uri).unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(uri, error, "remove") from error

    def prepare(self, uri: str) -> None:
        """Makes a folder and tries whether it can be written."""
        path = local_path(uri)
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            raise _unwritable(uri, error) from error

    def exists(self, uri: str) -> bool:
        """Says whether there is a file of this name."""
        return local_path(uri).is_file()

    def open(self, target: Object) -> BinaryIO:
        """Opens a file; one that changes while it is read is a DataError of the next read."""
        return cast(
            "BinaryIO", _attempt(target.uri, lambda: io.BufferedReader(_Steady(target), _BUFFER_BYTES))
        )

    def list(self, uri: str) -> Sequence[Object]:
        """Lists a file, all files below a folder, or what a pattern matches; links to folders are named."""
        names = _attempt(uri, lambda: set(islice(_named(str(local_path(uri))), self._most + 1)))
        if len(names) > self._most:
            raise too_many(uri, self._most)
        return [_described(name, _status(name)) for name in sorted(names)]

    def root(self, uri: str) -> str:
        """Returns the file or folder of a path, or the folder all matches of a pattern lie below."""
        name = str(local_path(uri))
        return parted(name)[0] if is_pattern(name) and not os.path.lexists(name) else name


class _Steady(io.FileIO):
    """A file that is read as long as its name stands for the bytes that were listed.

    Raises:
        DataError: It was written to, cut off, replaced or taken away.
    """

    def __init__(self, target: Object) -> None:
        self._target = target
        self._path = str(local_path(target.uri))
        # Looked at before it is opened: opening a pipe waits for whoever writes to it.
        if differs(_described(self._path, _status(self._path)), target):
            raise replaced(target.uri)
        super().__init__(self._path, "rb")

    def readinto(self, buffer: Any) -> int:
        """Reads into a buffer."""
        count = super().readinto(buffer)
        self._demand_same()
        return count

    def read(self, size: int | None = -1) -> bytes:
        """Reads so many bytes, fewer at the end only."""
        content = super().read(-1 if size is None else size)
        self._demand_same()
        return content

    def readall(self) -> bytes:
        """Reads what is left."""
        return self.read()

    def _demand_same(self) -> None:
        try:
            is_same = not differs(_described(self._path, _status(self._path)), self._target)
        except UsageError:
            is_same = False
        if not is_same:
            raise replaced(self._target.uri)


def _named(name: str) -> Iterator[str]:
    """Yields the files that a name stands for.

    Raises:
        UsageError: There is nothing of this name.
    """
    if os.path.lexists(name):
        yield from _below(name)
        return
    found = iter(_matching(*parted(name)) if is_pattern(name) else ())
    first = next(found, None)
    if first is None:
        raise UsageError(f"cannot read {name}", why="no such file or folder")
    for each in chain([first], found):
        yield each.removeprefix("./")


def _below(name: str) -> Iterator[str]:
    """Yields the name itself, or the files below it; links to folders are named, not followed."""
    if not Path(name).is_dir():
        yield name
        return
    # No recursion: folders may be nested deeper than Python's calls.
    folders = [name]
    while folders:
        for entry in _entries(folders.pop()):
            if is_hidden(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                yield entry.path


def _matching(folder: str, parts: Sequence[str]) -> Iterator[str]:
    """Yields the files below a folder that the parts of a pattern match, some of them twice."""
    waiting = [(folder, parts)]
    walked = set()
    while waiting:
        place, left = waiting.pop()
        if left and is_any_folders(left[0]):
            # Several of these lead to a folder by many ways.
            if (place, len(left)) in walked:
                continue
            walked.add((place, len(left)))
        if left:
            waiting.extend(_steps(place, left))
        else:
            yield from _below(place)


def _steps(folder: str, parts: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Yields what in a folder the first part matches, with the parts that are left."""
    if is_any_folders(parts[0]):
        yield folder, parts[1:]
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False) and not is_hidden(entry.name):
                yield entry.path, parts
    else:
        for entry in _entries(folder):
            if matches(entry.name, parts[0]):
                yield entry.path, parts[1:]


def _entries(folder: str) -> Sequence[os.DirEntry[str]]:
    """Returns what lies in a folder; nothing when it is none."""
    if not os.path.isdir(folder or "."):  # noqa: PTH112 - Path takes twice as long
        return ()
    with _attempt(folder, lambda: os.scandir(folder or ".")) as entries:
        return list(entries)


def _status(name: str) -> os.stat_result:
    status = _attempt(name, lambda: os.stat(name))  # noqa: PTH116 - three times as fast, for each of many files
    _demand_regular(name, status)
    return status


def _described(uri: str, status: os.stat_result) -> Object:
    return Object(uri=uri, size=status.st_size, last_modified=str(status.st_mtime_ns))


def _demand_regular(uri: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device"
        raise UsageError(f"cannot read {uri}", why=f"it is {kind}, not a file")


def _attempt(uri: str, act: Callable[[], _T]) -> _T:
    try:
        return act()
    except FileNotFoundError as error:
        raise AbsentError(f"cannot read {uri}", why=_reason(error)) from error
    except OSError as error:
        raise UsageError(f"cannot read {uri}", why=_reason(error)) from error
    except ValueError as error:
        raise UsageError(f"cannot read {uri!r}", why=error) from error


def _unwritable(uri: str, error: OSError, verb: str = "write") -> UsageError | StorageError:
    what = f"cannot {verb} {uri}"
    if error.errno in _EXHAUSTED:
        return StorageError(what, why=_reason(error), remedy="make room and try again")
    why = "it is a file, not a folder" if isinstance(error, FileExistsError) else _reason(error)
    return UsageError(what, why=why, remedy="name a folder that can be written")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _replace(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp makes files only their owner can read.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
