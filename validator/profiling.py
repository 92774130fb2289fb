"""Profiles a dataset shard by shard: saved states are taken, interruptions are answered, columns widened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import astuple
from functools import reduce
from itertools import chain
from typing import Any, Final

from validator import store
from validator.dataset import Dataset
from validator.errors import Interrupted, UsageError
from validator.formats import Misfit
from validator.interruption import Interruption
from validator.profile import ENGINE_VERSION, Profile
from validator.store import Object
from validator.text import count

SUFFIX: Final = ".profile.zip"


class States:
    """Saved states of finished shards.

    Args:
        uri: Folder or prefix they lie below.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def take(self, dataset: Dataset, shard: Object) -> Profile | None:
        """Returns the saved state of exactly this shard, or None; a damaged one is none."""
        uri = self.name(dataset, shard)
        try:
            return Profile.from_bytes(store.at(uri).read(uri), dataset.columns)
        except (UsageError, ValueError):
            # S3 answers "denied" for what is absent to those who may not list.
            return None

    def save(self, dataset: Dataset, shard: Object, profile: Profile) -> None:
        """Saves the state of a finished shard."""
        store.write(self.name(dataset, shard), profile.to_bytes())

    def name(self, dataset: Dataset, shard: Object) -> str:
        """Returns where a shard's state lies: other bytes, columns or engine have other names."""
        what = [ENGINE_VERSION, astuple(shard), [astuple(column) for column in dataset.columns]]
        return store.child(self.uri, hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32] + SUFFIX)


def profile(
    dataset: Dataset, states: States, interruption: Interruption, log: Callable[[str], None]
) -> tuple[Dataset, Profile]:
    """Returns the profile of all shards, and the dataset with the columns that fitted.

    Raises:
        Interrupted: A signal asked to end; finished shards are saved.
        DataError: Bytes are not what the names claim.
    """
    try:
        return dataset, _profile(dataset, states, interruption, log)
    except Misfit as misfit:
        log(f"profiling anew: {misfit}")
        fitting = _fitting(dataset, states, interruption)
        return fitting, _profile(fitting, states, interruption, log)


def _fitting(dataset: Dataset, states: States, interruption: Interruption) -> Dataset:
    """Returns the dataset with columns wide enough for every value."""
    survey = _until_interrupted(dataset.survey(), interruption, "while looking for types that fit", states)
    return reduce(Dataset.widened, survey, dataset)


def _profile(
    dataset: Dataset, states: States, interruption: Interruption, log: Callable[[str], None]
) -> Profile:
    whole = Profile(dataset.columns)
    for number, shard in enumerate(dataset.shards, start=1):
        total = len(dataset.shards)
        place = f"shard {number} of {total}"
        part = states.take(dataset, shard)
        if part is not None:
            log(f"{place} taken from saved state: {shard.uri}")
        else:
            part = Profile(dataset.columns)
            last = f"after shard {number - 1} of {total}"
            for batch in _until_interrupted(dataset.batches(shard), interruption, last, states):
                part.add(batch)
            states.save(dataset, shard, part)
            log(f"{place} done: {shard.uri}, {count(part.rows, 'row')}")
        whole.merge(part)
    return whole


def _until_interrupted(
    batches: Iterator[Any], interruption: Interruption, place: str, states: States
) -> Iterator[Any]:
    for batch in chain([None], batches):
        if interruption.name:
            raise Interrupted(
                "interrupted",
                why=f"{interruption.name} {place}",
                remedy=f"finished shards are saved below {states.uri}; "
                "start again with the same output to go on",
            )
        if batch is not None:
            yield batch
