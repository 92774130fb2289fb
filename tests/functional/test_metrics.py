"""What the validator really prints, beside what the alarms and the dashboard look at."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.templates.variants import Variant
from validator.contract import METRICS_NAMESPACE

pytestmark = pytest.mark.xdist_group("metrics")

ROOT = Path(__file__).parents[2]

Named = tuple[str, frozenset[str]]
"""A metric and the names of its dimensions."""

THEIRS = {
    "AWS/States": {
        *("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsAborted"),
    },
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible"},
}
"""Metrics of AWS's own."""


def environment(**given: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **given}


def validator(*arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "validator", *arguments],
        cwd=ROOT,
        env=environment(**given),
        capture_output=True,
        text=True,
        check=True,
    )


def written(folder: Path, fares: Iterable[str]) -> Path:
    path = folder / "taxi.csv"
    path.write_text("pay,fare\n" + "".join(f"{'Cash' if fare > '3' else 'Card'},{fare}\n" for fare in fares))
    return path


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Standard output of a run beside an accepted one, as a task prints it."""
    before, after = (tmp_path_factory.mktemp(name) for name in ("before", "after"))
    data = written(before, ["1.5", "2.5"] * 20)
    validator("--data", str(data), "--output", str(before / "out"))
    data = written(after, ["3.5", "9.5"] * 20)
    arguments = ("--data", str(data), "--output", str(after / "out"), "--run-id", "run-7")
    baseline = ("--baseline", str(before / "out" / "statistics.pb"))
    return validator(*arguments, *baseline, METRICS_STAGE="dev").stdout.splitlines()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data of three shards, each of them more than an instant's work."""
    path = tmp_path_factory.mktemp("large") / "texts.csv"
    text = "a line of a text\n" * 20
    path.write_text("n,text\n" + "".join(f'{number},"{text}"\n' for number in range(500_000)))
    return path


@pytest.fixture(scope="module")
def interrupted(large: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Standard output of a run that was told to end."""
    return stopped(large, tmp_path_factory.mktemp("interrupted"), "validate")


def stopped(data: Path, output: Path, command: str, **given: str) -> list[str]:
    """Returns what a process prints that is told to end after its first shard."""
    with subprocess.Popen(
        [sys.executable, "-m", "validator", command, "--data", str(data), "--output", str(output)],
        cwd=ROOT,
        env=environment(METRICS_STAGE="dev", **given),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("shard 1 of 3 done")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 75, err
    assert err.splitlines()[-1].startswith("interrupted: SIGTERM")
    return out.splitlines()


def documents(printed: Iterable[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed if line.startswith("{")]


def lines(printed: Iterable[str]) -> list[dict[str, Any]]:
    """Returns the lines of metrics."""
    return [line for line in documents(printed) if "_aws" in line]


def entries(printed: Iterable[str]) -> list[dict[str, Any]]:
    """Returns the entries of the journal."""
    return [line for line in documents(printed) if "event" in line]


def journal(printed: Iterable[str]) -> list[str]:
    return [str(entry["event"]) for entry in entries(printed)]


def emitted(printed: Iterable[str]) -> Iterator[Named]:
    """Yield what CloudWatch makes of the lines, with the stage's value checked."""
    for line in lines(printed):
        assert line["Stage"] == "dev"
        for directive in line["_aws"]["CloudWatchMetrics"]:
            assert directive["Namespace"] == METRICS_NAMESPACE
            for dimensions in directive["Dimensions"]:
                for metric in directive["Metrics"]:
                    yield metric["Name"], frozenset(dimensions)


def watched(resources: Mapping[str, Any]) -> Iterator[tuple[str, Named]]:
    """Yield namespace and metric of each alarm and of each graph."""
    for resource in resources.values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            for metric in looked_at_by(resource["Properties"]):
                names = frozenset(dimension["Name"] for dimension in metric["Dimensions"])
                yield metric["Namespace"], (metric["MetricName"], names)
    body = json.loads(resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    for widget in body["widgets"]:
        for metric in widget["properties"].get("metrics", ()):
            yield from shown(metric)


def looked_at_by(alarm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the metric of an alarm, or those of its expression."""
    if "Metrics" not in alarm:
        return [alarm]
    return [each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each]


def shown(metric: list[Any]) -> Iterator[tuple[str, Named]]:
    if isinstance(metric[0], dict):
        searched = re.match(r"SEARCH\('\{([^}]*)\} MetricName=\"(\w+)\"", metric[0]["expression"])
        assert searched
        namespace, *names = searched[1].split(",")
        yield namespace, (searched[2], frozenset(names))
        return
    texts = [item for item in metric if isinstance(item, str)]
    yield texts[0], (texts[1], frozenset(texts[2::2]))


@pytest.mark.parametrize("choice", ["", "every-trigger"])
def test_alarms_and_dashboard_look_at_what_is_really_printed(
    printed: list[str], interrupted: list[str], choice: str
) -> None:
    # Dollars are told inside ECS only, where the task's size is known.
    known = {*emitted(printed), *emitted(interrupted), ("Dollars", frozenset({"Stage", "Dataset"}))}
    resources = json.loads(Variant("pipeline", "dev", choice).render())["Resources"]
    looked_at = list(watched(resources))
    assert {"Sluice", "AWS/States", "AWS/SQS"} == {namespace for namespace, _ in looked_at}
    for namespace, named in looked_at:
        assert named in known if namespace == METRICS_NAMESPACE else named[0] in THEIRS[namespace]


def test_every_metric_that_is_printed_is_looked_at_but_two(
    printed: list[str], interrupted: list[str]
) -> None:
    resources = json.loads(Variant("pipeline", "dev").render())["Resources"]
    looked_at = {named for _, named in watched(resources)}
    unseen = {name for name, dimensions in emitted(printed) if (name, dimensions) not in looked_at}
    assert unseen == {"Bytes", "Notes"}
    assert set(emitted(interrupted)) <= looked_at


def test_the_task_asks_for_metrics_of_its_stage() -> None:
    for stage in ("dev", "prod"):
        task = json.loads(Variant("pipeline", stage).render())["Resources"]["ValidatorTask"]["Properties"]
        (container,) = task["ContainerDefinitions"]
        assert {"Name": "METRICS_STAGE", "Value": stage} in container["Environment"]
        assert container["LogConfiguration"]["LogDriver"] == "awslogs"


def test_a_run_is_told_with_its_drift(printed: list[str]) -> None:
    run, *features = lines(printed)
    assert (run["Rows"], run["Dataset"], run["run_id"]) == (40, "taxi", "run-7")
    assert run["LargestDrift"] > 1
    assert {line["Feature"] for line in features} == {"pay", "fare"}
    assert all(len(line["_aws"]["CloudWatchMetrics"][0]["Metrics"]) <= 100 for line in lines(printed))


def test_of_children_the_merge_alone_is_told_as_a_run(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(4):
        written(folder, ["1.5", "2.5"] * 5).rename(folder / f"part-{number}.csv")
    given = {
        "DATA_URI": str(folder),
        "OUTPUT_URI": str(tmp_path / "out"),
        "RUN_ID": "run-9",
        "METRICS_STAGE": "dev",
        "SHARD_COUNT": "2",
    }
    for child in ("0", "1"):
        printed = validator("profile", **given, SHARD_INDEX=child).stdout.splitlines()
        assert lines(printed) == [], "its rows would be counted twice"
        assert journal(printed) == ["started", "ended"]
        assert {(each["run_id"], each["child"]) for each in entries(printed)} == {("run-9", int(child))}
    merged = validator("merge", **given).stdout.splitlines()
    (run,) = lines(merged)
    assert (run["Rows"], run["run_id"]) == (40, "run-9")
    assert journal(merged) == ["started", "ended"]


def test_an_interrupted_child_is_no_interrupted_run(large: Path, tmp_path: Path) -> None:
    printed = stopped(large, tmp_path, "profile", SHARD_INDEX="0", SHARD_COUNT="1")
    assert journal(printed) == ["started", "interrupted"]
    assert lines(printed) == [], "Batch tries it again, and the run stays on Spot"


def test_a_merge_that_comes_too_early_says_so_in_the_journal(tmp_path: Path) -> None:
    data = written(tmp_path, ["1.5"])
    ended = subprocess.run(
        [sys.executable, "-m", "validator", "merge", "--data", str(data), "--output", str(tmp_path / "out")],
        cwd=ROOT,
        env=environment(METRICS_STAGE="dev", RUN_ID="run-9", SHARD_COUNT="2"),
        capture_output=True,
        text=True,
        check=False,
    )
    started, last = entries(ended.stdout.splitlines())
    assert (ended.returncode, started["event"], last["event"]) == (66, "started", "incomplete")
    assert (last["run_id"], last["message"]) == ("run-9", ended.stderr.splitlines()[-1])


def test_the_journal_says_which_run_a_log_is_of(printed: list[str], tmp_path: Path) -> None:
    started, ended = entries(printed)
    assert (started["event"], started["run_id"], started["stage"]) == ("started", "run-7", "dev")
    assert (ended["event"], ended["run_id"], ended["exit_code"]) == ("ended", "run-7", 0)
    data = tmp_path / "taxi.parquet"
    data.write_bytes(b"PAR1 and then nothing\n")
    failed = subprocess.run(
        [sys.executable, "-m", "validator", "--data", str(data), "--output", str(tmp_path / "out")],
        cwd=ROOT,
        env=environment(METRICS_STAGE="dev", RUN_ID="run-8"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert failed.returncode == 65
    first, last = map(json.loads, failed.stdout.splitlines())
    assert (first["event"], last["event"], last["level"]) == ("started", "failed", "ERROR")
    assert (last["run_id"], last["exit_code"]) == ("run-8", 65)
    assert last["message"] == failed.stderr.splitlines()[-1]


def test_nobody_who_does_not_ask_gets_metrics(tmp_path: Path) -> None:
    data = written(tmp_path, ["1.5"])
    for given in ({}, {"METRICS_STAGE": ""}):
        done = validator("--data", str(data), "--output", str(tmp_path / "out"), **given)
        assert "{" not in done.stdout
        assert done.stdout.count("\n") == 2
