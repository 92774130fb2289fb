"""The one price table: what an hour costs, where and when it was looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class Prices:
    """On-demand prices of one region in US dollars an hour.

    Attributes:
        region: Where they hold; elsewhere they are an estimate.
        date: Month they were looked up.
        fargate_vcpu_hour: Fargate, Linux on x86, one vCPU.
        fargate_gb_hour: Fargate, Linux on x86, one GB of memory.
        fargate_spot_share: Spot as a share of on-demand at its dearest; it varies from 0.3 to 0.5.
        glue_dpu_hour: One DPU (4 vCPU, 16 GB); at least two and one minute.
        training_hour: SageMaker training instances; managed spot is up to 90 % below.
        public_address_hour: A public IPv4 address, for as long as a task has it.
        endpoint_hour: An interface endpoint in one zone, for as long as it stands.
    """

    region: str
    date: str
    fargate_vcpu_hour: Decimal
    fargate_gb_hour: Decimal
    fargate_spot_share: Decimal
    glue_dpu_hour: Decimal
    training_hour: Mapping[str, Decimal]
    public_address_hour: Decimal
    endpoint_hour: Decimal


PRICES: Final = Prices(
    region="us-east-1",
    date="2026-11",
    fargate_vcpu_hour=Decimal("0.04048"),
    fargate_gb_hour=Decimal("0.004445"),
    fargate_spot_share=Decimal("0.5"),
    glue_dpu_hour=Decimal("0.44"),
    training_hour={
        "ml.m5.large": Decimal("0.115"),
        "ml.m5.xlarge": Decimal("0.23"),
        "ml.m5.2xlarge": Decimal("0.461"),
        "ml.m5.4xlarge": Decimal("0.922"),
        "ml.c5.xlarge": Decimal("0.204"),
        "ml.c5.2xlarge": Decimal("0.408"),
    },
    public_address_hour=Decimal("0.005"),
    endpoint_hour=Decimal("0.01"),
)
