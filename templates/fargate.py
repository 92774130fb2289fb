"""The task sizes Fargate has: a CPU and a memory that do not go together are refused here, not by AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MEMORY: Final[Mapping[int, range]] = {
    256: range(512, 2048 + 1, 512),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}
"""CPU units -> the MiB that go with them (Linux, platform version 1.4.0)."""

UNITS: Final = 1024
"""CPU units of a vCPU."""

NO_SUCH: Final[frozenset[tuple[int, int]]] = frozenset({(256, 1536)})
"""Steps of a range that Fargate leaves out."""


class TaskSizeError(ValueError):
    """A CPU and memory pair that Fargate does not have."""


@dataclass(frozen=True, slots=True, order=True)
class TaskSize:
    """A Fargate task size.

    Attributes:
        cpu: CPU units, 1024 to a vCPU.
        memory: MiB.

    Raises:
        TaskSizeError: Fargate has no such pair.
    """

    cpu: int
    memory: int

    def __post_init__(self) -> None:
        if self.cpu not in MEMORY:
            raise TaskSizeError(
                f"Fargate has no tasks of {self.cpu} CPU units: take one of {', '.join(map(str, MEMORY))}"
            )
        if self.memory not in MEMORY[self.cpu] or (self.cpu, self.memory) in NO_SUCH:
            raise TaskSizeError(
                f"Fargate has no tasks of {self.cpu} CPU units with {self.memory} MiB: "
                f"take {_offered(self.cpu)} MiB"
            )

    def overrides(self) -> dict[str, str]:
        """Return the size as RunTask's overrides spell it: strings."""
        return {"Cpu": str(self.cpu), "Memory": str(self.memory)}


def _offered(cpu: int) -> str:
    steps = [memory for memory in MEMORY[cpu] if (cpu, memory) not in NO_SUCH]
    if len(steps) <= 3:
        return ", ".join(map(str, steps))
    return f"{steps[0]} to {steps[-1]} in steps of {MEMORY[cpu].step}"
