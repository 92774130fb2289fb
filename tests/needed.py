"""What each Step Functions integration needs of IAM, no more and no fewer.

Source: AWS, "IAM policies for integrated services". Two things are held against this table: the statements
beside the states in templates/, and what the rehearsal's emulator asks the state machine's role for.
"""

from __future__ import annotations

from typing import Final

EVENTS: Final = {"events:PutTargets", "events:PutRule", "events:DescribeRule"}
"""To hear of a job's end, `.sync` keeps a rule in the account; Glue is polled instead."""

NEEDED: Final[dict[str, set[str]]] = {
    "arn:aws:states:::lambda:invoke": {"lambda:InvokeFunction"},
    "arn:aws:states:::ecs:runTask.sync": {
        "ecs:RunTask",
        "ecs:StopTask",
        "ecs:DescribeTasks",
        "ecs:TagResource",
        "iam:PassRole",
        *EVENTS,
    },
    "arn:aws:states:::batch:submitJob.sync": {
        "batch:SubmitJob",
        "batch:DescribeJobs",
        "batch:TerminateJob",
        *EVENTS,
    },
    # Without ListBucket a missing object is AccessDenied, not NoSuchKey.
    "arn:aws:states:::aws-sdk:s3:getObject": {"s3:GetObject", "s3:ListBucket"},
    "arn:aws:states:::aws-sdk:s3:putObject": {"s3:PutObject"},
    "arn:aws:states:::glue:startJobRun.sync": {
        "glue:StartJobRun",
        "glue:GetJobRun",
        "glue:GetJobRuns",
        "glue:BatchStopJobRun",
    },
    "arn:aws:states:::sagemaker:createTrainingJob.sync": {
        "sagemaker:CreateTrainingJob",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:StopTrainingJob",
        "sagemaker:AddTags",
        "sagemaker:ListTags",
        "iam:PassRole",
        *EVENTS,
    },
    "arn:aws:states:::aws-sdk:sagemaker:createModelPackage": {"sagemaker:CreateModelPackage"},
    "arn:aws:states:::sns:publish": {"sns:Publish"},
}
