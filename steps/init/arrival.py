"""New objects: which day of which dataset they complete."""

from __future__ import annotations

from typing import Final

from .errors import InvalidEvent, UnknownDataset
from .event import Arrival, Trigger, day
from .settings import Settings

FOLDER: Final = "data"
"""Below it lies ``<dataset>/<run_date>/`` with the day's objects."""


def resolve(arrival: Arrival, settings: Settings) -> tuple[Trigger, bool]:
    """Find the day that an object completes.

    A day is complete when its marker is put down right below the day's folder. A rule's pattern cannot count
    folders, so the markers of a day's parts (Spark writes one into each folder it makes) come here too.

    Returns:
        What would be run, and whether the day is complete; a part of a day completes nothing.

    Raises:
        InvalidEvent: The object is no marker of a day in the pipeline's bucket.
        UnknownDataset: Its dataset is not in the configuration.
    """
    folder, *parts = arrival.object_key.split("/")
    if arrival.bucket != settings.pipeline_bucket or folder != FOLDER or len(parts) < 3:
        raise InvalidEvent(
            f"s3://{arrival.bucket:.80}/{arrival.object_key:.200} is no marker of a day: "
            f"expected s3://{settings.pipeline_bucket}/{FOLDER}/<dataset>/<run_date>/<marker>"
        )
    named, run_date, *within = parts
    dataset = settings.datasets.get(named)
    if dataset is None:
        raise UnknownDataset(f"unknown dataset {named!r:.80} in the key of a new object")
    if not dataset.marker or within[-1] != dataset.marker:
        raise InvalidEvent(
            f"{arrival.object_key!r:.200} is not the marker {dataset.marker!r} of dataset {named}"
        )
    return Trigger(named, day(run_date), arrival.key), len(within) == 1
