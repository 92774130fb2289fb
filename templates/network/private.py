"""create-private: two subnets that no internet reaches or is reached from; AWS by endpoints alone."""

from __future__ import annotations

from typing import Final

from awacs import ecr, logs
from awacs.aws import Statement
from troposphere import GetAtt, Ref
from troposphere.ec2 import SecurityGroup, SecurityGroupRule, VPCEndpoint

from templates import access
from templates.config import Config
from templates.network.own import HTTPS, Base, base, let_through, service
from templates.network.placement import Network, Placement

NOWHERE: Final = "127.0.0.1/32"
"""A rule to nowhere: a group without any rule out may send anything anywhere."""


def network(config: Config) -> Network:
    """Return a network of the stack's own without an internet gateway.

    ECS pulls the image (ecr.api, ecr.dkr; layers by S3's gateway) and ships the log (logs). The validator's
    code itself calls S3 alone.
    """
    own = base(config, "The endpoints and S3 speak HTTPS; there is no route to anything else")
    group = _endpoint_group(own)
    pull, write = [_pull(config), _log_in()], [_write(config)]
    endpoints = (
        _endpoint(own, group, "RegistryApiEndpoint", "ecr.api", pull),
        _endpoint(own, group, "RegistryEndpoint", "ecr.dkr", pull),
        _endpoint(own, group, "LogsEndpoint", "logs", write),
    )
    return Network(
        placement=Placement(
            subnets=[Ref(subnet) for subnet in own.subnets],
            security_groups=[GetAtt(own.tasks, "GroupId")],
            public_address="DISABLED",
        ),
        resources=(*own.resources(), group, *endpoints),
    )


def _endpoint_group(own: Base) -> SecurityGroup:
    return SecurityGroup(
        "EndpointSecurityGroup",
        GroupDescription="Endpoints of AWS services: HTTPS in from tasks of the validator, nothing out",
        VpcId=Ref(own.vpc),
        SecurityGroupIngress=[
            SecurityGroupRule(
                Description="Tasks of the validator",
                IpProtocol="tcp",
                FromPort=HTTPS,
                ToPort=HTTPS,
                SourceSecurityGroupId=GetAtt(own.tasks, "GroupId"),
            )
        ],
        SecurityGroupEgress=[
            SecurityGroupRule(
                Description="Nothing", IpProtocol="tcp", FromPort=HTTPS, ToPort=HTTPS, CidrIp=NOWHERE
            )
        ],
        Tags=own.tags,
    )


def _endpoint(
    own: Base, group: SecurityGroup, title: str, name: str, statements: list[Statement]
) -> VPCEndpoint:
    return VPCEndpoint(
        title,
        VpcEndpointType="Interface",
        ServiceName=service(name),
        VpcId=Ref(own.vpc),
        SubnetIds=[Ref(subnet) for subnet in own.subnets],
        SecurityGroupIds=[GetAtt(group, "GroupId")],
        # The service's usual name leads to the endpoint: nothing in a task has to know of it.
        PrivateDnsEnabled=True,
        PolicyDocument=access.document(statements),
    )


def _pull(config: Config) -> Statement:
    return let_through(
        "OwnImages",
        [ecr.BatchCheckLayerAvailability, ecr.BatchGetImage, ecr.GetDownloadUrlForLayer],
        access.local("ecr", f"repository/{config.named('*')}"),
    )


def _log_in() -> Statement:
    return let_through("LoginHasNoResource", [ecr.GetAuthorizationToken], "*")


def _write(config: Config) -> Statement:
    return let_through(
        "OwnLogs",
        [logs.CreateLogStream, logs.PutLogEvents],
        access.local("logs", f"log-group:/sluice/{config.stage}/*"),
    )
