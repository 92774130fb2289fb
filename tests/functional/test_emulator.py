"""The emulator as a whole: a real process, a tiny stack, tiny scripts."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

ROOT = Path(__file__).parents[2]
EMULATOR = ROOT / ".venv-emulator" / "bin" / "python"
JOBS = ROOT / ".venv-jobs" / "bin" / "python"

pytestmark = pytest.mark.skipif(
    not (EMULATOR.exists() and JOBS.exists()), reason="needs the environments of the emulator and of the jobs"
)

TASK = """
import json, os, signal, sys, time
import boto3
def end(*_):
    print("interrupted", flush=True)
    sys.exit(75)
signal.signal(signal.SIGTERM, end)
mode = os.environ["MODE"]
print(sys.argv[1:], sorted(os.environ), flush=True)
if mode == "grow":
    held = bytearray(400 << 20)
    time.sleep(60)
if mode == "wait":
    print("shard 1 of 2 done", flush=True)
    time.sleep(60)
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("shard 1 of 2 done", flush=True)
    time.sleep(60)
if mode == "write":
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key="one.json", Body=b"other")
if mode == "read":
    body = boto3.client("s3").get_object(Bucket=os.environ["BUCKET"], Key="one.json")["Body"].read()
    print("read", body.decode(), boto3.client("sts").get_caller_identity()["Arn"], flush=True)
if mode == "ask":
    asked = json.loads(os.environ["ASK"])
    getattr(boto3.client(asked["service"]), asked["call"])()
sys.exit(int(os.environ.get("CODE", "0")))
"""

SCRIPT = """
import argparse, json, os, pathlib
parser = argparse.ArgumentParser()
for name in ("JOB_NAME", "JOB_RUN_ID", "data_uri", "one", "output_uri", "label"):
    parser.add_argument("--" + name, required=True)
asked = parser.parse_args()
if asked.label == "wrong":
    raise ValueError("no such label: wrong")
data = pathlib.Path(asked.data_uri)
out = pathlib.Path(asked.output_uri)
out.mkdir()
(out / "seen.json").write_text(json.dumps({
    "files": {str(f.relative_to(data)): f.read_text() for f in sorted(data.rglob("*")) if f.is_file()},
    "one": pathlib.Path(asked.one).read_text(),
    "changed": os.stat(asked.one).st_mtime,
    "key": os.environ["AWS_ACCESS_KEY_ID"],
}))
"""

SPARK = """
import sys
from pyspark.sql import SparkSession
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
spark = SparkSession.builder.appName("tiny").getOrCreate()
frame = spark.read.option("header", True).csv(arguments["--data_uri"])
frame.groupBy("k").count().coalesce(1).write.parquet(arguments["--output_uri"] + "/counts")
spark.stop()
"""

TRAIN = """
import argparse, json, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--label", required=True)
parser.add_argument("--rounds", type=int, required=True)
asked = parser.parse_args()
rows = sorted(os.listdir(os.environ["SM_CHANNEL_TRAIN"]))
if asked.label == "wrong":
    raise SystemExit("no such label: wrong")
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.json").write_text(json.dumps({
    "rows": rows,
    "rounds": asked.rounds,
    "hps": json.loads(os.environ["SM_HPS"]),
    "helper": os.path.exists("helper.py"),
    "reaches": sorted(name for name in os.environ if "KEY" in name or "TOKEN" in name or "ENDPOINT" in name),
}))
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "notes.txt").write_text("done")
"""

FUNCTION = """
class UnknownDataset(Exception):
    pass

def handler(event, context):
    print("called with", event)
    if event.get("wrong"):
        raise UnknownDataset("no dataset: " + event["wrong"])
    return {"got": event, "arn": context.invoked_function_arn}
"""


def role(service: str, *actions: str) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [
                {"PolicyName": "all", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow]}}
            ],
        },
    }


def attribute(name: str, of: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [of, name]}


def definition(result: str) -> dict[str, Any]:
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Answer",
        "States": {"Answer": {"Type": "Pass", "Output": result, "End": True}},
    }


def template(answer: str) -> dict[str, Any]:
    provider = {"CapacityProvider": "FARGATE_SPOT", "Weight": 1}
    container = {
        "Name": "validator",
        "Image": "registry.example/validator@sha256:" + "a" * 64,
        "Command": ["validate"],
        "StopTimeout": 2,
        "Environment": [{"Name": "MODE", "Value": "ok"}],
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": {"Ref": "Logs"},
                "awslogs-region": "us-east-1",
                "awslogs-stream-prefix": "t",
            },
        },
    }
    resources: dict[str, Any] = {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "tiny-bucket"}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/tiny/tasks"}},
        "TaskRole": role("ecs-tasks.amazonaws.com", "s3:GetObject"),
        "JobRole": role("glue.amazonaws.com", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
        "TrainingRole": role("sagemaker.amazonaws.com", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
        "FunctionRole": role("lambda.amazonaws.com", "logs:PutLogEvents"),
        "MachineRole": role(
            "states.amazonaws.com",
            *(f"{service}:*" for service in ("ecs", "events", "glue", "lambda", "s3", "sagemaker", "sns")),
            "iam:PassRole",
        ),
        "IdleRole": role("states.amazonaws.com", "lambda:InvokeFunction"),
        "StarterRole": role("events.amazonaws.com", "states:StartExecution"),
        "OtherRole": role("events.amazonaws.com", "states:StopExecution"),
        "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "tiny"}},
        "Providers": {
            "Type": "AWS::ECS::ClusterCapacityProviderAssociations",
            "Properties": {
                "Cluster": {"Ref": "Cluster"},
                "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
                "DefaultCapacityProviderStrategy": [provider],
            },
        },
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Family": "tiny",
                "Cpu": "256",
                "Memory": "512",
                "NetworkMode": "awsvpc",
                "RequiresCompatibilities": ["FARGATE"],
                "TaskRoleArn": attribute("Arn", "TaskRole"),
                "ContainerDefinitions": [container],
            },
        },
        **{
            name: {
                "Type": "AWS::Glue::Job",
                "Properties": {
                    "Name": name.lower(),
                    "Role": attribute("Arn", "JobRole"),
                    "GlueVersion": "5.0",
                    "Command": {
                        "Name": "glueetl",
                        "ScriptLocation": f"s3://tiny-bucket/code/{name.lower()}.py",
                    },
                    "DefaultArguments": {"--label": "tips"},
                },
            }
            for name in ("Script", "Spark")
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "tiny-function",
                "Runtime": "python3.11",
                "Handler": "main.handler",
                "Role": attribute("Arn", "FunctionRole"),
                "Code": {"S3Bucket": "code-bucket", "S3Key": "function.zip"},
            },
        },
        "FunctionVersion": {
            "Type": "AWS::Lambda::Version",
            "Properties": {"FunctionName": {"Ref": "Function"}},
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "tiny",
                "RoleArn": attribute("Arn", "MachineRole"),
                "Definition": definition(answer),
            },
        },
        "MachineVersion": {
            "Type": "AWS::StepFunctions::StateMachineVersion",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "StateMachineArn": {"Ref": "Machine"},
                "StateMachineRevisionId": attribute("StateMachineRevisionId", "Machine"),
            },
        },
        "MachineAlias": {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {
                "Name": "live",
                "DeploymentPreference": {
                    "StateMachineVersionArn": {"Ref": "MachineVersion"},
                    "Type": "ALL_AT_ONCE",
                },
            },
        },
        "Models": {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {"ModelPackageGroupName": "tiny-models"},
        },
        "Repository": {
            "Type": "AWS::CodeConnections::Connection",
            "Properties": {"ConnectionName": "tiny", "ProviderType": "GitHub"},
        },
        "Refusals": {
            "Type": "AWS::EC2::FlowLog",
            "Properties": {"ResourceType": "VPC", "ResourceId": "vpc-1", "TrafficType": "REJECT"},
        },
        "Reports": {
            "Type": "AWS::CodeBuild::ReportGroup",
            "Properties": {"Type": "TEST", "ExportConfig": {"ExportConfigType": "NO_EXPORT"}},
        },
    }
    references = (
        "MachineAlias",
        "MachineVersion",
        "FunctionVersion",
        "Models",
        "Refusals",
        "Repository",
        "Task",
    )
    outputs: dict[str, Any] = {name: {"Value": {"Ref": name}} for name in references}
    roles = (name for name in resources if name.endswith("Role"))
    outputs |= {name: {"Value": attribute("Arn", name)} for name in roles}
    return {"Resources": resources, "Outputs": outputs}


FAULTS: list[dict[str, Any]] = [
    {"step": "Spot", "kind": "interrupt", "after": "shard 1 of"},
    {"step": "Deaf", "kind": "interrupt", "after": "shard 1 of"},
    {"step": "Retired", "kind": "interrupt", "after": "shard 1 of", "capacity": "FARGATE"},
    {"step": "ByHand", "kind": "stop", "after": "shard 1 of"},
    {"step": "Mistaken", "kind": "setting", "variable": "CODE", "value": "64"},
    {"step": "Buggy", "kind": "bug", "module": "boto3"},
    {"step": "NoCapacity", "kind": "no-capacity"},
    {"step": "Small", "kind": "memory-limit", "megabytes": 200},
    {"step": "Dies", "kind": "crash"},
    {"step": "Stormy", "kind": "storage-errors", "count": 2},
    {"step": "Put", "kind": "put-object", "bucket": "tiny-bucket", "key": "data/late.csv", "file": "FILE"},
    {"step": "CrashingFunction", "kind": "crash"},
    {"step": "CrashingTraining", "kind": "crash"},
    {"step": "CrashingRegister", "kind": "crash"},
]


def start(folder: Path, **told: Any) -> subprocess.Popen[bytes]:
    (folder / "task.py").write_text(TASK)
    settings = {
        "folder": str(folder / "rehearsal"),
        "validator": {"argv": [sys.executable, str(folder / "task.py")], "cwd": str(folder)},
        "jobs_python": str(JOBS),
        "wait_scale": 0,
        **told,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    return subprocess.Popen(
        [str(EMULATOR), "-m", "build.rehearsal.emulator", str(folder / "settings.json")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


def until(condition: Any, seconds: float = 120) -> Any:
    """The first result of a call that is not empty."""
    patience = Retrying(
        retry=retry_if_result(lambda result: not result),
        wait=wait_fixed(0.02),
        stop=stop_after_delay(seconds),
    )
    return patience(condition)


def announced(folder: Path) -> dict[str, Any]:
    file = folder / "rehearsal" / "emulator.json"
    until(file.exists, 60)
    content: dict[str, Any] = json.loads(file.read_text())
    return content


@dataclass
class Cloud:
    """The running emulator and the tiny stack in it."""

    folder: Path
    endpoint: str
    pid: int
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def run(
        self, step: str, resource: str, arguments: dict[str, Any], role: str = "MachineRole", **more: Any
    ) -> dict[str, Any]:
        """Runs a machine of one state; its output, or {Error, Cause}."""
        states = {step: {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True, **more}}
        text = json.dumps({"QueryLanguage": "JSONata", "StartAt": step, "States": states})
        machine = self.client("stepfunctions").create_state_machine(
            name=f"{step}-{len(self._machines())}",
            definition=text,
            roleArn=self.outputs[role],
        )
        ended = self.finish(
            self.client("stepfunctions").start_execution(stateMachineArn=machine["stateMachineArn"])[
                "executionArn"
            ]
        )
        output: dict[str, Any] = json.loads(ended["output"])
        return output

    def _machines(self) -> list[Any]:
        machines: list[Any] = self.client("stepfunctions").list_state_machines()["stateMachines"]
        return machines

    def finish(self, execution: str) -> dict[str, Any]:
        states = self.client("stepfunctions")

        def ended() -> dict[str, Any] | None:
            described: dict[str, Any] = states.describe_execution(executionArn=execution)
            return described if described["status"] != "RUNNING" else None

        result: dict[str, Any] = until(ended)
        return result

    def task(
        self, step: str, mode: str, *, capacity: str = "FARGATE_SPOT", **variables: str
    ) -> dict[str, Any]:
        environment = [{"Name": name, "Value": value} for name, value in {"MODE": mode, **variables}.items()]
        return self.run(
            step,
            "arn:aws:states:::ecs:runTask.sync",
            {
                "Cluster": "tiny",
                "TaskDefinition": self.outputs["Task"],
                "CapacityProviderStrategy": [{"CapacityProvider": capacity, "Weight": 1}],
                "Overrides": {
                    "Cpu": "512",
                    "Memory": "1024",
                    "ContainerOverrides": [{"Name": "validator", "Environment": environment}],
                },
            },
        )

    def refused(self, *decisions: str) -> set[tuple[str, str]]:
        """Who was refused which action so far, by one of the decisions, or by any."""
        calls = map(json.loads, self.log("permissions", "jsonl").splitlines())
        return {
            (call["who"].removeprefix("tiny-").rpartition("-")[0] or call["who"], call["action"])
            for call in calls
            if call["decision"] in (decisions or ("Deny", "ImplicitDeny"))
        }

    def log(self, name: str, kind: str = "log") -> str:
        return (self.folder / "rehearsal" / "logs" / f"{name}.{kind}").read_text()


def archive(**files: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"{name}.py")
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def zipped(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as folder:
        for name, text in files.items():
            folder.writestr(f"{name}.py", text)
    return packed.getvalue()


def deploy(cloud: Cloud, answer: str) -> None:
    formation = cloud.client("cloudformation")
    make = formation.update_stack if cloud.outputs else formation.create_stack
    make(StackName="tiny", TemplateBody=json.dumps(template(answer)), Capabilities=["CAPABILITY_IAM"])

    def done() -> Any:
        stack = formation.describe_stacks(StackName="tiny")["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    stack = until(done)
    assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), formation.describe_stack_events(
        StackName="tiny"
    )
    cloud.outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("emulator")
    (folder / "late.csv").write_text("k,v\nlate,1\n")
    faults = [
        {**fault, **({"file": str(folder / "late.csv")} if "file" in fault else {})} for fault in FAULTS
    ]
    process = start(folder, faults=faults, authorize=True)
    try:
        told = announced(folder)
        cloud = Cloud(folder, told["endpoint_url"], told["pid"], {})
        store = cloud.client("s3")
        store.create_bucket(Bucket="code-bucket")
        store.put_object(Bucket="code-bucket", Key="function.zip", Body=zipped(main=FUNCTION))
        deploy(cloud, "first")
        for key, body in {
            "code/script.py": SCRIPT,
            "code/spark.py": SPARK,
            "data/a.csv": "k,v\nx,1\ny,2\nx,3\n",
            "data/deep/b.csv": "k,v\nx,4\n",
            "one.json": '{"a": 1}',
        }.items():
            store.put_object(Bucket="tiny-bucket", Key=key, Body=body.encode())
        store.put_object(Bucket="tiny-bucket", Key="code/train.tar.gz", Body=archive(main=TRAIN, helper=""))
        yield cloud
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait(20)


def test_listens_on_loopback_only(cloud: Cloud) -> None:
    lines = Path(f"/proc/{cloud.pid}/net/tcp").read_text().splitlines()[1:]
    sockets = {str(item.readlink()) for item in Path(f"/proc/{cloud.pid}/fd").iterdir() if item.is_symlink()}
    own = [line.split() for line in lines if f"socket:[{line.split()[9]}]" in sockets]
    listening = {fields[1].split(":")[0] for fields in own if fields[3] == "0A"}
    assert listening == {"0100007F"}
    assert not [
        line
        for line in Path(f"/proc/{cloud.pid}/net/tcp6").read_text().splitlines()[1:]
        if " 0A " in line and f"socket:[{line.split()[9]}]" in sockets
    ]


def test_task_that_ends_well_is_the_result(cloud: Cloud) -> None:
    task = cloud.task("Well", "ok")
    assert task["LastStatus"] == "STOPPED"
    assert task["Containers"][0]["ExitCode"] == 0
    assert (task["Cpu"], task["Memory"]) == ("512", "1024")
    assert task["CapacityProviderName"] == "FARGATE_SPOT"
    assert task["StoppedReason"] == "Essential container in task exited"
    assert isinstance(task["StoppedAt"], int)


def test_task_has_only_its_own_environment(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.task("Bare", "ok", RUN_ID="r1")
    said = cloud.log("Bare-1")
    assert "['validate']" in said
    assert "'RUN_ID'" in said
    assert "'AWS_SESSION_TOKEN'" in said
    assert "GATEWAY_PORT" not in said
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" not in said


def test_task_acts_as_its_role_and_logs_to_its_group(cloud: Cloud) -> None:
    cloud.task("Reads", "read", BUCKET="tiny-bucket")
    assert 'read {"a": 1} arn:aws:sts::000000000000:assumed-role/tiny-TaskRole' in cloud.log("Reads-1")
    streams = cloud.client("logs").describe_log_streams(logGroupName="/tiny/tasks")["logStreams"]
    assert streams[0]["logStreamName"].startswith("t/validator/")


def test_task_may_do_what_its_role_allows_and_no_more(cloud: Cloud) -> None:
    assert cloud.task("Writes", "write", BUCKET="tiny-bucket")["Error"] == "States.TaskFailed"
    assert "AccessDenied" in cloud.log("Writes-1")


def test_what_is_missing_is_forbidden_to_who_may_not_list_it(cloud: Cloud) -> None:
    cloud.task("Looks", "read", BUCKET="code-bucket")
    assert "AccessDenied" in cloud.log("Looks-1")
    assert ("TaskRole", "s3:ListBucket") in cloud.refused()
    asked = {"Bucket": "tiny-bucket", "Key": "absent"}
    got = cloud.run("GetAbsent", "arn:aws:states:::aws-sdk:s3:getObject", asked)
    assert got["Error"] == "S3.NoSuchKeyException"


def test_a_machine_may_do_what_its_role_allows_and_no_more(cloud: Cloud) -> None:
    put = "arn:aws:states:::aws-sdk:s3:putObject"
    told = {"Bucket": "tiny-bucket", "Key": "written", "Body": "x"}
    assert "Error" not in cloud.run("MayPut", put, told)
    failure = cloud.run("MayNotPut", put, {**told, "Key": "forbidden"}, role="IdleRole")
    assert failure["Error"] == "States.Permissions"
    assert "may not s3:PutObject" in failure["Cause"]
    assert ("IdleRole", "s3:PutObject") in cloud.refused()
    with pytest.raises(ClientError, match="404"):
        cloud.client("s3").head_object(Bucket="tiny-bucket", Key="forbidden")


@pytest.mark.parametrize(
    ("service", "call", "action"),
    [
        ("sagemaker", "list_models", "sagemaker:ListModels"),
        # MiniStack serves it, and knows no action of IAM for it.
        ("kinesisanalyticsv2", "list_applications", "kinesisanalyticsv2:ListApplications"),
    ],
)
def test_what_nobody_knows_to_judge_is_refused_to_a_role(
    cloud: Cloud, service: str, call: str, action: str
) -> None:
    step = f"Asks-{service}"
    ask = json.dumps({"service": service, "call": call})
    assert cloud.task(step, "ask", ASK=ask)["Error"] == "States.TaskFailed"
    assert "AccessDenied" in cloud.log(f"{step}-1")
    assert ("TaskRole", action) in cloud.refused("Unjudged")


def test_what_nobody_knows_to_judge_the_root_user_may_do(cloud: Cloud) -> None:
    assert cloud.client("sagemaker").list_models()["Models"] == []


def test_nobody_may_ask_without_a_key(cloud: Cloud) -> None:
    unsigned = boto3.client(
        "sagemaker",
        endpoint_url=cloud.endpoint,
        region_name="us-east-1",
        config=Config(signature_version=UNSIGNED),
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        unsigned.list_models()


def test_an_integration_nobody_has_looked_into_is_refused(cloud: Cloud) -> None:
    put = "arn:aws:states:::aws-sdk:s3:deleteObject"
    failure = cloud.run("Deletes", put, {"Bucket": "tiny-bucket", "Key": "absent"})
    assert failure["Error"] == "States.Permissions"
    assert ("MachineRole", "aws-sdk:s3:deleteObject") in cloud.refused("Unjudged")


def test_a_role_is_taken_by_the_service_it_trusts(cloud: Cloud) -> None:
    put = "arn:aws:states:::aws-sdk:s3:putObject"
    failure = cloud.run("Foreign", put, {"Bucket": "tiny-bucket", "Key": "x", "Body": "x"}, role="TaskRole")
    assert failure["Error"] == "States.Permissions"
    assert failure["Cause"].startswith("states may not take the role tiny-TaskRole")


@pytest.mark.parametrize(
    ("role", "starts"), [("StarterRole", True), ("OtherRole", False), ("MachineRole", False)]
)
def test_a_rule_starts_a_machine_as_its_role(cloud: Cloud, role: str, starts: bool) -> None:
    events, queue = (
        cloud.client("events"),
        cloud.client("sqs").create_queue(QueueName=f"of-{role}")["QueueUrl"],
    )
    dead = cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    rule = events.put_rule(Name=role, EventPattern=json.dumps({"source": [role]}))["RuleArn"]
    if role != "MachineRole":
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": dead["QueueArn"],
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        policy = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allow]})}
        cloud.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes=policy)
    target = {
        "Id": "machine",
        "Arn": cloud.outputs["MachineAlias"],
        "RoleArn": cloud.outputs[role],
        "DeadLetterConfig": {"Arn": dead["QueueArn"]},
    }
    events.put_targets(Rule=role, Targets=[target])
    events.put_events(Entries=[{"Source": role, "DetailType": "test", "Detail": json.dumps({"by": role})}])

    def judged() -> bool:
        return f'"aws:SourceArn": "{rule}"' in cloud.log("permissions", "jsonl")

    assert until(judged)
    machine = cloud.outputs["MachineAlias"].rpartition(":")[0]

    def started() -> bool:
        states = cloud.client("stepfunctions")
        executions = states.list_executions(stateMachineArn=machine)["executions"]
        described = (states.describe_execution(executionArn=each["executionArn"]) for each in executions)
        return any(f'"by": "{role}"' in each["input"] for each in described)

    if starts:
        assert until(started)
        assert rule not in str(
            [line for line in cloud.log("permissions", "jsonl").splitlines() if "Deny" in line]
        )
        return
    refused = (
        ("OtherRole", "states:StartExecution")
        if role == "OtherRole"
        else ("events.amazonaws.com", "sts:AssumeRole")
    )
    assert until(lambda: refused in cloud.refused())
    assert not started()
    letters = cloud.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", [])
    if role == "OtherRole":
        (letter,) = letters
        assert json.loads(letter["Body"])["detail"] == {"by": role}
    else:
        assert letters == []
        assert ("events.amazonaws.com", "sqs:SendMessage") in cloud.refused()


def test_exit_code_fails_the_state(cloud: Cloud) -> None:
    failure = cloud.task("Fails", "ok", CODE="3")
    assert failure["Error"] == "States.TaskFailed"
    task = json.loads(failure["Cause"])
    assert task["Containers"][0]["ExitCode"] == 3
    assert task["StopCode"] == "EssentialContainerExited"


def test_interruption_is_a_real_signal(cloud: Cloud) -> None:
    failure = cloud.task("Spot", "wait")
    task = json.loads(failure["Cause"])
    assert task["StoppedReason"] == "Your Spot Task was interrupted."
    assert task["StopCode"] == "SpotInterruption"
    assert task["Containers"][0]["ExitCode"] == 75
    assert cloud.log("Spot-1").endswith("interrupted\n")


def test_interruption_kills_after_the_stop_timeout(cloud: Cloud) -> None:
    task = json.loads(cloud.task("Deaf", "deaf")["Cause"])
    assert task["StopCode"] == "SpotInterruption"
    assert task["Containers"][0]["ExitCode"] == 137


def test_a_task_on_demand_can_be_retired(cloud: Cloud) -> None:
    assert cloud.task("Retired", "ok")["Containers"][0]["ExitCode"] == 0
    task = json.loads(cloud.task("Retired", "wait", capacity="FARGATE")["Cause"])
    assert task["StopCode"] == "TerminationNotice"
    assert task["StoppedReason"].startswith("ECS is performing maintenance")
    assert task["Containers"][0]["ExitCode"] == 75


def test_a_person_stops_a_task_by_the_api(cloud: Cloud) -> None:
    task = json.loads(cloud.task("ByHand", "wait")["Cause"])
    assert (task["StopCode"], task["StoppedReason"]) == ("UserInitiated", "a person stopped it")
    assert task["Containers"][0]["ExitCode"] == 75


def test_a_setting_can_be_wrong_once(cloud: Cloud) -> None:
    assert json.loads(cloud.task("Mistaken", "ok")["Cause"])["Containers"][0]["ExitCode"] == 64
    assert cloud.task("Mistaken", "ok")["Containers"][0]["ExitCode"] == 0


def test_a_bug_can_be_planted(cloud: Cloud) -> None:
    assert json.loads(cloud.task("Buggy", "ok")["Cause"])["Containers"][0]["ExitCode"] == 1
    assert "a bug was planted in boto3" in cloud.log("Buggy-1")


def test_no_capacity_concerns_spot_and_once(cloud: Cloud) -> None:
    assert cloud.task("NoCapacity", "ok", capacity="FARGATE")["LastStatus"] == "STOPPED"
    failure = cloud.task("NoCapacity", "ok")
    assert failure["Error"] == "ECS.AmazonECSException"
    assert "Capacity is unavailable at this time" in failure["Cause"]
    assert cloud.task("NoCapacity", "ok")["LastStatus"] == "STOPPED"


def test_memory_limit_kills(cloud: Cloud) -> None:
    task = json.loads(cloud.task("Small", "grow")["Cause"])
    assert task["Containers"][0]["ExitCode"] == 137
    assert "OutOfMemoryError" in task["Containers"][0]["Reason"]
    assert task["StopCode"] == "EssentialContainerExited"


def test_crash_is_a_signal(cloud: Cloud) -> None:
    assert json.loads(cloud.task("Dies", "wait")["Cause"])["Containers"][0]["ExitCode"] == 134


def test_storage_errors_are_survived_by_retries(cloud: Cloud) -> None:
    assert cloud.task("Stormy", "read", BUCKET="tiny-bucket")["LastStatus"] == "STOPPED"


def test_stopping_the_execution_stops_the_task(cloud: Cloud) -> None:
    states = cloud.client("stepfunctions")
    arguments = {
        "Cluster": "tiny",
        "TaskDefinition": "tiny",
        "Overrides": {
            "ContainerOverrides": [{"Name": "validator", "Environment": [{"Name": "MODE", "Value": "wait"}]}]
        },
    }
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::ecs:runTask.sync",
        "Arguments": arguments,
        "End": True,
    }
    text = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Stopped", "States": {"Stopped": task}})
    machine = states.create_state_machine(
        name="stopped", definition=text, roleArn=cloud.outputs["MachineRole"]
    )
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    log = cloud.folder / "rehearsal" / "logs" / "Stopped-1.log"
    until(lambda: log.exists() and "shard 1" in log.read_text())
    states.stop_execution(executionArn=execution)
    until(lambda: "interrupted" in log.read_text(), 20)


def test_timeout_of_a_state_stops_the_task(cloud: Cloud) -> None:
    failure = cloud.run(
        "Late",
        "arn:aws:states:::ecs:runTask.sync",
        {
            "Cluster": "tiny",
            "TaskDefinition": "tiny",
            "Overrides": {
                "ContainerOverrides": [
                    {"Name": "validator", "Environment": [{"Name": "MODE", "Value": "wait"}]}
                ]
            },
        },
        TimeoutSeconds=3,
    )
    assert failure["Error"] == "States.Timeout"
    until(lambda: "interrupted" in cloud.log("Late-1"), 20)


def job(cloud: Cloud, step: str, name: str = "script", **arguments: str) -> dict[str, Any]:
    return cloud.run(
        step,
        "arn:aws:states:::glue:startJobRun.sync",
        {
            "JobName": name,
            "Arguments": {
                "--data_uri": "s3://tiny-bucket/data/",
                "--one": "s3://tiny-bucket/one.json",
                "--output_uri": f"s3://tiny-bucket/out/{step}",
                **{f"--{key}": value for key, value in arguments.items()},
            },
        },
    )


def seen(cloud: Cloud, step: str) -> dict[str, Any]:
    body = cloud.client("s3").get_object(Bucket="tiny-bucket", Key=f"out/{step}/seen.json")["Body"].read()
    content: dict[str, Any] = json.loads(body)
    return content


def test_job_reads_and_writes_what_its_arguments_name(cloud: Cloud) -> None:
    run = job(cloud, "Job")
    assert run["JobRunState"] == "SUCCEEDED"
    found = seen(cloud, "Job")
    assert {"a.csv", "deep/b.csv"} <= found["files"].keys()
    assert found["one"] == '{"a": 1}'
    changed = cloud.client("s3").head_object(Bucket="tiny-bucket", Key="one.json")["LastModified"]
    assert abs(found["changed"] - changed.timestamp()) <= 1
    identity = cloud.client("sts").get_access_key_info(AccessKeyId=found["key"])
    assert found["key"].startswith("ASIA")
    assert identity["Account"] == "000000000000"
    shown = cloud.client("glue").get_job_run(JobName="script", RunId=run["Id"])["JobRun"]
    assert shown["JobRunState"] == "SUCCEEDED"


def test_job_that_fails_says_why(cloud: Cloud) -> None:
    failure = job(cloud, "WrongJob", label="wrong")
    assert failure["Error"] == "States.TaskFailed"
    run = json.loads(failure["Cause"])
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == "ValueError: no such label: wrong"


def test_unknown_job_has_glues_error(cloud: Cloud) -> None:
    assert job(cloud, "NoJob", name="nothing")["Error"] == "Glue.EntityNotFoundException"


def test_data_can_change_under_a_job(cloud: Cloud) -> None:
    job(cloud, "Put")
    assert "late.csv" in seen(cloud, "Put")["files"]


def test_spark_job_really_runs(cloud: Cloud) -> None:
    run = job(cloud, "SparkJob", name="spark")
    assert run["JobRunState"] == "SUCCEEDED", cloud.log("SparkJob-1")
    found = cloud.client("s3").list_objects_v2(Bucket="tiny-bucket", Prefix="out/SparkJob/counts/")[
        "Contents"
    ]
    assert any(item["Key"].endswith(".parquet") for item in found)


def training(
    cloud: Cloud,
    step: str,
    name: str,
    label: str = "tips",
    code: str = "s3://tiny-bucket/code/train.tar.gz",
    **more: object,
) -> dict[str, Any]:
    places = {"train": "s3://tiny-bucket/data/", "code": "s3://tiny-bucket/code/train.tar.gz"}
    source = {"S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated"}
    channels = [
        {"ChannelName": channel, "DataSource": {"S3DataSource": {**source, "S3Uri": uri}}}
        for channel, uri in places.items()
    ]
    return cloud.run(
        step,
        "arn:aws:states:::sagemaker:createTrainingJob.sync",
        {
            "TrainingJobName": name,
            "RoleArn": cloud.outputs["TrainingRole"],
            "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
            "HyperParameters": {
                "sagemaker_program": "main.py",
                "sagemaker_submit_directory": code,
                "label": label,
                "rounds": "3",
            },
            "InputDataConfig": channels,
            "OutputDataConfig": {"S3OutputPath": "s3://tiny-bucket/trained"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            **more,
        },
    )


def model_of(cloud: Cloud, trained: Mapping[str, Any]) -> dict[str, Any]:
    bucket, _, key = trained["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    body = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as packed:
        return dict(json.load(packed.extractfile("model.json")))  # type: ignore[arg-type]


def test_training_job_stores_its_model(cloud: Cloud) -> None:
    trained = training(cloud, "Training", "job-1")
    assert trained["TrainingJobStatus"] == "Completed"
    assert (
        trained["ModelArtifacts"]["S3ModelArtifacts"] == "s3://tiny-bucket/trained/job-1/output/model.tar.gz"
    )
    assert trained["TrainingEndTime"] >= trained["TrainingStartTime"]
    assert trained["BillableTimeInSeconds"] >= 1
    model = model_of(cloud, trained)
    assert model["hps"] == {"label": "tips", "rounds": 3}
    assert model["helper"]
    assert "a.csv" in model["rows"]
    described = cloud.client("sagemaker").describe_training_job(TrainingJobName="job-1")
    assert described["TrainingJobStatus"] == "Completed"


def test_an_isolated_training_container_has_code_by_its_channel_and_no_way_out(cloud: Cloud) -> None:
    code = "/opt/ml/input/data/code/train.tar.gz"
    isolated = training(cloud, "Isolated", "job-isolated", code=code, EnableNetworkIsolation=True)
    assert isolated["TrainingJobStatus"] == "Completed"
    open_job = training(cloud, "Open", "job-open", code=code)
    assert [model_of(cloud, job)["reaches"] for job in (isolated, open_job)] == [
        [],
        ["AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"],
    ]


def test_an_isolated_training_container_downloads_nothing(cloud: Cloud) -> None:
    refused = training(cloud, "Downloads", "job-downloads", EnableNetworkIsolation=True)
    assert refused["Error"] == "States.TaskFailed"
    assert "the container has no network" in refused["Cause"]


def test_training_job_names_are_used_once(cloud: Cloud) -> None:
    training(cloud, "Again", "job-2")
    assert training(cloud, "Again", "job-2")["Error"] == "SageMaker.ResourceInUseException"


def test_training_job_that_fails_says_why(cloud: Cloud) -> None:
    failure = training(cloud, "WrongTraining", "job-3", label="wrong")
    assert failure["Error"] == "States.TaskFailed"
    described = json.loads(failure["Cause"])
    assert described["TrainingJobStatus"] == "Failed"
    assert "no such label: wrong" in described["FailureReason"]


def test_training_job_that_crashes_fails(cloud: Cloud) -> None:
    assert (
        "ExitCode 134" in json.loads(training(cloud, "CrashingTraining", "job-4")["Cause"])["FailureReason"]
    )


def register(cloud: Cloud, step: str, token: str) -> dict[str, Any]:
    return cloud.run(
        step,
        "arn:aws:states:::aws-sdk:sagemaker:createModelPackage",
        {
            "ModelPackageGroupName": "tiny-models",
            "ModelApprovalStatus": "Approved",
            "ClientToken": token,
            "InferenceSpecification": {
                "Containers": [{"Image": "image", "ModelDataUrl": "s3://tiny-bucket/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            "CustomerMetadataProperties": {"run_id": token, "metric": "auc"},
        },
    )


def test_registry_keeps_models_newest_first(cloud: Cloud) -> None:
    first, second = register(cloud, "Register", "t1"), register(cloud, "Register", "t2")
    assert register(cloud, "Register", "t1") == first
    sagemaker = cloud.client("sagemaker")
    listed = sagemaker.list_model_packages(
        ModelPackageGroupName="tiny-models",
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=1,
    )["ModelPackageSummaryList"]
    assert listed[0]["ModelPackageArn"] == second["ModelPackageArn"]
    described = sagemaker.describe_model_package(ModelPackageName=second["ModelPackageArn"])
    assert described["CustomerMetadataProperties"] == {"run_id": "t2", "metric": "auc"}
    assert (
        described["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        == "s3://tiny-bucket/model.tar.gz"
    )
    assert cloud.outputs["Models"].endswith(":model-package-group/tiny-models")


def test_registry_can_fail(cloud: Cloud) -> None:
    assert register(cloud, "CrashingRegister", "t9")["Error"] == "SageMaker.SageMakerException"


def test_registry_refuses_an_unknown_group(cloud: Cloud) -> None:
    failure = cloud.run(
        "Nowhere",
        "arn:aws:states:::aws-sdk:sagemaker:createModelPackage",
        {"ModelPackageGroupName": "nothing"},
    )
    assert failure["Error"].startswith("SageMaker.")


def test_objects_are_read_as_text_and_written_as_json(cloud: Cloud) -> None:
    cloud.run(
        "Write",
        "arn:aws:states:::aws-sdk:s3:putObject",
        {"Bucket": "tiny-bucket", "Key": "new/ä b.json", "Body": {"verdict": "pass", "n": [1, 2]}},
    )
    read = cloud.run(
        "Read", "arn:aws:states:::aws-sdk:s3:getObject", {"Bucket": "tiny-bucket", "Key": "new/ä b.json"}
    )
    assert json.loads(read["Body"]) == {"verdict": "pass", "n": [1, 2]}
    assert read["ContentLength"] == len(read["Body"])


def test_a_result_above_256_kibibytes_ends_the_execution(cloud: Cloud) -> None:
    cloud.client("s3").put_object(Bucket="tiny-bucket", Key="large", Body=b"a" * 300_000)
    get, asked = "arn:aws:states:::aws-sdk:s3:getObject", {"Bucket": "tiny-bucket", "Key": "large"}
    everything = [{"ErrorEquals": ["States.ALL"], "Next": "Large"}]
    assert cloud.run("Large", get, asked, Catch=everything)["Error"] == "States.DataLimitExceeded"


@pytest.mark.parametrize(
    ("bucket", "error"), [("tiny-bucket", "S3.NoSuchKeyException"), ("no-bucket", "S3.NoSuchBucketException")]
)
def test_missing_objects_have_s3s_errors(cloud: Cloud, bucket: str, error: str) -> None:
    failure = cloud.run("Miss", "arn:aws:states:::aws-sdk:s3:getObject", {"Bucket": bucket, "Key": "none"})
    assert failure["Error"] == error


def invoke(cloud: Cloud, step: str, payload: dict[str, Any]) -> dict[str, Any]:
    return cloud.run(
        step,
        "arn:aws:states:::lambda:invoke",
        {"FunctionName": cloud.outputs["FunctionVersion"], "Payload": payload},
    )


def test_function_runs_by_version(cloud: Cloud) -> None:
    result = invoke(cloud, "Function", {"a": 1})["Payload"]
    assert result["got"] == {"a": 1}
    assert result["arn"].endswith(":tiny-function:1")
    assert "called with" in cloud.log("tiny-function")


def test_function_fails_under_its_exceptions_name(cloud: Cloud) -> None:
    failure = invoke(cloud, "WrongFunction", {"wrong": "taxi: x"})
    assert failure["Error"] == "UnknownDataset"
    assert json.loads(failure["Cause"])["errorMessage"] == "no dataset: taxi: x"


def test_function_can_crash_once(cloud: Cloud) -> None:
    assert invoke(cloud, "CrashingFunction", {})["Error"] == "Runtime.ExitError"
    assert invoke(cloud, "CrashingFunction", {"b": 1})["Payload"]["got"] == {"b": 1}


def test_history_names_the_states(cloud: Cloud) -> None:
    states = cloud.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=cloud.outputs["MachineAlias"])["executionArn"]
    cloud.finish(execution)
    events = states.get_execution_history(executionArn=execution)["events"]
    entered = [
        event["stateEnteredEventDetails"]["name"] for event in events if event["type"] == "PassStateEntered"
    ]
    assert entered == ["Answer"]
    assert events[-1]["type"] == "ExecutionSucceeded"


def test_alias_runs_the_frozen_version(cloud: Cloud) -> None:
    states = cloud.client("stepfunctions")
    old = cloud.outputs["MachineVersion"]

    def answer(machine: str) -> tuple[str, dict[str, Any]]:
        described = cloud.finish(states.start_execution(stateMachineArn=machine)["executionArn"])
        return json.loads(described["output"]), described

    deploy(cloud, "second")
    assert cloud.outputs["MachineVersion"] != old
    said, described = answer(cloud.outputs["MachineAlias"])
    assert said == "second"
    assert described["stateMachineVersionArn"] == cloud.outputs["MachineVersion"]
    assert described["stateMachineAliasArn"] == cloud.outputs["MachineAlias"]
    states.update_state_machine_alias(
        stateMachineAliasArn=cloud.outputs["MachineAlias"],
        routingConfiguration=[{"stateMachineVersionArn": old, "weight": 100}],
    )
    assert answer(cloud.outputs["MachineAlias"])[0] == "first"
    assert answer(old.rpartition(":")[0])[0] == "second"


def test_alias_of_an_unknown_version_is_refused(cloud: Cloud) -> None:
    unknown = cloud.outputs["MachineVersion"].rpartition(":")[0] + ":99"
    with pytest.raises(ClientError, match="Version not found"):
        cloud.client("stepfunctions").create_state_machine_alias(
            name="other", routingConfiguration=[{"stateMachineVersionArn": unknown, "weight": 100}]
        )


def group(pid: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == pid and fields[0] != "Z":
                found.append(int(folder.name))
    return found


HOLDER = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", ["parent killed", "terminated"])
def test_nothing_outlives_the_end(tmp_path: Path, how: str) -> None:
    start(tmp_path).communicate()  # writes the files; its own input ends at once
    command = [str(EMULATOR), "-m", "build.rehearsal.emulator", str(tmp_path / "settings.json")]
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, *command], cwd=ROOT)
    try:
        told = announced(tmp_path)
        cloud = Cloud(tmp_path, told["endpoint_url"], told["pid"], {})
        busy(cloud)
        assert len(group(told["pid"])) > 1
        if how == "terminated":
            os.kill(told["pid"], signal.SIGTERM)
        else:
            holder.kill()
        until(lambda: not group(told["pid"]), 5)
        assert not (tmp_path / "rehearsal" / "tmp").exists()
        assert not (tmp_path / "rehearsal" / "emulator.json").exists()
        with pytest.raises(Exception, match="Could not connect"):
            cloud.client("sts").get_caller_identity()
    finally:
        holder.kill()
        holder.wait()


def busy(cloud: Cloud) -> None:
    """Makes a task run that does not end by itself."""
    trust = json.dumps(role("ecs-tasks.amazonaws.com")["Properties"]["AssumeRolePolicyDocument"])
    made = cloud.client("iam").create_role(RoleName="busy", AssumeRolePolicyDocument=trust)
    role_arn = made["Role"]["Arn"]
    tasks = cloud.client("ecs")
    tasks.create_cluster(clusterName="busy")
    container = {"name": "validator", "image": "i", "environment": [{"name": "MODE", "value": "deaf"}]}
    tasks.register_task_definition(
        family="busy",
        containerDefinitions=[container],
        taskRoleArn=role_arn,
        cpu="256",
        memory="512",
    )
    tasks.run_task(cluster="busy", taskDefinition="busy")
    log = cloud.folder / "rehearsal" / "logs" / "Task-1.log"
    until(lambda: log.exists() and "shard 1" in log.read_text())


def test_settings_that_cannot_be_used_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"folder": "x"}')
    refused = subprocess.run(
        [str(EMULATOR), "-m", "build.rehearsal.emulator", str(tmp_path / "settings.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 64
    assert refused.stderr.count("\n") == 1
    assert "'validator' is missing" in refused.stderr
