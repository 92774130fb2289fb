"""Buckets on the loopback S3, one of its own for each test that asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import boto3
import pytest

from steps.init.bucket import Bucket


@pytest.fixture(scope="session")
def aws_clients(aws_environment: Mapping[str, str]) -> Mapping[str, Any]:
    """boto3 clients of the emulator by the service's name."""
    return {
        service: boto3.client(
            service,
            endpoint_url=aws_environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=aws_environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=aws_environment["AWS_SECRET_ACCESS_KEY"],
            region_name=aws_environment["AWS_DEFAULT_REGION"],
        )
        for service in ("iam", "s3", "stepfunctions")
    }


@pytest.fixture
def bucket(aws_clients: Mapping[str, Any]) -> Bucket:
    """An empty bucket."""
    name = f"lake-{uuid4().hex}"
    aws_clients["s3"].create_bucket(Bucket=name)
    return Bucket(aws_clients["s3"], name)
