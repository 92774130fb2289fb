"""The words the validator, the templates and the tooling share.

Standard library only: templates/ and build/ may import this module of validator/ and no other.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final


class Environment(StrEnum):
    """Environment variables of the validator; each is also a command-line option, which wins."""

    RUN_DATE = "RUN_DATE"
    RUN_ID = "RUN_ID"
    DATA_URI = "DATA_URI"
    MANIFEST_URI = "MANIFEST_URI"
    SCHEMA_URI = "SCHEMA_URI"
    SCHEMA_POLICY = "SCHEMA_POLICY"
    BASELINE_URI = "BASELINE_URI"
    BASELINE_SHA256 = "BASELINE_SHA256"
    OUTPUT_URI = "OUTPUT_URI"
    POLICY_URI = "POLICY_URI"
    DATA_ENVIRONMENT = "DATA_ENVIRONMENT"
    CSV_DELIMITER = "CSV_DELIMITER"
    CSV_COLUMNS = "CSV_COLUMNS"
    WORKERS = "WORKERS"
    MEMORY_BUDGET_MB = "MEMORY_BUDGET_MB"
    SHARD_INDEX = "SHARD_INDEX"
    SHARD_COUNT = "SHARD_COUNT"
    STATES_URI = "STATES_URI"
    CAPACITY = "CAPACITY"
    PRICE_VCPU_HOUR = "PRICE_VCPU_HOUR"
    PRICE_GB_HOUR = "PRICE_GB_HOUR"
    METRICS_STAGE = "METRICS_STAGE"


class ExitCode(IntEnum):
    """What the validator's process ends with (sysexits.h, and 3 for people's CI)."""

    OK = 0
    """Judged, whatever the verdict."""
    VERDICT = 3
    """The verdict, or a difference, reached --fail-on."""
    USAGE = 64
    """Usage or configuration, also a local path that does not exist."""
    DATA = 65
    """Bytes that cannot be decoded as the format they claim."""
    MISSING_SHARDS = 66
    """A merge lacks states: missing.json names the children to run again (EX_NOINPUT)."""
    STORAGE = 69
    """Storage unavailable after retries."""
    SOFTWARE = 70
    """Our bug."""
    INTERRUPTED = 75
    """SIGTERM: the work so far is saved."""


class Verdict(StrEnum):
    """What a gate says: any error is fail, else any warning is warn, else pass."""

    PASS = "pass"  # noqa: S105
    WARN = "warn"
    FAIL = "fail"


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class SchemaPolicy(StrEnum):
    """What to do when there is no schema: infer one and go on with a warning, or refuse."""

    BOOTSTRAP = "bootstrap"
    REQUIRE = "require"


class Artifact(StrEnum):
    """Files below OUTPUT_URI."""

    STATISTICS = "statistics.pb"
    ANOMALIES = "anomalies.pb"
    ANOMALIES_TEXT = "anomalies.pbtxt"
    SCHEMA = "schema.pbtxt"
    SCHEMA_PROPOSED = "schema.proposed.pbtxt"
    VERDICT = "verdict.json"
    REPORT = "report.html"
    GATE = "gate.json"
    ERROR = "error.json"
    ERRORS = "errors"
    """Folder of what children ended with, a file each."""
    COSTS = "costs"
    """Folder of what children's tasks were billed for, a file for each child."""
    STATES = "states"
    MISSING = "missing.json"


class Metric(StrEnum):
    """What a run is in numbers, in CloudWatch."""

    ROWS = "Rows"
    BYTES = "Bytes"
    ERRORS = "Errors"
    WARNINGS = "Warnings"
    NOTES = "Notes"
    """Findings by severity; notes are those of severity info."""
    REJECTIONS = "Rejections"
    """1 when the verdict is fail, else 0."""
    SECONDS = "Seconds"
    DOLLARS = "Dollars"
    LARGEST_DRIFT = "LargestDrift"
    """Of any feature, as a multiple of its threshold: above 1 something has drifted."""
    DRIFT = "Drift"
    """Of one feature, in its own measure."""
    INTERRUPTIONS = "Interruptions"
    """1 for each task of a run that was told to end; children are none."""


class Dimension(StrEnum):
    """What metrics are told apart by."""

    STAGE = "Stage"
    DATASET = "Dataset"
    FEATURE = "Feature"


METRICS_NAMESPACE: Final = "Sluice"

MANIFEST: Final = "manifest.json"
"""Name of the manifest below ``runs/<RUN_DATE>/<RUN_ID>/``."""

MANIFEST_VERSION: Final = 1
VERDICT_VERSION: Final = 1
GATE_VERSION: Final = 1
MISSING_VERSION: Final = 1
ERROR_VERSION: Final = 1

MISSING_LIMIT_BYTES: Final = 32 * 1024
"""missing.json is read into the payload too: some 5,000 children take less."""

GATE_LIMIT_BYTES: Final = 16 * 1024
"""gate.json is read into a state machine's payload, which holds 256 KiB in all."""

GATE_FINDINGS: Final = 10
"""How many findings gate.json carries; verdict.json has them all."""

MOST_CHILDREN: Final = 10_000
"""Processes that may profile one dataset together: AWS Batch runs no larger arrays."""

ARRAY_INDEX: Final = "AWS_BATCH_JOB_ARRAY_INDEX"
"""What AWS Batch calls SHARD_INDEX."""

DEFAULT_DATA_ENVIRONMENT: Final = "TRAINING"
