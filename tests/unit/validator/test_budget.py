from __future__ import annotations

import pytest

from validator import budget
from validator.profile import Column, Kind

MIB = 1 << 20
TAXI = [Column(f"c{number}", Kind.FLOAT) for number in range(18)]
WIDE = [Column(f"c{number}", Kind.FLOAT) for number in range(5_000)]


@pytest.mark.parametrize(
    ("columns", "memory", "wanted", "workers"),
    [
        (TAXI, 512, 1, 1),
        (TAXI, 512, 2, 2),
        (TAXI, 512, 16, 3),
        (TAXI, 4_096, 16, 16),
        (TAXI, 307, 2, 1),
        (WIDE, 512, 2, 1),
        (WIDE, 1_024, 2, 2),
    ],
)
def test_as_many_work_as_there_is_memory_for(
    columns: list[Column], memory: int, wanted: int, workers: int
) -> None:
    found = budget.workers(columns, wanted=wanted, budget=memory * MIB, used=110 * MIB)
    assert found == workers


def test_one_works_also_where_there_is_no_memory() -> None:
    assert budget.workers(WIDE, wanted=2, budget=MIB, used=110 * MIB) == 1


def test_fields_of_structs_count() -> None:
    deep = [Column("s", Kind.STRUCT, fields=tuple(WIDE))]
    assert budget.workers(deep, wanted=2, budget=512 * MIB, used=110 * MIB) == 1
