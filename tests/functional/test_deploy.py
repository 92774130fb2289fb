"""Deployments against an emulator of AWS: plans, events, failures and what they leave behind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import uuid4

import pytest

from build.aws import Aws, connect
from build.aws.cloudformation import StackEvent, Target, Template
from build.aws.ecr import Manifest
from build.deploy import Deployer, Planner, image_to_deploy
from build.errors import PlatformError, StackFailedError, UserError
from build.execute import Approve, DeclinedError, always, carry_out, clear_failed_creation
from build.package import Packages
from build.patience import Patience
from build.plan import Action, Plan, discard, make
from build.settings import Credentials, Settings
from build.status import collect
from templates.config import Config

pytestmark = pytest.mark.xdist_group("deploy")

PATIENCE = Patience(deadline=60, first=0.02, longest=0.2)
DIGEST = f"sha256:{'0' * 64}"

TOPIC = {"Type": "AWS::SNS::Topic"}
BROKEN = {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 100_000}}
"""Refused when it is created: a queue delays for 900 s at most."""


@dataclass
class Log:
    """Remembers what a deployment told."""

    plans: list[Plan] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    events: list[StackEvent] = field(default_factory=list)

    def planned(self, plan: Plan) -> None:
        self.plans.append(plan)

    def uploaded(self, key: str, size: int) -> None:
        self.uploads.append(key)

    def happened(self, event: StackEvent) -> None:
        self.events.append(event)

    def story(self) -> list[tuple[str, str]]:
        return [(event.logical_id, event.status) for event in self.events]


@pytest.fixture(scope="module")
def aws(aws_endpoint: str) -> Aws:
    return connect(Settings("us-east-1", aws_endpoint, Credentials("test", "test")))


@pytest.fixture
def stack(aws: Aws) -> Iterator[str]:
    """A name that is free, and free again afterwards."""
    name = f"stack-{uuid4().hex[:8]}"
    yield name
    aws.cloudformation.delete(name)


def template(resources: Mapping[str, Any], **sections: Any) -> Template:
    return Template(body=json.dumps({"Resources": resources, **sections}))


def queue(name: str, **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name, **properties}}


def put(
    aws: Aws,
    stack: str,
    body: Template,
    parameters: Mapping[str, str] | None = None,
    *,
    log: Log | None = None,
    approve: Approve = always,
) -> Mapping[str, str]:
    made = make(aws.cloudformation, Target(stack, body, parameters or {}), PATIENCE)
    return carry_out(aws.cloudformation, made, log or Log(), approve, PATIENCE)


def status_of(aws: Aws, stack: str) -> str | None:
    found = aws.cloudformation.stack(stack)
    return found.status if found else None


def test_a_new_stack_is_created_and_its_outputs_come_back(aws: Aws, stack: str) -> None:
    body = template({"Topic": TOPIC}, Outputs={"Arn": {"Value": {"Ref": "Topic"}}})
    log = Log()
    outputs = put(aws, stack, body, log=log)
    assert outputs["Arn"].startswith("arn:aws:sns:us-east-1:")
    assert status_of(aws, stack) == "CREATE_COMPLETE"
    assert [change.action for change in log.plans[0].changes] == [Action.ADD]


def test_events_come_once_and_in_order(aws: Aws, stack: str) -> None:
    log = Log()
    put(aws, stack, template({"First": TOPIC, "Second": {**TOPIC, "DependsOn": "First"}}), log=log)
    assert log.story() == [
        (stack, "CREATE_IN_PROGRESS"),
        ("First", "CREATE_IN_PROGRESS"),
        ("First", "CREATE_COMPLETE"),
        ("Second", "CREATE_IN_PROGRESS"),
        ("Second", "CREATE_COMPLETE"),
        (stack, "CREATE_COMPLETE"),
    ]


def test_an_update_tells_only_its_own_events(aws: Aws, stack: str) -> None:
    put(aws, stack, template({"Queue": queue(stack)}))
    log = Log()
    put(aws, stack, template({"Queue": queue(stack, DelaySeconds=5)}), log=log)
    assert log.story()[0] == (stack, "UPDATE_IN_PROGRESS")
    assert log.story()[-1] == (stack, "UPDATE_COMPLETE")
    assert [(change.logical_id, change.action) for change in log.plans[0].changes] == [
        ("Queue", Action.MODIFY)
    ]


def test_a_plan_names_what_is_replaced_and_removed(aws: Aws, stack: str) -> None:
    put(aws, stack, template({"Queue": queue(stack), "Topic": TOPIC}))
    made = make(aws.cloudformation, Target(stack, template({"Queue": queue(f"{stack}-2")})), PATIENCE)
    discard(aws.cloudformation, made)
    assert {change.logical_id: change.action for change in made.changes} == {
        "Queue": Action.REPLACE,
        "Topic": Action.REMOVE,
    }


def test_the_same_again_is_an_empty_plan_and_does_nothing(aws: Aws, stack: str) -> None:
    body = template({"Topic": TOPIC}, Outputs={"Name": {"Value": "same"}})
    put(aws, stack, body)
    log = Log()
    assert put(aws, stack, body, log=log) == {"Name": "same"}
    assert log.plans[0].empty
    assert not log.events
    assert status_of(aws, stack) == "CREATE_COMPLETE"


def test_a_changed_parameter_is_a_change(aws: Aws, stack: str) -> None:
    body = template(
        {"Queue": queue(stack, DelaySeconds={"Ref": "Delay"})}, Parameters={"Delay": {"Type": "String"}}
    )
    put(aws, stack, body, {"Delay": "1"})
    log = Log()
    put(aws, stack, body, {"Delay": "2"}, log=log)
    (parameter,) = log.plans[0].parameters
    assert (parameter.name, parameter.before, parameter.after) == ("Delay", "1", "2")


@pytest.mark.parametrize("value", ["a=b,c", "$(touch x) `id`", "<&>\"'", "ünïcode 日本", "[bold]x[/]", " "])
def test_parameter_values_arrive_as_they_are(aws: Aws, stack: str, value: str) -> None:
    body = template(
        {"Topic": TOPIC},
        Parameters={"Text": {"Type": "String"}},
        Outputs={"Text": {"Value": {"Ref": "Text"}}},
    )
    assert put(aws, stack, body, {"Text": value}) == {"Text": value}


def test_a_discarded_plan_of_a_new_stack_leaves_nothing(aws: Aws, stack: str) -> None:
    made = make(aws.cloudformation, Target(stack, template({"Topic": TOPIC})), PATIENCE)
    assert status_of(aws, stack) == "REVIEW_IN_PROGRESS"
    discard(aws.cloudformation, made)
    assert status_of(aws, stack) is None


def test_a_stack_left_in_review_is_deployed_all_the_same(aws: Aws, stack: str) -> None:
    make(aws.cloudformation, Target(stack, template({"Topic": TOPIC})), PATIENCE)
    put(aws, stack, template({"Other": TOPIC}))
    assert status_of(aws, stack) == "CREATE_COMPLETE"


def test_a_declined_plan_changes_nothing(aws: Aws, stack: str) -> None:
    with pytest.raises(DeclinedError, match="left as it was"):
        put(aws, stack, template({"Topic": TOPIC}), approve=lambda _: False)
    assert status_of(aws, stack) is None


def test_an_interrupted_question_changes_nothing(aws: Aws, stack: str) -> None:
    def interrupted(_: Plan) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put(aws, stack, template({"Topic": TOPIC}), approve=interrupted)
    assert status_of(aws, stack) is None


def test_a_failed_creation_names_the_resource_and_leaves_nothing(aws: Aws, stack: str) -> None:
    log = Log()
    with pytest.raises(StackFailedError) as failed:
        put(aws, stack, template({"Topic": TOPIC, "Broken": {**BROKEN, "DependsOn": "Topic"}}), log=log)
    assert failed.value.resource == "Broken"
    assert "DelaySeconds" in failed.value.reason
    assert f"cannot deploy {stack}: Broken failed: " in str(failed.value)
    assert ("Broken", "CREATE_FAILED") in log.story()
    assert status_of(aws, stack) is None


def test_after_a_failed_creation_the_next_one_succeeds(aws: Aws, stack: str) -> None:
    kept = {**queue(stack), "DeletionPolicy": "Retain"}
    with pytest.raises(StackFailedError):
        put(aws, stack, template({"Queue": kept, "Broken": {**BROKEN, "DependsOn": "Queue"}}))
    put(aws, stack, template({"Queue": kept}))
    assert status_of(aws, stack) == "CREATE_COMPLETE"


def test_a_failed_update_is_rolled_back_and_named(aws: Aws, stack: str) -> None:
    put(aws, stack, template({"Topic": TOPIC}))
    with pytest.raises(StackFailedError, match=r"Broken failed: .*UPDATE_ROLLBACK_COMPLETE"):
        put(aws, stack, template({"Topic": TOPIC, "Broken": BROKEN}))
    assert status_of(aws, stack) == "UPDATE_ROLLBACK_COMPLETE"


def models(name: str, description: str) -> dict[str, Any]:
    """A model group, whose name and description a change cannot touch."""
    properties = {"ModelPackageGroupName": name, "ModelPackageGroupDescription": description}
    return {"Models": {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": properties}}


def test_what_must_be_made_anew_needs_a_new_name(aws: Aws, stack: str) -> None:
    put(aws, stack, template(models(stack, "first")))
    with pytest.raises(StackFailedError, match="custom-named resource requires replacing"):
        put(aws, stack, template(models(stack, "second")))
    log = Log()
    put(aws, stack, template(models(f"{stack}-2", "second")), log=log)
    assert [change.action for change in log.plans[0].changes] == [Action.REPLACE]


def test_what_an_older_failed_creation_left_is_cleared(aws: Aws, aws_endpoint: str, stack: str) -> None:
    leave_failed_creation(aws_endpoint, stack, aws)
    with pytest.raises(UserError, match="left by a creation that failed"):
        make(aws.cloudformation, Target(stack, template({"Topic": TOPIC})), PATIENCE)
    clear_failed_creation(aws.cloudformation, stack, PATIENCE)
    assert status_of(aws, stack) is None


def test_a_living_stack_is_not_cleared(aws: Aws, stack: str) -> None:
    put(aws, stack, template({"Topic": TOPIC}))
    clear_failed_creation(aws.cloudformation, stack, PATIENCE)
    assert status_of(aws, stack) == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    "body",
    [
        Template(body="{"),
        Template(body=json.dumps({"Resources": {"X": {"Type": "AWS::No::Such"}}})),
        Template(url="http://127.0.0.1:9/no-bucket/no-key"),
    ],
)
def test_a_template_error_is_one_line_and_leaves_no_stack(aws: Aws, stack: str, body: Template) -> None:
    with pytest.raises(PlatformError) as refused:
        put(aws, stack, body)
    assert stack in str(refused.value)
    assert "\n" not in str(refused.value)
    assert status_of(aws, stack) is None


def test_a_missing_parameter_is_refused(aws: Aws, stack: str) -> None:
    with pytest.raises(PlatformError, match="Needed"):
        put(aws, stack, template({"Topic": TOPIC}, Parameters={"Needed": {"Type": "String"}}))
    assert status_of(aws, stack) is None


def leave_failed_creation(endpoint: str, stack: str, aws: Aws) -> None:
    """Create a stack that fails the way tools other than ours do."""
    import boto3

    client = boto3.client(
        "cloudformation",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": {"Broken": BROKEN}}))
    PATIENCE.until(lambda: status_of(aws, stack) == "ROLLBACK_COMPLETE" or None, stack)


DELIVERY = {
    "Parameters": {"Branch": {"Type": "String", "Default": "main"}},
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Repository": {"Type": "AWS::ECR::Repository", "Properties": {"ImageTagMutability": "IMMUTABLE"}},
    },
    "Outputs": {
        "ArtifactBucketName": {"Value": {"Ref": "Bucket"}},
        "ValidatorRepositoryUri": {"Value": {"Fn::GetAtt": ["Repository", "RepositoryUri"]}},
        "Branch": {"Value": {"Ref": "Branch"}},
    },
}
PIPELINE: dict[str, Any] = {
    "Parameters": {
        "ValidatorImageURI": {"Type": "String"},
        "ArtifactBucketName": {"Type": "String"},
        "InitPackageKey": {"Type": "String"},
        "NotificationEmail": {"Type": "String", "Default": ""},
    },
    "Resources": {"Topic": {**TOPIC, "Properties": {"DisplayName": {"Ref": "Margin"}}}},
    "Outputs": {
        "Image": {"Value": {"Ref": "ValidatorImageURI"}},
        "Bucket": {"Value": {"Ref": "ArtifactBucketName"}},
        "Email": {"Value": {"Fn::Sub": "<${NotificationEmail}>"}},
        "Margin": {"Value": {"Ref": "Margin"}},
    },
}
HOSTILE_KEY = "packages/init ü&?#%41.zip"


@dataclass(frozen=True)
class Stage:
    """Stands in for a configuration, of which a deployment asks names only."""

    stage: str

    def named(self, thing: str) -> str:
        return f"sluice-{self.stage}-{thing}"


def with_pipeline(packages: Packages, margin: str) -> Packages:
    """The packages with another default in the pipeline's template."""
    parameters = {**PIPELINE["Parameters"], "Margin": {"Type": "String", "Default": margin}}
    return replace(packages, pipeline=json.dumps({**PIPELINE, "Parameters": parameters}))


@pytest.fixture
def planner(aws: Aws) -> Iterator[Planner]:
    config = cast(Config, Stage(f"t{uuid4().hex[:8]}"))
    packages = Packages(
        objects={HOSTILE_KEY: b"zip"},
        parameters={"InitPackageKey": HOSTILE_KEY},
        delivery=json.dumps(DELIVERY),
        pipeline="",
    )
    packages = with_pipeline(packages, margin="0.1")
    yield Planner(aws, config, packages, PATIENCE)
    for stack in ("pipeline", "delivery"):
        aws.cloudformation.delete(config.named(stack))


def pushed(planner: Planner, delivery: Mapping[str, str]) -> str:
    """The URI of an image that is in the repository, as an engine leaves it there."""
    uri = delivery["ValidatorRepositoryUri"]
    planner.aws.ecr.put(name_of(uri), Manifest(DIGEST, "{}", "application/x"), "build-0")
    return f"{uri}@{DIGEST}"


def name_of(uri: str) -> str:
    return uri.partition("/")[2].partition("@")[0]


def test_delivery_comes_first_and_feeds_the_pipeline(planner: Planner) -> None:
    log = Log()
    deployer = Deployer(planner, log, always)
    delivery = deployer.delivery()
    image = pushed(planner, delivery)
    pipeline = deployer.pipeline(delivery, image)
    expected = {"Image": image, "Bucket": delivery["ArtifactBucketName"], "Email": "<>", "Margin": "0.1"}
    assert pipeline == expected
    assert [plan.stack for plan in log.plans] == [
        planner.config.named("delivery"),
        planner.config.named("pipeline"),
    ]
    assert sorted(log.uploads) == sorted(planner.packages.objects)
    assert planner.aws.s3.read(delivery["ArtifactBucketName"], HOSTILE_KEY) == b"zip"


def test_a_second_deployment_uploads_and_changes_nothing(planner: Planner) -> None:
    first = Deployer(planner, Log(), always)
    delivery = first.delivery()
    image = pushed(planner, delivery)
    outputs = first.pipeline(delivery, image)
    log = Log()
    again = Deployer(planner, log, always)
    assert again.pipeline(again.delivery(), image) == outputs
    assert all(plan.empty for plan in log.plans)
    assert not log.uploads


def test_a_persons_choice_survives_and_a_new_default_takes_effect(planner: Planner) -> None:
    with_email = replace(planner, given={"NotificationEmail": "a@example.org"})
    delivery = Deployer(with_email, Log(), always).delivery()
    image = pushed(planner, delivery)
    outputs = Deployer(with_email, Log(), always).pipeline(delivery, image)
    assert (outputs["Email"], outputs["Margin"]) == ("<a@example.org>", "0.1")
    renewed = replace(planner, packages=with_pipeline(planner.packages, margin="0.2"))
    outputs = Deployer(renewed, Log(), always).pipeline(delivery, image)
    assert (outputs["Email"], outputs["Margin"]) == ("<a@example.org>", "0.2")


def test_a_parameter_of_the_other_stack_is_passed_over(planner: Planner) -> None:
    both = replace(planner, given={"NotificationEmail": "a@example.org", "Branch": "next"})
    delivery = Deployer(both, Log(), always).delivery()
    assert delivery["Branch"] == "next"
    outputs = Deployer(both, Log(), always).pipeline(delivery, pushed(planner, delivery))
    assert outputs["Email"] == "<a@example.org>"


def test_the_deployed_image_stays_when_none_is_given(planner: Planner) -> None:
    with pytest.raises(UserError, match="no validator image yet"):
        image_to_deploy(planner.aws, planner.config, None)
    deployer = Deployer(planner, Log(), always)
    delivery = deployer.delivery()
    image = pushed(planner, delivery)
    deployer.pipeline(delivery, image)
    assert image_to_deploy(planner.aws, planner.config, None) == image


def test_an_image_is_kept_from_expiry_before_anything_names_it(planner: Planner) -> None:
    deployer = Deployer(planner, Log(), lambda plan: plan.stack.endswith("delivery"))
    delivery = deployer.delivery()
    image = pushed(planner, delivery)
    with pytest.raises(DeclinedError):
        deployer.pipeline(delivery, image)
    assert planner.aws.ecr.digest(name_of(image), f"release-{'0' * 16}") == DIGEST


def test_an_image_that_no_task_could_pull_is_not_deployed(planner: Planner) -> None:
    deployer = Deployer(planner, Log(), always)
    delivery = deployer.delivery()
    gone = f"{delivery['ValidatorRepositoryUri']}@{DIGEST}"
    with pytest.raises(UserError, match="there is no such image; make image"):
        deployer.pipeline(delivery, gone)
    elsewhere = f"1.dkr.ecr.eu-west-1.amazonaws.com/validator@{DIGEST}"
    with pytest.raises(UserError, match=r"the pipeline may pull from \S+ alone; push it there"):
        deployer.pipeline(delivery, elsewhere)
    assert status_of(planner.aws, planner.config.named("pipeline")) is None


def test_status_shows_both_stacks(planner: Planner) -> None:
    names = (planner.config.named("delivery"), planner.config.named("pipeline"))
    Deployer(planner, Log(), always).delivery()
    found = collect(planner.aws, names)
    delivery, pipeline = (found.stacks[name] for name in names)
    assert delivery is not None
    assert delivery.outputs["ValidatorRepositoryUri"]
    assert pipeline is None
    assert found.executions == ()
