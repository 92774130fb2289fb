from typing import Any

import pytest

from bench.__main__ import FULL, QUICK, Extent
from bench.cases import ROOT, cases
from bench.process import Measured
from bench.targets import Standing, Target, Unit, part, ratio, single, targets, whole


def measured(cpu: float = 1, **other: Any) -> Measured:
    figures = {"exit_code": 0, "wall": cpu, "peak": 0, "memory": "ru_maxrss", "beyond": "", "complaint": ""}
    return Measured(cpu=cpu, part={"cpu": cpu}, **{**figures, **other})


@pytest.mark.parametrize(
    ("seconds", "standing"),
    [(2, Standing.STRETCH), (3, Standing.STRETCH), (4, Standing.MUST), (4.1, Standing.MISSED)],
)
def test_a_most_is_reached_from_below(seconds: float, standing: Standing) -> None:
    target = Target("", Unit.CPU, single("a", whole), must=4, stretch=3)
    assert target.standing({"a": [measured(seconds)]}) is standing


@pytest.mark.parametrize(
    ("times", "standing"),
    [(2, Standing.STRETCH), (1.4, Standing.MUST), (1.3, Standing.MISSED)],
)
def test_a_least_is_reached_from_above(times: float, standing: Standing) -> None:
    target = Target("", Unit.TIMES, ratio("peer", "ours", part), must=1.4, stretch=2, is_least=True)
    assert target.standing({"peer": [measured(times)], "ours": [measured(1)]}) is standing


def test_a_ratio_is_taken_within_each_round() -> None:
    target = Target("", Unit.TIMES, ratio("a", "b", part), must=1)
    runs = {"a": [measured(2), measured(40), measured(3)], "b": [measured(1), measured(20), measured(1)]}
    assert list(target.figures(runs)) == [2, 2, 3]
    assert target.value(runs) == 2


@pytest.mark.parametrize(
    "failure", [{"exit_code": 1}, {"beyond": "600 MB"}, {"complaint": "read 0 rows of 9"}]
)
def test_a_failed_run_of_ours_is_a_miss_and_that_of_a_peer_is_no_figure(failure: dict[str, Any]) -> None:
    target = Target("", Unit.TIMES, ratio("peer", "ours", part), must=1, is_least=True, needs=("ours",))
    good, failed = [measured(), measured()], [measured(), measured(**failure)]
    assert target.standing({"peer": good, "ours": good}) is Standing.MUST
    assert target.standing({"peer": good, "ours": failed}) is Standing.MISSED
    assert target.standing({"peer": failed, "ours": good}) is Standing.MUST
    assert target.standing({"peer": failed[1:], "ours": good}) is Standing.OPEN


@pytest.mark.parametrize("extent", [FULL, QUICK])
def test_every_target_needs_cases_there_are(extent: Extent) -> None:
    names = [case.name for case in cases(extent.great, extent.tall, "engine")]
    assert len(set(names)) == len(names)
    needed = {name for target in targets(extent.great, extent.tall) for name in target.needs}
    assert needed
    assert needed <= set(names)


def test_every_subject_has_its_module() -> None:
    for case in cases(1, 1, "engine"):
        module = case.argv[2].replace(".", "/")
        assert (ROOT / f"{module}.py").is_file() or (ROOT / module / "__main__.py").is_file()
