"""The states that do the work: one function a state, its permissions beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from awacs import batch as actions
from awacs import ecs, events, glue, s3, sagemaker
from awacs.aws import ArnEquals, Condition, Statement, StringEquals
from awacs.awslambda import InvokeFunction
from troposphere import GetAtt, Ref, Sub
from troposphere.iam import Role

from templates import access, batch, jobs, registry
from templates.access import PIPELINE_BUCKET
from templates.asl import (
    NULL,
    Call,
    Definition,
    Name,
    State,
    attempt,
    choice,
    each,
    fail,
    failure,
    item_task,
    jsonata,
    rule,
    succeed,
    task,
)
from templates.batch import Batch
from templates.classify import EXIT_CODE
from templates.config import Config
from templates.container import CONTAINER, ON_DEMAND, SPOT, Validator
from templates.encryption import by_key
from templates.fargate import UNITS
from templates.functions import Step
from templates.jobs import Preparation
from templates.network import Network
from validator.contract import GATE_LIMIT_BYTES, MISSING_LIMIT_BYTES, Artifact, Environment, Verdict

# What a service's model does not name, throttling among it, has the name of the SDK's base class:
# SageMaker.AmazonSageMakerException, "Rate exceeded". A mistake of that name is tried in vain, five times.
LAMBDA_RETRIED: Final = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
BATCH_RETRIED: Final = (
    "Batch.ServerException",
    "Batch.TooManyRequestsException",
    # Errors the service's model does not name, throttling among them.
    "Batch.AWSBatchException",
)
ECS_RETRIED: Final = ("ECS.ServerException", "ECS.ThrottlingException")
S3_RETRIED: Final = ("S3.S3Exception", "S3.SdkClientException")
# Not InternalServiceException or OperationTimeoutException: a run may have begun; two would write one place.
GLUE_RETRIED: Final = (
    "Glue.AWSGlueException",
    "Glue.ConcurrentRunsExceededException",
    "Glue.ResourceNumberLimitExceededException",
    "Glue.ThrottlingException",
)
# A second job of the same name is refused.
TRAINING_RETRIED: Final = (
    "SageMaker.AmazonSageMakerException",
    "SageMaker.ResourceLimitExceededException",
    "SageMaker.ThrottlingException",
)
REGISTRY_RETRIED: Final = ("SageMaker.SageMakerException", "SageMaker.SdkClientException")

SUBMIT_JOB: Final = "arn:aws:states:::batch:submitJob.sync"
ERROR_LIMIT_BYTES: Final = 16 * 1024
"""Bytes of error.json that are read; a longer one does not parse, and the failure stays as ECS told it."""

STATUS: Final = "$run.status = "
OUTPUT_KEY: Final = "$substringAfter($substringAfter($run.output_uri, 's3://'), '/')"
"""Key below which the validator wrote; the bucket is never taken from a variable."""


WHEN_BUSY: Final = {
    "ErrorEquals": ["Busy"],
    "IntervalSeconds": 60,
    "BackoffRate": 2,
    "MaxAttempts": 20,
    "MaxDelaySeconds": 900,
    "JitterStrategy": "FULL",
}
"""Init's own error: another execution runs the day. Asked again for two hours, four and a half at most."""


def init(config: Config, step: Step, *, then: Name) -> State:
    """Turn the trigger into a run, and begin all counters; a day that is running is waited for."""
    payload = {
        "input": jsonata("$states.context.Execution.Input"),
        "execution": {
            "name": jsonata("$states.context.Execution.Name"),
            "id": jsonata("$states.context.Execution.Id"),
            "started": jsonata("$states.context.Execution.StartTime"),
        },
    }
    assign = {
        "run": jsonata("$states.result.Payload"),
        "capacity": SPOT,
        "size": 0,
        "interruptions": 0,
        "storage_failures": 0,
        "repairs": 0,
    }
    call = _invoke(config, "init", step, payload, 120)
    state = task(Name.INIT, call, then=then, assign=assign, otherwise={"run": {}})
    return replace(state, definition={**state.definition, "Retry": [*state.definition["Retry"], WHEN_BUSY]})


def planned(
    *,
    then: Name,
    children: Name | None,
    duplicate: Name,
    no_violation: Name,
    incomplete: Name,
    failed: Name,
) -> State:
    """Go on with a planned run; an event seen before, a monitor's good news or a part of a day ends here.

    Args:
        then: What one task does.
        children: What an array job does; None where there is none.
        duplicate: The end of an event seen before.
        no_violation: The end of a monitor's good news.
        incomplete: The end of a part of a day.
        failed: Where anything else leads.
    """
    shared = [rule(f"{STATUS}'Planned' and $run.children > 1", children)] if children else []
    return choice(
        Name.PLANNED,
        [
            *shared,
            rule(f"{STATUS}'Planned'", then),
            rule(f"{STATUS}'Duplicate'", duplicate, output=_early(duplicate)),
            rule(f"{STATUS}'NoViolation'", no_violation, output=_early(no_violation)),
            rule(f"{STATUS}'Incomplete'", incomplete, output=_early(incomplete)),
        ],
        otherwise=failed,
        assign=_failure(Name.PLANNED, "UnknownStatus", "'Init answered with status ' & $run.status"),
    )


def validate(
    config: Config, validator: Validator, network: Network, *, shared: bool, then: Name, failed: Name
) -> State:
    """Run the validator as a task: Spot first, on-demand when the capacity is not to be had.

    Args:
        config: The stage's configuration.
        validator: What is run.
        network: Where it is run.
        shared: Whether children may have profiled the day: then their states are merged here, and judged.
        then: Next state.
        failed: Next state when it fails.
    """
    call = Call(
        resource="arn:aws:states:::ecs:runTask.sync",
        arguments={
            "Cluster": GetAtt(validator.cluster, "Arn"),
            "TaskDefinition": Ref(validator.task),
            # Leaves out LaunchType, which excludes it; weights never fall back from Spot to on-demand.
            "CapacityProviderStrategy": [{"CapacityProvider": jsonata("$capacity"), "Weight": 1}],
            "NetworkConfiguration": network.placement.awsvpc(),
            "PropagateTags": "TASK_DEFINITION",
            "Overrides": _overrides(shared),
        },
        retried=ECS_RETRIED,
        timeout_seconds=config.validation.timeout_minutes * 60,
        statements=_run_task(config, validator),
    )
    return task(Name.VALIDATE, call, then=then, failed=failed)


def profile_shards(config: Config, fleet: Batch, *, then: Name, failed: Name) -> State:
    """Profile a great day by the children of an array job, on Spot."""
    call = Call(
        resource=SUBMIT_JOB,
        arguments={
            "JobName": jsonata("$run.job_name"),
            "JobQueue": Ref(fleet.spot_queue),
            "JobDefinition": Ref(fleet.job),
            "ArrayProperties": {"Size": jsonata("$run.children")},
            "ContainerOverrides": {"Environment": [*_environment(SPOT), SHARD_COUNT]},
        },
        retried=BATCH_RETRIED,
        timeout_seconds=batch.longest(config),
        statements=_submit_jobs(config),
    )
    return task(Name.PROFILE_SHARDS, call, then=then, failed=failed)


def shards_tried(*, then: Name, failed: Name) -> State:
    """Go on after a job that ran: what its children left undone is no failure yet, the merge names it."""
    return choice(Name.SHARDS_TRIED, [rule(f"$failure.error in {OF_JOBS}", then)], otherwise=failed)


def read_missing(*, then: Name) -> State:
    """Read which children's states the merge did not find."""
    call = _read(Artifact.MISSING, MISSING_LIMIT_BYTES)
    return task(
        Name.READ_MISSING, call, then=then, assign={"missing": jsonata("$parse($states.result.Body)")}
    )


def profile_missing(config: Config, fleet: Batch, *, then: Name) -> State:
    """Profile each missing part by a job of its own, on demand and with the next size's memory.

    A job that ran and failed is left to the merge, one that cannot be run ends the whole.
    """
    call = Call(
        resource=SUBMIT_JOB,
        arguments={
            "JobName": jsonata("$run.job_name & '-' & $states.input & '-' & $repairs"),
            "JobQueue": Ref(fleet.on_demand_queue),
            "JobDefinition": Ref(fleet.job),
            "ContainerOverrides": {
                "ResourceRequirements": batch.requirements(
                    jsonata(f"$string($number($run.sizes[1].Cpu) / {UNITS})"), jsonata("$run.sizes[1].Memory")
                ),
                "Environment": [
                    *_environment(ON_DEMAND),
                    SHARD_COUNT,
                    {"Name": Environment.SHARD_INDEX, "Value": jsonata("$string($states.input)")},
                ],
            },
        },
        retried=BATCH_RETRIED,
        timeout_seconds=batch.longest(config),
        statements=_submit_jobs(config),
    )
    return each(
        Name.PROFILE_MISSING,
        "[$missing.children]",
        [
            item_task(Name.PROFILE_SHARD, call, then=Name.TRIED, failed=Name.SHARD_TRIED),
            choice(
                Name.SHARD_TRIED,
                [rule(f"$states.input.error in {OF_JOBS}", Name.TRIED)],
                otherwise=Name.NEVER_RAN,
            ),
            succeed(Name.TRIED),
            fail(Name.NEVER_RAN, "$states.input.cause", error="$states.input.error"),
        ],
        most=MOST_AT_A_TIME,
        then=then,
    )


OF_JOBS: Final = "['States.TaskFailed', 'States.Timeout']"
"""Errors of a job that ran. A Catch cannot tell: to it States.TaskFailed stands for all but timeouts."""

SHARD_COUNT: Final = {"Name": Environment.SHARD_COUNT, "Value": jsonata("$string($run.children)")}

MOST_AT_A_TIME: Final = 40
"""Items of an inline Map that Step Functions works on at a time."""


def _submit_jobs(config: Config) -> tuple[Statement, ...]:
    definition = f"job-definition/{batch.name(config)}"
    queues = (f"job-queue/{batch.queue_name(config, title)}" for title in batch.QUEUES)
    return (
        access.allow(
            [actions.SubmitJob],
            # Every revision: earlier versions of the state machine name earlier ones. The job's own id is not
            # known before it is submitted.
            *(access.local("batch", each) for each in (definition, f"{definition}:*", *queues, "job/*")),
        ),
        access.allow([actions.TerminateJob], access.local("batch", "job/*")),
        access.everywhere("DescribingJobsHasNoResource", [actions.DescribeJobs]),
        _await("BatchJobs"),
    )


def _overrides(shared: bool) -> Definition:
    command = "$run.children = 1 ? ['validate'] : ['merge', '--shard-count', $string($run.children)]"
    return {
        "Cpu": jsonata("$run.sizes[$size].Cpu"),
        "Memory": jsonata("$run.sizes[$size].Memory"),
        "ContainerOverrides": [
            {
                "Name": CONTAINER,
                **({"Command": jsonata(command)} if shared else {}),
                "Environment": _environment(jsonata("$capacity")),
            }
        ],
    }


def _environment(capacity: str) -> list[Definition]:
    values = {
        Environment.RUN_DATE: jsonata("$run.run_date"),
        Environment.RUN_ID: jsonata("$run.run_id"),
        Environment.MANIFEST_URI: jsonata("$run.manifest_uri"),
        Environment.DATA_URI: jsonata("$run.data_uri"),
        Environment.CSV_DELIMITER: jsonata("$run.delimiter"),
        Environment.SCHEMA_URI: jsonata("$run.schema_uri"),
        Environment.BASELINE_URI: jsonata("$run.baseline_uri"),
        Environment.BASELINE_SHA256: jsonata("$run.baseline_sha256"),
        Environment.OUTPUT_URI: jsonata("$run.output_uri"),
        Environment.STATES_URI: jsonata("$run.states_uri"),
        Environment.CAPACITY: capacity,
    }
    return [{"Name": name, "Value": value} for name, value in values.items()]


def _run_task(config: Config, validator: Validator) -> tuple[Statement, ...]:
    tasks = Sub(
        f"arn:${{AWS::Partition}}:ecs:${{AWS::Region}}:${{AWS::AccountId}}:task/${{{validator.cluster.title}}}/*"
    )
    return (
        access.allow(
            [ecs.RunTask],
            # Every revision: earlier versions of the state machine name earlier ones.
            access.local("ecs", f"task-definition/{config.named(CONTAINER)}:*"),
            Condition=Condition(ArnEquals({"ecs:cluster": GetAtt(validator.cluster, "Arn")})),
        ),
        access.allow([ecs.DescribeTasks, ecs.StopTask], tasks),
        access.allow(
            [ecs.TagResource], tasks, Condition=Condition(StringEquals({"ecs:CreateAction": "RunTask"}))
        ),
        access.pass_role(validator.task_role, "ecs-tasks"),
        access.pass_role(validator.execution_role, "ecs-tasks"),
        _await("ECSTask"),
    )


def read_error(*, then: Name) -> State:
    """Read why the validator failed, in its own words: of ECS only its exit code is to be had."""
    call = _read(Artifact.ERROR, ERROR_LIMIT_BYTES)
    # The file may be an earlier attempt's.
    said = (
        f"($code := {EXIT_CODE}; "
        "$said := $parse($states.result.Body); "
        "$said.run_id = $run.run_id and $string($said.exit_code) = $code "
        "? {'state': $failure.state, 'error': $said.error, "
        "'cause': $said.message & ' (exit code ' & $code & ')'} : $failure)"
    )
    return attempt(Name.READ_ERROR, call, then=then, assign={"failure": jsonata(said)})


def read_gate(*, then: Name) -> State:
    """Read what the validator said last."""
    call = _read(Artifact.GATE, GATE_LIMIT_BYTES)
    return task(Name.READ_GATE, call, then=then, assign={"gate": jsonata("$parse($states.result.Body)")})


def _read(artifact: Artifact, limit: int) -> Call:
    """Return the call that reads one of the validator's small files."""
    return Call(
        resource="arn:aws:states:::aws-sdk:s3:getObject",
        arguments={
            "Bucket": Ref(PIPELINE_BUCKET),
            "Key": jsonata(f"{OUTPUT_KEY} & '/{artifact}'"),
            # A payload above 256 KiB ends the execution uncaught; a file cut off here does not parse.
            "Range": f"bytes=0-{limit - 1}",
        },
        retried=S3_RETRIED,
        timeout_seconds=60,
        statements=(
            access.read_objects(PIPELINE_BUCKET, f"validation/*/{artifact}"),
            access.list_objects(PIPELINE_BUCKET, "validation/*"),
        ),
    )


def gate(*, passed: Name, warned: Name, rejected: Name, failed: Name) -> State:
    """Let nothing through but this run's own pass or warn."""
    ways = {Verdict.PASS: passed, Verdict.WARN: warned, Verdict.FAIL: rejected}
    ours = "$gate.run_id = $run.run_id and $exists($gate.statistics_sha256)"
    return choice(
        Name.GATE,
        [rule(f"{ours} and $gate.verdict = '{verdict}'", then) for verdict, then in ways.items()],
        otherwise=failed,
        assign=_failure(
            Name.GATE,
            "GateMismatch",
            f"'{Artifact.GATE} below ' & $run.output_uri & ' is of another run, or lacks verdict or hash'",
        ),
    )


def accept(*, then: Name) -> State:
    """Put the day down as accepted: later days are compared with it."""
    call = Call(
        resource="arn:aws:states:::aws-sdk:s3:putObject",
        arguments={
            "Bucket": Ref(PIPELINE_BUCKET),
            "Key": jsonata("'accepted/' & $run.dataset & '/' & $run.run_date & '.json'"),
            "ContentType": "application/json",
            "Body": {
                "dataset": jsonata("$run.dataset"),
                "run_date": jsonata("$run.run_date"),
                "run_id": jsonata("$run.run_id"),
                "verdict": jsonata("$gate.verdict"),
                "statistics_uri": jsonata(f"$run.output_uri & '/{Artifact.STATISTICS}'"),
                # Whoever replaces them later is found out.
                "statistics_sha256": jsonata("$gate.statistics_sha256"),
                "manifest_uri": jsonata("$run.manifest_uri"),
            },
        },
        retried=S3_RETRIED,
        timeout_seconds=60,
        statements=(access.allow([s3.PutObject], access.object_arn(PIPELINE_BUCKET, "accepted/*")),),
    )
    return task(Name.ACCEPT, call, then=then)


def latest(*, then: Name, older: Name) -> State:
    """Train on a day that can win: a model of a day before the champion's never takes its place."""
    return choice(
        Name.LATEST,
        [
            rule(
                "$run.champion.run_date > $run.run_date",
                older,
                output={**outcome(older), "evaluation": NULL},
            )
        ],
        otherwise=then,
    )


def prepare(config: Config, preparation: Preparation, *, then: Name) -> State:
    """Clean, type and split what the manifest names."""
    call = Call(
        resource="arn:aws:states:::glue:startJobRun.sync",
        arguments={
            "JobName": Ref(preparation.job),
            "Arguments": {
                # Overrides the job's own: a version of the state machine keeps the script it was made with.
                "--scriptLocation": jobs.script(),
                "--manifest_uri": jsonata("$run.manifest_uri"),
                "--data_uri": jsonata("$run.data_uri"),
                "--verdict_uri": jsonata(f"$run.output_uri & '/{Artifact.VERDICT}'"),
                "--output_uri": jsonata("$run.prepared_uri"),
                "--label": jsonata("$run.label"),
                "--drop": jsonata("$run.drop = '' ? '-' : $run.drop"),
                "--delimiter": jsonata("$run.delimiter = '' ? 'none' : $run.delimiter"),
            },
        },
        retried=GLUE_RETRIED,
        # The job's own limit speaks first.
        timeout_seconds=config.preparation.timeout_minutes * 60 + 600,
        statements=(
            access.allow(
                [glue.StartJobRun, glue.GetJobRun, glue.GetJobRuns, glue.BatchStopJobRun],
                access.local("glue", f"job/{config.named('prepare')}"),
            ),
        ),
    )
    return task(Name.PREPARE, call, then=then)


def train(config: Config, role: Role, *, then: Name) -> State:
    """Train on managed Spot, beside the champion when there is one; the container has no network."""
    call = Call(
        resource="arn:aws:states:::sagemaker:createTrainingJob.sync",
        arguments={
            "TrainingJobName": jsonata("$run.job_name"),
            "RoleArn": GetAtt(role, "Arn"),
            "AlgorithmSpecification": {"TrainingImage": jobs.training_image(), "TrainingInputMode": "File"},
            "HyperParameters": _hyperparameters(config),
            # The package's place is CloudFormation's to fill in, within the expression.
            "InputDataConfig": Sub(jsonata(CHANNELS)),
            "OutputDataConfig": {"S3OutputPath": jsonata("$run.training_uri"), **by_key(config, "KmsKeyId")},
            "ResourceConfig": {
                "InstanceCount": 1,
                "InstanceType": Ref("TrainingInstanceType"),
                "VolumeSizeInGB": config.training.volume_gb,
                **by_key(config, "VolumeKmsKeyId"),
            },
            "EnableManagedSpotTraining": True,
            # Neither code nor image can send the data anywhere: SageMaker itself fills the channels and takes
            # the model.
            "EnableNetworkIsolation": True,
            "StoppingCondition": {
                "MaxRuntimeInSeconds": config.training.timeout_minutes * 60,
                "MaxWaitTimeInSeconds": config.training.wait_minutes * 60,
            },
        },
        retried=TRAINING_RETRIED,
        timeout_seconds=config.training.wait_minutes * 60 + 600,
        statements=_run_training(config, role),
    )
    return task(Name.TRAIN, call, then=then, assign={"training": TRAINING})


CHANNELS: Final = (
    "($channel := function($name, $type, $uri) { {"
    '"ChannelName": $name, "ContentType": $type, "DataSource": {"S3DataSource": {'
    '"S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated", "S3Uri": $uri}}} }; '
    "$append(["
    f"$channel('code', 'application/gzip', '{jobs.PACKAGE}'), "
    "$channel('train', 'application/x-parquet', $run.prepared_uri & '/train/'), "
    "$channel('validation', 'application/x-parquet', $run.prepared_uri & '/validation/')], "
    "$run.champion.model_data_url = '' ? [] "
    ": $channel('champion', 'application/gzip', $run.champion.model_data_url)))"
)

TRAINING: Final = {
    "status": jsonata("$states.result.TrainingJobStatus"),
    # A job that was stopped may have left no model.
    "model_data_url": jsonata("$states.result.ModelArtifacts.S3ModelArtifacts & ''"),
    "entered": jsonata("$states.context.State.EnteredTime"),
}


def _hyperparameters(config: Config) -> Definition:
    return {
        "sagemaker_program": "main.py",
        "sagemaker_submit_directory": jobs.package_file(),
        "label": jsonata("$run.label"),
        **dict(config.training.hyperparameters),
    }


def _run_training(config: Config, role: Role) -> tuple[Statement, ...]:
    return (
        access.allow(
            [
                sagemaker.CreateTrainingJob,
                sagemaker.DescribeTrainingJob,
                sagemaker.StopTrainingJob,
                sagemaker.AddTags,
                sagemaker.ListTags,
            ],
            # Init begins the names of jobs so.
            access.local("sagemaker", f"training-job/{config.named('*')}"),
        ),
        access.pass_role(role, "sagemaker"),
        _await("SageMakerTrainingJobs"),
    )


def trained(*, then: Name, failed: Name) -> State:
    """Go on with a completed training: one that ran out of time ends as Stopped, which is no error."""
    return choice(
        Name.TRAINED,
        [rule("$training.status = 'Completed' and $training.model_data_url != ''", then)],
        otherwise=failed,
        assign=_failure(
            Name.TRAINED, "NotCompleted", "'training job ' & $run.job_name & ' ended as ' & $training.status"
        ),
    )


def evaluate(config: Config, step: Step, *, then: Name) -> State:
    """Compare the new model with the champion, and make sure of what it was trained on."""
    payload = {
        "run_id": jsonata("$run.run_id"),
        "dataset": jsonata("$run.dataset"),
        "run_date": jsonata("$run.run_date"),
        "model_package_group": jsonata("$run.model_package_group"),
        "model_data_url": jsonata("$training.model_data_url"),
        "champion": jsonata("$run.champion"),
        "manifest_uri": jsonata("$run.manifest_uri"),
        "prepared_before": jsonata("$training.entered"),
        "margin": config.promotion.margin,
    }
    call = _invoke(config, "evaluate", step, payload, 180)
    return task(Name.EVALUATE, call, then=then, assign={"evaluation": jsonata("$states.result.Payload")})


def better(*, then: Name, not_better: Name, failed: Name) -> State:
    """Register a model that is better by the margin, and only that."""
    return choice(
        Name.BETTER,
        [
            rule("$evaluation.better = true", then),
            rule("$evaluation.better = false", not_better, output=outcome(not_better)),
        ],
        otherwise=failed,
        assign=_failure(Name.BETTER, "NotEvaluated", "'Evaluate did not say whether the model is better'"),
    )


def register(config: Config, *, then: Name) -> State:
    """Add the model to the registry, with where it came from."""
    call = Call(
        resource="arn:aws:states:::aws-sdk:sagemaker:createModelPackage",
        arguments={
            "ModelPackageGroupName": jsonata("$run.model_package_group"),
            "ModelApprovalStatus": Ref("ModelApprovalStatus"),
            # A retried call registers once; at most 36 of [A-Za-z0-9-].
            "ClientToken": jsonata("$substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 36)"),
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": jobs.training_image(),
                        "ModelDataUrl": jsonata("$training.model_data_url"),
                    }
                ],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            "CustomerMetadataProperties": {
                "run_id": jsonata("$run.run_id"),
                "run_date": jsonata("$run.run_date"),
                "dataset": jsonata("$run.dataset"),
                "metric": jsonata("$string($evaluation.metric)"),
                "value": jsonata("$string($evaluation.value)"),
            },
        },
        retried=REGISTRY_RETRIED,
        timeout_seconds=60,
        statements=(registry.register(config),),
    )
    assign = {
        "model_package_arn": jsonata("$states.result.ModelPackageArn"),
        "approval": Ref("ModelApprovalStatus"),
    }
    return task(Name.REGISTER, call, then=then, assign=assign)


def outcome(status: Name, *, package: str = "") -> Definition:
    """Return the execution's output after a judged run; ``package`` is the ARN of what was registered."""
    return {
        **_head(status),
        "verdict": jsonata("$gate.verdict"),
        "report_uri": jsonata(f"$run.output_uri & '/{Artifact.REPORT}'"),
        "evaluation": jsonata("$evaluation"),
        "model_package_arn": package,
    }


def _early(status: Name) -> Definition:
    return {
        **_head(status),
        "verdict": NULL,
        "report_uri": "",
        "evaluation": NULL,
        "model_package_arn": "",
    }


def _head(status: Name) -> Definition:
    return {
        "status": status,
        "dataset": jsonata("$run.dataset"),
        "run_date": jsonata("$run.run_date"),
        "run_id": jsonata("$run.run_id"),
    }


def _failure(name: Name, error: str, cause: str) -> Definition:
    return {"failure": failure(name, error=error, cause=jsonata(cause))}


def _invoke(config: Config, function: str, step: Step, payload: Any, timeout_seconds: int) -> Call:
    return Call(
        resource="arn:aws:states:::lambda:invoke",
        arguments={"FunctionName": Ref(step.version), "Payload": payload},
        retried=LAMBDA_RETRIED,
        timeout_seconds=timeout_seconds,
        # Every version: earlier versions of the state machine name earlier ones.
        statements=(
            access.allow([InvokeFunction], access.local("lambda", f"function:{config.named(function)}:*")),
        ),
    )


def _await(kind: str) -> Statement:
    """Allow what ``.sync`` needs to hear of a job's end: a rule that Step Functions keeps in the account."""
    return access.allow(
        [events.PutTargets, events.PutRule, events.DescribeRule],
        access.local("events", f"rule/StepFunctionsGetEventsFor{kind}Rule"),
    )
