"""The command line: options in, exit codes out, one line for each error.

Only light things are imported here; a command imports what it needs once its options are right.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import click

from validator import journal, leftovers, metrics, refusals, settings, store, streams
from validator.contract import (
    ARRAY_INDEX,
    MOST_CHILDREN,
    Artifact,
    Environment,
    ExitCode,
    SchemaPolicy,
    Verdict,
)
from validator.errors import Interrupted, MissingError, StorageError, UsageError, ValidatorError, one_line
from validator.interruption import Interruption
from validator.settings import Settings
from validator.text import listed

if TYPE_CHECKING:
    from validator.verdict import VerdictReport

_HELP_NAMES: Final = ("-h", "--help")
_FAIL_ON: Final = [Verdict.WARN.value, Verdict.FAIL.value]

_UNPRINTED: Final = "cannot write to standard output"

_SHOWN: Final = (Artifact.ERROR, Artifact.VERDICT, Artifact.SCHEMA, Artifact.STATISTICS)
_COMPARED: Final = (Artifact.STATISTICS, Artifact.SCHEMA)
_SCHEMA_SUFFIX: Final = ".pbtxt"

_EXAMPLES: Final = """
\b
Examples:
  python -m validator --data trips.csv --output out
  python -m validator --data 'data/{run_date}/*.parquet' --output out --schema schema.pbtxt --fail-on fail
  python -m validator infer --data trips.csv --output out
  python -m validator show out
  python -m validator diff yesterday/statistics.pb today/statistics.pb --fail-on difference
  python -m validator profile --data trips/ --output out --shard-index 0 --shard-count 2
  python -m validator merge --data trips/ --output out --shard-count 2

\b
Exit codes:
  0 judged, whatever the verdict   3 --fail-on was reached       64 usage   65 undecodable data
  66 missing.json names children to run again before the merge   69 storage unavailable
  70 a bug of ours                 75 interrupted, start again to go on
"""


class _DefaultsToValidate(click.Group):
    """Takes options without a command for those of `validate`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = args and (not args[0].startswith("-") or args[0] in _HELP_NAMES)
        return super().parse_args(ctx, args if named else ["validate", *args])


def _options(*named: tuple[str, Environment, str]) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for flag, variable, text in reversed(named):
            option = click.option(flag, variable.value, metavar="TEXT", help=f"{text} [{variable}]")
            command = option(command)
        return click.option("--debug", is_flag=True, help="Print the traceback of an unexpected error.")(
            command
        )

    return decorate


def _fail_on(command: Any) -> Any:
    text = "End with exit code 3 from this verdict on."
    return click.option("--fail-on", "FAIL_ON", type=click.Choice(_FAIL_ON), help=text)(command)


_DATA: Final = (
    (
        "--data",
        Environment.DATA_URI,
        "File, folder, pattern or s3:// prefix; {run_date} is filled in. docs/data.md lists the formats.",
    ),
    ("--manifest", Environment.MANIFEST_URI, "manifest.json that names every object; instead of --data."),
    ("--output", Environment.OUTPUT_URI, "Folder or s3:// prefix the results are written below."),
    (
        "--states",
        Environment.STATES_URI,
        "Where states of finished shards lie; states below --output by default.",
    ),
    (
        "--run-date",
        Environment.RUN_DATE,
        "Date of the data, YYYY-MM-DD; the manifest's, or today's (UTC), by default.",
    ),
    ("--run-id", Environment.RUN_ID, "Name of this run; the manifest's, or made up, by default."),
    ("--delimiter", Environment.CSV_DELIMITER, "Sign between the fields of .csv and .tsv, or the word tab."),
    ("--columns", Environment.CSV_COLUMNS, "Names a,b,c of the columns of .csv and .tsv without a header."),
    ("--workers", Environment.WORKERS, "Threads that profile; as many as there are processors by default."),
    (
        "--memory-budget-mb",
        Environment.MEMORY_BUDGET_MB,
        "MiB the profile may take; 60 % of what there is, 512 at most, by default.",
    ),
)
_SCHEMA: Final = (
    "--schema",
    Environment.SCHEMA_URI,
    "schema.pbtxt the data is judged by; inferred when there is none.",
)
_TYPES: Final = (
    "--schema",
    Environment.SCHEMA_URI,
    "schema.pbtxt whose types the columns have: the one the data is judged by.",
)
_EXPECTATIONS: Final = (
    _SCHEMA,
    (
        "--schema-policy",
        Environment.SCHEMA_POLICY,
        f"Without a schema: {' or '.join(SchemaPolicy)}; bootstrap by default.",
    ),
    ("--baseline", Environment.BASELINE_URI, "statistics.pb of an earlier accepted run, to measure drift."),
    ("--baseline-sha256", Environment.BASELINE_SHA256, "SHA-256 the baseline must have; any by default."),
    ("--environment", Environment.DATA_ENVIRONMENT, "Environment of the schema; TRAINING by default."),
)

_COUNT: Final = (
    "--shard-count",
    Environment.SHARD_COUNT,
    f"Processes that profile the data together, {MOST_CHILDREN:,} at most.",
)
_SHARD: Final = (
    (
        "--shard-index",
        Environment.SHARD_INDEX,
        f"Which of --shard-count processes this is, from 0; {ARRAY_INDEX} by default.",
    ),
    _COUNT,
)


@click.group(
    cls=_DefaultsToValidate, context_settings={"help_option_names": list(_HELP_NAMES)}, epilog=_EXAMPLES
)
def commands() -> None:
    """Judge training data: profile it, hold it against a schema, and say pass, warn or fail.

    Options without a command are those of `validate`. Each is also an environment variable, named beside it.
    """


@commands.command(epilog=_EXAMPLES)
@_options(*_DATA, *_EXPECTATIONS)
@_fail_on
@click.pass_obj
def validate(interruption: Interruption, /, debug: bool, **options: str | None) -> int:
    """Profile, judge and report (the default)."""

    def act(loaded: Settings) -> int:
        from validator import run  # noqa: PLC0415

        return _told(run.validate(loaded, interruption, _log), loaded)

    return _guarded(options, act, debug=debug)


@commands.command(epilog=_EXAMPLES)
@_options(*_DATA, _TYPES, *_SHARD)
@click.pass_obj
def profile(interruption: Interruption, /, debug: bool, **options: str | None) -> int:
    """Write statistics and judge nothing; of a part of the data, save the states for merge."""

    def act(loaded: Settings) -> int:
        from validator import run  # noqa: PLC0415

        if loaded.child:
            click.echo(run.profile_part(loaded, loaded.child, interruption, _log))
        else:
            run.profile(loaded, interruption, _log)
            click.echo(store.child(loaded.output_uri, Artifact.STATISTICS))
        return ExitCode.OK

    return _guarded(options, act, debug=debug)


@commands.command(epilog=_EXAMPLES)
@_options(*_DATA, *_EXPECTATIONS, _COUNT)
@_fail_on
@click.pass_obj
def merge(interruption: Interruption, /, debug: bool, **options: str | None) -> int:
    """Put together what profile saved of all shards, judge and report."""

    def act(loaded: Settings) -> int:
        from validator import run  # noqa: PLC0415

        return _told(run.merge(loaded, interruption, _log), loaded)

    return _guarded(options, act, debug=debug)


@commands.command(epilog=_EXAMPLES)
@_options(*_DATA)
@click.pass_obj
def infer(interruption: Interruption, /, debug: bool, **options: str | None) -> int:
    """Write the schema the data seems to have, for a person to review."""

    def act(loaded: Settings) -> int:
        from validator import run  # noqa: PLC0415

        click.echo(run.infer(loaded, interruption, _log))
        return ExitCode.OK

    return _guarded(options, act, debug=debug)


@commands.command("show")
@click.argument("uri")
def show_command(uri: str) -> int:
    """Print an error.json, verdict.json, schema.pbtxt or statistics.pb; of a folder, the first it holds."""
    from validator import documents, show  # noqa: PLC0415

    console = show.console(sys.stdout)
    document = _document(uri, "show", _SHOWN)
    if _suffix(document) == _SCHEMA_SUFFIX:
        show.schema(documents.read_schema(document), console)
    elif document.endswith(".pb"):
        show.statistics(documents.read_statistics(document), console)
    elif _is_failure(PurePosixPath(document)):
        show.failure(documents.read_failure(document), console)
    else:
        show.verdict(documents.read_verdict(document), console)
    return ExitCode.OK


@commands.command("diff", epilog=_EXAMPLES)
@click.argument("first")
@click.argument("second")
@click.option(
    "--fail-on", type=click.Choice(["difference"]), help="End with exit code 3 when there is a difference."
)
def diff_command(first: str, second: str, fail_on: str | None) -> int:
    """Print what two schema.pbtxt or two statistics.pb say otherwise; a folder stands for those it holds."""
    from validator import difference, documents, show  # noqa: PLC0415

    one, other = (_document(uri, "diff", _COMPARED) for uri in (first, second))
    if _suffix(one) != _suffix(other):
        raise UsageError(
            f"cannot compare {one} with {other}", why="one is a schema, the other are statistics"
        )
    if _suffix(one) == _SCHEMA_SUFFIX:
        found = difference.of_schemas(*map(documents.read_schema, (one, other)))
    else:
        found = difference.of_statistics(*map(documents.read_statistics, (one, other)))
    show.differences(found, show.console(sys.stdout))
    return ExitCode.VERDICT if found and fail_on else ExitCode.OK


def main(arguments: list[str], interruption: Interruption) -> int:
    """Runs a command and returns its exit code; every error is one line on stderr."""
    store.heed(interruption)
    try:
        code = commands.main(
            arguments, prog_name="python -m validator", obj=interruption, standalone_mode=False
        )
        _demand_printed()
        return int(code or ExitCode.OK)
    except click.ClickException as error:
        said = error.format_message().rstrip(".")
        return _fail(ExitCode.USAGE, f"{said}; see python -m validator --help")
    except ValidatorError as error:
        return _fail(error.exit_code, str(error))
    except Exception as error:
        return _fail(ExitCode.SOFTWARE, str(_bug(error)))


def _demand_printed() -> None:
    """What only prints has done nothing then; what writes files has said so already."""
    if trouble := streams.trouble():
        raise StorageError(_UNPRINTED, why=trouble)


def _document(uri: str, command: str, taken: Sequence[Artifact]) -> str:
    """Returns the document a command is for: the URI itself, or the first there is below it."""
    if _suffix(uri) in {_suffix(name) for name in taken}:
        return uri
    for document in (store.child(uri, name) for name in taken):
        if store.exists(document):
            return document
    known = listed(taken, len(taken))
    why = f"{command} takes {known}, or a folder that holds one of them"
    raise UsageError(f"cannot {command} {uri}", why=why)


def _suffix(uri: str) -> str:
    return PurePosixPath(uri).suffix


def _is_failure(document: PurePosixPath) -> bool:
    """Says whether a document is a run's error.json, or a child's."""
    return document.name == Artifact.ERROR or document.parent.name == Artifact.ERRORS


def _guarded(options: dict[str, str | None], act: Callable[[Settings], int], *, debug: bool) -> int:
    from validator import source  # noqa: PLC0415

    loaded = _loaded(options)
    _note(loaded, "INFO", "started")
    try:
        leftovers.clear(loaded.attempt)
        loaded = source.identified(loaded)
        code = act(loaded)
    except Interrupted as caught:
        # Nothing is wrong, here and below: another start goes on.
        _note(loaded, "INFO", "interrupted", **refusals.described(caught))
        # Children's are answered by AWS Batch, and send no run to on-demand.
        if loaded.metrics_stage and loaded.child is None:
            click.echo(metrics.of_interruption(loaded.run_id, loaded.metrics_stage, datetime.now(UTC)))
        raise
    except MissingError as caught:
        _note(loaded, "INFO", "incomplete", **refusals.described(caught))
        raise
    except ValidatorError as error:
        _leave_behind(loaded, error)
        raise
    except Exception as error:
        if debug:
            traceback.print_exc()
        _leave_behind(loaded, _bug(error))
        raise
    _note(loaded, "INFO", "ended", exit_code=int(code))
    if trouble := streams.trouble():
        _log(f"{_UNPRINTED}: {trouble}; the results are below {loaded.output_uri}")
    return code


def _loaded(options: dict[str, str | None]) -> Settings:
    """Returns the settings; what is wrong with them is left below the output too, where that is known."""
    try:
        return settings.load(options)
    except UsageError as error:
        with suppress(ValidatorError):
            if attempt := settings.attempt(options):
                refusals.save(attempt, error)
        raise


def _bug(error: Exception) -> ValidatorError:
    return ValidatorError(
        f"internal error ({type(error).__name__})",
        why=error,
        remedy="this is a bug of ours, please report it with what --debug prints",
    )


def _leave_behind(loaded: Settings, error: ValidatorError) -> None:
    """Writes an entry of the journal, and the error below the output, if that can be written."""
    _note(loaded, "ERROR", "failed", **refusals.described(error))
    # One line an error: what cannot be written here is not what went wrong first.
    with suppress(ValidatorError):
        refusals.save(loaded.attempt, error)


def _note(loaded: Settings, level: str, event: str, **more: Any) -> None:
    """Prints an entry of the journal where machines listen."""
    if loaded.metrics_stage:
        of_run = {"run_id": loaded.run_id, "run_date": loaded.run_date.isoformat()}
        child = {"child": loaded.child.index} if loaded.child else {}
        click.echo(journal.entry(level, event, **of_run, **child, stage=loaded.metrics_stage, **more))


def _told(judged: VerdictReport, loaded: Settings) -> int:
    """Prints a verdict, and its metrics where they are asked for; returns the exit code it stands for."""
    from validator import report  # noqa: PLC0415

    if loaded.metrics_stage:
        for line in metrics.of_verdict(judged, loaded.metrics_stage, datetime.now(UTC)):
            click.echo(line)
    click.echo(f"{judged.verdict}: {report.reason(judged, len(judged.features))}")
    click.echo(f"report: {judged.artifacts['report']}")
    return ExitCode.VERDICT if _reached(judged.verdict, loaded.fail_on) else ExitCode.OK


def _reached(verdict: Verdict, limit: Verdict | None) -> bool:
    order = list(Verdict)
    return limit is not None and order.index(verdict) >= order.index(limit)


def _log(line: str) -> None:
    click.echo(one_line(line), err=True)


def _fail(code: ExitCode, message: str) -> int:
    _log(message)
    return int(code)
