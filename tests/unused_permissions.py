"""Actions that a role may do although no rehearsal, or only a certain one, makes it do them.

What a scenario uses is compared with the tables, so a reason that is no longer true fails: an action of
``NEVER`` that is used after all, one of ``ONLY_IN`` that its scenario does not use, a statement of ``SPARE``
that its scenario does not miss or that the happy one does.
"""

from __future__ import annotations

from typing import Final, NamedTuple

GIVING_UP: Final = "boto3 gives up an upload half-way only when a part of a large one fails"
TRACES: Final = "the emulator traces nothing"
HADOOP: Final = "Hadoop's s3:// client asks for it; here Spark reads and writes folders"

NEVER: Final[dict[tuple[str, str], str]] = {
    **{(role, "s3:AbortMultipartUpload"): GIVING_UP for role in ("InitRole", "TaskRole", "TrainingRole")},
    **{
        ("PrepareRole", f"s3:{action}"): HADOOP
        for action in ("AbortMultipartUpload", "DeleteObject", "GetBucketLocation")
    },
    **{
        ("StateMachineRole", f"xray:{action}"): TRACES
        for action in (
            "GetSamplingRules",
            "GetSamplingTargets",
            "PutTelemetryRecords",
            "PutTraceSegments",
        )
    },
    **{
        ("FlowLogRole", f"logs:{action}"): "no packet flows in the emulator"
        for action in ("CreateLogStream", "DescribeLogStreams", "PutLogEvents")
    },
}
"""(role, action) -> why no scenario uses it."""


class Statement(NamedTuple):
    """A statement of a role's policy."""

    role: str
    actions: tuple[str, ...]
    last: str
    """What stands behind the last / of its last resource; a bucket has none."""


class Spare(NamedTuple):
    """Why the happy scenario would do without a statement although it uses the actions."""

    why: str
    missed_in: str | None
    """The scenario in which a call would be refused without it; None: in none."""


SPARE: Final[dict[Statement, Spare]] = {
    Statement("TaskRole", ("s3:ListBucket",), ""): Spare(
        "of schemas, asked for when one is missing: the deployment puts them there", None
    ),
    Statement("StateMachineRole", ("s3:GetObject",), "missing.json"): Spare(
        "of what the merge missed", "missing-shard"
    ),
    Statement("StateMachineRole", ("s3:GetObject",), "error.json"): Spare(
        "of what the validator said when it failed", "usage-error"
    ),
    Statement(
        "StateMachineRole",
        ("events:PutTargets", "events:PutRule", "events:DescribeRule"),
        "StepFunctionsGetEventsForBatchJobsRule",
    ): Spare("of the rule that hears of AWS Batch's jobs", "scale-out"),
}
"""A statement -> what is known of it."""

ONLY_IN: Final[dict[tuple[str, str], str]] = {
    ("EvaluateRole", "sagemaker:DescribeModelPackage"): "no-better",
    ("InitRole", "sagemaker:DescribeModelPackage"): "no-better",
    ("InitRole", "states:DescribeExecution"): "no-better",
    **{
        ("StateMachineRole", f"batch:{action}"): "scale-out"
        for action in ("SubmitJob", "DescribeJobs", "TerminateJob")
    },
    # Asked for when error.json is missing: the validator ended before it could say why.
    ("StateMachineRole", "s3:ListBucket"): "stopped-by-user",
    # Of error.json, when the next attempt begins.
    ("TaskRole", "s3:DeleteObject"): "storage-unavailable",
    ("TriggerRole", "states:StartExecution"): "drift",
}
"""(role, action) -> a scenario that uses it; the happy one does not."""

GONE: Final = "a creation that failed is removed, and asked why"

NO_RELEASE: Final[dict[tuple[str, str], str]] = {
    ("ReleaseBuildRole", "cloudformation:DeleteStack"): GONE,
    ("ReleaseBuildRole", "cloudformation:DescribeEvents"): GONE,
    ("ReleaseBuildRole", "s3:AbortMultipartUpload"): GIVING_UP,
}
"""(role, action) -> why no release in `tests/functional/test_release.py` uses it."""
