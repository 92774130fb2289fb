"""create-public: two public subnets, no way in, HTTPS out; no NAT gateway, which costs by the hour."""

from __future__ import annotations

from troposphere import AWSObject, GetAtt, Ref
from troposphere.ec2 import InternetGateway, Route, VPCGatewayAttachment

from templates.config import Config
from templates.network.own import ANYWHERE, Base, base
from templates.network.placement import Network, Placement


def network(config: Config) -> Network:
    """Return a network of the stack's own whose tasks reach ECR and CloudWatch by public addresses."""
    own = base(config, "ECR, CloudWatch Logs and S3 speak HTTPS")
    return Network(
        placement=Placement(
            subnets=[Ref(subnet) for subnet in own.subnets],
            security_groups=[GetAtt(own.tasks, "GroupId")],
            # Without a public address there is no way to ECR, and no task starts.
            public_address="ENABLED",
        ),
        resources=(*own.resources(), *_way_out(own)),
    )


def _way_out(own: Base) -> tuple[AWSObject, ...]:
    gateway = InternetGateway("InternetGateway", Tags=own.tags)
    attachment = VPCGatewayAttachment(
        "InternetGatewayAttachment", VpcId=Ref(own.vpc), InternetGatewayId=Ref(gateway)
    )
    route = Route(
        "WayOut",
        DependsOn=attachment,
        RouteTableId=Ref(own.routes),
        DestinationCidrBlock=ANYWHERE,
        GatewayId=Ref(gateway),
    )
    return gateway, attachment, route
