"""Streams between the store and pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from validator import store
from validator.errors import DataError
from validator.store import Object


def native(target: Object) -> Any:
    """Opens an object as a seekable pyarrow file."""
    return pa.PythonFile(store.at(target.uri).open(target), mode="r")


@contextmanager
def unpacked(target: Object, packing: str | None) -> Iterator[Any]:
    """Opens an object as a stream of what is packed in it; one that is not packed can seek.

    Args:
        target: What is opened.
        packing: gzip, bz2 or zstd, or None.

    Raises:
        DataError: Its bytes are not packed so, or end too early.
    """
    try:
        with store.at(target.uri).open(target) as source:
            if packing is None:
                yield source
            else:
                with pa.CompressedInputStream(pa.PythonFile(source, mode="r"), packing) as stream:
                    yield stream
    except (pa.ArrowInvalid, OSError) as error:
        why = f"its {packing} is damaged or cut off ({error})" if packing else error
        raise DataError(f"cannot read {target.uri}", why=why) from error
