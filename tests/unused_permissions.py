"""Actions that a role may do although no rehearsal, or only a certain one, makes it do them.

What a scenario uses is compared with both tables, so a reason that is no longer true fails: an action of
``NEVER`` that is used after all, and one of ``ONLY_IN`` that its scenario does not use.
"""

from __future__ import annotations

from typing import Final

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
    ("EvaluateRole", "s3:ListBucket"): "asked for when an object is missing: of a judged day none is",
    ("StateMachineRole", "s3:ListBucket"): "asked for when gate.json is missing after a task that succeeded",
}
"""(role, action) -> why no scenario uses it."""

SPARE: Final[dict[tuple[str, tuple[str, ...]], str]] = {
    (
        "TaskRole",
        ("s3:ListBucket",),
    ): "of schemas, asked for when one is missing: the deployment puts them there",
    (
        "StateMachineRole",
        ("s3:GetObject",),
    ): "of missing.json, which missing-shard reads",
    (
        "StateMachineRole",
        ("events:PutTargets", "events:PutRule", "events:DescribeRule"),
    ): "of the rule that hears of AWS Batch's jobs, asked for in scale-out",
}
"""(role, a statement's actions) -> why no call would be refused without it, although the action is used."""

ONLY_IN: Final[dict[tuple[str, str], str]] = {
    ("EvaluateRole", "sagemaker:DescribeModelPackage"): "no-better",
    ("InitRole", "sagemaker:DescribeModelPackage"): "no-better",
    ("InitRole", "states:DescribeExecution"): "no-better",
    **{
        ("StateMachineRole", f"batch:{action}"): "scale-out"
        for action in ("SubmitJob", "DescribeJobs", "TerminateJob")
    },
    ("TriggerRole", "states:StartExecution"): "drift",
}
"""(role, action) -> a scenario that uses it; the happy one does not."""
