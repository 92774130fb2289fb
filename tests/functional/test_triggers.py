"""Which sample events start an execution, and which must not, once the stack is deployed.

Rules, schedules, targets, alias, roles and the dead-letter queue are the template's; the machine behind the
alias only takes what it is given. Samples of our own sources are put on the bus, and markers into the bucket.
Nobody can put an event in the name of a service or of another account: of what SageMaker and CloudWatch say
`test_events` shows which rule takes it, and the target is the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from build import package
from build.aws import connect
from build.deploy import Deployer, Planner
from build.execute import always
from build.patience import Patience
from build.settings import Credentials, Settings
from steps.init.event import Arrival, ScheduledRun, parse
from templates.config import Config
from tests.configuration import configuration
from tests.functional.test_choices import ROOT, Plans
from tests.functional.test_deploy import pushed
from tests.functional.test_events import ACCOUNT, BUCKET, FOLDER, TABLE
from tests.unit.templates.variants import CHOICES

pytestmark = pytest.mark.xdist_group("triggers")

EVENTS: Mapping[str, dict[str, Any]] = {
    name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in TABLE
}
OF_THIS_ACCOUNT = {name: event for name, event in EVENTS.items() if event["account"] == ACCOUNT}
PUT = {name: event for name, event in OF_THIS_ACCOUNT.items() if not str(event["source"]).startswith("aws.")}
CREATED = {name: event for name, event in OF_THIS_ACCOUNT.items() if event["detail-type"] == "Object Created"}
DELETED = {name: event for name, event in OF_THIS_ACCOUNT.items() if event["detail-type"] == "Object Deleted"}
NOTHING = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}


@dataclass(frozen=True, slots=True)
class Deployed:
    """The pipeline with every trigger."""

    config: Config
    outputs: Mapping[str, str]
    clients: Mapping[str, Any]

    def inputs(self) -> list[dict[str, Any]]:
        """What the machine was started with so far."""
        states = self.clients["stepfunctions"]
        pages = states.get_paginator("list_executions").paginate(
            stateMachineArn=self.outputs["StateMachineArn"]
        )
        arns = (execution["executionArn"] for page in pages for execution in page["executions"])
        return [json.loads(states.describe_execution(executionArn=arn)["input"]) for arn in arns]

    def put(self, event: Mapping[str, Any], marked: str) -> Mapping[str, Any]:
        """Put an event on the bus, which gives it account, time and id; its resources tell it again.

        What names the samples' stage names this one's.
        """
        detail = json.dumps(event["detail"]).replace('"stage": "dev"', f'"stage": "{self.config.stage}"')
        entry = {
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": detail,
            "Resources": [marked],
            "EventBusName": self.outputs["EventBusName"],
        }
        answer: Mapping[str, Any] = self.clients["events"].put_events(Entries=[entry])
        return answer

    def create(self, key: str, bucket: str | None = None) -> None:
        """Put down an object."""
        self.clients["s3"].put_object(Bucket=bucket or self.outputs["PipelineBucketName"], Key=key, Body=b"")

    def keys(self) -> Counter[tuple[str, str]]:
        """Bucket and key of the objects that started the machine, once nothing more is under way."""
        last = f"data/taxi/{uuid4()}/_SUCCESS"
        self.create(last)
        for attempt in Retrying(stop=stop_after_delay(10), wait=wait_fixed(0.1)):
            with attempt:
                objects = [found["detail"] for found in self.inputs() if found["source"] == "aws.s3"]
                keys = Counter((each["bucket"]["name"], each["object"]["key"]) for each in objects)
                assert (self.outputs["PipelineBucketName"], last) in keys
        return keys

    def role(self, logical_id: str) -> str:
        """The name of a role of the stack."""
        return str(
            self.clients["cloudformation"].describe_stack_resource(
                StackName=self.config.named("pipeline"), LogicalResourceId=logical_id
            )["StackResourceDetail"]["PhysicalResourceId"]
        )


def with_idle_machine(pipeline: str) -> str:
    """The template with a machine that does nothing."""
    template = json.loads(pipeline)
    template["Resources"]["StateMachine"]["Properties"]["Definition"] = NOTHING
    return json.dumps(template)


@pytest.fixture(scope="module")
def deployed(aws_endpoint: str, aws_clients: Mapping[str, Any]) -> Iterator[Deployed]:
    aws = connect(Settings("us-east-1", aws_endpoint, Credentials("test", "test")))
    config = CHOICES["every-trigger"](replace(configuration(), stage=f"t{uuid4().hex[:8]}"))
    packages = package.collect(config, ROOT)
    packages = replace(packages, pipeline=with_idle_machine(packages.pipeline))
    planner = Planner(aws, config, packages, Patience(deadline=120, first=0.05, longest=0.5))
    deployer = Deployer(planner, Plans(), always)
    delivery = deployer.delivery()
    yield Deployed(config, deployer.pipeline(delivery, pushed(planner, delivery)), aws_clients)
    for stack in ("pipeline", "delivery"):
        aws.cloudformation.delete(config.named(stack))


@pytest.fixture(scope="module")
def started(deployed: Deployed) -> Counter[str]:
    """How many executions each sample started that was put on the bus."""
    for name, event in PUT.items():
        assert deployed.put(event, name)["FailedEntryCount"] == 0, name
    deployed.put(EVENTS["drift"], "last")
    for attempt in Retrying(stop=stop_after_delay(10), wait=wait_fixed(0.1)):
        with attempt:
            found = Counter(each["resources"][0] for each in deployed.inputs() if each.get("resources"))
            assert "last" in found
    return found


def test_samples_of_every_source_of_ours_are_put() -> None:
    assert {str(event["source"]) for event in PUT.values()} >= {"sluice.drift", "sluice.schedule"}
    assert {TABLE[name].rule for name in PUT} == {"DriftRule", None}


@pytest.mark.parametrize("name", PUT)
def test_what_is_put_on_the_bus_starts_once_or_not_at_all(started: Counter[str], name: str) -> None:
    assert started[name] == (1 if TABLE[name].rule else 0)


def test_nobody_speaks_for_a_service(deployed: Deployed) -> None:
    answer = deployed.put(EVENTS["drift-source-of-aws"], "forged")
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


@pytest.mark.parametrize("name", CREATED)
def test_an_object_starts_once_or_not_at_all(deployed: Deployed, name: str) -> None:
    detail = EVENTS[name]["detail"]
    bucket, key = detail["bucket"]["name"], detail["object"]["key"]
    own = bucket == BUCKET
    bucket = deployed.outputs["PipelineBucketName"] if own else somebody_elses(deployed)
    before = deployed.keys()[bucket, key]
    if detail["reason"] == "CompleteMultipartUpload":
        create_in_parts(deployed, key)
    else:
        deployed.create(key, bucket)
    assert deployed.keys()[bucket, key] - before == (1 if TABLE[name].rule else 0)


def somebody_elses(deployed: Deployed) -> str:
    """A bucket of this account that tells EventBridge of its objects too."""
    bucket = f"other-{uuid4().hex}"
    deployed.clients["s3"].create_bucket(Bucket=bucket)
    deployed.clients["s3"].put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    return bucket


def create_in_parts(deployed: Deployed, key: str) -> None:
    s3, place = deployed.clients["s3"], {"Bucket": deployed.outputs["PipelineBucketName"], "Key": key}
    upload = s3.create_multipart_upload(**place)["UploadId"]
    part = s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload=parts)


@pytest.mark.parametrize("name", DELETED)
def test_an_object_that_goes_starts_nothing(deployed: Deployed, name: str) -> None:
    bucket, key = deployed.outputs["PipelineBucketName"], EVENTS[name]["detail"]["object"]["key"]
    deployed.create(key)
    before = deployed.keys()[bucket, key]
    deployed.clients["s3"].delete_object(Bucket=bucket, Key=key)
    assert deployed.keys()[bucket, key] == before


def test_data_that_still_arrive_start_nothing_and_the_marker_starts_one_run(deployed: Deployed) -> None:
    bucket, day = deployed.outputs["PipelineBucketName"], "data/taxi/2026-11-20"
    for number in range(10):
        deployed.create(f"{day}/part-{number}.csv")
    deployed.create(f"{day}/_SUCCESS")
    found = deployed.keys()
    assert {key: number for (_, key), number in found.items() if key.startswith(day)} == {
        f"{day}/_SUCCESS": 1
    }
    (event,) = [each for each in deployed.inputs() if day in json.dumps(each)]
    arrival = parse(event, {"taxi"}, "name")
    assert isinstance(arrival, Arrival)
    assert (arrival.bucket, arrival.object_key) == (bucket, f"{day}/_SUCCESS")


def test_the_clock_starts_a_run_as_the_schedules_role(deployed: Deployed) -> None:
    with_time_past(deployed)
    (event,) = by_the_clock(deployed)
    asked = parse(event, {"taxi"}, "name")
    assert isinstance(asked, ScheduledRun)
    assert asked.dataset == "taxi"


def with_time_past(deployed: Deployed) -> None:
    """Make another schedule like the template's, whose time has come; target and role are the same."""
    scheduler, name = deployed.clients["scheduler"], deployed.config.named("taxi")
    known = scheduler.get_schedule(Name=name)
    same = {part: known[part] for part in ("Target", "FlexibleTimeWindow", "State")}
    once = {"ScheduleExpression": "at(2026-01-01T03:30:00)", "ActionAfterCompletion": "DELETE"}
    scheduler.create_schedule(Name=f"{name}-now", **once, **same)


def by_the_clock(deployed: Deployed) -> list[dict[str, Any]]:
    """What came by the clock: MiniStack looks at its schedules every ten seconds."""
    for attempt in Retrying(stop=stop_after_delay(30), wait=wait_fixed(0.5)):
        with attempt:
            scheduled = (each for each in deployed.inputs() if each["source"] == "sluice.schedule")
            found = [each for each in scheduled if not each.get("resources")]
            assert found
    return found


def test_every_delivery_is_tried_again_for_an_hour_and_then_kept(deployed: Deployed) -> None:
    events, scheduler = deployed.clients["events"], deployed.clients["scheduler"]
    rules = events.list_rules(NamePrefix=deployed.config.named(""))["Rules"]
    targets = [
        target for rule in rules for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    ]
    targets.append(scheduler.get_schedule(Name=deployed.config.named("taxi"))["Target"])
    assert len(targets) == 5
    for target in targets:
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 8}
        assert target["DeadLetterConfig"]["Arn"].endswith(f":{deployed.config.named('dead-letters')}")


def test_what_may_not_be_started_is_kept(deployed: Deployed) -> None:
    """Somebody took the rules' permission away: the letter waits until it is given back."""
    iam, role = deployed.clients["iam"], deployed.role("TriggerRole")
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    kept = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName=name)
    try:
        deployed.put(EVENTS["drift"], "kept")
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(kept))
    sqs = deployed.clients["sqs"]
    queue = sqs.get_queue_url(QueueName=deployed.config.named("dead-letters"))["QueueUrl"]
    (letter,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"]
    assert json.loads(letter["Body"])["resources"] == ["kept"]
    assert not [each for each in deployed.inputs() if each.get("resources") == ["kept"]]
