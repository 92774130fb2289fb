"""docs/parameters.md is what the templates say, and they say it of every parameter and output."""

from __future__ import annotations

import json
import re

import pytest

from templates.config import STAGES, load
from templates.reference import page
from tests.configuration import DELIVERED, ROOT, configuration
from tests.unit.templates.variants import Variant, variants

WRITTEN = (ROOT / "docs/parameters.md").read_text(encoding="utf-8")
PAGE = page({stage: configuration(stage) for stage in STAGES})
"""The page of the tests' own configuration."""
VARIANTS = list(variants())


def test_the_page_is_up_to_date() -> None:
    made = page({stage: load(DELIVERED, stage) for stage in STAGES})
    assert made == WRITTEN, "the templates' parameters have changed: `make docs`"


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_parameter_is_explained_checked_grouped_and_on_the_page(variant: Variant) -> None:
    template = json.loads(variant.render())
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [name for group in groups for name in group["Parameters"]] == list(template["Parameters"])
    for name, parameter in template["Parameters"].items():
        assert parameter["Description"], name
        # What AWS looks up itself needs no pattern.
        assert {"AllowedPattern", "AllowedValues"} & parameter.keys() or "AWS::" in parameter["Type"], name
        means = re.escape(parameter["Description"])
        assert re.search(rf"^\| `{name}` \| .* \| {means}", PAGE, re.MULTILINE), name


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_output_is_exported_and_on_the_page(variant: Variant) -> None:
    for name, output in json.loads(variant.render())["Outputs"].items():
        assert output["Export"]["Name"] == {"Fn::Sub": f"${{AWS::StackName}}-{name}"}
        assert f"| `{name}` | {output['Description']}" in PAGE


def test_a_cell_cannot_break_its_table() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert rows
    for row in rows:
        assert len(re.findall(r"(?<!\\)\|", row)) in (4, 5), row


def test_defaults_that_stages_do_not_share_are_told_apart() -> None:
    (line,) = (line for line in PAGE.splitlines() if line.startswith("| `ModelApprovalStatus`"))
    assert "`Approved` (dev), `PendingManualApproval` (prod)" in line


def test_what_only_a_choice_brings_says_so() -> None:
    (line,) = (line for line in PAGE.splitlines() if line.startswith("| `SubnetIds`"))
    assert '(only with `mode = "existing"`)' in line
    (line,) = (line for line in PAGE.splitlines() if line.startswith("| `NotificationEmail`"))
    assert "only with" not in line
