"""``python -m build rehearse``: the whole pipeline on this machine, without account or container engine."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from build.errors import ExitCode, PlatformError, UserError
from build.options import ROOT, configured
from templates.config import DELIMITERS, Dataset, load

from . import folder as folders
from . import own_data, sample, schemas, summary
from .cloud import Environments
from .own_data import OwnData
from .play import Rehearsal, play
from .scenario import DAY, SCENARIOS, STEPS, Scenario, step_crash
from .scenario import own_data as own_data_scenario
from .summary import Summary

NAMES: Final = (*SCENARIOS, "step-crash")
OWN_DATASET: Final = "own-data"
CRASH: Final = "a step crashes (--step): the run fails and somebody is told"


def _listed() -> str:
    """The scenarios and what each shows, as lines that no terminal folds into one."""
    shown = {**{name: scenario.shows for name, scenario in SCENARIOS.items()}, "step-crash": CRASH}
    width = max(map(len, shown))
    return "\n".join(f"  {name:<{width}}  {shows}" for name, shows in shown.items())


@click.command(
    epilog=f"""\b
Scenarios:
{_listed()}

Exit codes: 0 it ended as the scenario says, 1 it did not, 64 usage, 77 not on this machine."""
)
@click.option(
    "--scenario",
    "name",
    metavar="NAME",
    default="happy",
    show_default=True,
    help="What is played; see below.",
)
@click.option("--step", type=click.Choice(STEPS), help="Which step crashes in step-crash  [default: Prepare]")
@click.option(
    "--data", help="Rehearse on your own data (CSV, TSV, JSON Lines, Parquet, ORC): a file or a folder."
)
@click.option("--label", help="The column to predict; with --data.")
@click.option("--drop", help="Columns to leave out of training, comma-separated; with --data.")
@click.option(
    "--delimiter",
    type=click.Choice(DELIMITERS),
    metavar="SIGN",
    help="Between the fields of .csv and .tsv: one of , ; | : ^ ~ or tab; with --data.",
)
@configured
@click.option(
    "--into", type=click.Path(path_type=Path), default=ROOT / "rehearsal", help="Folder of rehearsals."
)
def rehearse(
    *,
    name: str,
    step: str | None,
    data: str | None,
    label: str | None,
    drop: str | None,
    delimiter: str | None,
    stage: str,
    config_path: Path,
    into: Path,
) -> int:
    """Deploy the stacks to an emulator on loopback and run the real pipeline through one scenario.

    Every state really runs: the Lambda code, the validator, the PySpark job, the training script. The
    rehearsal's folder holds logs, data, the validator's report and summary.json; `latest` points to it.
    """
    if name not in NAMES:
        raise _unknown(name)
    played = _scenario(name, step)
    own = _own_data(name, data, {"LABEL": label, "DROP": drop, "DELIMITER": delimiter})
    scenario = own_data_scenario(DAY) if own else played
    whole = load(config_path, stage)
    config = replace(whole, datasets=(_dataset(own),))
    environments = Environments.below(ROOT, Path(sys.executable))
    if own is None:
        schemas.demand_readable(_schemas(sample.DATASET, *whole.datasets), environments.validator)
    folder = folders.create(into, scenario.name)
    rehearsal = Rehearsal(scenario, scenario.configured(config), ROOT, folder, environments, own)
    console = Console(highlight=False)
    console.print(f"[bold]{scenario.name}[/]: {scenario.shows}", soft_wrap=not console.is_terminal)
    ended = _played(rehearsal, console)
    summary.write(ended, folder.summary)
    folders.point_latest(folder)
    summary.show(ended, console)
    return ExitCode.FAILED if ended.problems else ExitCode.OK


def _played(rehearsal: Rehearsal, console: Console) -> Summary:
    try:
        return play(rehearsal, console)
    except KeyboardInterrupt:
        logs = rehearsal.folder.logs
        raise PlatformError(
            f"the rehearsal was stopped, and nothing of it is left running; see {logs}"
        ) from None


def _own_data(name: str, data: str | None, told: Mapping[str, str | None]) -> OwnData | None:
    if data is None:
        if given := [word for word, value in told.items() if value]:
            raise UserError(f"{given[0]} describes your own data: say DATA=path too")
        return None
    if name != "happy":
        raise UserError(f"scenario {name} plays with the sample's data: leave DATA out, or SCENARIO")
    return own_data.look(data, told["LABEL"], told["DROP"], told["DELIMITER"])


def _unknown(name: str) -> UserError:
    near = difflib.get_close_matches(name, NAMES, n=3, cutoff=0.4)
    meant = f" did you mean {' or '.join(near)}?" if near else ""
    hint = f"README.md and .venv/bin/python -m build rehearse --help list all {len(NAMES)}"
    return UserError(f"unknown SCENARIO {name!r:.80}:{meant} {hint}")


def _scenario(name: str, step: str | None) -> Scenario:
    if name == "step-crash":
        return step_crash(step or "Prepare")
    if step:
        raise UserError(f"scenario {name} crashes no step: leave STEP out, or say SCENARIO=step-crash")
    return SCENARIOS[name]


def _schemas(*datasets: Dataset) -> Iterable[Path]:
    """The schemas of datasets, each once."""
    return (ROOT / name for name in dict.fromkeys(filter(None, (dataset.schema for dataset in datasets))))


def _dataset(own: OwnData | None) -> Dataset:
    """Whose days are played: people's own data or the sample, whatever datasets the configuration has."""
    return sample.DATASET if own is None else Dataset(OWN_DATASET, own.label, own.drop, own.delimiter)
