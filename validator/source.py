"""What a run reads: the objects a manifest names, or those that lie where its data does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from validator import formats, manifest, store
from validator.contract import Environment
from validator.crew import Crew, Halt
from validator.errors import UsageError
from validator.manifest import Manifest
from validator.settings import Settings, blamed
from validator.store import Object


@dataclass(frozen=True, slots=True)
class Source:
    """What a run reads."""

    dataset: str
    objects: tuple[Object, ...]
    root: str
    """Folder or prefix below which folders named key=value are columns."""


def identified(settings: Settings) -> Settings:
    """Returns the settings with the date and the id of the manifest's run in place of those nobody gave.

    Raises:
        UsageError: There is no such manifest.
    """
    if not (settings.manifest_uri and settings.assumed):
        return settings
    named = _manifest(settings.manifest_uri)
    assumed = settings.assumed
    return replace(
        settings,
        run_date=named.run_date if Environment.RUN_DATE in assumed else settings.run_date,
        run_id=named.run_id if Environment.RUN_ID in assumed else settings.run_id,
    )


def of(settings: Settings, crew: Crew) -> Source:
    """Returns what a run reads, every object as it is now.

    Args:
        settings: Of the run.
        crew: Who looks at objects.

    Raises:
        UsageError: There is no such manifest, file, folder or prefix; the manifest is of another run, or what
            is no data lies beside its objects.
    """
    if settings.manifest_uri:
        named = _manifest(settings.manifest_uri)
        _demand_same_run(named, settings)
        _refuse_left_out(named)
        return Source(named.dataset, _pinned(named.objects, crew), named.data_uri)
    uri = settings.data_uri or ""
    name = PurePosixPath(uri.rstrip("/")).name.partition(".")[0]
    with blamed(Environment.DATA_URI):
        found = store.at(uri)
        return Source(name, tuple(found.list(uri)), found.root(uri))


def _manifest(uri: str) -> Manifest:
    with blamed(Environment.MANIFEST_URI):
        return manifest.parse(store.at(uri).read(uri), uri)


def _demand_same_run(named: Manifest, settings: Settings) -> None:
    run = {
        Environment.RUN_DATE: (named.run_date.isoformat(), settings.run_date.isoformat()),
        Environment.RUN_ID: (named.run_id, settings.run_id),
    }
    for name, (found, given) in run.items():
        if found != given:
            raise UsageError(
                f"cannot use {settings.manifest_uri}",
                why=f"it is of another run: {name} is {given!r}, its own is {found!r}",
                remedy="name the manifest of this run with --manifest (MANIFEST_URI)",
            )


def _refuse_left_out(named: Manifest) -> None:
    """What lies beside the data may be a part of them, as a.csv.zip is: it is refused as in a folder."""
    if named.ignored:
        formats.of(named.ignored[0])
        # It is data for this validator, and was none for who wrote the manifest.
        raise UsageError(f"cannot read {named.data_uri}", why=f"its manifest leaves out {named.ignored[0]}")


def _pinned(objects: Sequence[Object], crew: Crew) -> tuple[Object, ...]:
    """Returns objects of a manifest, those it names by size alone with the ETag or time they have now.

    So one that is replaced while it is read, or before a later start, is not taken for the same.
    """

    def look(target: Object, halt: Halt) -> Object:
        halt.check()
        return _as_listed(target)

    with crew.at_work(look, [target for target in objects if not target.is_pinned]) as looked:
        found = {target.uri: result() for target, result in looked}
    return tuple(found.get(target.uri, target) for target in objects)


def _as_listed(target: Object) -> Object:
    """Returns an object with the ETag and time it has now; as it is if it cannot be listed."""
    try:
        listed = store.at(target.uri).list(target.uri)
    except UsageError:
        # Opening it says what is wrong; in S3 what may not be listed may still be read.
        return target
    name = target.uri if store.is_remote(target.uri) else str(store.local_path(target.uri))
    # The size stays as it was named: opening it holds both against each other.
    now = next((each for each in listed if each.uri == name), target)
    return replace(target, etag=now.etag, last_modified=now.last_modified)
