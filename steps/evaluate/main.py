"""The Lambda function: reads the new model's scores and decides whether it becomes the champion."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config

from . import archive, incumbent, journal, unchanged
from .decision import Days, Metrics, decide
from .location import Location

METRICS: Final = "metrics.json"


@dataclass(frozen=True, slots=True)
class Clients:
    """The AWS services Evaluate talks to."""

    s3: Any
    sagemaker: Any


def handler(payload: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer the state machine's Evaluate state.

    Args:
        payload: ``run_id``, ``dataset``, ``run_date``, ``model_package_group``, ``model_data_url``,
            ``champion``, ``manifest_uri``, ``prepared_before`` and ``margin``.

    Returns:
        ``better``, ``metric``, ``value``, ``champion_value``, ``margin`` and ``reason``.

    Raises:
        EvaluateError: The class name is stable, the message one line.
    """
    of_run = {key: payload[key] for key in ("run_id", "run_date", "dataset")}
    try:
        decision = evaluate(payload, _clients())
    except Exception as error:
        journal.tell("ERROR", "failed", **of_run, error=type(error).__name__, message=str(error))
        raise
    journal.tell("INFO", "ended", **of_run, better=decision["better"], reason=decision["reason"])
    return decision


def evaluate(payload: dict[str, Any], clients: Clients) -> dict[str, Any]:
    """Check the data, read the scores, decide; the one place that knows the order."""
    s3 = clients.s3
    manifest = json.load(_open(s3, payload["manifest_uri"]))
    prepared_before = datetime.fromisoformat(payload["prepared_before"])
    unchanged.check(manifest["objects"], prepared_before, unchanged.listed(s3, manifest["data_uri"]))
    metrics = Metrics.parse(archive.read(_open(s3, payload["model_data_url"]), METRICS))
    has_champion = bool(payload["champion"]["model_data_url"])
    # Asked last: other days may have been promoted while this one was trained.
    latest = incumbent.latest_day(clients.sagemaker, payload["model_package_group"])
    days = Days(model=payload["run_date"], champion=latest)
    return decide(metrics, float(payload["margin"]), days, has_champion=has_champion).to_json()


def _open(s3: Any, uri: str) -> Any:
    location = Location.parse(uri)
    return s3.get_object(Bucket=location.bucket, Key=location.key)["Body"]


@cache
def _clients() -> Clients:
    config = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=20)
    return Clients(*(boto3.client(service, config=config) for service in ("s3", "sagemaker")))
