"""The execution: what it names for SageMaker."""

from __future__ import annotations

import re
from datetime import date

from steps.init.execution import Execution

DAY = date(2026, 11, 22)


def test_the_longest_name_of_a_job_is_one_that_sagemaker_takes() -> None:
    execution = Execution("run", "arn:aws:states:::execution:m:run", "2026-11-22T10:00:00Z")

    name = execution.job_name("sluice-prod-", "a" * 31, DAY)

    assert len(name) == 63
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name)


def test_a_name_is_of_its_stage_and_of_its_start() -> None:
    first = Execution("run", "arn:1", "2026-11-22T10:00:00Z")
    again = Execution("run", "arn:1", "2027-02-22T10:00:00Z")

    names = {each.job_name(stage, "taxi", DAY) for each in (first, again) for stage in ("dev-", "prod-")}

    assert len(names) == 4
    assert {name.partition("taxi")[0] for name in names} == {"dev-", "prod-"}
