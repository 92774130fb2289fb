"""The estimate: checked by hand against the published prices."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.cost import FargateTask, GlueJob, TrainingJob, estimate
from templates.prices import PRICES

SECONDS = st.floats(0, 1e6)


def dollars(use: FargateTask | GlueJob | TrainingJob) -> Decimal:
    return estimate([use]).total


def test_fargate_by_size_and_seconds() -> None:
    # 1 vCPU and 2 GB for an hour: 0.04048 + 2 x 0.004445
    assert dollars(FargateTask("Validate", 1024, 2048, 3600, spot=False)) == Decimal("0.04937")
    assert dollars(FargateTask("Validate", 256, 512, 3600, spot=False)) == Decimal("0.0123425")


def test_spot_costs_its_share() -> None:
    spot, demand = (FargateTask("Validate", 2048, 4096, 600, spot=spot) for spot in (True, False))
    assert dollars(spot) == dollars(demand) * PRICES.fargate_spot_share


def test_glue_by_dpu() -> None:
    # two G.1X workers for half an hour: 2 x 0.44 / 2
    assert dollars(GlueJob("Prepare", "G.1X", 2, 1800)) == Decimal("0.44")
    assert dollars(GlueJob("Prepare", "G.2X", 2, 1800)) == Decimal("0.88")


def test_training_by_instance() -> None:
    assert dollars(TrainingJob("Train", "ml.m5.xlarge", 3600)) == Decimal("0.23")


@pytest.mark.parametrize("seconds", [0, 0.001, 59.9, 60])
def test_fargate_and_glue_bill_a_minute_at_least(seconds: float) -> None:
    minute = FargateTask("Validate", 1024, 2048, 60, spot=False)
    assert dollars(FargateTask("Validate", 1024, 2048, seconds, spot=False)) == dollars(minute)
    assert dollars(GlueJob("Prepare", "G.1X", 2, seconds)) == dollars(GlueJob("Prepare", "G.1X", 2, 60))


def test_training_has_no_minimum_and_a_begun_second_counts() -> None:
    assert dollars(TrainingJob("Train", "ml.m5.large", 1.2)) == dollars(
        TrainingJob("Train", "ml.m5.large", 2)
    )
    assert dollars(TrainingJob("Train", "ml.m5.large", 2)) < dollars(TrainingJob("Train", "ml.m5.large", 3))


def test_every_attempt_is_an_item_with_its_formula() -> None:
    first = FargateTask("Validate", 1024, 2048, 90, spot=True)
    second = FargateTask("Validate", 2048, 4096, 61, spot=False)
    items = estimate([first, second, GlueJob("Prepare", "G.1X", 2, 70)]).items
    assert [item.formula for item in items] == [
        "Validate: (1 vCPU x $0.04048 + 2 GB x $0.004445) x 90 s / 3600 x 0.5 on Spot = $0.0006",
        "Validate: (2 vCPU x $0.04048 + 4 GB x $0.004445) x 61 s / 3600 = $0.0017",
        "Prepare: 2 DPU x $0.44 x 70 s / 3600 = $0.0171",
    ]


def test_nothing_costs_nothing() -> None:
    assert estimate([]).total == 0
    assert f"{estimate([]).total:.4f}" == "0.0000"


def test_json_says_where_and_when_the_prices_hold() -> None:
    said = json.loads(json.dumps(estimate([GlueJob("Prepare", "G.1X", 2, 1800)]).to_json()))
    assert said["total"] == 0.44
    assert said["prices"] == {"region": PRICES.region, "date": PRICES.date}
    assert said["items"][0]["name"] == "Prepare"


def test_an_unpriced_instance_is_no_silent_zero() -> None:
    with pytest.raises(KeyError):
        estimate([TrainingJob("Train", "ml.none", 60)])


@given(SECONDS, SECONDS)
def test_longer_never_costs_less(one: float, other: float) -> None:
    shorter, longer = sorted((one, other))
    assert dollars(GlueJob("g", "G.1X", 2, shorter)) <= dollars(GlueJob("g", "G.1X", 2, longer))


@given(st.lists(SECONDS, max_size=5))
def test_the_total_is_the_sum_of_the_items(seconds: list[float]) -> None:
    made = estimate(FargateTask("v", 1024, 2048, each, spot=True) for each in seconds)
    assert made.total == sum(item.dollars for item in made.items)
