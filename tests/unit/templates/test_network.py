"""The three networks: no way in, the ways out each has, and that a task can start in each."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from templates.config import Config, NetworkMode
from templates.prices import PRICES
from templates.stacks import render

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs/network.md").read_text(encoding="utf-8")

CREATED = (NetworkMode.CREATE_PUBLIC, NetworkMode.CREATE_PRIVATE)

WAYS: dict[str, set[str]] = {"ecr": {"ecr.api", "ecr.dkr"}, "logs": {"logs"}, "s3": {"s3"}}
"""Service that a task's roles name in their actions -> the endpoints that lead there."""

Template = dict[str, Any]


def template_of(config: Config, mode: NetworkMode) -> Template:
    return dict(json.loads(render("pipeline", replace(config, network=mode))))


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """Properties of the resources of a type, by title."""
    return {
        title: resource.get("Properties", {})
        for title, resource in template["Resources"].items()
        if resource["Type"] == f"AWS::EC2::{kind}"
    }


def endpoints(template: Template) -> dict[str, dict[str, Any]]:
    """Endpoints by the service they lead to."""
    found = of_type(template, "VPCEndpoint").values()
    return {
        each["ServiceName"]["Fn::Sub"].removeprefix("com.amazonaws.${AWS::Region}."): each for each in found
    }


def placed(template: Template) -> dict[str, Any]:
    machine = template["Resources"]["StateMachine"]["Properties"]["Definition"]
    return dict(machine["States"]["Validate"]["Arguments"]["NetworkConfiguration"]["AwsvpcConfiguration"])


def allowed_to_tasks(template: Template) -> set[str]:
    """Actions of the roles that act from within the network: the validator's code and the ECS agent."""
    roles = (template["Resources"][name]["Properties"] for name in ("TaskRole", "ExecutionRole"))
    return {
        action
        for role in roles
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    }


@pytest.mark.parametrize("mode", CREATED)
def test_nothing_comes_in_to_a_task_and_only_https_goes_out(config: Config, mode: NetworkMode) -> None:
    group = of_type(template_of(config, mode), "SecurityGroup")["TaskSecurityGroup"]
    assert "SecurityGroupIngress" not in group
    assert [
        (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]
    ] == [("tcp", 443, 443)]


@pytest.mark.parametrize("mode", CREATED)
def test_no_subnet_gives_addresses_and_every_subnet_has_the_route_to_storage(
    config: Config, mode: NetworkMode
) -> None:
    template = template_of(config, mode)
    subnets = of_type(template, "Subnet")
    assert len(subnets) == 2
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets.values())
    associated = {
        each["SubnetId"]["Ref"]: each["RouteTableId"]
        for each in of_type(template, "SubnetRouteTableAssociation").values()
    }
    assert associated.keys() == subnets.keys()
    assert list(associated.values()) == endpoints(template)["s3"]["RouteTableIds"] * 2
    assert placed(template)["Subnets"] == [{"Ref": title} for title in subnets]
    assert len({json.dumps(subnet["AvailabilityZone"]) for subnet in subnets.values()}) == 2


@pytest.mark.parametrize("mode", CREATED)
def test_the_way_to_storage_leads_to_our_buckets_and_to_layers_of_images(
    config: Config, mode: NetworkMode
) -> None:
    template = template_of(config, mode)
    own, leftovers, layers = endpoints(template)["s3"]["PolicyDocument"]["Statement"]
    needed = {action for action in allowed_to_tasks(template) if action.startswith("s3:")}
    assert needed == {*own["Action"], *leftovers["Action"]}
    assert leftovers["Action"] == ["s3:DeleteObject"]
    assert leftovers["Resource"] == [{"Fn::Sub": "arn:${AWS::Partition}:s3:::${PipelineBucket}/validation/*"}]
    names = {json.dumps(resource) for resource in own["Resource"]}
    assert all("${PipelineBucket}" in name or "${ArtifactBucketName}" in name for name in names)
    assert layers["Action"] == ["s3:GetObject"]
    assert layers["Resource"] == [
        {"Fn::Sub": "arn:${AWS::Partition}:s3:::prod-${AWS::Region}-starport-layer-bucket/*"}
    ]


@pytest.mark.parametrize("mode", CREATED)
def test_what_a_network_refuses_is_written_down(config: Config, mode: NetworkMode) -> None:
    template = template_of(config, mode)
    (network,) = of_type(template, "VPC")
    (flow,) = of_type(template, "FlowLog").values()
    assert (flow["ResourceType"], flow["ResourceId"]) == ("VPC", {"Ref": network})
    assert (flow["TrafficType"], flow["LogGroupName"]) == ("REJECT", {"Ref": "NetworkLogs"})
    role = template["Resources"]["FlowLogRole"]["Properties"]
    assert flow["DeliverLogsPermissionArn"] == {"Fn::GetAtt": ["FlowLogRole", "Arn"]}
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Resource"] == [{"Fn::GetAtt": ["NetworkLogs", "Arn"]}]


def test_a_network_of_somebody_elses_is_not_watched(config: Config) -> None:
    template = template_of(config, NetworkMode.EXISTING)
    assert not of_type(template, "FlowLog")
    assert "FlowLogRole" not in template["Resources"]


def test_a_public_network_has_one_way_out_and_tasks_take_an_address(config: Config) -> None:
    template = template_of(config, NetworkMode.CREATE_PUBLIC)
    (route,) = of_type(template, "Route").values()
    assert route["GatewayId"] == {"Ref": "InternetGateway"}
    assert set(endpoints(template)) == {"s3"}
    assert not of_type(template, "NatGateway")
    assert placed(template)["AssignPublicIp"] == "ENABLED"


def test_a_private_network_knows_no_internet(config: Config) -> None:
    template = template_of(config, NetworkMode.CREATE_PRIVATE)
    for kind in ("InternetGateway", "VPCGatewayAttachment", "NatGateway", "EIP", "Route"):
        assert not of_type(template, kind), kind
    assert placed(template)["AssignPublicIp"] == "DISABLED"


def test_a_private_network_has_an_endpoint_for_whatever_a_task_may_call_and_no_other(config: Config) -> None:
    """Who gives a task's role another service adds its endpoint, or no task reaches it."""
    template = template_of(config, NetworkMode.CREATE_PRIVATE)
    called = {action.partition(":")[0] for action in allowed_to_tasks(template)}
    assert called == WAYS.keys()
    assert endpoints(template).keys() == set().union(*WAYS.values())


def test_endpoints_answer_to_tasks_alone(config: Config) -> None:
    template = template_of(config, NetworkMode.CREATE_PRIVATE)
    interfaces = {name: each for name, each in endpoints(template).items() if name != "s3"}
    for name, each in interfaces.items():
        assert each["VpcEndpointType"] == "Interface", name
        assert each["PrivateDnsEnabled"] is True, name
        assert each["SubnetIds"] == placed(template)["Subnets"], name
        assert each["SecurityGroupIds"] == [{"Fn::GetAtt": ["EndpointSecurityGroup", "GroupId"]}], name
    (network,) = of_type(template, "VPC").values()
    # Private names need both.
    assert network["EnableDnsSupport"] is network["EnableDnsHostnames"] is True
    group = of_type(template, "SecurityGroup")["EndpointSecurityGroup"]
    (rule,) = group["SecurityGroupIngress"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
    assert rule["SourceSecurityGroupId"] == {"Fn::GetAtt": ["TaskSecurityGroup", "GroupId"]}
    assert not {"CidrIp", "CidrIpv6"} & rule.keys()
    assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["127.0.0.1/32"]


@pytest.mark.parametrize("service", ["ecr", "logs"])
def test_endpoints_let_through_what_the_agent_needs_and_no_more(config: Config, service: str) -> None:
    template = template_of(config, NetworkMode.CREATE_PRIVATE)
    needed = {action for action in allowed_to_tasks(template) if action.startswith(f"{service}:")}
    for name in WAYS[service]:
        statements = endpoints(template)[name]["PolicyDocument"]["Statement"]
        assert {action for each in statements for action in each["Action"]} == needed, name
        for each in statements:
            assert each["Resource"] != ["*"] or each["Sid"] == "LoginHasNoResource", name


def test_the_agent_can_pull_and_write_by_the_endpoints(config: Config) -> None:
    """What the execution role may touch lies within what the endpoints' policies name."""
    template = template_of(config, NetworkMode.CREATE_PRIVATE)
    group = template["Resources"]["ValidatorLogs"]["Properties"]["LogGroupName"]
    for name, resource in (("ecr.dkr", "repository/sluice-dev-validator"), ("logs", f"log-group:{group}:*")):
        (named,) = endpoints(template)[name]["PolicyDocument"]["Statement"][0]["Resource"]
        pattern = named["Fn::Sub"].split("${AWS::AccountId}:")[1]
        assert re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), resource), name


def test_an_existing_network_is_given_and_nothing_of_it_is_made(config: Config) -> None:
    template = template_of(config, NetworkMode.EXISTING)
    assert [each for each in template["Resources"].values() if each["Type"].startswith("AWS::EC2::")] == []
    parameters = {name: template["Parameters"][name] for name in ("SubnetIds", "SecurityGroupId")}
    assert [each["Type"] for each in parameters.values()] == [
        "List<AWS::EC2::Subnet::Id>",
        "AWS::EC2::SecurityGroup::Id",
    ]
    # CloudFormation asks for them: a default would place tasks where nobody meant them.
    assert not any("Default" in each for each in parameters.values())
    assert template["Parameters"]["AssignPublicIp"]["Default"] == "DISABLED"
    assert placed(template) == {
        "Subnets": {"Ref": "SubnetIds"},
        "SecurityGroups": [{"Ref": "SecurityGroupId"}],
        "AssignPublicIp": {"Ref": "AssignPublicIp"},
    }


@pytest.mark.parametrize("mode", CREATED)
def test_a_network_of_our_own_asks_for_nothing(config: Config, mode: NetworkMode) -> None:
    assert (
        not {"SubnetIds", "SecurityGroupId", "AssignPublicIp"}
        & template_of(config, mode)["Parameters"].keys()
    )


def test_the_document_tells_what_each_mode_costs_by_the_hour(config: Config) -> None:
    private = template_of(config, NetworkMode.CREATE_PRIVATE)
    addresses = sum(len(each.get("SubnetIds", [])) for each in endpoints(private).values())
    rows = dict(re.findall(r"^\| `([\w-]+)` \|.*\| ([^|]+) \|$", DOCUMENT, re.MULTILINE))
    assert rows.keys() == set(NetworkMode)
    assert f"${addresses * PRICES.endpoint_hour:.3f}" in rows["create-private"]
    assert f"${PRICES.public_address_hour:.3f}" in rows["create-public"]
    assert "$" not in rows["existing"]
    assert f"({PRICES.region}, {PRICES.date})" in DOCUMENT
