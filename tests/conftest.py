"""What more than one folder needs: an S3 that answers on loopback, properties without a deadline."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import settings

from build.rehearsal import folder
from build.rehearsal.cloud import Environments, running

ROOT = Path(__file__).parent.parent

# No test is timed: a busy machine proves nothing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def aws_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an emulator that ends with the session; nothing in it at first."""
    environments = Environments.below(ROOT, validator=Path(sys.executable))
    place = folder.create(tmp_path_factory.mktemp("aws"), "tests")
    with running(ROOT, place, environments, faults=()) as cloud:
        yield cloud.endpoint_url


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
        for service in (
            "cloudformation",
            "events",
            "iam",
            "s3",
            "scheduler",
            "sqs",
            "stepfunctions",
        )
    }


@pytest.fixture(scope="session")
def aws_environment(aws_endpoint: str) -> Mapping[str, str]:
    """Variables by which any process's boto3 finds the emulator and nothing else."""
    return {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names no parameter by its bytes: gzip's hold the time, and workers would collect other names."""
    return "bytes" if isinstance(val, bytes) else None
