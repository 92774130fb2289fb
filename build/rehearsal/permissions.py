"""What the roles of a rehearsal were allowed, were refused, and never asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .emulator.permissions import ALLOWED, CALLS, ROLES, UNJUDGED

DENIED: Final = "Deny"

Actions = Mapping[str, tuple[str, ...]]
"""Role -> its actions, sorted."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """A role is called by its logical id in the template."""

    used: Actions
    unused: Actions
    refused: tuple[str, ...]
    """One line for every call that AWS would have denied."""

    @classmethod
    def read(cls, logs: Path, stack: str) -> Permissions:
        """Read what the emulator wrote down; nothing at all when no execution has started."""
        calls = [{**call, "who": _logical(call["who"], stack)} for call in _lines(logs / CALLS)]
        held = {
            _logical(role["role"], stack): _actions(role["policies"])
            for role in _lines(logs / ROLES)
            if role["role"].startswith(f"{stack}-")
        }
        used = {
            role: {call["action"] for call in calls if call["who"] == role and call["decision"] == ALLOWED}
            for role in held
        }
        return cls(
            used={role: tuple(sorted(actions & used[role])) for role, actions in held.items()},
            unused={role: tuple(sorted(actions - used[role])) for role, actions in held.items()},
            refused=tuple(_refusal(call) for call in calls if call["decision"] != ALLOWED),
        )

    def to_json(self) -> Mapping[str, Any]:
        """The keys of ``permissions`` in summary.json."""
        return {"refused": self.refused, "used": self.used, "unused": self.unused}

    @property
    def told(self) -> str:
        """How much of what may be done was done, in one line."""
        used, unused = (sum(map(len, actions.values())) for actions in (self.used, self.unused))
        return f"{len(self.used)} roles used {used} of {used + unused} actions; summary.json lists the others"


def _lines(path: Path) -> Iterator[Any]:
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def _logical(name: str, stack: str) -> str:
    """A role's name as CloudFormation makes it, <stack>-<logical id>-<random>, without what it added."""
    return name.removeprefix(f"{stack}-").rpartition("-")[0] if name.startswith(f"{stack}-") else name


def _actions(policies: Iterable[Mapping[str, Any]]) -> set[str]:
    return {
        action
        for policy in policies
        for statement in policy["Statement"]
        if statement["Effect"] == ALLOWED
        for action in _listed(statement["Action"])
    }


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _refusal(call: Mapping[str, Any]) -> str:
    under = f" under {json.dumps(call['context'])}" if call["context"] else ""
    return f"{call['who']} may not {call['action']} on {call['resource']}{under}: {_why(call)}"


def _why(call: Mapping[str, Any]) -> str:
    match call["decision"]:
        case decision if decision == DENIED:
            return f"statement {call['statement']} denies it"
        case decision if decision == UNJUDGED:
            return "emulator/needs.py does not say what it needs of IAM"
    return "no statement allows it"
