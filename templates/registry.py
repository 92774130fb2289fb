"""The Model Registry's group of this stage; a package's metadata say which dataset it was trained on."""

from __future__ import annotations

from awacs import sagemaker
from awacs.aws import Statement
from troposphere import Sub
from troposphere.sagemaker import ModelPackageGroup

from templates import access
from templates.config import Config


def group_name(config: Config) -> str:
    """Return the group's name, fixed so that roles can name its packages."""
    return config.named("models")


def model_package_group(config: Config) -> ModelPackageGroup:
    """Return the group models are registered in; it outlives the stack, as its models do."""
    return ModelPackageGroup(
        "ModelPackageGroup",
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
        # Without a description: another wording would be another group, whose name is taken.
        ModelPackageGroupName=group_name(config),
    )


def packages(config: Config) -> Sub:
    """Return the ARN of the group's packages."""
    return access.local("sagemaker", f"model-package/{group_name(config)}/*")


def find_champion(config: Config) -> tuple[Statement, ...]:
    """Allow looking through the approved packages."""
    return (
        access.everywhere("ListingPackagesHasNoResource", [sagemaker.ListModelPackages]),
        access.allow([sagemaker.DescribeModelPackage], packages(config)),
    )


def register(config: Config) -> Statement:
    """Allow adding a package to the group."""
    group = access.local("sagemaker", f"model-package-group/{group_name(config)}")
    return access.allow([sagemaker.CreateModelPackage], group, packages(config))
