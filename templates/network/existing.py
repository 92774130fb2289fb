"""existing: subnets and a security group that others keep; the stack makes no network resource.

What they must offer stands in docs/network.md.
"""

from __future__ import annotations

from troposphere import Parameter, Ref

from templates.config import Config
from templates.network.placement import Network, Placement


def network(config: Config) -> Network:  # noqa: ARG001 -- every mode is asked alike
    """Return a network that is given at deploy time."""
    subnets, group, address = parameters()
    return Network(Placement(subnets=Ref(subnets), security_groups=[Ref(group)], public_address=Ref(address)))


def parameters() -> tuple[Parameter, Parameter, Parameter]:
    """Return what has to be given: subnets, security group, whether tasks get public addresses."""
    return (
        Parameter(
            "SubnetIds",
            Type="List<AWS::EC2::Subnet::Id>",
            Description="Subnets of the validator's tasks; they must reach ECR, CloudWatch Logs and S3",
        ),
        Parameter(
            "SecurityGroupId",
            Type="AWS::EC2::SecurityGroup::Id",
            Description="Security group of the validator's tasks; it must let HTTPS out and needs no way in",
        ),
        Parameter(
            "AssignPublicIp",
            Type="String",
            Description="Whether tasks get public addresses: only where the subnets' way out needs them",
            Default="DISABLED",
            AllowedValues=["DISABLED", "ENABLED"],
        ),
    )
