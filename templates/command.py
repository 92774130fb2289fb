"""The command that prints a stack's template: ``python -m templates pipeline --stage prod``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from templates.config import STAGES, ConfigError, load
from templates.stacks import STACKS, render
from validator.contract import ExitCode


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("stack", type=click.Choice(list(STACKS)))
@click.option("--stage", type=click.Choice(STAGES), default="dev", show_default=True, help="Whose template.")
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default="config.toml",
    show_default=True,
    help="The configuration.",
)
def main(stack: str, stage: str, path: Path) -> None:
    """Print the CloudFormation template of STACK as JSON."""
    click.echo(render(stack, load(path, stage)), nl=False)


def run(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0, or 64 or 74 (EX_IOERR) with one line on stderr.

    Raises:
        KeyboardInterrupt: It was stopped.
    """
    try:
        main(arguments, prog_name="python -m templates", standalone_mode=False)
    except click.Abort:
        raise KeyboardInterrupt from None
    except (ConfigError, click.ClickException) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        return _end(ExitCode.USAGE, message)
    except OSError as error:
        _forget_output()
        return _end(os.EX_IOERR, f"cannot write the template: {error.strerror}; what is there is cut off")
    return ExitCode.OK


@contextmanager
def refusing() -> Iterator[None]:
    """Have a program that reads the configuration end as the command does when it cannot be used.

    Raises:
        SystemExit: It cannot; one line on stderr says why.
    """
    try:
        yield
    except ConfigError as error:
        sys.exit(_end(ExitCode.USAGE, str(error)))


def _end(code: int, message: str) -> int:
    click.echo(f"error: {' '.join(message.split())}", err=True)
    return code


def _forget_output() -> None:
    """Have the interpreter write nowhere what is left: it would fail again, and exit with 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
