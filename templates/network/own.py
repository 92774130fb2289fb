"""What the networks that the stack makes itself have in common: two subnets, S3 without a detour, a log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from awacs import s3
from awacs.aws import Allow, Principal, Statement
from troposphere import AWSObject, GetAZs, Ref, Select, Sub, Tags
from troposphere.ec2 import (
    VPC,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    SubnetRouteTableAssociation,
    VPCEndpoint,
)

from templates import access
from templates.access import ARTIFACT_BUCKET, PIPELINE_BUCKET, bucket_arn, object_arn
from templates.config import Config
from templates.network.refusals import refusals

RANGE: Final = "10.0.0.0/16"
SUBNET_RANGES: Final = ("10.0.0.0/20", "10.0.16.0/20")
ANYWHERE: Final = "0.0.0.0/0"
HTTPS: Final = 443


@dataclass(frozen=True, slots=True)
class Base:
    """The part of a network that has no way out but S3."""

    tags: Tags
    vpc: VPC
    routes: RouteTable
    subnets: tuple[Subnet, ...]
    storage: VPCEndpoint
    tasks: SecurityGroup
    refusals: tuple[AWSObject, ...]

    def resources(self) -> tuple[AWSObject, ...]:
        """Return the resources in the order they read best."""
        associations = (_association(subnet, self.routes) for subnet in self.subnets)
        return (self.vpc, self.routes, *self.subnets, *associations, self.tasks, self.storage, *self.refusals)


def base(config: Config, out: str) -> Base:
    """Return two subnets, a gateway to S3, and the tasks' security group; ``out`` says what tasks reach."""
    tags = Tags(Name=config.named("network"))
    vpc = VPC("Network", CidrBlock=RANGE, EnableDnsSupport=True, EnableDnsHostnames=True, Tags=tags)
    routes = RouteTable("Routes", VpcId=Ref(vpc), Tags=tags)
    return Base(
        tags=tags,
        vpc=vpc,
        routes=routes,
        subnets=tuple(_subnet(vpc, tags, index) for index in range(len(SUBNET_RANGES))),
        storage=_storage(vpc, routes),
        tasks=_tasks(vpc, tags, out),
        refusals=refusals(config, vpc, tags),
    )


def _subnet(vpc: VPC, tags: Tags, index: int) -> Subnet:
    return Subnet(
        f"Subnet{index + 1}",
        VpcId=Ref(vpc),
        CidrBlock=SUBNET_RANGES[index],
        AvailabilityZone=Select(index, GetAZs("")),
        # A task asks for its public address itself, where it needs one; nothing else gets any.
        MapPublicIpOnLaunch=False,
        Tags=tags,
    )


def _association(subnet: Subnet, routes: RouteTable) -> SubnetRouteTableAssociation:
    return SubnetRouteTableAssociation(
        f"{subnet.title}Routes", SubnetId=Ref(subnet), RouteTableId=Ref(routes)
    )


def _tasks(vpc: VPC, tags: Tags, out: str) -> SecurityGroup:
    return SecurityGroup(
        "TaskSecurityGroup",
        GroupDescription="Tasks of the validator: no way in, HTTPS out",
        VpcId=Ref(vpc),
        SecurityGroupEgress=[
            SecurityGroupRule(
                Description=out,
                IpProtocol="tcp",
                FromPort=HTTPS,
                ToPort=HTTPS,
                # S3's addresses are public ones, also by its gateway: the routes decide what is reached.
                CidrIp=ANYWHERE,
            )
        ],
        Tags=tags,
    )


def _storage(vpc: VPC, routes: RouteTable) -> VPCEndpoint:
    return VPCEndpoint(
        "StorageEndpoint",
        VpcEndpointType="Gateway",
        ServiceName=service("s3"),
        VpcId=Ref(vpc),
        RouteTableIds=[Ref(routes)],
        PolicyDocument=access.document([_own_buckets(), _leftovers(), _image_layers()]),
    )


def service(name: str) -> Sub:
    """Return the name an endpoint knows a service of AWS by."""
    return Sub(f"com.amazonaws.${{AWS::Region}}.{name}")


def let_through(sid: str, actions: list[object], *resources: object) -> Statement:
    """Return a statement of an endpoint's policy: whoever may, may also by this way."""
    return Statement(
        Sid=sid, Effect=Allow, Principal=Principal("*"), Action=actions, Resource=list(resources)
    )


def _own_buckets() -> Statement:
    buckets = (PIPELINE_BUCKET, ARTIFACT_BUCKET)
    return let_through(
        "OwnBuckets",
        [s3.AbortMultipartUpload, s3.GetObject, s3.ListBucket, s3.PutObject],
        *map(bucket_arn, buckets),
        *(object_arn(bucket, "*") for bucket in buckets),
    )


def _leftovers() -> Statement:
    """An attempt takes away what an earlier one of its run left."""
    return let_through("Leftovers", [s3.DeleteObject], object_arn(PIPELINE_BUCKET, "validation/*"))


def _image_layers() -> Statement:
    """ECR keeps the layers of images in a bucket of AWS's own: without this no task starts."""
    layers = Sub("arn:${AWS::Partition}:s3:::prod-${AWS::Region}-starport-layer-bucket/*")
    return let_through("ImageLayers", [s3.GetObject], layers)
