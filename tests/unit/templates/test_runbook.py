"""docs/runbook.md names all that people can meet, and nothing they cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from steps.evaluate import errors as of_evaluate
from steps.init import errors as of_init
from templates.classify import KILLED
from tests.unit.templates.variants import ROOT, Variant, variants
from validator import errors as of_validator
from validator.contract import ExitCode
from validator.refusals import FINAL

PAGE: Final = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
PIPELINES: Final = [variant for variant in variants() if variant.stack == "pipeline"]

OF_STEP_FUNCTIONS: Final = {"States.TaskFailed", "States.Timeout", "States.QueryEvaluationError"}
"""What it says itself of a state, and States.ALL catches."""

OF_PROCESSES: Final[set[type[Exception]]] = {
    of_validator.AbsentError,
    of_validator.StorageError,
    *FINAL.values(),
}
"""What the validator leaves as error.json: of an interruption and of missing shards it leaves none."""


def rows(title: str) -> set[str]:
    """Return what stands in code in the first column of a section's table."""
    (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    cells = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)[1:]
    named = [name for cell in cells for name in (re.findall(r"`([^`]+)`", cell) or [cell])]
    assert len(set(named)) == len(named)
    return set(named)


def below(node: Any, key: str) -> Iterator[Any]:
    """Yield all values of a key, however deep."""
    if isinstance(node, dict):
        yield from ([node[key]] if key in node else [])
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from below(each, key)


def machine(template: dict[str, Any]) -> dict[str, Any]:
    return dict(template["Resources"]["StateMachine"]["Properties"]["Definition"]["States"])


def subclasses(module: Any, base: type[Exception]) -> set[str]:
    found = (each for each in vars(module).values() if isinstance(each, type) and issubclass(each, base))
    return {each.__name__ for each in found} - {base.__name__}


def errors(states: dict[str, Any]) -> set[str]:
    """Return every name that can stand in a failure's line, as far as it is known beforehand."""
    written = {error for error in below(states, "error") if not error.startswith("{%")}
    tried = {error for errors in below(states, "ErrorEquals") for error in errors} - {"States.ALL"}
    functions = subclasses(of_init, of_init.InitError) | subclasses(of_evaluate, of_evaluate.EvaluateError)
    return written | tried | functions | {each.__name__ for each in OF_PROCESSES} | OF_STEP_FUNCTIONS


@pytest.fixture(params=PIPELINES, ids=str)
def template(request: pytest.FixtureRequest) -> dict[str, Any]:
    variant: Variant = request.param
    return dict(json.loads(variant.render()))


def test_every_end_and_no_other(template: dict[str, Any]) -> None:
    ends = {name for name, state in machine(template).items() if state["Type"] in {"Succeed", "Fail"}}
    assert rows("Ends") == ends


def test_every_notice_and_no_other(template: dict[str, Any]) -> None:
    told = {name for name, state in machine(template).items() if "sns:publish" in state.get("Resource", "")}
    assert rows("Notices") == told


def test_every_error(template: dict[str, Any]) -> None:
    assert errors(machine(template)) - rows("Errors") == set()


def test_no_other_error() -> None:
    known = (errors(machine(json.loads(variant.render()))) for variant in PIPELINES)
    assert rows("Errors") - set().union(*known) == set()


def test_every_exit_code_the_pipeline_can_meet_and_no_other() -> None:
    # Nothing in the pipeline asks for --fail-on.
    met = {*ExitCode, KILLED} - {ExitCode.OK, ExitCode.VERDICT}
    assert rows("Exit codes of the validator") == {*(str(int(code)) for code in met), "none"}


def test_every_alarm_and_no_other() -> None:
    found = set()
    for variant in PIPELINES:
        datasets = "|".join(dataset.name for dataset in variant.config.datasets)
        resources = json.loads(variant.render())["Resources"].values()
        names = (each["Properties"]["AlarmName"] for each in resources if each["Type"].endswith("::Alarm"))
        found |= {
            re.sub(rf"^({datasets})-", "<dataset>-", name.removeprefix(variant.config.named("")))
            for name in names
        }
    assert rows("Alarms") == found


def test_links_within_the_documents_lead_somewhere() -> None:
    for name, place in re.findall(r"\]\(([\w.]*)#([\w-]+)\)", PAGE):
        text = (ROOT / "docs" / name).read_text(encoding="utf-8") if name else PAGE
        titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        assert place in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, place
