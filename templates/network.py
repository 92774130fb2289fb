"""The network of the validator's tasks: two public subnets, no way in, HTTPS out, S3 without a detour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from awacs import s3
from awacs.aws import Allow, PolicyDocument, Principal, Statement
from troposphere import GetAtt, GetAZs, Ref, Select, Sub, Tags
from troposphere.ec2 import (
    VPC,
    InternetGateway,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    SubnetRouteTableAssociation,
    VPCEndpoint,
    VPCGatewayAttachment,
)

from templates.access import ARTIFACT_BUCKET, PIPELINE_BUCKET, bucket_arn, object_arn
from templates.config import Config

RANGE: Final = "10.0.0.0/16"
SUBNET_RANGES: Final = ("10.0.0.0/20", "10.0.16.0/20")
ANYWHERE: Final = "0.0.0.0/0"


@dataclass(frozen=True, slots=True)
class Network:
    """Where tasks run."""

    vpc: VPC
    gateway: InternetGateway
    attachment: VPCGatewayAttachment
    routes: RouteTable
    way_out: Route
    subnets: tuple[Subnet, ...]
    associations: tuple[SubnetRouteTableAssociation, ...]
    tasks: SecurityGroup
    storage: VPCEndpoint


def network(config: Config) -> Network:
    """Return a network of the stack's own."""
    tags = Tags(Name=config.named("network"))
    vpc = VPC("Network", CidrBlock=RANGE, EnableDnsSupport=True, EnableDnsHostnames=True, Tags=tags)
    gateway = InternetGateway("InternetGateway", Tags=tags)
    attachment = VPCGatewayAttachment(
        "InternetGatewayAttachment", VpcId=Ref(vpc), InternetGatewayId=Ref(gateway)
    )
    routes = RouteTable("Routes", VpcId=Ref(vpc), Tags=tags)
    subnets = tuple(_subnet(vpc, tags, index) for index in range(len(SUBNET_RANGES)))
    return Network(
        vpc=vpc,
        gateway=gateway,
        attachment=attachment,
        routes=routes,
        way_out=_way_out(routes, gateway, attachment),
        subnets=subnets,
        associations=tuple(_association(subnet, routes) for subnet in subnets),
        tasks=_tasks(vpc, tags),
        storage=_storage(vpc, routes),
    )


def _subnet(vpc: VPC, tags: Tags, index: int) -> Subnet:
    return Subnet(
        f"Subnet{index + 1}",
        VpcId=Ref(vpc),
        CidrBlock=SUBNET_RANGES[index],
        AvailabilityZone=Select(index, GetAZs("")),
        # A task asks for its public address itself; nothing else gets one.
        MapPublicIpOnLaunch=False,
        Tags=tags,
    )


def _association(subnet: Subnet, routes: RouteTable) -> SubnetRouteTableAssociation:
    return SubnetRouteTableAssociation(
        f"{subnet.title}Routes", SubnetId=Ref(subnet), RouteTableId=Ref(routes)
    )


def _way_out(routes: RouteTable, gateway: InternetGateway, attachment: VPCGatewayAttachment) -> Route:
    return Route(
        "WayOut",
        DependsOn=attachment,
        RouteTableId=Ref(routes),
        DestinationCidrBlock=ANYWHERE,
        GatewayId=Ref(gateway),
    )


def _tasks(vpc: VPC, tags: Tags) -> SecurityGroup:
    return SecurityGroup(
        "TaskSecurityGroup",
        GroupDescription="Tasks of the validator: no way in, HTTPS out",
        VpcId=Ref(vpc),
        SecurityGroupEgress=[
            SecurityGroupRule(
                Description="ECR, CloudWatch Logs and S3 speak HTTPS",
                IpProtocol="tcp",
                FromPort=443,
                ToPort=443,
                CidrIp=ANYWHERE,
            )
        ],
        Tags=tags,
    )


def _storage(vpc: VPC, routes: RouteTable) -> VPCEndpoint:
    return VPCEndpoint(
        "StorageEndpoint",
        VpcEndpointType="Gateway",
        ServiceName=Sub("com.amazonaws.${AWS::Region}.s3"),
        VpcId=Ref(vpc),
        RouteTableIds=[Ref(routes)],
        PolicyDocument=PolicyDocument(Version="2012-10-17", Statement=[_own_buckets(), _image_layers()]),
    )


def _own_buckets() -> Statement:
    buckets = (PIPELINE_BUCKET, ARTIFACT_BUCKET)
    return Statement(
        Sid="OwnBuckets",
        Effect=Allow,
        Principal=Principal("*"),
        Action=[s3.AbortMultipartUpload, s3.GetObject, s3.GetObjectVersion, s3.ListBucket, s3.PutObject],
        Resource=[*map(bucket_arn, buckets), *(object_arn(bucket, "*") for bucket in buckets)],
    )


def _image_layers() -> Statement:
    """ECR keeps the layers of images in a bucket of AWS's own: without this no task starts."""
    return Statement(
        Sid="ImageLayers",
        Effect=Allow,
        Principal=Principal("*"),
        Action=[s3.GetObject],
        Resource=[Sub("arn:${AWS::Partition}:s3:::prod-${AWS::Region}-starport-layer-bucket/*")],
    )


def placement(network: Network) -> dict[str, object]:
    """Return RunTask's network configuration: public subnets need a public address to reach ECR."""
    return {
        "AwsvpcConfiguration": {
            "Subnets": [Ref(subnet) for subnet in network.subnets],
            "SecurityGroups": [GetAtt(network.tasks, "GroupId")],
            "AssignPublicIp": "ENABLED",
        }
    }
