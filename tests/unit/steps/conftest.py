"""Buckets on the loopback S3, one of its own for each test that asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from steps.init.bucket import Bucket


@pytest.fixture
def bucket(aws_clients: Mapping[str, Any]) -> Bucket:
    """An empty bucket."""
    name = f"lake-{uuid4().hex}"
    aws_clients["s3"].create_bucket(Bucket=name)
    return Bucket(aws_clients["s3"], name)
