"""Bodies and errors of the S3 integrations."""

from __future__ import annotations

import pytest

from build.rehearsal.emulator.objects import failure, serialize


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        ({"a": [1, None], "ä": "ü"}, '{"a":[1,null],"ä":"ü"}'.encode()),
        ("text", b"text"),
        ("", b""),
        ([], b"[]"),
        (0, b"0"),
    ],
)
def test_a_body_is_stored_as_text_or_json(body: object, stored: bytes) -> None:
    assert serialize(body) == stored


def error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>It is so.</Message></Error>".encode()


@pytest.mark.parametrize(
    ("status", "content", "name"),
    [
        (404, error("NoSuchKey"), "S3.NoSuchKeyException"),
        (404, error("NoSuchBucket"), "S3.NoSuchBucketException"),
        (412, error("PreconditionFailed"), "S3.S3Exception"),
        (403, error("AccessDenied"), "S3.S3Exception"),
        (500, b"", "S3.S3Exception"),
    ],
)
def test_errors_have_the_names_of_the_sdk(status: int, content: bytes, name: str) -> None:
    raised = failure(status, content)
    assert raised.error == name
    assert f"Status Code: {status}" in raised.cause
