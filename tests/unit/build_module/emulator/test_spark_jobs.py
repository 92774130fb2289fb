"""How a Glue job's arguments are staged."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from build.rehearsal.emulator.spark_jobs import stage
from build.rehearsal.emulator.storage import Storage


class Fetching:
    """Storage that only notes what it is asked for."""

    def __init__(self) -> None:
        self.stored: list[tuple[Path, str]] = []

    def download(self, uri: str, folder: Path) -> Path:
        return folder / uri.rsplit("/", 1)[-1]

    def upload(self, folder: Path, uri: str) -> None:
        self.stored.append((folder, uri))


def staged(arguments: dict[str, str]) -> tuple[Any, Fetching]:
    storage = Fetching()
    return stage(arguments, cast("Storage", storage), Path("/scratch")), storage


def test_uris_become_paths_and_the_rest_stays() -> None:
    staging, _ = staged({"--label": "tips", "--drop": "-", "--manifest_uri": "s3://b/r/manifest.json"})
    assert staging.argv == (
        *("--label", "tips", "--drop", "-"),
        *("--manifest_uri", "/scratch/manifest_uri/manifest.json"),
    )


def test_outputs_are_stored_and_not_fetched() -> None:
    staging, storage = staged({"--output_uri": "s3://b/out", "--report_output_uri": "s3://b/report"})
    assert staging.argv == (
        "--output_uri",
        "/scratch/output_uri",
        "--report_output_uri",
        "/scratch/report_output_uri",
    )
    staging.store(storage)
    assert storage.stored == [
        (Path("/scratch/output_uri"), "s3://b/out"),
        (Path("/scratch/report_output_uri"), "s3://b/report"),
    ]


def test_messages_name_uris() -> None:
    staging, _ = staged({"--data_uri": "s3://b/day/", "--one": "s3://b/one.json"})
    folder = staging.argv[1]
    assert staging.named(f"changed: {folder}/part-0.csv, {staging.argv[3]}") == (
        "changed: s3://b/day/part-0.csv, s3://b/one.json"
    )
    assert staging.named("nothing to name") == "nothing to name"
