"""The terminal during a deployment."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from build.aws.cloudformation import StackEvent
from build.plan import Plan
from build.screen import Screen

PLAN = Plan("stack [red]", "arn", creates=False, change_set="set")


def shown(event: StackEvent) -> str:
    console = Console(width=40)
    with console.capture() as capture:
        Screen(console).happened(event)
    return capture.get()


@pytest.mark.parametrize("reason", ["", "two\nlines", "[bold]x[/]", "long " * 100])
def test_an_event_is_one_line_whatever_its_reason(reason: str) -> None:
    event = StackEvent("1", datetime(2026, 11, 23, tzinfo=UTC), "Queue", "T", "CREATE_FAILED", reason)
    text = shown(event)
    assert text.count("\n") == 1
    assert "CREATE_FAILED  Queue  T" in text
    assert " ".join(reason.split()) in text


def test_an_upload_is_a_line() -> None:
    console = Console(width=40)
    with console.capture() as capture:
        Screen(console).uploaded("packages/[/x].zip", 12345)
    assert capture.get() == "uploaded packages/[/x].zip (12,345 bytes)\n"


@pytest.mark.parametrize(("typed", "answer"), [("y\n", "yes"), ("n\n", "no"), ("\n", "no")])
def test_only_a_yes_is_a_yes(typed: str, answer: str) -> None:
    asked = CliRunner().invoke(question, input=typed)
    assert asked.stdout.strip() == answer
    assert "stack [red]" in asked.stderr


def test_the_end_of_input_is_no_answer() -> None:
    asked = CliRunner().invoke(question, input="")
    assert asked.exit_code == 1
    assert "yes" not in asked.stdout


@click.command()
def question() -> None:
    click.echo("yes" if Screen(Console(stderr=True)).approve(PLAN) else "no")
