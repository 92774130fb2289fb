"""The Lambda function: reads the trigger, claims it, and says what the run consists of."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from . import alarm, arrival, baseline, champion, claim, event, journal, manifest, monitor, plan, schedule
from .bucket import Bucket
from .errors import Busy
from .event import AlarmReport, Arrival, MonitorReport, Parsed, ScheduledRun, Trigger
from .execution import Execution, is_running
from .settings import Settings


@dataclass(frozen=True, slots=True)
class Clients:
    """The AWS services Init talks to."""

    s3: Any
    states: Any
    sagemaker: Any


def handler(payload: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer the state machine's Init state.

    Args:
        payload: ``input``, the execution's input, and ``execution`` with ``name``, ``id`` and ``started``.

    Returns:
        ``status`` (Planned, Duplicate, NoViolation or Incomplete) and, when planned, everything the later
        states need.

    Raises:
        InitError: The trigger cannot be run; the class name is stable, the message one line.
    """
    try:
        run = initiate(payload, Settings.parse(os.environ), _clients())
    except Busy as error:
        journal.tell("INFO", "busy", run_id=payload["execution"]["name"], message=str(error))
        raise
    except Exception as error:
        why = {"error": type(error).__name__, "message": str(error)}
        journal.tell("ERROR", "failed", run_id=payload["execution"]["name"], **why)
        raise
    journal.tell("INFO", "ended", **{key: run[key] for key in ("run_id", "run_date", "dataset", "status")})
    return run


def initiate(payload: dict[str, Any], settings: Settings, clients: Clients) -> dict[str, Any]:
    """Turn the payload into a run; the one place that knows the order."""
    execution = Execution.parse(payload["execution"])
    parsed = event.parse(payload["input"], settings.datasets, execution.name)
    trigger, ended = _resolve(parsed, settings, clients)
    execution.refuse_days_ahead(trigger.run_date)
    head = _head(trigger, execution)
    if ended:
        return {"status": ended, **head}
    bucket = Bucket(clients.s3, settings.pipeline_bucket)
    if not _claimed(bucket, trigger, execution, clients):
        return {"status": "Duplicate", **head}
    return {"status": "Planned", **head, **_run(bucket, trigger, execution, settings, clients)}


def _resolve(parsed: Parsed, settings: Settings, clients: Clients) -> tuple[Trigger, str]:
    """Return what would be run, and the status it ends with at once; "" when it is to run."""
    datasets = settings.datasets
    match parsed:
        case Trigger():
            return parsed, ""
        case AlarmReport():
            return alarm.resolve(parsed, datasets.values()), ""
        case ScheduledRun():
            return schedule.resolve(parsed, datasets), ""
        case Arrival():
            trigger, complete = arrival.resolve(parsed, settings)
            return trigger, "" if complete else "Incomplete"
        case MonitorReport(job):
            answer = clients.sagemaker.describe_processing_job(ProcessingJobName=job)
            trigger, violated = monitor.judge(answer, parsed, datasets.values())
            return trigger, "" if violated else "NoViolation"


def _head(trigger: Trigger, execution: Execution) -> dict[str, str]:
    return {"dataset": trigger.dataset, "run_date": trigger.run_date.isoformat(), "run_id": execution.name}


def _claimed(bucket: Bucket, trigger: Trigger, execution: Execution, clients: Clients) -> bool:
    """Lock the day for as long as this execution runs, then claim the trigger for ever.

    In this order: a trigger that finds its day running comes again, and must not be a duplicate of itself.

    Returns:
        Whether the trigger is this execution's; False when it was seen before.

    Raises:
        Busy: Another execution runs the day.
    """
    key = f"triggers/{trigger.dataset}/{trigger.key}"
    # Asked before: a second delivery must not wait until the day of the first one has ended.
    if claim.is_anothers(bucket, key, execution.name):
        return False
    claim.lock(
        bucket,
        f"locks/{trigger.dataset}/{trigger.run_date}",
        execution.arn,
        lambda arn: is_running(clients.states, arn),
    )
    return claim.claim(bucket, key, execution.name)


def _run(
    bucket: Bucket, trigger: Trigger, execution: Execution, settings: Settings, clients: Clients
) -> dict[str, Any]:
    dataset = settings.datasets[trigger.dataset]
    # Below each kind's own prefix: one role writes there.
    run = f"{trigger.run_date}/{execution.name}"
    key = f"runs/{run}/manifest.json"
    written = manifest.write_once(bucket, key, _manifest(bucket, trigger, execution, settings.max_objects))
    models = f"{settings.model_group_prefix}{dataset.name}"
    earlier = _baseline(bucket, trigger, execution)
    planned = plan.make(written.objects, settings.ladder, settings.pace)
    schema = f"s3://{settings.artifact_bucket}/{settings.schemas_prefix}/{dataset.name}.pbtxt"
    return {
        "label": dataset.label,
        "drop": _comma_list(dataset.drop),
        "delimiter": dataset.delimiter,
        "data_uri": written.data_uri,
        "manifest_uri": bucket.uri(key),
        "output_uri": bucket.uri(f"validation/{run}"),
        "states_uri": bucket.uri(f"states/{run}"),
        "prepared_uri": bucket.uri(f"prepared/{run}"),
        "training_uri": bucket.uri(f"training/{run}"),
        "schema_uri": schema if dataset.schema else "",
        "baseline_uri": earlier.statistics_uri,
        "baseline_sha256": earlier.statistics_sha256,
        "model_package_group": models,
        "champion": champion.find(clients.sagemaker, models).to_json(),
        "sizes": [size.to_json() for size in planned.sizes],
        "children": planned.children,
        "job_name": execution.job_name(settings.job_prefix, dataset.name, trigger.run_date),
    }


def _baseline(bucket: Bucket, trigger: Trigger, execution: Execution) -> baseline.Baseline:
    found = baseline.find(bucket, trigger.dataset, trigger.run_date)
    for uri in found.unreadable:
        why = f"{uri} names no run and statistics of this bucket: the accepted day before it is taken"
        journal.tell("WARNING", "unreadable", run_id=execution.name, message=why)
    return found


def _manifest(bucket: Bucket, trigger: Trigger, execution: Execution, limit: int) -> manifest.Manifest:
    prefix = f"data/{trigger.dataset}/{trigger.run_date}/"
    return manifest.compose(
        manifest.listing(bucket, prefix, limit),
        dataset=trigger.dataset,
        run_date=trigger.run_date,
        run_id=execution.name,
        data_uri=bucket.uri(prefix),
    )


def _comma_list(names: tuple[str, ...]) -> str:
    """Join names as one line of CSV, so that a name may hold a comma."""
    if names == ("-",):
        # Bare, it tells Prepare that there are none.
        return '"-"'
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()


@cache
def _clients() -> Clients:
    config = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=20)
    return Clients(
        *(boto3.client(service, config=config) for service in ("s3", "stepfunctions", "sagemaker"))
    )
