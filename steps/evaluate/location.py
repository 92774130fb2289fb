"""Where objects lie: ``s3://bucket/key`` in two parts."""

from __future__ import annotations

from typing import NamedTuple, Self

from .errors import InvalidPayload


class Location(NamedTuple):
    """A bucket and a key."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Split a URI; a key may hold any character, ``#`` and ``?`` too.

        Raises:
            InvalidPayload: It is not an S3 URI of an object.
        """
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not bucket or not key:
            raise InvalidPayload(f"not the URI of an S3 object: {uri!r:.200}")
        return cls(bucket, key)
