"""Both stacks are deployed with each choice of the configuration, by the project's own deploy code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from build import package
from build.aws import Aws, connect
from build.aws.cloudformation import StackEvent
from build.deploy import Deployer, Planner
from build.execute import always
from build.patience import Patience
from build.plan import Plan
from build.rehearsal import play
from build.settings import Credentials, Settings
from tests.configuration import configuration
from tests.functional.test_deploy import pushed
from tests.unit.templates.variants import CHOICES

pytestmark = pytest.mark.xdist_group("choices")

ROOT = Path(__file__).parents[2]
BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"

GIVEN: Mapping[str, Mapping[str, str]] = {"existing": {"AssignPublicIp": "ENABLED"}}
"""What a person may give with a choice, beside what a rehearsal gives in that person's place."""


class Plans:
    """Remembers the plans, and passes over the rest."""

    def __init__(self) -> None:
        self.made: list[Plan] = []

    def planned(self, plan: Plan) -> None:
        self.made.append(plan)

    def uploaded(self, key: str, size: int) -> None:
        pass

    def happened(self, event: StackEvent) -> None:
        pass


@pytest.fixture(scope="module")
def aws(aws_endpoint: str) -> Aws:
    return connect(Settings("us-east-1", aws_endpoint, Credentials("test", "test")))


@pytest.fixture(params=CHOICES)
def planner(aws: Aws, request: pytest.FixtureRequest) -> Iterator[Planner]:
    chosen = CHOICES[request.param](configuration())
    config = replace(chosen, stage=f"t{uuid4().hex[:8]}")
    given = {"PermissionsBoundaryArn": BOUNDARY, **play._given(config, aws), **GIVEN.get(request.param, {})}
    patience = Patience(deadline=120, first=0.05, longest=0.5)
    yield Planner(aws, config, package.collect(config, ROOT), patience, given)
    for stack in ("pipeline", "delivery"):
        aws.cloudformation.delete(config.named(stack))


def test_both_stacks_come_up_and_the_same_again_changes_nothing(planner: Planner) -> None:
    plans = Plans()
    deployer = Deployer(planner, plans, always)
    delivery = deployer.delivery()
    image = pushed(planner, delivery)
    pipeline = deployer.pipeline(delivery, image)
    assert pipeline["StateMachineAliasArn"].endswith(":live")
    deployed = planner.aws.cloudformation.stack(planner.config.named("pipeline"))
    assert deployed is not None
    passed_on = {name: value for name, value in delivery.items() if name in deployed.parameters}
    assert "ArtifactBucketName" in passed_on
    assert ("ArtifactKeyArn" in passed_on) == planner.config.customer_managed_key
    for name, value in {**passed_on, **planner.given}.items():
        assert deployed.parameters[name] == value, name
    again = Plans()
    Deployer(planner, again, always).pipeline(Deployer(planner, again, always).delivery(), image)
    assert [plan.empty for plan in again.made] == [True, True]
