"""EC2: make a network such as an account has already, for a pipeline that is given one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from build.aws.faults import asking

RANGE: Final = "10.0.0.0/16"
SUBNET_RANGE: Final = "10.0.0.0/24"


@dataclass(frozen=True, slots=True)
class Network:
    """A subnet and a security group of one network, by their ids."""

    subnet: str
    group: str


class Ec2:
    """Tiny methods over one boto3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def create_network(self, name: str) -> Network:
        """Make a network with one subnet and a security group of that name."""
        with asking(f"make the network {name}"):
            vpc = self._client.create_vpc(CidrBlock=RANGE)["Vpc"]["VpcId"]
            subnet = self._client.create_subnet(VpcId=vpc, CidrBlock=SUBNET_RANGE)["Subnet"]["SubnetId"]
            group = self._client.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        return Network(subnet, group)
