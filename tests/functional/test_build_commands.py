"""The commands as people run them, in a process of their own, against an emulator of AWS."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess, run
from typing import Any

import pytest

from tests.configuration import PATH, ROOT


@pytest.fixture
def command(aws_environment: Mapping[str, str], tmp_path: Path) -> Command:
    return Command({**aws_environment, "PATH": os.environ["PATH"], "HOME": str(tmp_path), "COLUMNS": "200"})


class Command:
    """Runs `python -m build` in an environment of its own; a variable that is None is taken out."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __call__(self, *arguments: str, typed: str = "", **other: str | None) -> CompletedProcess[str]:
        return run(
            [sys.executable, "-m", "build", *arguments, "--config", str(PATH)],
            cwd=ROOT,
            env={name: value for name, value in {**self._environment, **other}.items() if value is not None},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )


def test_delivery_from_nothing_to_the_door_of_the_pipeline(command: Command) -> None:
    planned = command("plan", "--stage", "prod")
    assert planned.returncode == 0
    assert "+ add ArtifactBucket " in " ".join(planned.stdout.split())
    assert "sluice-prod-pipeline: can be planned once sluice-prod-delivery is deployed" in planned.stdout

    status = command("status", "--stage", "prod")
    assert "sluice-prod-delivery: not deployed" in status.stdout, "a plan leaves nothing behind"

    imageless = command("image", "--stage", "prod")
    assert imageless.returncode == 64
    assert (
        "run make deploy STACK=delivery STAGE=prod (python -m build deploy delivery --stage prod) first"
        in imageless.stderr
    )

    refused = command("deploy", "delivery", "--stage", "prod", typed="y\n")
    assert refused.returncode == 64
    assert "say YES=1 (or --yes)" in refused.stderr

    deployed = command("deploy", "delivery", "--stage", "prod", "--yes", "--parameter", "Branch=next")
    assert deployed.returncode == 0, deployed.stderr
    outputs = dict(line.split() for line in deployed.stdout.splitlines())
    assert outputs.keys() == {"ArtifactBucketName", "ValidatorRepositoryUri"}
    assert "CREATE_COMPLETE  sluice-prod-delivery" in deployed.stderr

    again = command("deploy", "delivery", "--stage", "prod", "--yes")
    assert again.returncode == 0
    assert "sluice-prod-delivery: nothing to change" in again.stderr, "Branch=next is kept"

    imageless = command("deploy", "--stage", "prod", "--yes")
    assert imageless.returncode == 64
    assert "has no validator image yet" in imageless.stderr

    tagged = command("deploy", "--stage", "prod", "--yes", "--image", "repository:latest")
    assert tagged.returncode == 64
    assert "not named by digest" in tagged.stderr

    dockerless = command("image", "--stage", "prod", DOCKER="no-such-docker")
    assert dockerless.returncode == 77
    assert dockerless.stdout == ""
    assert dockerless.stderr.count("\n") == 1


def test_no_region_and_no_credentials_are_not_available_here(command: Command) -> None:
    nowhere = command("status", AWS_DEFAULT_REGION=None)
    assert nowhere.returncode == 77
    assert nowhere.stderr.count("\n") == 1
    nobody = command("status", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    assert nobody.returncode == 77
    assert "credentials" in nobody.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        {"AWS_DEFAULT_REGION": "", "AWS_ENDPOINT_URL": None},
        {"AWS_DEFAULT_REGION": "$(x)"},
        {"AWS_ENDPOINT_URL": "no url"},
    ],
)
def test_a_region_or_endpoint_that_cannot_be_is_one_line(command: Command, wrong: dict[str, Any]) -> None:
    refused = command("status", **wrong)
    assert refused.returncode == 64
    assert "cannot connect to AWS" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_an_aws_that_does_not_answer_is_one_line(command: Command) -> None:
    silent = command("status", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert silent.returncode == 1
    assert "cannot look at stack sluice-dev-delivery: Could not connect" in silent.stderr
    assert silent.stderr.count("\n") == 1
