"""The Model Registry: a group of models for each dataset; a package's metadata say of which day it is."""

from __future__ import annotations

from awacs import sagemaker
from awacs.aws import Statement
from troposphere import Sub
from troposphere.sagemaker import ModelPackageGroup

from templates import access
from templates.config import Config, Dataset


def group_prefix(config: Config) -> str:
    """Return what stands before a dataset's name in that of its group; Init puts them together."""
    return config.named("models-")


def group_name(config: Config, dataset: Dataset) -> str:
    """Return the name of a dataset's group, fixed so that roles can name its packages."""
    return f"{group_prefix(config)}{dataset.name}"


def model_package_groups(config: Config) -> tuple[ModelPackageGroup, ...]:
    """Return the groups models are registered in; they outlive the stack, as their models do."""
    return tuple(
        ModelPackageGroup(
            f"{dataset.title}Models",
            DeletionPolicy="RetainExceptOnCreate",
            UpdateReplacePolicy="Retain",
            # Without a description: another wording would be another group, whose name is taken.
            ModelPackageGroupName=group_name(config, dataset),
        )
        for dataset in config.datasets
    )


def packages(config: Config) -> Sub:
    """Return the ARN of the packages of all groups."""
    return access.local("sagemaker", f"model-package/{group_prefix(config)}*")


def find_champion(config: Config) -> tuple[Statement, ...]:
    """Allow looking through the approved packages."""
    return (
        access.everywhere("ListingPackagesHasNoResource", [sagemaker.ListModelPackages]),
        access.allow([sagemaker.DescribeModelPackage], packages(config)),
    )


def register(config: Config) -> Statement:
    """Allow adding a package to a group."""
    group = access.local("sagemaker", f"model-package-group/{group_prefix(config)}*")
    return access.allow([sagemaker.CreateModelPackage], group, packages(config))
