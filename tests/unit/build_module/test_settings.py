"""Settings: what is read of the environment, and what of it is shown."""

from __future__ import annotations

import pytest

from build.settings import Credentials, Settings, load


def test_the_engine_is_docker_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER", raising=False)
    assert load().docker == "docker"
    monkeypatch.setenv("DOCKER", "")
    assert load().docker == "docker"
    monkeypatch.setenv("DOCKER", "podman")
    assert load().docker == "podman"


def test_the_deployment_role_is_none_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOYMENT_ROLE_ARN", "")
    assert load().deployment_role is None
    monkeypatch.setenv("DEPLOYMENT_ROLE_ARN", "arn")
    assert load().deployment_role == "arn"


def test_the_secret_is_not_shown() -> None:
    settings = Settings(credentials=Credentials("id", "hidden"))
    assert "hidden" not in repr(settings)
    assert "id" in repr(settings)


def test_a_child_meets_the_same_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/ours")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://old")
    child = Settings("eu-west-1", "http://new", Credentials("id", "key")).environment()
    assert child["PATH"] == "/ours"
    assert child["AWS_ENDPOINT_URL"] == "http://new"
    assert child["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert (child["AWS_ACCESS_KEY_ID"], child["AWS_SECRET_ACCESS_KEY"]) == ("id", "key")


def test_what_is_left_open_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://old")
    assert Settings().environment()["AWS_ENDPOINT_URL"] == "http://old"


def test_the_region_that_people_set_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert load().region == "eu-central-1"
    monkeypatch.setenv("AWS_REGION", "")
    assert load().region is None
