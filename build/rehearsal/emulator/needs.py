"""What AWS asks IAM for when it acts for us: for a state's call, a task's agent, a function, a job.

Nobody sends these requests here, so nobody would be refused: MiniStack acts inside of itself as its root
user. Sources: "IAM policies for integrated services" (Step Functions), "Task execution IAM role" (ECS),
"Service Authorization Reference".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

Arguments = Mapping[str, Any]

_ANY_ID: Final = "0" * 32
"""In the place of an id that is known only once the thing exists."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to IAM: may this action be done on this resource, under these condition keys?"""

    action: str
    resource: str = "*"
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """Where things lie."""

    region: str
    number: str
    task_roles: Callable[[str], Sequence[str]] = lambda _definition: ()
    """The ARNs of the roles that a task definition names."""

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource here."""
        return f"arn:aws:{service}:{self.region}:{self.number}:{resource}"


Needs = Callable[[Arguments, Account], Iterator[Request]]


def of_state(resource: str, arguments: Arguments, account: Account) -> list[Request]:
    """What the state machine's role must be allowed for a Task state.

    Raises:
        LookupError: nobody has written down what this integration needs.
    """
    name, _, how = resource.removeprefix("arn:aws:states:::").partition(".")
    if name not in INTEGRATIONS:
        raise LookupError(f"emulator/needs.py does not say what {resource} needs of IAM")
    call, waiting = INTEGRATIONS[name]
    return [*call(arguments, account), *(waiting(arguments, account) if how.startswith("sync") else ())]


def of_machine(machine: Mapping[str, Any], _account: Account) -> Iterator[Request]:
    """What the role of a state machine must be allowed for its log."""
    # MiniStack keeps what CloudFormation gave it as it was spelt there.
    logging = {name.lower(): value for name, value in (machine.get("loggingConfiguration") or {}).items()}
    if logging.get("level", "OFF") != "OFF":
        yield from map(Request, LOG_DELIVERY)


LOG_DELIVERY: Final = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)
TRACING: Final = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")


def of_agent(definition: Mapping[str, Any], account: Account) -> Iterator[Request]:
    """What a task's execution role must be allowed before and while its containers run."""
    for container in definition["containerDefinitions"]:
        yield from _pull(container["image"])
        for secret in container.get("secrets") or ():
            yield _read_secret(secret["valueFrom"])
        options = (container.get("logConfiguration") or {}).get("options") or {}
        if group := options.get("awslogs-group"):
            stream = f"{options.get('awslogs-stream-prefix')}/{container['name']}/{_ANY_ID}"
            yield from _log(account, group, stream)


def of_function(configuration: Mapping[str, Any], account: Account) -> Iterator[Request]:
    """What a function's role must be allowed by Lambda itself, whatever its code does."""
    given = (configuration.get("LoggingConfig") or {}).get("LogGroup")
    yield from _log(account, given or f"/aws/lambda/{configuration['FunctionName']}", "stream")
    if (configuration.get("TracingConfig") or {}).get("Mode") == "Active":
        yield from map(Request, TRACING)


def of_job(account: Account) -> Iterator[Request]:
    """What a Glue job's role must be allowed by Glue itself."""
    group = "/aws-glue/jobs/output"
    yield Request("logs:CreateLogGroup", _stream(account, group, ""))
    yield from _log(account, group, "stream")
    yield Request("cloudwatch:PutMetricData", context={"cloudwatch:namespace": "Glue"})


def of_training(arguments: Arguments, account: Account) -> Iterator[Request]:
    """What a training job's role must be allowed by SageMaker itself."""
    group = "/aws/sagemaker/TrainingJobs"
    yield from _pull(arguments["AlgorithmSpecification"]["TrainingImage"])
    yield Request("logs:CreateLogGroup", _stream(account, group, ""))
    yield Request("logs:DescribeLogStreams", _stream(account, group, ""))
    yield from _log(account, group, "stream")
    yield Request("cloudwatch:PutMetricData", context={"cloudwatch:namespace": group})


def of_build(project: Mapping[str, Any], account: Account) -> Iterator[Request]:
    """What a build's role must be allowed by CodeBuild itself, whatever its commands do."""
    group = ((project.get("logsConfig") or {}).get("cloudWatchLogs") or {}).get("groupName")
    yield from _log(account, group or f"/aws/codebuild/{project['name']}", "build")
    if connection := (project["source"].get("auth") or {}).get("resource"):
        for action in ("GetConnection", "GetConnectionToken"):
            yield Request(f"codeconnections:{action}", connection)


def of_change_set(asked: Mapping[str, str]) -> Iterator[Request]:
    """What CloudFormation asks of who creates a change set, beside the call itself."""
    if "RoleARN" in asked:
        yield from _pass([asked["RoleARN"]], "cloudformation")
    if "TemplateURL" in asked:
        yield Request("s3:GetObject", f"arn:aws:s3:::{unquote(urlsplit(asked['TemplateURL']).path[1:])}")


def of_registry(action: str, request: Mapping[str, Any], account: Account) -> Request:
    """What a call of SageMaker's control plane asks for.

    Raises:
        LookupError: nobody has written down what this action needs.
    """
    match action:
        case "ListModelPackages":
            resource = "*"
        case "DescribeModelPackage":
            resource = request["ModelPackageName"]
        case "DescribeProcessingJob":
            resource = account.arn("sagemaker", f"processing-job/{request['ProcessingJobName']}")
        case "DescribeTrainingJob":
            resource = _training_job(request, account)
        case _:
            raise LookupError(f"emulator/needs.py does not say what sagemaker:{action} needs of IAM")
    return Request(f"sagemaker:{action}", resource)


def of_start(alias_or_machine: str) -> Request:
    """What starting an execution asks for: the machine itself, and the alias as a condition."""
    parts = alias_or_machine.split(":")
    qualifier = {"states:StateMachineQualifier": parts[7:8]} if len(parts) > 7 else {}
    return Request("states:StartExecution", ":".join(parts[:7]), qualifier)


_REGISTRY: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<name>[^:@]+)"
)


def _pull(image: str) -> Iterator[Request]:
    """An image of ECR is pulled by the role; others are public."""
    if found := _REGISTRY.match(image):
        repository = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['name']}"
        yield Request("ecr:GetAuthorizationToken")
        for action in ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage"):
            yield Request(f"ecr:{action}", repository)


def _read_secret(arn: str) -> Request:
    if ":ssm:" in arn:
        return Request("ssm:GetParameters", arn)
    # What follows the secret's own seven parts chooses a key or a version of it.
    return Request("secretsmanager:GetSecretValue", ":".join(arn.split(":")[:7]))


def _log(account: Account, group: str, stream: str) -> Iterator[Request]:
    for action in ("CreateLogStream", "PutLogEvents"):
        yield Request(f"logs:{action}", _stream(account, group, stream))


def _stream(account: Account, group: str, stream: str) -> str:
    return account.arn("logs", f"log-group:{group}:log-stream:{stream}")


def _invoke(asked: Arguments, _account: Account) -> Iterator[Request]:
    yield Request("lambda:InvokeFunction", asked["FunctionName"])


def _run_task(asked: Arguments, account: Account) -> Iterator[Request]:
    definition = asked["TaskDefinition"]
    yield Request("ecs:RunTask", definition, {"ecs:cluster": asked["Cluster"]})
    yield from _pass(account.task_roles(definition), "ecs-tasks")
    if asked.get("PropagateTags") or asked.get("Tags"):
        yield Request("ecs:TagResource", _task(asked, account), {"ecs:CreateAction": "RunTask"})


def _await_task(asked: Arguments, account: Account) -> Iterator[Request]:
    for action in ("DescribeTasks", "StopTask"):
        yield Request(f"ecs:{action}", _task(asked, account), {"ecs:cluster": asked["Cluster"]})
    yield from _hear(account, "ECSTask")


def _task(asked: Arguments, account: Account) -> str:
    return account.arn("ecs", f"task/{asked['Cluster'].rpartition('/')[2]}/{_ANY_ID}")


def _get_object(asked: Arguments, _account: Account) -> Iterator[Request]:
    action = "s3:GetObjectVersion" if "VersionId" in asked else "s3:GetObject"
    yield Request(action, _object(asked))


def _put_object(asked: Arguments, _account: Account) -> Iterator[Request]:
    yield Request("s3:PutObject", _object(asked))


def _object(asked: Arguments) -> str:
    return f"arn:aws:s3:::{asked['Bucket']}/{asked['Key']}"


def _start_job(asked: Arguments, account: Account) -> Iterator[Request]:
    yield Request("glue:StartJobRun", account.arn("glue", f"job/{asked['JobName']}"))


def _await_job(asked: Arguments, account: Account) -> Iterator[Request]:
    for action in ("GetJobRun", "GetJobRuns", "BatchStopJobRun"):
        yield Request(f"glue:{action}", account.arn("glue", f"job/{asked['JobName']}"))


def _train(asked: Arguments, account: Account) -> Iterator[Request]:
    yield Request("sagemaker:CreateTrainingJob", _training_job(asked, account))
    yield from _pass([asked["RoleArn"]], "sagemaker")


def _await_training(asked: Arguments, account: Account) -> Iterator[Request]:
    # `.sync` tags the job, so that it finds its events again.
    for action in ("DescribeTrainingJob", "StopTrainingJob", "AddTags", "ListTags"):
        yield Request(f"sagemaker:{action}", _training_job(asked, account))
    yield from _hear(account, "SageMakerTrainingJobs")


def _training_job(asked: Arguments, account: Account) -> str:
    return account.arn("sagemaker", f"training-job/{asked['TrainingJobName'].lower()}")


def _register(asked: Arguments, account: Account) -> Iterator[Request]:
    name = asked["ModelPackageGroupName"]
    for resource in (f"model-package-group/{name}", f"model-package/{name}/1"):
        yield Request("sagemaker:CreateModelPackage", account.arn("sagemaker", resource))


def _submit(asked: Arguments, account: Account) -> Iterator[Request]:
    # The Service Authorization Reference requires all three; the job has no id yet.
    for resource in (asked["JobDefinition"], asked["JobQueue"], _job(account)):
        yield Request("batch:SubmitJob", resource)


def _await_batch(_asked: Arguments, account: Account) -> Iterator[Request]:
    yield Request("batch:DescribeJobs")
    yield Request("batch:TerminateJob", _job(account))
    yield from _hear(account, "BatchJobs")


def _job(account: Account) -> str:
    return account.arn("batch", f"job/{_ANY_ID}")


def _publish(asked: Arguments, _account: Account) -> Iterator[Request]:
    yield Request("sns:Publish", asked["TopicArn"])


def _no_more(_asked: Arguments, _account: Account) -> Iterator[Request]:
    yield from ()


def _pass(roles: Sequence[str], service: str) -> Iterator[Request]:
    for role in roles:
        yield Request("iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"})


def _hear(account: Account, kind: str) -> Iterator[Request]:
    """The rule by which Step Functions hears of a job's end."""
    rule = account.arn("events", f"rule/StepFunctionsGetEventsFor{kind}Rule")
    for action in ("PutTargets", "PutRule", "DescribeRule"):
        yield Request(f"events:{action}", rule)


INTEGRATIONS: Final[Mapping[str, tuple[Needs, Needs]]] = {
    "aws-sdk:s3:getObject": (_get_object, _no_more),
    "aws-sdk:s3:putObject": (_put_object, _no_more),
    "aws-sdk:sagemaker:createModelPackage": (_register, _no_more),
    "batch:submitJob": (_submit, _await_batch),
    "ecs:runTask": (_run_task, _await_task),
    "glue:startJobRun": (_start_job, _await_job),
    "lambda:invoke": (_invoke, _no_more),
    "sagemaker:createTrainingJob": (_train, _await_training),
    "sns:publish": (_publish, _no_more),
}
"""Integration -> what its call needs, and what ``.sync`` needs beside it."""
