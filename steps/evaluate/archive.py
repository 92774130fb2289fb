"""Reads one small file out of a model archive without unpacking it.

The archive is read as a stream: nothing is written to disk, members other than the wanted one are skipped,
links and devices are never followed, and both the packed and the unpacked size have a bound.
"""

from __future__ import annotations

import tarfile
import zlib
from pathlib import PurePosixPath
from typing import IO, Final

from .errors import InvalidModel

MEMBER_LIMIT: Final = 64 * 1024
"""Bytes of the wanted file."""

UNPACKED_LIMIT: Final = 4 * 1024**3
"""Bytes of all members up to it; a gzip bomb ends here."""

MEMBERS_LIMIT: Final = 1000


def read(stream: IO[bytes], name: str) -> bytes:
    """Return the content of the file ``name`` at the archive's root.

    Args:
        stream: The archive, a gzipped tar; read from its start, without seeking.
        name: Name of the file, such as ``metrics.json``.

    Raises:
        InvalidModel: No such regular file, one too large, too many members, or not a gzipped tar.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|gz") as archive:
            return _find(archive, name)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise InvalidModel(f"the model archive cannot be read: {error}") from None


def _find(archive: tarfile.TarFile, name: str) -> bytes:
    unpacked = 0
    for count, member in enumerate(archive, start=1):
        if str(PurePosixPath(member.name)) == name:
            return _content(archive, member)
        unpacked += member.size
        if unpacked > UNPACKED_LIMIT or count >= MEMBERS_LIMIT:
            raise InvalidModel(
                f"the model archive is too large: {name} is not among its first {count:,} members"
            )
    raise InvalidModel(f"the model archive has no {name}: the training script writes it into SM_MODEL_DIR")


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member) if member.isreg() and member.size <= MEMBER_LIMIT else None
    if file is None:
        raise InvalidModel(
            f"{member.name} in the model archive is no regular file of at most {MEMBER_LIMIT:,} bytes"
        )
    return file.read()
