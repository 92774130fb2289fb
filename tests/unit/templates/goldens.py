"""The templates as people review them: whole as config.toml has them, and what a choice changes.

    python -m tests.unit.templates.goldens      # rewrites tests/golden/ (make golden)

What a choice changes is a JSON merge patch (RFC 7386) of the template of the tests' own configuration, and an
edit of config.toml leaves it as it is. Null says that something is gone, a list stands there whole. Templates
hold no null themselves, so nothing is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from templates.command import refusing
from tests.unit.templates.variants import ROOT, Variant, variants

FOLDER: Final = ROOT / "tests/golden"


def path(variant: Variant) -> Path:
    """Return the golden's file."""
    return FOLDER / f"{variant}.{'patch.json' if variant.choice else 'json'}"


def text(variant: Variant) -> str:
    """Return what the golden has to say."""
    if not variant.choice:
        return variant.render()
    patch = difference(json.loads(variant.plain.render()), json.loads(variant.render()))
    return json.dumps(patch, indent=2, ensure_ascii=False) + "\n"


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the merge patch that turns one object into another."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            if below := difference(old, value):
                patch[key] = below
        elif key not in before or value != old:
            patch[key] = value
    return patch


def merged(target: Any, patch: Any) -> Any:
    """Apply a merge patch, as RFC 7386 spells it."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def stale() -> Iterator[Path]:
    """Yield goldens of variants that there are no more."""
    wanted = {path(variant) for variant in variants()}
    yield from (each for each in FOLDER.glob("*.json") if each not in wanted)


def rewrite() -> None:
    for each in stale():
        each.unlink()
    for variant in variants():
        path(variant).write_text(text(variant), encoding="utf-8")


if __name__ == "__main__":
    with refusing():
        rewrite()
