"""The jobs Prepare (Glue) and Train (SageMaker): what they run as, and where their code lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from awacs import kms, logs, s3
from awacs.aws import Bool, Condition, Statement
from troposphere import AWSHelperFn, FindInMap, GetAtt, If, Ref, Select, Split, Sub
from troposphere.glue import ExecutionProperty, Job, JobCommand
from troposphere.iam import Role

from templates import access
from templates.access import ARTIFACT_BUCKET, PIPELINE_BUCKET
from templates.config import Config
from templates.encryption import key_arn

OWN_IMAGE: Final = "HasTrainingImage"
"""Name of the condition that TrainingImageURI is given."""

IMAGE_MAP: Final = "TrainingImages"
IMAGE_NAME: Final = "sagemaker-xgboost"
IMAGE_TAG: Final = "3.0-5"

IMAGE_ACCOUNTS: Final[dict[str, dict[str, str]]] = {
    region: {"Account": account}
    for region, account in {
        "af-south-1": "510948584623",
        "ap-east-1": "651117190479",
        "ap-northeast-1": "354813040037",
        "ap-northeast-2": "366743142698",
        "ap-northeast-3": "867004704886",
        "ap-south-1": "720646828776",
        "ap-south-2": "628508329040",
        "ap-southeast-1": "121021644041",
        "ap-southeast-2": "783357654285",
        "ap-southeast-3": "951798379941",
        "ap-southeast-4": "106583098589",
        "ca-central-1": "341280168497",
        "ca-west-1": "190319476487",
        "eu-central-1": "492215442770",
        "eu-central-2": "680994064768",
        "eu-north-1": "662702820516",
        "eu-south-1": "978288397137",
        "eu-south-2": "104374241257",
        "eu-west-1": "141502667606",
        "eu-west-2": "764974769150",
        "eu-west-3": "659782779980",
        "il-central-1": "898809789911",
        "me-central-1": "272398656194",
        "me-south-1": "801668240914",
        "sa-east-1": "737474898029",
        "us-east-1": "683313688378",
        "us-east-2": "257758044811",
        "us-west-1": "746614075791",
        "us-west-2": "246618743249",
    }.items()
}
"""Region -> the account of AWS whose registry has the XGBoost container.

Elsewhere the stack cannot be deployed, with TrainingImageURI neither: CloudFormation looks up every mapping.
"""


@dataclass(frozen=True, slots=True)
class Preparation:
    """The Glue job."""

    role: Role
    job: Job


def preparation(config: Config) -> Preparation:
    """Return the Glue job that cleans, types and splits a judged day."""
    role = access.role(
        "PrepareRole", access.trust_jobs(), "What the Glue job Prepare may do", _prepare_statements()
    )
    job = Job(
        "PrepareJob",
        Name=config.named("prepare"),
        Role=GetAtt(role, "Arn"),
        Command=JobCommand(Name="glueetl", PythonVersion="3", ScriptLocation=script()),
        GlueVersion="5.0",
        WorkerType=config.preparation.worker_type,
        NumberOfWorkers=config.preparation.workers,
        Timeout=config.preparation.timeout_minutes,
        # The state machine decides what is tried again.
        MaxRetries=0,
        # Default is 1: several datasets may be prepared at a time.
        ExecutionProperty=ExecutionProperty(MaxConcurrentRuns=20),
        DefaultArguments={"--job-language": "python", "--job-bookmark-option": "job-bookmark-disable"},
    )
    return Preparation(role=role, job=job)


def script() -> Sub:
    """Return the URI of the PySpark script; its key carries its hash."""
    return Sub(f"s3://${{{ARTIFACT_BUCKET}}}/${{PrepareScriptKey}}")


def _prepare_statements() -> list[Statement]:
    # Without a slash: Hadoop also looks at prepared itself, and EMRFS marks it by prepared_$folder$.
    prepared = "prepared*"
    return [
        # Hadoop looks at the bucket and at each folder above what it writes, also by keys that do not exist.
        access.allow([s3.GetBucketLocation, s3.ListBucket], access.bucket_arn(PIPELINE_BUCKET)),
        access.read_objects(PIPELINE_BUCKET, "data/*", "runs/*", "validation/*", prepared),
        access.write_objects(PIPELINE_BUCKET, prepared),
        # Spark writes below _temporary/, moves, and cleans up.
        access.remove_objects(PIPELINE_BUCKET, prepared),
        access.read_objects(ARTIFACT_BUCKET, "packages/prepare-*"),
        access.allow(
            [logs.CreateLogGroup, logs.CreateLogStream, logs.PutLogEvents],
            access.local("logs", "log-group:/aws-glue/*"),
        ),
        access.put_metrics("Glue"),
    ]


def training_role(config: Config) -> Role:
    """Return the role of the training job."""
    return access.role(
        "TrainingRole",
        access.trust("sagemaker"),
        "What a training job may do: read a prepared day and the champion, write its model",
        [
            access.read_objects(PIPELINE_BUCKET, "prepared/*", "training/*"),
            access.write_objects(PIPELINE_BUCKET, "training/*"),
            access.list_objects(PIPELINE_BUCKET, "prepared/*", "training/*"),
            access.read_objects(ARTIFACT_BUCKET, "packages/train-*"),
            access.list_objects(ARTIFACT_BUCKET, "packages/train-*"),
            access.log_in_to_registries(),
            access.pull_images(*_training_repositories(config)),
            _training_logs(),
            access.put_metrics("/aws/sagemaker/TrainingJobs"),
            *_encrypt_disks(config),
        ],
    )


def _encrypt_disks(config: Config) -> Iterator[Statement]:
    """Yield what an encrypted disk and output take: SageMaker asks for them in the job's name."""
    if config.customer_managed_key:
        yield access.allow([kms.DescribeKey, kms.Encrypt], key_arn())
        yield access.allow(
            [kms.CreateGrant], key_arn(), Condition=Condition(Bool({"kms:GrantIsForAWSResource": "true"}))
        )


def _training_logs() -> Statement:
    return access.allow(
        [logs.CreateLogGroup, logs.CreateLogStream, logs.DescribeLogStreams, logs.PutLogEvents],
        access.local("logs", "log-group:/aws/sagemaker/TrainingJobs"),
        access.local("logs", "log-group:/aws/sagemaker/TrainingJobs:*"),
    )


def _training_repositories(config: Config) -> tuple[Any, Any]:
    """Return AWS's own repository, and this account's for an image of one's own."""
    theirs = Sub(
        f"arn:${{AWS::Partition}}:ecr:${{AWS::Region}}:${{Account}}:repository/{IMAGE_NAME}",
        Account=_image_account(),
    )
    return theirs, access.local("ecr", f"repository/{config.named('training')}")


def training_image() -> AWSHelperFn:
    """Return the URI of the training container: the parameter, or AWS's XGBoost image of the region."""
    theirs = Sub(
        f"${{Account}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/{IMAGE_NAME}:{IMAGE_TAG}",
        Account=_image_account(),
    )
    return If(OWN_IMAGE, Ref("TrainingImageURI"), theirs)


def _image_account() -> FindInMap:
    return FindInMap(IMAGE_MAP, Ref("AWS::Region"), "Account")


PACKAGE: Final = f"s3://${{{ARTIFACT_BUCKET}}}/${{TrainPackageKey}}"
"""URI of the training code, as ``Sub`` takes it; its key carries its hash."""


def package_file() -> Sub:
    """Return where the training code lies in the container: SageMaker puts it into the channel ``code``."""
    name = Select(1, Split("/", Ref("TrainPackageKey")))
    return Sub("/opt/ml/input/data/code/${Name}", Name=name)
