"""The commands of `python -m build`, and the one place where a failure becomes a line and an exit code."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from math import inf
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from build import backfill, progress, settings, shell, status
from build import deploy as deployment
from build import image as images
from build import package as packages
from build import plan as plans
from build.aws import Aws, connect
from build.backfill import Backfill, Order
from build.deploy import Deployer, Planner
from build.errors import BuildError, ExitCode, UserError
from build.execute import Approve, always
from build.options import ROOT, configured
from build.patience import Patience
from build.plan import Plan
from build.screen import Screen
from templates.config import Config, ConfigError, load

STACKS: Final = ("delivery", "pipeline")


class Commands(click.Group):
    """The commands; `rehearse` is imported when it is asked for, since only it needs an emulator's code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names for the help."""
        return [*super().list_commands(ctx), "rehearse"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name != "rehearse":
            return super().get_command(ctx, cmd_name)
        command: click.Command = importlib.import_module("build.rehearsal.command").rehearse
        return command


@click.group(cls=Commands, no_args_is_help=False)
def cli() -> None:
    """Build and deploy the pipeline."""


@cli.command()
@configured
def package(stage: str, config_path: Path) -> None:
    """List what a deployment would upload: bytes and key, one a line."""
    collected = packages.collect(load(config_path, stage), ROOT)
    for key, body in sorted(collected.objects.items()):
        click.echo(f"{len(body):>8}  {key}")


def _parse_parameters(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    if bad := next((one for one in given if not one.partition("=")[0] or "=" not in one), None):
        raise click.BadParameter(f"{bad!r} is not NAME=VALUE.")
    names = [one.partition("=")[0] for one in given]
    if again := next((name for name in names if names.count(name) > 1), None):
        raise click.BadParameter(f"{again!r} is given more than once.")
    return {name: value for name, _, value in (one.partition("=") for one in given)}


def planned(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of commands that make a plan."""
    image = click.option("--image", help="The validator's image by digest  [default: the one deployed]")
    parameters = click.option(
        "--parameter",
        "given",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_parse_parameters,
        help="A stack parameter; it stays until it is given again.",
    )
    return image(parameters(command))


@cli.command()
@configured
@planned
def plan(stage: str, config_path: Path, image: str | None, given: Mapping[str, str]) -> None:
    """Show what a deployment would change; nothing is executed."""
    _check(image)
    planner, screen = _planner(load(config_path, stage), given), Screen(Console())
    aws, config = planner.aws, planner.config
    delivered = _plan_and_discard(aws, planner.delivery, screen)
    if not delivered:
        click.echo(f"{config.named('pipeline')}: can be planned once {config.named('delivery')} is deployed")
        return
    uri = deployment.image_to_deploy(aws, config, image)
    _plan_and_discard(aws, lambda: planner.pipeline(delivered, uri), screen)


@cli.command()
@configured
@planned
@click.argument("stack", type=click.Choice(STACKS), required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
def deploy(
    *,
    stage: str,
    config_path: Path,
    stack: str | None,
    image: str | None,
    given: Mapping[str, str],
    yes: bool,
) -> None:
    """Deploy both stacks, or the one named: plan, approval, events, outputs."""
    _check(image)
    screen = Screen(Console(stderr=True))
    approve = _approval(screen, yes)
    planner = _planner(load(config_path, stage), given)
    aws, config, deployer = planner.aws, planner.config, Deployer(planner, screen, approve)
    uri = "" if stack == "delivery" else deployment.image_to_deploy(aws, config, image)
    delivery = _outputs(aws, config, "delivery") if stack == "pipeline" else deployer.delivery()
    pipeline = {} if stack == "delivery" else deployer.pipeline(delivery, uri)
    Console().print(status.outputs({**delivery, **pipeline}), soft_wrap=True)


def _parse_day(_: click.Context, option: click.Parameter, given: str | None) -> date | None:
    if given is None:
        return None
    try:
        day = date.fromisoformat(given)
    except ValueError:
        day = None
    # fromisoformat alone would take 20261122 and 2026-W47-7 too.
    if day is None or day.isoformat() != given:
        hint = f"{option.opts[0].removeprefix('--').upper()} ({option.opts[0]})"
        raise click.BadParameter(f"{given!r} is no date such as 2026-11-22.", param_hint=hint)
    return day


@cli.command()
@configured
@click.option("--date", "first", required=True, metavar="YYYY-MM-DD", callback=_parse_day, help="The day.")
@click.option(
    "--to",
    "last",
    metavar="YYYY-MM-DD",
    callback=_parse_day,
    help="The last day of a range  [default: --date]",
)
@click.option("--dataset", help="Whose day  [default: the only one of the configuration]")
@click.option(
    "--parallel",
    type=click.IntRange(1, 20),
    default=1,
    show_default=True,
    help="How many days run at a time; above 1 a day is not held against the one before it.",
)
def run(
    *, stage: str, config_path: Path, first: date, last: date | None, dataset: str | None, parallel: int
) -> int:
    """Run a day by hand, or a range of days in date order, and wait for their ends.

    One line a day goes to stdout. Ctrl-C stops the waiting, not the executions.
    """
    config = load(config_path, stage)
    named, asked = _dataset(config, dataset), backfill.days(first, last or first)
    aws = connect(settings.load())
    alias = _outputs(aws, config, "pipeline").get("StateMachineAliasArn")
    if not alias:
        raise UserError(
            f"{config.named('pipeline')} is not deployed: run make deploy STAGE={config.stage} "
            f"(python -m build deploy --stage {config.stage}) first"
        )
    running = Backfill(Order(alias, named, asked, parallel), aws.stepfunctions)
    try:
        _watch(running, Patience(deadline=inf, first=0.5, longest=5.0))
    finally:
        for day in running.days:
            click.echo(progress.line(day))
    return ExitCode.OK if all(day.as_designed for day in running.days) else ExitCode.FAILED


def _watch(running: Backfill, patience: Patience) -> None:
    with progress.shown(Console(stderr=True)) as show:
        for pause in patience.pauses():
            left = running.step(backfill.present())
            show.update(running.days)
            if not left:
                return
            patience.sleep(pause)


def _dataset(config: Config, named: str | None) -> str:
    known = [dataset.name for dataset in config.datasets]
    if named is None and len(known) == 1:
        return known[0]
    if named not in known:
        what = f"unknown dataset {named!r:.80}" if named else "no dataset named"
        raise UserError(f"{what}: the configuration has {', '.join(known)}")
    return named


@cli.command("status")
@configured
def show_status(stage: str, config_path: Path) -> None:
    """Show the stacks, their outputs and the last executions."""
    config, aws = load(config_path, stage), connect(settings.load())
    names = tuple(config.named(stack) for stack in STACKS)
    Console().print(status.show(status.collect(aws, names)), soft_wrap=True)


@cli.command()
@configured
def image(stage: str, config_path: Path) -> None:
    """Build and push the validator's image unless ECR has it; print its URI by digest."""
    given = settings.load()
    config, aws = load(config_path, stage), connect(given)
    repository = _outputs(aws, config, "delivery").get("ValidatorRepositoryUri")
    if not repository:
        command = f"python -m build deploy delivery --stage {config.stage}"
        hint = f"run make deploy STACK=delivery STAGE={config.stage} ({command}) first"
        raise UserError(f"there is no repository for the image yet: {hint}")
    engine = images.Engine(given.docker, shell.run)
    click.echo(images.publish(aws.ecr, engine, repository, ROOT))


def _planner(config: Config, given: Mapping[str, str]) -> Planner:
    collected, found = packages.collect(config, ROOT), settings.load()
    deployment.check_given(collected, given)
    return Planner(connect(found), config, collected, Patience(), given, found.deployment_role)


def _plan_and_discard(aws: Aws, make: Callable[[], Plan], screen: Screen) -> Mapping[str, str]:
    made = make()
    try:
        screen.planned(made)
    finally:
        plans.discard(aws.cloudformation, made)
    deployed = None if made.creates else aws.cloudformation.stack(made.stack)
    return deployed.outputs if deployed else {}


def _check(image: str | None) -> None:
    """Refuse an image by tag before anything is asked of AWS."""
    if image:
        deployment.by_digest(image)


def _approval(screen: Screen, yes: bool) -> Approve:
    if yes:
        return always
    if not sys.stdin.isatty():
        raise UserError(
            "cannot ask whether to deploy: this is no terminal; say YES=1 (or --yes) to deploy unasked"
        )
    return screen.approve


def _outputs(aws: Aws, config: Config, stack: str) -> Mapping[str, str]:
    deployed = aws.cloudformation.stack(config.named(stack))
    return deployed.outputs if deployed else {}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; every failure ends in one line on stderr and an exit code of `ExitCode`."""
    try:
        code = cli.main(args=arguments, prog_name="python -m build", standalone_mode=False)
        return code if isinstance(code, int) else ExitCode.OK
    except (click.Abort, KeyboardInterrupt):
        return _end(ExitCode.FAILED, "stopped; what AWS has begun goes on: make status shows it")
    except Exception as error:
        return _end(*_told(error))


def _told(error: Exception) -> tuple[ExitCode, str]:
    match error:
        case BuildError():
            return error.exit_code, str(error)
        case ConfigError():
            return ExitCode.USAGE, str(error)
        case click.UsageError():
            where = error.ctx.command_path if error.ctx else "python -m build"
            return ExitCode.USAGE, f"{error.format_message()} See {where} --help."
        case click.ClickException():
            return ExitCode.FAILED, error.format_message()
    traceback.print_exception(error)
    return ExitCode.FAILED, f"this is a bug of ours, please report it: {error!r}"


def _end(code: ExitCode, message: str) -> int:
    click.echo(f"build: {' '.join(message.split())}", err=True)
    return code
