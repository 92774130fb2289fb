"""Prints a stack's template: ``python -m templates pipeline --stage prod``."""

from __future__ import annotations

import sys
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
    """Run the command; return its exit code: 0, or 64 with one line on stderr."""
    try:
        main(arguments, prog_name="python -m templates", standalone_mode=False)
    except (ConfigError, click.ClickException) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(f"error: {' '.join(message.split())}", err=True)
        return ExitCode.USAGE
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(run())
