"""Fargate's pairs, against AWS's table and against what is not in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.fargate import MEMORY, TaskSize, TaskSizeError


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [
        (256, 512),
        (256, 2048),
        (512, 4096),
        (1024, 8192),
        (2048, 4096),
        (4096, 30720),
        (8192, 61440),
        (16384, 122880),
    ],
)
def test_a_pair_that_exists_is_taken(cpu: int, memory: int) -> None:
    assert TaskSize(cpu, memory).overrides() == {"Cpu": str(cpu), "Memory": str(memory)}


@pytest.mark.parametrize(
    ("cpu", "memory", "told"),
    [
        (256, 1536, "take 512, 1024, 2048 MiB"),
        (256, 4096, "take 512, 1024, 2048 MiB"),
        (512, 1536, "take 1024 to 4096 in steps of 1024 MiB"),
        (4096, 4096, "take 8192 to 30720 in steps of 1024 MiB"),
        (8192, 17408, "take 16384 to 61440 in steps of 4096 MiB"),
        (16384, 36864, "take 32768 to 122880 in steps of 8192 MiB"),
        (768, 2048, "no tasks of 768 CPU units"),
        (0, 0, "take one of 256, 512, 1024"),
    ],
)
def test_a_pair_that_does_not_exist_is_refused_with_those_that_do(cpu: int, memory: int, told: str) -> None:
    with pytest.raises(TaskSizeError, match=told):
        TaskSize(cpu, memory)


@given(st.sampled_from(sorted(MEMORY)), st.integers(0, 200_000))
def test_memory_is_a_multiple_of_its_step_and_within_two_to_eight_times_the_cpu(
    cpu: int, memory: int
) -> None:
    try:
        size = TaskSize(cpu, memory)
    except TaskSizeError:
        return
    assert size.memory % MEMORY[cpu].step == 0
    assert 2 * cpu <= size.memory <= 8 * cpu
