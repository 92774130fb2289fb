"""What every process of a step gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from build.rehearsal.emulator.credentials import Credentials
from build.rehearsal.emulator.runtime import Runtime
from build.rehearsal.emulator.settings import Settings, Validator

ROLE = Credentials("ASIA1", "secret", "token")


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    settings = Settings(
        folder=tmp_path,
        validator=Validator(("validator",), tmp_path),
        jobs_python=Path("python"),
        region="eu-west-1",
    )
    settings.temporary.mkdir()
    return Runtime(settings, "http://127.0.0.1:1")


def test_logs_are_numbered_per_step(runtime: Runtime) -> None:
    names = [runtime.log(step).name for step in ("Validate", "Prepare", "Validate")]
    assert names == ["Validate-1.log", "Prepare-1.log", "Validate-2.log"]


@pytest.mark.parametrize("name", ["../escape", "a/b", "Ä b"])
def test_a_name_cannot_leave_its_folder(runtime: Runtime, name: str) -> None:
    assert runtime.log(name).parent == runtime.settings.logs
    assert runtime.scratch(name).parent == runtime.settings.temporary


def test_the_environment_is_the_roles(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    environment = runtime.environment(ROLE, Path("/scratch"))
    assert environment["AWS_SESSION_TOKEN"] == "token"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert environment["TMPDIR"] == "/scratch"
    assert "AWS_PROFILE" not in environment


def test_credentials_do_not_show_in_logs() -> None:
    assert "secret" not in repr(ROLE)
    assert "token" not in repr(ROLE).replace("session_token", "")
