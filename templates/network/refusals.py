"""What the network refused, in a log: whoever tried a door, and a task that was kept from where it went."""

from __future__ import annotations

from awacs import logs as actions
from troposphere import AWSObject, GetAtt, Ref, Tags
from troposphere.ec2 import VPC, FlowLog
from troposphere.logs import LogGroup

from templates import access
from templates.config import Config


def refusals(config: Config, vpc: VPC, tags: Tags) -> tuple[AWSObject, ...]:
    """Return the flow log of a network, the group that it is written to, and the role it is written by."""
    group = LogGroup(
        "NetworkLogs",
        LogGroupName=f"/sluice/{config.stage}/network",
        RetentionInDays=config.retention.log_days,
    )
    write = [actions.CreateLogStream, actions.DescribeLogStreams, actions.PutLogEvents]
    role = access.role(
        "FlowLogRole",
        access.trust("vpc-flow-logs"),
        "What the network's flow log may do: write its log",
        [access.allow(write, GetAtt(group, "Arn"))],
    )
    flow = FlowLog(
        "FlowLog",
        ResourceType="VPC",
        ResourceId=Ref(vpc),
        # What is let through goes where the routes lead, to AWS; a log of it would cost by the gigabyte.
        TrafficType="REJECT",
        LogDestinationType="cloud-watch-logs",
        LogGroupName=Ref(group),
        DeliverLogsPermissionArn=GetAtt(role, "Arn"),
        Tags=tags,
    )
    return group, role, flow
