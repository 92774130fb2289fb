"""The settings file: what is read, what is refused, and what MiniStack is started under."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from build.rehearsal.emulator.faults import Kind
from build.rehearsal.emulator.settings import SettingsError, load, ministack

RECORD: dict[str, Any] = {
    "folder": "rehearsal",
    "validator": {"argv": ["python", "-m", "validator"], "cwd": "."},
    "jobs_python": "jobs/bin/python",
}


def written(folder: Path, record: object) -> Path:
    file = folder / "settings.json"
    file.write_text(record if isinstance(record, str) else json.dumps(record))
    return file


def test_defaults_are_those_of_a_rehearsal(tmp_path: Path) -> None:
    settings = load(written(tmp_path, RECORD))
    assert (settings.account, settings.region, settings.wait_scale) == ("000000000000", "us-east-1", 1.0)
    assert settings.faults == ()
    assert settings.announcement == Path.cwd() / "rehearsal" / "emulator.json"


def test_a_link_to_an_interpreter_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to("/usr/bin/env")
    settings = load(written(tmp_path, {**RECORD, "jobs_python": str(tmp_path / "python")}))
    assert settings.jobs_python == tmp_path / "python"


def test_faults_are_parsed(tmp_path: Path) -> None:
    settings = load(written(tmp_path, {**RECORD, "faults": [{"step": "Init", "kind": "crash"}]}))
    assert settings.faults[0].kind is Kind.CRASH


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("{", "Expecting"),
        ([], "list"),
        ({}, "'folder' is missing"),
        ({**RECORD, "validator": {}}, "'argv' is missing"),
        ({**RECORD, "colour": "red"}, "colour"),
        ({**RECORD, "account": "12"}, "twelve digits"),
        ({**RECORD, "wait_scale": -1}, "negative"),
        ({**RECORD, "wait_scale": "nan"}, "negative"),
        ({**RECORD, "faults": [{"step": "Init"}]}, "lacks kind"),
    ],
)
def test_unusable_settings_are_one_line(tmp_path: Path, record: object, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        load(written(tmp_path, record))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load(tmp_path / "none.json")


def test_ministack_listens_nowhere_else(tmp_path: Path) -> None:
    environment = ministack(load(written(tmp_path, RECORD)), 4321, "tcp://127.0.0.1:1")
    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["GATEWAY_PORT"] == "4321"
    assert (environment["IOT_MTLS_ENABLED"], environment["SFTP_ENABLED"]) == ("0", "0")


def test_ministack_writes_nowhere_else(tmp_path: Path) -> None:
    environment = ministack(load(written(tmp_path, RECORD)), 4321, "tcp://127.0.0.1:1")
    temporary = Path.cwd() / "rehearsal" / "tmp"
    assert environment["TMPDIR"] == environment["HOME"] == str(temporary)
    assert {Path(environment[name]).parent for name in ("S3_DATA_DIR", "STATE_DIR")} == {temporary}
