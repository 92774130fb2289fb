"""A key of one's own reaches everything that is kept, and nobody may use it for anything else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from templates.config import STAGES, Config
from templates.stacks import STACKS, render
from tests.configuration import configuration
from tests.unit.templates.variants import EVERY_TRIGGER

ROOT = Path(__file__).parents[3]

OWN = {"Fn::GetAtt": ["Key", "Arn"]}
ARTIFACTS = {"Ref": "ArtifactKeyArn"}

ENCRYPTED: Mapping[str, tuple[str | int, ...]] = {
    "AWS::S3::Bucket": (
        "BucketEncryption",
        "ServerSideEncryptionConfiguration",
        0,
        "ServerSideEncryptionByDefault",
        "KMSMasterKeyID",
    ),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::ECR::Repository": ("EncryptionConfiguration", "KmsKey"),
    "AWS::StepFunctions::StateMachine": ("EncryptionConfiguration", "KmsKeyId"),
    "AWS::ECS::Cluster": ("Configuration", "ManagedStorageConfiguration", "FargateEphemeralStorageKmsKeyId"),
}
"""Type of resource -> where it names its key."""

KEEPS_NOTHING = {
    "AWS::Batch::ComputeEnvironment",  # Batch has no key for its tasks' ephemeral storage
    "AWS::Batch::JobDefinition",
    "AWS::Batch::JobQueue",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::CodeBuild::Project",  # has no artifacts and no cache
    "AWS::ECS::ClusterCapacityProviderAssociations",
    "AWS::ECS::TaskDefinition",
    "AWS::Events::Rule",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::Version",  # is encrypted as its function
    "AWS::S3::BucketPolicy",
    "AWS::Scheduler::Schedule",  # says which dataset, and no more
    "AWS::SageMaker::ModelPackageGroup",  # the models lie in the bucket
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::StepFunctions::StateMachineAlias",
    "AWS::StepFunctions::StateMachineVersion",  # is encrypted as its machine
}
"""Types that keep no data, or keep them in something else; those of EC2 keep none."""

ELSEWHERE = {"AWS::Glue::Job", "AWS::Glue::SecurityConfiguration", "AWS::Lambda::Function"}
"""Types that have a test of their own below."""

Template = dict[str, Any]


@pytest.fixture(scope="module", params=STAGES)
def chosen(request: pytest.FixtureRequest) -> Config:
    """A stage with all that can start it: each trigger has parts of its own."""
    config = configuration(request.param)
    return replace(config, customer_managed_key=True, datasets=EVERY_TRIGGER)


@pytest.fixture(scope="module")
def templates(chosen: Config) -> dict[str, Template]:
    return {stack: json.loads(render(stack, chosen)) for stack in STACKS}


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at a path, None where the path leads nowhere."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError):
            return None
    return value


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {
        title: each["Properties"] for title, each in template["Resources"].items() if each["Type"] == kind
    }


def uses(template: Template, title: str) -> Iterator[tuple[frozenset[str], Any, Any]]:
    """Yield what a role may do with keys: actions, key, condition."""
    (policy,) = template["Resources"][title]["Properties"]["Policies"]
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = frozenset(action for action in statement["Action"] if action.startswith("kms:"))
        if actions:
            (key,) = statement["Resource"]
            yield actions, key, statement.get("Condition")


def via(service: str) -> dict[str, Any]:
    return {"StringEquals": {"kms:ViaService": {"Fn::Sub": f"{service}.${{AWS::Region}}.amazonaws.com"}}}


READ = frozenset({"kms:Decrypt"})
WRITE = frozenset({"kms:Decrypt", "kms:GenerateDataKey"})


def test_without_it_no_template_knows_of_keys(config: Config) -> None:
    for stack in STACKS:
        assert "kms" not in render(stack, config).lower()


@pytest.mark.parametrize("stack", list(STACKS))
def test_a_stack_has_one_key_that_rotates_and_stays(
    stack: str, templates: dict[str, Template], chosen: Config
) -> None:
    template = templates[stack]
    (key,) = of_type(template, "AWS::KMS::Key").values()
    assert key["EnableKeyRotation"] is True
    resource = template["Resources"]["Key"]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    (alias,) = of_type(template, "AWS::KMS::Alias").values()
    assert alias == {"AliasName": f"alias/{chosen.named(stack)}", "TargetKeyId": {"Ref": "Key"}}


def open_to_others(template: Template) -> Iterator[str]:
    """Yield resources that keep data without the key, and those of which nobody has said what they keep."""
    for title, resource in template["Resources"].items():
        kind = resource["Type"]
        if kind in ENCRYPTED:
            if at(resource["Properties"], ENCRYPTED[kind]) != OWN:
                yield title
        elif kind not in KEEPS_NOTHING | ELSEWHERE and not kind.startswith("AWS::EC2::"):
            yield title


@pytest.mark.parametrize("stack", list(STACKS))
def test_everything_that_keeps_data_is_encrypted_by_it(stack: str, templates: dict[str, Template]) -> None:
    """Who adds a type that is new here says where it names its key, or that it keeps nothing."""
    assert list(open_to_others(templates[stack])) == []


def test_what_is_not_encrypted_or_new_is_seen(config: Config) -> None:
    plain = json.loads(render("pipeline", config))
    kept = {title for title, each in plain["Resources"].items() if each["Type"] in ENCRYPTED}
    assert set(open_to_others(plain)) == kept != set()
    assert list(open_to_others({"Resources": {"New": {"Type": "AWS::DynamoDB::Table"}}})) == ["New"]
    other = {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": ARTIFACTS}}
    assert list(open_to_others({"Resources": {"Logs": other}})) == ["Logs"]


def test_a_queue_has_one_kind_of_encryption(templates: dict[str, Template]) -> None:
    for queue in of_type(templates["pipeline"], "AWS::SQS::Queue").values():
        assert "SqsManagedSseEnabled" not in queue


def test_the_glue_job_encrypts_what_it_writes_and_logs(templates: dict[str, Template]) -> None:
    (job,) = of_type(templates["pipeline"], "AWS::Glue::Job").values()
    assert job["SecurityConfiguration"] == {"Ref": "JobSecurity"}
    (security,) = of_type(templates["pipeline"], "AWS::Glue::SecurityConfiguration").values()
    assert security["EncryptionConfiguration"] == {
        "S3Encryptions": [{"S3EncryptionMode": "SSE-KMS", "KmsKeyArn": OWN}],
        "CloudWatchEncryption": {"CloudWatchEncryptionMode": "SSE-KMS", "KmsKeyArn": OWN},
        "JobBookmarksEncryption": {"JobBookmarksEncryptionMode": "CSE-KMS", "KmsKeyArn": OWN},
    }
    assert "logs:AssociateKmsKey" in json.dumps(templates["pipeline"]["Resources"]["PrepareRole"])


def test_the_training_job_encrypts_its_disk_and_its_model(templates: dict[str, Template]) -> None:
    machine = templates["pipeline"]["Resources"]["StateMachine"]["Properties"]["Definition"]
    arguments = machine["States"]["Train"]["Arguments"]
    assert arguments["ResourceConfig"]["VolumeKmsKeyId"] == OWN
    assert arguments["OutputDataConfig"]["KmsKeyId"] == OWN
    call = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateTrainingJob")
    for name in ("ResourceConfig", "OutputDataConfig"):
        assert arguments[name].keys() <= call.input_shape.members[name].members.keys()


def test_every_training_instance_has_a_disk_that_takes_a_key(templates: dict[str, Template]) -> None:
    """Instances with disks of their own (a `d` in the family) refuse a job that names a volume's key."""
    offered = templates["pipeline"]["Parameters"]["TrainingInstanceType"]["AllowedValues"]
    assert offered
    assert not [kind for kind in offered if "d" in kind.split(".")[1] or kind.startswith("ml.p")]


def test_functions_with_variables_encrypt_them_and_are_published_anew(
    templates: dict[str, Template], chosen: Config
) -> None:
    plain = json.loads(render("pipeline", replace(chosen, customer_managed_key=False)))
    for title, function in of_type(templates["pipeline"], "AWS::Lambda::Function").items():
        before = plain["Resources"][title]["Properties"]
        assert function.get("KmsKeyArn") == (OWN if "Environment" in function else None), title
        assert (function["Description"] != before["Description"]) == ("Environment" in function), title


def test_each_role_may_use_the_keys_for_its_own_work_only(templates: dict[str, Template]) -> None:
    pipeline, delivery = templates["pipeline"], templates["delivery"]
    machine = {
        "StringEquals": {
            "kms:EncryptionContext:aws:states:stateMachineArn": {
                "Fn::Sub": "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:"
                + of_type(pipeline, "AWS::StepFunctions::StateMachine")["StateMachine"]["StateMachineName"]
            }
        }
    }
    delivered = {
        "StringEquals": {
            "kms:EncryptionContext:SourceArn": {
                "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"
            }
        }
    }
    expected: dict[str, list[tuple[frozenset[str], Any, Any]]] = {
        "InitRole": [
            (WRITE, OWN, via("s3")),
            (READ, OWN, via("states")),
            (READ, OWN, via("lambda")),
        ],
        "EvaluateRole": [(READ, OWN, via("s3"))],
        "TaskRole": [(WRITE, OWN, via("s3")), (READ, ARTIFACTS, via("s3"))],
        "ExecutionRole": [],
        "PrepareRole": [(WRITE, OWN, via("s3")), (READ, ARTIFACTS, via("s3"))],
        "TrainingRole": [
            (frozenset({"kms:DescribeKey", "kms:Encrypt"}), OWN, None),
            (frozenset({"kms:CreateGrant"}), OWN, {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
            (WRITE, OWN, via("s3")),
            (READ, ARTIFACTS, via("s3")),
        ],
        "StateMachineRole": [
            (WRITE, OWN, via("s3")),
            (WRITE, OWN, via("sns")),
            (WRITE, OWN, machine),
            (frozenset({"kms:GenerateDataKey"}), OWN, delivered),
        ],
        "TriggerRole": [],
        "FlowLogRole": [],
        # A rule's dead letters are sent by EventBridge itself, a schedule's under its role.
        "ScheduleRole": [(WRITE, OWN, via("sqs"))],
    }
    for title, wanted in expected.items():
        assert list(uses(pipeline, title)) == wanted, title
    assert list(uses(delivery, "CheckBuildRole")) == []
    assert list(uses(delivery, "ReleaseBuildRole")) == [(WRITE, OWN, via("s3"))]


@pytest.mark.parametrize("stack", list(STACKS))
def test_a_key_is_never_every_key(stack: str, templates: dict[str, Template]) -> None:
    for title in of_type(templates[stack], "AWS::IAM::Role"):
        for _, key, _ in uses(templates[stack], title):
            assert key in (OWN, ARTIFACTS), title


def policy(template: Template) -> dict[str, dict[str, Any]]:
    (key,) = of_type(template, "AWS::KMS::Key").values()
    return {statement["Sid"]: statement for statement in key["KeyPolicy"]["Statement"]}


@pytest.mark.parametrize("stack", list(STACKS))
def test_a_service_uses_the_key_for_this_account_only(stack: str, templates: dict[str, Template]) -> None:
    for sid, statement in policy(templates[stack]).items():
        assert not any("*" in action for action in statement["Action"]), sid
        if sid == "AccountDecides":
            root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
            assert statement["Principal"] == {"AWS": root}
            # Without these nobody could ever change the policy again, or get rid of the key.
            assert {"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"} <= set(statement["Action"])
        else:
            assert set(statement["Principal"]) == {"Service"}, sid
            assert "AWS::AccountId" in json.dumps(statement["Condition"]), sid


@pytest.mark.parametrize("stack", list(STACKS))
def test_log_groups_use_it_each_by_name(stack: str, templates: dict[str, Template]) -> None:
    template = templates[stack]
    groups = {each["LogGroupName"] for each in of_type(template, "AWS::Logs::LogGroup").values()}
    arns = policy(template)["LogGroups"]["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    named = {arn["Fn::Sub"].rpartition(":log-group:")[2] for arn in arns}
    assert named == groups | ({"/aws-glue/*"} if stack == "pipeline" else set())


def test_alarms_can_publish_to_the_topic(templates: dict[str, Template]) -> None:
    statement = policy(templates["pipeline"])["Alarms"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert set(statement["Action"]) == WRITE
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert "Alarms" not in policy(templates["delivery"])


def test_rules_can_leave_dead_letters_in_the_queue(templates: dict[str, Template]) -> None:
    """By the queue and not by the source: EventBridge's calls of KMS name none."""
    statement = policy(templates["pipeline"])["DeadLetters"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert set(statement["Action"]) == WRITE
    (queue,) = of_type(templates["pipeline"], "AWS::SQS::Queue").values()
    (arn,) = statement["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:sqs:arn"]
    assert arn["Fn::Sub"].endswith(f":${{AWS::AccountId}}:{queue['QueueName']}")
    assert "aws:Source" not in json.dumps(statement)
    assert "DeadLetters" not in policy(templates["delivery"])


def test_fargate_uses_it_for_this_cluster_only(templates: dict[str, Template]) -> None:
    (cluster,) = of_type(templates["pipeline"], "AWS::ECS::Cluster").values()
    statements = policy(templates["pipeline"])
    for sid, action in (
        ("DisksOfTasks", "kms:GenerateDataKeyWithoutPlaintext"),
        ("GrantsOfTasks", "kms:CreateGrant"),
    ):
        assert statements[sid]["Action"] == [action]
        context = statements[sid]["Condition"]["StringEquals"]
        assert context["kms:EncryptionContext:aws:ecs:clusterName"] == cluster["ClusterName"]
    grants = statements["GrantsOfTasks"]["Condition"]["ForAllValues:StringEquals"]
    assert grants == {"kms:GrantOperations": ["Decrypt"]}


def test_the_pipeline_is_told_the_artifacts_key(templates: dict[str, Template], chosen: Config) -> None:
    assert templates["delivery"]["Outputs"]["ArtifactKeyArn"]["Value"] == OWN
    assert "Default" not in templates["pipeline"]["Parameters"]["ArtifactKeyArn"]
    plain = json.loads(render("pipeline", replace(chosen, customer_managed_key=False)))
    assert "ArtifactKeyArn" not in plain["Parameters"]
