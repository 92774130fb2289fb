"""Where tasks run: the one thing the pipeline's states know of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from troposphere import AWSObject


@dataclass(frozen=True, slots=True)
class Placement:
    """Where tasks run.

    Attributes:
        subnets: Their ids: a list, or a reference to one.
        security_groups: Ids of the groups tasks are in.
        public_address: ENABLED or DISABLED, or a reference to one of them.
    """

    subnets: Any
    security_groups: list[Any]
    public_address: Any

    def awsvpc(self) -> Mapping[str, Any]:
        """Return the placement as RunTask spells it."""
        return {
            "AwsvpcConfiguration": {
                "Subnets": self.subnets,
                "SecurityGroups": self.security_groups,
                "AssignPublicIp": self.public_address,
            }
        }


@dataclass(frozen=True, slots=True)
class Network:
    """A network: where it places tasks, and the resources the stack makes for it."""

    placement: Placement
    resources: tuple[AWSObject, ...] = ()
