"""What an execution costs on AWS: a pure estimate from what ran, for how long, and the one price table.

Estimated are the three things that cost: Fargate, Glue and SageMaker. Lambda, state transitions, requests and
storage of one execution come to less than a cent and are left out. Capacity is billed by the second, Fargate
and Glue for a minute at least (https://aws.amazon.com/fargate/pricing, https://aws.amazon.com/glue/pricing).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from templates.prices import PRICES, Prices

MINIMUM_SECONDS: Final = 60
DPU_PER_WORKER: Final = {"G.1X": 1, "G.2X": 2, "G.4X": 4}

_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an estimate.

    Attributes:
        name: The state that ran.
        dollars: What it costs, in US dollars.
        formula: How that comes about, for a person.
    """

    name: str
    dollars: Decimal
    formula: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an execution costs, item by item."""

    items: tuple[Item, ...]
    region: str
    date: str

    @property
    def total(self) -> Decimal:
        """The sum, in US dollars."""
        return sum((item.dollars for item in self.items), Decimal())

    def to_json(self) -> Mapping[str, Any]:
        """The estimate for a program; dollars are numbers with six decimals."""
        return {
            "currency": "USD",
            "total": _number(self.total),
            "prices": {"region": self.region, "date": self.date},
            "items": [
                {"name": item.name, "dollars": _number(item.dollars), "formula": item.formula}
                for item in self.items
            ],
        }


@dataclass(frozen=True, slots=True)
class FargateTask:
    """One attempt of a task: CPU units (1024 are a vCPU), memory in MiB, seconds from image pull to end."""

    name: str
    cpu: int
    memory: int
    seconds: float
    spot: bool

    def item(self, prices: Prices) -> Item:
        """Its line of an estimate."""
        vcpu, memory = Decimal(self.cpu) / 1024, Decimal(self.memory) / 1024
        seconds, share = _billed(self.seconds, MINIMUM_SECONDS), prices.fargate_spot_share if self.spot else 1
        hour = vcpu * prices.fargate_vcpu_hour + memory * prices.fargate_gb_hour
        rate = f"({vcpu:f} vCPU x ${prices.fargate_vcpu_hour} + {memory:f} GB x ${prices.fargate_gb_hour})"
        spot = f" x {share} on Spot" if self.spot else ""
        return _item(self.name, hour * seconds / _HOUR * share, f"{rate} x {seconds} s / 3600{spot}")


@dataclass(frozen=True, slots=True)
class GlueJob:
    """One run of a Glue job."""

    name: str
    worker_type: str
    workers: int
    seconds: float

    def item(self, prices: Prices) -> Item:
        """Its line of an estimate."""
        dpu, seconds = DPU_PER_WORKER[self.worker_type] * self.workers, _billed(self.seconds, MINIMUM_SECONDS)
        dollars = dpu * prices.glue_dpu_hour * seconds / _HOUR
        return _item(self.name, dollars, f"{dpu} DPU x ${prices.glue_dpu_hour} x {seconds} s / 3600")


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """One training job at the on-demand price: what managed spot saves varies, so this is the most."""

    name: str
    instance_type: str
    seconds: float

    def item(self, prices: Prices) -> Item:
        """Its line of an estimate."""
        price, seconds = prices.training_hour[self.instance_type], _billed(self.seconds, 1)
        formula = f"{self.instance_type} x ${price} x {seconds} s / 3600, less what managed spot saves"
        return _item(self.name, price * seconds / _HOUR, formula)


Use = FargateTask | GlueJob | TrainingJob


def estimate(uses: Iterable[Use], prices: Prices = PRICES) -> Estimate:
    """Estimate what was used; every attempt is a use of its own and costs.

    Raises:
        KeyError: The table has no price for an instance or worker type.
    """
    return Estimate(tuple(use.item(prices) for use in uses), prices.region, prices.date)


def _billed(seconds: float, minimum: int) -> int:
    """Whole seconds that are billed: begun ones count."""
    return max(minimum, int(Decimal(str(seconds)).to_integral_value(ROUND_CEILING)))


def _item(name: str, dollars: Decimal, formula: str) -> Item:
    return Item(name, dollars, f"{name}: {formula} = ${dollars:.4f}")


def _number(dollars: Decimal) -> float:
    return float(round(dollars, 6))
