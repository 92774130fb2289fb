"""costs/: what children's tasks were billed for; the merge adds it to its own cost.

A child's tasks run one after the other, so each adds itself to those before it. One that is killed cannot.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from functools import reduce
from operator import add

from validator import cost, store
from validator.contract import Artifact
from validator.cost import Usage
from validator.crew import Crew, Halt
from validator.errors import UsageError
from validator.settings import Child, Settings


def save(settings: Settings, child: Child, now: datetime) -> None:
    """Adds this task to what the child's were billed for; outside of ECS nobody knows its size.

    Raises:
        ValidatorError: It cannot be written.
    """
    if task := cost.read_task(settings.task_metadata_uri):
        used = _of_child(settings, child) + cost.usage(task, now, settings.capacity or "")
        content = {"run_id": settings.run_id, **asdict(used)}
        store.write(_uri(settings, child), json.dumps(content, indent=2).encode() + b"\n")


def of_children(settings: Settings, crew: Crew) -> Usage:
    """Returns what the tasks of all children of this run were billed for, as far as they said it.

    Args:
        settings: Of the merge.
        crew: Who looks.
    """

    def look(child: Child, halt: Halt) -> Usage:
        halt.check()
        return _of_child(settings, child)

    children = [Child(index, settings.children) for index in range(settings.children)]
    with crew.at_work(look, children) as looked:
        return reduce(add, (result() for _, result in looked), Usage())


def _of_child(settings: Settings, child: Child) -> Usage:
    uri = _uri(settings, child)
    try:
        content = json.loads(store.at(uri).read(uri))
        return Usage.parse(content) if content["run_id"] == settings.run_id else Usage()
    except (UsageError, ValueError, KeyError, TypeError, RecursionError):
        # S3 answers "denied" for what is absent to those who may not list.
        return Usage()


def _uri(settings: Settings, child: Child) -> str:
    return store.child(store.child(settings.output_uri, Artifact.COSTS), child.file)
