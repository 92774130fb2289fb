"""What stands in its own way: a name that is fixed is taken while what has it is still there.

CloudFormation makes the new resource first and removes the old one after it, and what is retained is there
for good. Task and job definitions only add a revision under their name.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from tests.unit.templates.limits import NAMES
from tests.unit.templates.variants import ROOT

Resources = Mapping[str, Any]

BY_REVISION: Final = {"AWS::ECS::TaskDefinition", "AWS::Batch::JobDefinition"}

LABELS: Final = {"MetricName", "DisplayName"}
"""Names that others may have too."""

ASK: Final = """
import json, sys
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as schemas
found = {kind: schemas.get_resource_schema("us-east-1", kind).schema for kind in json.load(sys.stdin)}
json.dump({kind: schema.get("createOnlyProperties", []) for kind, schema in found.items()}, sys.stdout)
"""


def named(resources: Resources) -> Iterator[str]:
    """Yield the titles of resources that have a fixed name to themselves."""
    for title, resource in resources.items():
        names = (key for key in resource.get("Properties", {}) if f"{resource['Type']}.{key}" in NAMES)
        fixed = [key for key in names if key not in LABELS and isinstance(resource["Properties"][key], str)]
        if fixed and resource["Type"] not in BY_REVISION:
            yield title


def replaced(before: Resources, after: Resources) -> Iterator[str]:
    """Yield properties by whose change a resource is replaced that has a fixed name to itself."""
    for title in named(before):
        kind, old = before[title]["Type"], before[title]["Properties"]
        new = after.get(title, before[title])["Properties"]
        yield from (f"{title}.{key}" for key in sorted(create_only()[kind]) if old.get(key) != new.get(key))


def settled(resources: Resources) -> Iterator[str]:
    """Yield the properties, besides names, that can never change of resources with a fixed name."""
    for title in named(resources):
        kind, properties = resources[title]["Type"], resources[title]["Properties"]
        names = {name.rpartition(".")[2] for name in NAMES if name.rpartition(".")[0] == kind}
        yield from (f"{title}.{key}" for key in sorted((create_only()[kind] & properties.keys()) - names))


def retained(resources: Resources) -> Iterator[str]:
    """Yield resources that keep a fixed name when their stack is gone: it cannot be created anew."""
    yield from (t for t in named(resources) if resources[t].get("DeletionPolicy", "").startswith("Retain"))


@cache
def create_only() -> Mapping[str, frozenset[str]]:
    """Return the properties by whose change a resource is replaced, by its type, as cfn-lint knows them."""
    kinds = sorted({place.rpartition(".")[0] for place in NAMES})
    python = ROOT / ".venv-linters/bin/python"
    said = subprocess.run(
        [python, "-c", ASK], input=json.dumps(kinds), capture_output=True, text=True, check=True
    )
    return {
        kind: frozenset(path.split("/")[2] for path in paths)
        for kind, paths in json.loads(said.stdout).items()
    }
