"""Mistakes in the templates package itself: each is caught by the check that is named beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from awacs.aws import Action, Statement
from troposphere import AWSObject, Ref, Sub
from troposphere.stepfunctions import DeploymentPreference, RoutingConfigurationVersion

from templates import (
    access,
    asl,
    batch,
    classify,
    container,
    functions,
    jobs,
    registry,
    states,
    storage,
    triggers,
    workflow,
)
from templates.asl import Call, Name, State
from templates.config import Config
from templates.network import own
from tests.unit.templates.checks import CHECKS, Rendered, found

Plant = Callable[[pytest.MonkeyPatch], object]
Change = Callable[[dict[str, Any]], object]


def around(module: Any, name: str, change: Callable[[Any], Any]) -> Plant:
    """Plant a function whose result is changed before anybody sees it."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        right = getattr(module, name)
        patch.setattr(module, name, lambda *values, **named: change(right(*values, **named)))

    return plant


def state(name: str, change: Change) -> Plant:
    """Plant a mistake in one state's definition."""

    def changed(right: State) -> State:
        definition = dict(right.definition)
        change(definition)
        return replace(right, definition=definition)

    return around(states, name, changed)


def arguments(name: str, change: Change) -> Plant:
    """Plant a mistake in what one state calls its service with."""

    def changed(definition: dict[str, Any]) -> None:
        definition["Arguments"] = dict(definition["Arguments"])
        change(definition["Arguments"])

    return state(name, changed)


def resource(module: Any, name: str, change: Callable[[AWSObject], object]) -> Plant:
    """Plant a mistake in the resource that a function returns."""

    def changed(right: AWSObject) -> AWSObject:
        change(right)
        return right

    return around(module, name, changed)


def constant(module: Any, name: str, value: object) -> Plant:
    """Plant another value of a constant."""
    return lambda patch: patch.setattr(module, name, value)


def without(first: int) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Leave one of several out."""
    return lambda every: tuple(each for index, each in enumerate(every) if index != first)


def swapped(task: AWSObject) -> None:
    task.properties["Cpu"], task.properties["Memory"] = task.properties["Memory"], task.properties["Cpu"]


def both_ways(alias: AWSObject) -> None:
    version = alias.properties["DeploymentPreference"].properties["StateMachineVersionArn"]
    alias.RoutingConfiguration = [RoutingConfigurationVersion(StateMachineVersionArn=version, Weight=100)]


def slowly(alias: AWSObject) -> None:
    version = alias.properties["DeploymentPreference"].properties["StateMachineVersionArn"]
    alias.DeploymentPreference = DeploymentPreference(StateMachineVersionArn=version, Type="LINEAR")


def unconditional(statement: Statement) -> Statement:
    properties = {name: value for name, value in statement.properties.items() if name != "Condition"}
    return Statement(**properties)


def misspelt(patch: pytest.MonkeyPatch) -> None:
    right = asl.Call

    def call(resource: str, **more: Any) -> Call:
        return right(resource=resource.replace("ecs:runTask", "ecs:runtask"), **more)

    patch.setattr(states, "Call", call)


def told_too_much(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(functions, "ENVIRONMENT_LIMIT", 1 << 20)
    patch.setattr(functions, "PACE", {f"kind-{number}": number for number in range(400)})


PLANTED: dict[str, tuple[Plant, str, str]] = {
    "everything tried again by Batch": (
        resource(batch, "_job", lambda job: job.properties["RetryStrategy"].EvaluateOnExit.reverse()),
        "batch",
        "ProfileJob: what no rule matches is tried again",
    ),
    "more attempts than Batch makes": (
        constant(batch, "ATTEMPTS", 11),
        "batch",
        "ProfileJob: 11 attempts, not within 1 to 10",
    ),
    "properties that Step Functions' override excludes": (
        resource(batch, "_job", lambda job: job.properties.update(EcsProperties={"TaskProperties": []})),
        "batch",
        "ProfileJob: EcsProperties are refused",
    ),
    "a child's size that Fargate does not have": (
        around(batch, "requirements", lambda every: [every[0], {"Type": "MEMORY", "Value": "512"}]),
        "batch",
        "ProfileJob: Fargate has no task of 1 vCPU and 512 MiB",
    ),
    "an environment too small for what is profiled again": (
        constant(batch, "_room", lambda config, _: config.validation.most_children),
        "room",
        "ProfileShard asks for 128 vCPU of the 64",
    ),
    "a job that waits for ever": (
        constant(batch, "WAITS", {"CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY": 1800}),
        "batch",
        "OnDemandQueue: a job waits for ever for MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
    ),
    "a deregistered job definition": (
        resource(batch, "_job", lambda job: job.properties.pop("ResourceRetentionPolicy")),
        "retention",
        "ProfileJob",
    ),
    "wrong Next": (
        state("accept", lambda s: s.update(Next="Prepair")),
        "graph",
        "Accept leads to Prepair, which is no state",
    ),
    "a state that cannot be reached": (
        state("accept", lambda s: s.update(Next=Name.TRAIN)),
        "graph",
        "Prepare cannot be reached",
    ),
    "States.ALL first": (
        state("init", lambda s: s.update(Catch=[*s["Catch"], {"ErrorEquals": ["X"], "Next": "Failed"}])),
        "graph",
        "Init: States.ALL is not alone and last",
    ),
    "no timeout": (
        state("prepare", lambda s: s.pop("TimeoutSeconds")),
        "graph",
        "Prepare: a task without TimeoutSeconds",
    ),
    "a variable nobody assigns": (
        constant(states, "OUTPUT_KEY", "$substringAfter($runn.output_uri, 's3://')"),
        "graph",
        "ReadGate reads $runn",
    ),
    "blind retry": (
        constant(states, "ECS_RETRIED", ("States.TaskFailed",)),
        "retries",
        "Validate tries again whatever went wrong",
    ),
    "retries at the same moment": (
        around(asl, "_retry", lambda retry: {**retry, "JitterStrategy": "NONE"}),
        "retries",
        "tries again without full jitter",
    ),
    "waits at the same moment": (
        constant(classify, "_between", lambda seconds: seconds),
        "retries",
        "WaitForCapacity waits as long as everybody else",
    ),
    "round the gate": (
        state("read_gate", lambda s: s.update(Next=Name.ACCEPT)),
        "gate",
        "Accept is reached without the gate",
    ),
    "broken JSONata": (
        constant(classify, "LARGER_SIZE", "$size = 0 and ("),
        "expressions",
        "Classify.Choices[",
    ),
    "misspelt integration": (misspelt, "arguments", "ecs:runtask is no optimized integration"),
    "LaunchType beside the strategy": (
        arguments("validate", lambda a: a.update(LaunchType="FARGATE")),
        "arguments",
        "Validate.LaunchType excludes .CapacityProviderStrategy",
    ),
    "half a size": (
        around(states, "_overrides", lambda o: {k: v for k, v in o.items() if k != "Memory"}),
        "arguments",
        "Validate.Overrides has one of Cpu and Memory",
    ),
    "no idempotency token": (
        arguments("register", lambda a: a.pop("ClientToken")),
        "arguments",
        "Register.ClientToken is missing",
    ),
    "a misspelt argument": (
        arguments("register", lambda a: a.update(ModelPackageGroup=a.pop("ModelPackageGroupName"))),
        "arguments",
        "Register.ModelPackageGroup is not known",
    ),
    "a word that the service does not know": (
        arguments("validate", lambda a: a.update(PropagateTags="TASK_DEFINITON")),
        "arguments",
        "Validate.PropagateTags is 'TASK_DEFINITON', not one of",
    ),
    "a name longer than its service takes": (
        arguments("train", lambda a: a.update(TrainingJobName="x" * 64)),
        "arguments",
        "Train.TrainingJobName has a length of 64, not within 1 to 63",
    ),
    "a number for a string": (
        around(states, "_hyperparameters", lambda h: {**h, "eta": 0.3}),
        "arguments",
        "Train.HyperParameters.eta is 0.3, not a string",
    ),
    "no time to wait for Spot": (
        arguments("train", lambda a: a.update(StoppingCondition={"MaxRuntimeInSeconds": 3600})),
        "arguments",
        "Train.StoppingCondition waits None s",
    ),
    "a training container that reaches the internet": (
        arguments("train", lambda a: a.pop("EnableNetworkIsolation")),
        "arguments",
        "Train.EnableNetworkIsolation is not true",
    ),
    "code that an isolated container would download": (
        constant(jobs, "package_file", lambda: Sub(jobs.PACKAGE)),
        "arguments",
        "Train.HyperParameters.sagemaker_submit_directory is s3://",
    ),
    "a gate of any size": (
        arguments("read_gate", lambda a: a.update(Range="bytes=0-")),
        "payloads",
        "ReadGate reads an object of any size",
    ),
    "missing parts profiled without end": (
        constant(classify, "REPAIRS", 40),
        "history",
        "ProfileMissing may write 30720 events",
    ),
    "names too long": (
        lambda patch: patch.setattr(Config, "named", lambda _config, thing: f"sluice-{'x' * 70}-{thing}"),
        "names",
        "characters, of 80",
    ),
    "a name whose limit nobody knows": (
        resource(storage, "private_bucket", lambda b: b.properties.update(BucketName="sluice")),
        "names",
        "PipelineBucket: look up how long AWS::S3::Bucket.BucketName may be",
    ),
    "swapped CPU and memory": (
        resource(container, "_task", swapped),
        "sizes",
        "ValidatorTask: Fargate has no task of 2048 CPU units and 1024 MiB",
    ),
    "more than a function may be told": (
        told_too_much,
        "variables",
        "InitFunction: its variables have",
    ),
    "more than a role may say": (
        around(
            access,
            "write_objects",
            lambda s: access.allow(s.properties["Action"], *(f"arn:aws:s3:::bucket/{n}" for n in range(500))),
        ),
        "policy sizes",
        "TaskRole: its policies have some",
    ),
    "a dropped statement": (
        around(states, "_run_task", without(0)),
        "permissions",
        "Validate may not ecs:RunTask",
    ),
    "nothing heard of the end": (
        around(states, "_run_training", without(2)),
        "permissions",
        "Train may not events:PutRule",
    ),
    "a permission for nothing": (
        around(
            registry, "register", lambda _: access.allow([Action("sagemaker", "DeleteModelPackage")], "x")
        ),
        "permissions",
        "Register may sagemaker:DeleteModelPackage for nothing",
    ),
    "a wildcard action": (
        around(
            access, "read_objects", lambda s: access.allow([Action("s3", "*")], *s.properties["Resource"])
        ),
        "wildcards",
        "TaskRole may s3:*",
    ),
    "a wildcard action in a bucket's policy": (
        around(storage, "only_tls", lambda s: Statement(**{**s.properties, "Effect": "Allow"})),
        "wildcards",
        "PipelineBucketPolicy may s3:*",
    ),
    "every resource": (
        around(access, "write_objects", lambda s: access.allow(s.properties["Action"], "*")),
        "wildcards",
        "TaskRole has the resource * without a reason",
    ),
    "a reason nobody has accepted": (
        around(
            access, "put_metrics", lambda s: access.everywhere("BecauseItIsEasier", s.properties["Action"])
        ),
        "wildcards",
        "PrepareRole has the resource * without a reason",
    ),
    "a role for any service": (
        around(access, "pass_role", unconditional),
        "handing over",
        "StateMachineRole hands a role to any service",
    ),
    "a start of any version": (
        around(triggers, "_start", unconditional),
        "handing over",
        "TriggerRole starts any version",
    ),
    "retention policy gone": (
        resource(container, "_task", lambda t: t.resource.pop("UpdateReplacePolicy")),
        "retention",
        "ValidatorTask goes when it is replaced",
    ),
    "data that go with the stack": (
        resource(storage, "private_bucket", lambda b: b.resource.pop("DeletionPolicy")),
        "retention",
        "PipelineBucket goes with its stack",
    ),
    "two ways to shift": (
        resource(workflow, "_alias", both_ways),
        "routing",
        "StateMachineAlias: exactly one of DeploymentPreference and RoutingConfiguration",
    ),
    "a shift without steps": (
        resource(workflow, "_alias", slowly),
        "routing",
        "StateMachineAlias: Interval is None",
    ),
    "a public bucket": (
        resource(storage, "private_bucket", lambda b: b.properties.pop("PublicAccessBlockConfiguration")),
        "exposure",
        "PipelineBucket may be made public",
    ),
    "a bucket without TLS": (
        resource(storage, "pipeline_bucket_policy", lambda p: p.properties.update(PolicyDocument={})),
        "exposure",
        "PipelineBucket may be read without TLS",
    ),
    "a bucket that forgets": (
        resource(storage, "private_bucket", lambda b: b.properties.pop("VersioningConfiguration")),
        "exposure",
        "PipelineBucket keeps no versions",
    ),
    "a bucket in the clear": (
        resource(storage, "private_bucket", lambda b: b.properties.pop("BucketEncryption")),
        "exposure",
        "PipelineBucket is not encrypted by its own rule",
    ),
    "a way in": (
        resource(
            own, "_tasks", lambda g: g.properties.update(SecurityGroupIngress=[{"CidrIp": "0.0.0.0/0"}])
        ),
        "exposure",
        "TaskSecurityGroup lets everybody in",
    ),
    "a log kept for ever": (
        resource(container, "validator", lambda v: v.logs.properties.pop("RetentionInDays")),
        "exposure",
        "ValidatorLogs is kept for ever",
    ),
    "data in a log": (
        resource(
            workflow,
            "_machine",
            lambda m: m.properties["LoggingConfiguration"].properties.update(IncludeExecutionData=True),
        ),
        "exposure",
        "StateMachine writes data into its log",
    ),
    "as root": (constant(container, "USER", "0:0"), "exposure", "ValidatorTask runs as root"),
    "a root to write to": (
        resource(container, "_container", lambda c: c.properties.update(ReadonlyRootFilesystem=False)),
        "exposure",
        "ValidatorTask may write to its root",
    ),
    "capabilities": (
        resource(container, "_container", lambda c: c.properties.pop("LinuxParameters")),
        "exposure",
        "ValidatorTask keeps capabilities",
    ),
    "no time to save the work": (
        resource(container, "_container", lambda c: c.properties.pop("StopTimeout")),
        "exposure",
        "ValidatorTask has None s to save its work, of 120",
    ),
    "a rule past the alias": (
        resource(triggers, "_target", lambda t: t.properties.update(Arn=Ref("StateMachine"))),
        "exposure",
        "DriftRule starts something else than the alias",
    ),
    "a rule that loses events": (
        resource(triggers, "_target", lambda t: t.properties.pop("DeadLetterConfig")),
        "exposure",
        "DriftRule loses what it cannot deliver",
    ),
    "a rule that changes events": (
        resource(triggers, "_target", lambda t: t.properties.update(InputPath="$.detail")),
        "exposure",
        "DriftRule hands on another event than came",
    ),
    "capacity too late": (
        resource(workflow, "_machine", lambda m: m.resource.pop("DependsOn")),
        "order",
        "StateMachine does not wait for Capacity",
    ),
    "letters nobody may write": (
        resource(triggers, "_deliver", lambda p: p.properties.update(PolicyDocument={"Statement": []})),
        "dead letters",
        "DriftRule may not write to DeadLetters",
    ),
}
"""What is done to the templates package, which check catches it, and a part of what that says."""


@pytest.mark.parametrize("mistake", PLANTED, ids=[f"{name}: {PLANTED[name][1]}" for name in PLANTED])
def test_a_mistake_is_caught_by_its_check(
    config: Config, monkeypatch: pytest.MonkeyPatch, mistake: str
) -> None:
    plant, check, told = PLANTED[mistake]
    plant(monkeypatch)
    caught = found(Rendered(config))
    assert check in caught, caught
    assert any(told in line for line in caught[check]), caught[check]


def test_every_check_catches_one() -> None:
    assert {check for _, check, _ in PLANTED.values()} == CHECKS.keys()


def test_what_is_planted_is_gone_again(config: Config) -> None:
    assert found(Rendered(config)) == {}
