"""What each role may do, as a page for people, made from the templates themselves.

python -m templates.roles > docs/roles.md      (make docs)
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from templates.command import refusing
from templates.config import Config, load
from templates.stacks import STACKS, render

INTRODUCTION: Final = """\
# Roles

Made from the templates by `make docs`; a test keeps it up to date. What a stolen credential of each role
could reach: [security.md](security.md). Resources are those of the stack's own account and region; `<Name>`
is a resource or parameter of the stack. The configuration is that of dev: a dataset's schedule brings
ScheduleRole, which starts the pipeline and keeps what it could not deliver, and with a customer-managed key
the roles may also use that key, as [security.md](security.md#a-key-of-your-own) says.
"""

Statement = Mapping[str, Any]


def page(config: Config) -> str:
    """Return the page in Markdown; names of the stage are written as ``<stage>``."""
    lines = [line for stack in STACKS for line in _stack(stack, config)]
    return "\n".join([INTRODUCTION, *lines]).replace(config.named(""), "sluice-<stage>-")


def _stack(stack: str, config: Config) -> Iterator[str]:
    yield f"## The {stack} stack\n"
    for title, resource in json.loads(render(stack, config))["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            yield from _role(title, resource["Properties"])


def _role(title: str, role: Mapping[str, Any]) -> Iterator[str]:
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    (policy,) = role["Policies"]
    conditions = f", if {_conditions(trust)}" if "Condition" in trust else ""
    yield f"### {title}\n"
    yield f"{role['Description']}.\n"
    yield f"Taken by {_principals(trust['Principal'])}{conditions}.\n"
    yield "| may | on | if |\n|---|---|---|"
    yield from map(_row, policy["PolicyDocument"]["Statement"])
    yield ""


def _row(statement: Statement) -> str:
    actions = "<br>".join(f"`{action}`" for action in statement["Action"])
    resources = "<br>".join(f"`{named(resource)}`" for resource in statement["Resource"])
    because = f" ({_words(statement['Sid'])})" if "Sid" in statement else ""
    return f"| {actions} | {resources}{because} | {_conditions(statement)} |"


def _principals(principal: Mapping[str, Any]) -> str:
    services = principal["Service"]
    listed = services if isinstance(services, list) else [services]
    return ", ".join(f"`{named(service)}`" for service in listed)


def _conditions(statement: Statement) -> str:
    return "<br>".join(
        f"`{key}` {operator} `{_values(value)}`"
        for operator, tests in statement.get("Condition", {}).items()
        for key, value in tests.items()
    )


def _values(value: Any) -> str:
    listed = value if isinstance(value, list) else [value]
    return ", ".join(named(each) for each in listed)


def _words(sid: str) -> str:
    """Return a Sid as words: the reason why there is nothing narrower."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", sid).lower()


def named(value: Any) -> str:
    """Return a resource as people read it: without what all ARNs of one account and region share."""
    match value:
        case {"Ref": name}:
            text = f"<{name}>"
        case {"Fn::GetAtt": [name, _]}:
            text = f"<{name}>"
        case {"Fn::Sub": [str(pattern), _]} | {"Fn::Sub": str(pattern)}:
            text = pattern
        case {"Fn::If": [_, chosen, otherwise]}:
            return f"{named(chosen)} or {named(otherwise)}"
        case _:
            text = str(value)
    shared = r"arn:\$\{AWS::Partition\}:|\$\{AWS::Region\}:\$\{AWS::AccountId\}:"
    return re.sub(r"\$\{([\w:]+)\}", r"<\1>", re.sub(shared, "", text))


if __name__ == "__main__":
    with refusing():
        sys.stdout.write(page(load(Path("config.toml"), "dev")))
